#include "conf/applications.h"
#include "conf/rules.h"

#include <string.h>

static const struct conf_node *servers_of(const struct conf_node *gateway)
{
    const struct conf_node *address = conf_child(gateway, "address");
    return address ? address : conf_child(gateway, "server-address");
}

static void check_gateway(const struct conf_rules *r, const struct conf_node *gateway)
{
    const struct conf_node *v1 = conf_child(gateway, "address");
    const struct conf_node *v2 = conf_child(gateway, "server-address");
    const struct conf_node *servers = servers_of(gateway);
    const struct conf_node *local = conf_child(gateway, "local-address");

    conf_rules_gateway(r, gateway);
    if (v1 && v2)
        CONF_RULE(r, CONF_ERROR, v2, "stands beside address in line %u, expected one of them",
                  v1->pos.line);
    if (!servers && !gateway->damaged)
        CONF_RULE(r, CONF_ERROR, gateway,
                  "'server-address' is missing, expected server-address or address");
    for (uint32_t i = 0; servers && local && i < servers->n_values; i++) {
        if (strcmp(servers->values[i].text, conf_text(local)) == 0)
            CONF_RULE(r, CONF_ERROR, local,
                      "Member can not have the same local address as server: %s, expected another",
                      conf_text(local));
    }
}

static void check_group_id(const struct conf_rules *r, const struct conf_node *ipsec,
                           const struct conf_node *vpn)
{
    uint32_t id = conf_rule_number(vpn, "group");

    if (id == 0)
        return;
    for (const struct conf_node *v = conf_child(ipsec, "vpn"); v != vpn; v = conf_next(v)) {
        if (conf_rule_number(v, "group") != id)
            continue;
        CONF_RULE(
            r, CONF_ERROR, conf_child(vpn, "group"),
            "Group id must be unique among group vpns: %u is the group of vpn %s, expected another",
            id, conf_text(v));
        return;
    }
}

static const char *known_applications(struct arena *arena)
{
    const char *text = "";

    for (const struct conf_application *a = conf_applications; a->name; a++)
        text = arena_text(arena, "%s%s%s", text,
                          a == conf_applications ? ""
                          : a[1].name            ? ", "
                                                 : " or ",
                          a->name);
    return text;
}

static void check_rules(const struct conf_rules *r, const struct conf_node *rules)
{
    for (const struct conf_node *rule = conf_child(rules, "rule"); rule; rule = conf_next(rule)) {
        const struct conf_node *application = conf_child(rule, "application");
        if (application && !conf_application(conf_text(application)))
            CONF_RULE(r, CONF_UNBUILT, application, "'%s' is not supported yet, expected %s",
                      conf_text(application), known_applications(r->arena));
    }
}

void conf_rules_member(const struct conf_rules *r, const struct conf_node *member)
{
    const struct conf_node *ike = conf_child(member, "ike");
    const struct conf_node *ipsec = conf_child(member, "ipsec");

    conf_rules_traceoptions(r, conf_child(ike, "traceoptions"));
    conf_rules_ike_policies(r, ike);
    for (const struct conf_node *g = conf_child(ike, "gateway"); g; g = conf_next(g))
        check_gateway(r, g);
    for (const struct conf_node *v = conf_child(ipsec, "vpn"); v; v = conf_next(v)) {
        check_group_id(r, ipsec, v);
        check_rules(r, conf_child(v, "exclude"));
        check_rules(r, conf_child(v, "fail-open"));
    }
}
