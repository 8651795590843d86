#include "sim/models.h"

#include "conf/check.h"

#include <stdio.h>
#include <stdlib.h>

const struct model *models_read(struct arena *arena, const char *name, const char *text)
{
    struct conf_check check;
    const struct model *model;

    conf_check(arena, CONF_ROLE_ANY, name, bytes_str(text), &check);
    if (conf_check_verdict(&check) == ERR_CONFIG ||
        model_build(check.tree, &check.diags, arena, &model) != ERR_OK) {
        fputs(conf_check_report(&check), stderr);
        abort();
    }
    return model;
}

bool models_refuses(struct arena *arena, const char *text)
{
    struct conf_check check;

    conf_check(arena, CONF_ROLE_ANY, "server", bytes_str(text), &check);
    return conf_check_verdict(&check) == ERR_CONFIG;
}

#define SET "set security group-vpn "
#define PROPOSAL(side)                                                                             \
    SET side " ike proposal p1 authentication-method pre-shared-keys\n" SET side                   \
             " ike proposal p1 dh-group group14\n" SET side                                        \
             " ike proposal p1 authentication-algorithm sha-256\n" SET side                        \
             " ike proposal p1 encryption-algorithm aes-128-cbc\n"

struct models_odd models_odd_of(const struct models_plan *plan, unsigned member)
{
    for (size_t i = 0; i < plan->n_odd; i++) {
        if (plan->odd[i].member == member)
            return plan->odd[i];
    }
    return (struct models_odd){.extra = ""};
}

static char *member_address(struct arena *arena, unsigned i)
{
    return arena_text(arena, "198.18.%u.%u", i / 250, i % 250 + 1);
}

/* Unicast pushes under a KEK of AES-256. */
static const char *communication(struct arena *arena, const struct models_plan *plan)
{
    if (plan->kek_lifetime_s == 0)
        return "";
    return arena_text(arena,
                      SET
                      "server group g1 server-member-communication encryption-algorithm "
                      "aes-256-cbc\n" SET
                      "server group g1 server-member-communication sig-hash-algorithm sha-256\n" SET
                      "server group g1 server-member-communication lifetime-seconds %u\n",
                      plan->kek_lifetime_s);
}

static const char *time_stamps(struct arena *arena, const struct models_plan *plan)
{
    if (plan->window_s == 0)
        return SET "server group g1 no-anti-replay\n";
    if (plan->window_s == MODELS_WINDOW_UNSAID)
        return "";
    return arena_text(arena, SET "server group g1 anti-replay-time-window %u\n", plan->window_s);
}

static char *second_group(struct arena *arena, const struct models_plan *plan)
{
    return arena_text(
        arena,
        SET "server group g2 group-id 2\n" SET "server group g2 server-address 192.0.2.1\n" SET
            "server group g2 activation-time-delay %u\n" SET "server group g2 no-anti-replay\n" SET
            "server group g2 ipsec-sa s1 proposal e1\n" SET
            "server group g2 ipsec-sa s1 match-policy m1 source 172.16.0.0/12\n" SET
            "server group g2 ipsec-sa s1 match-policy m1 destination 172.16.0.0/12\n",
        plan->atd_s);
}

const char *models_server_text(struct arena *arena, const struct models_plan *plan)
{
    char *text = arena_text(
        arena,
        PROPOSAL("server") SET
        "server ike policy pol1 mode main\n" SET "server ike policy pol1 proposals p1\n" SET
        "server ike policy pol1 pre-shared-key ascii-text \"simulated secret\"\n" SET
        "server ipsec proposal e1 encryption-algorithm aes-128-cbc\n" SET
        "server ipsec proposal e1 authentication-algorithm hmac-sha-256-128\n" SET
        "server ipsec proposal e1 lifetime-seconds %u\n" SET
        "server ike proposal p1 lifetime-seconds %u\n" SET "server group g1 group-id 1\n" SET
        "server group g1 server-address 192.0.2.1\n" SET
        "server group g1 activation-time-delay %u\n%s" SET
        "server group g1 ipsec-sa s1 proposal e1\n" SET
        "server group g1 ipsec-sa s1 match-policy m1 source 10.0.0.0/8\n" SET
        "server group g1 ipsec-sa s1 match-policy m1 destination 10.0.0.0/8\n",
        plan->lifetime_s, plan->ike_lifetime_s, plan->atd_s, time_stamps(arena, plan));
    text = arena_text(arena, "%s%s%s", text, communication(arena, plan),
                      plan->two_groups ? second_group(arena, plan) : "");
    size_t room = strlen(text) + strlen(plan->group_extra) + 1 + (size_t)plan->members * 260;
    char *all = arena_alloc(arena, room);
    size_t n = (size_t)snprintf(all, room, "%s%s", text, plan->group_extra);

    for (unsigned i = 0; i < plan->members; i++) {
        n += (size_t)snprintf(all + n, room - n,
                              SET "server ike gateway gw%u ike-policy pol1\n" SET
                                  "server ike gateway gw%u address %s\n",
                              i, i, member_address(arena, i));
        if (!models_odd_of(plan, i).unlisted)
            n += (size_t)snprintf(all + n, room - n, SET "server group g1 ike-gateway gw%u\n", i);
        if (models_odd_of(plan, i).both)
            n += (size_t)snprintf(all + n, room - n, SET "server group g2 ike-gateway gw%u\n", i);
    }
    return all;
}

const struct model *models_server(struct arena *arena, const struct models_plan *plan)
{
    return models_read(arena, "server", models_server_text(arena, plan));
}

static const char second_vpn[] =
    SET "member ipsec vpn v2 ike-gateway ks\n" SET "member ipsec vpn v2 group 2\n" SET
        "member ipsec vpn v2 group-vpn-external-interface wan0\n";

const struct model *models_member(struct arena *arena, const struct models_plan *plan, unsigned i)
{
    struct models_odd odd = models_odd_of(plan, i);
    char *servers = arena_text(arena, "[ %s 192.0.2.1 ]", odd.more_servers ? odd.more_servers : "");

    return models_read(
        arena, "member",
        arena_text(arena,
                   PROPOSAL("member") SET
                   "member ike proposal p1 lifetime-seconds %u\n" SET
                   "member ike policy pol1 mode main\n" SET
                   "member ike policy pol1 proposals p1\n" SET
                   "member ike policy pol1 pre-shared-key ascii-text \"%s\"\n" SET
                   "member ike gateway ks ike-policy pol1\n" SET
                   "member ike gateway ks server-address %s\n" SET
                   "member ike gateway ks local-address %s\n" SET
                   "member ipsec vpn v1 ike-gateway ks\n" SET "member ipsec vpn v1 group %u\n" SET
                   "member ipsec vpn v1 group-vpn-external-interface wan0\n%s%s",
                   plan->ike_lifetime_s, odd.secret ? odd.secret : "simulated secret", servers,
                   member_address(arena, i), odd.group ? odd.group : 1, odd.both ? second_vpn : "",
                   odd.extra));
}
