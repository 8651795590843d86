#include "sim/story.h"

#include <stdlib.h>

/* The node's VPN in the group that the condition is about, or the first one. */
static size_t vpn_of(const struct story *s, const struct member *m)
{
    for (size_t i = 0; m && i < member_n_vpns(m); i++) {
        if (member_vpn(m, i).model->group_id == s->group_id)
            return i;
    }
    return 0;
}

/* Number of the newest generation that the node holds, or sends under. */
static unsigned generation(const struct story *s, size_t node, bool sending)
{
    const struct member *m = s->world.nodes[node].member;
    size_t vpn = vpn_of(s, m);
    unsigned newest = 0;

    for (size_t i = 0; m && i < member_vpn(m, vpn).n_sas; i++) {
        struct member_sa_view v = member_sa(m, vpn, i, s->world.now);
        unsigned n = check_number(s->world.check, v.spi);
        if ((!sending || v.slot == ESP_SLOT_CURRENT) && n > newest)
            newest = n;
    }
    return newest;
}

static bool has_no_key(struct story *s, size_t at, size_t node)
{
    (void)at;
    return generation(s, node, false) == 0;
}

static bool is_registered(struct story *s, size_t at, size_t node)
{
    const struct node *n = &s->world.nodes[node];

    (void)at;
    return n->member && member_vpn(n->member, vpn_of(s, n->member)).state == MEMBER_REGISTERED &&
           generation(s, node, true) > 0;
}

static bool is_unregistered(struct story *s, size_t at, size_t node)
{
    return !is_registered(s, at, node);
}

static bool sends(struct story *s, size_t at, size_t node)
{
    return story_count_is(s, at, generation(s, node, true));
}

static bool holds(struct story *s, size_t at, size_t node)
{
    return story_count_is(s, at, generation(s, node, false));
}

/* Which KEK of the server the member holds: 0 none, or none that the server knows. */
static bool has_kek(struct story *s, size_t at, size_t node)
{
    const struct node *n = &s->world.nodes[node], *ks = &s->world.nodes[0];
    struct bytes held = n->member ? member_vpn(n->member, 0).kek.cookies : bytes(NULL, 0);
    const struct kek_generation *k =
        ks->server && held.len ? group_kek(server_group(ks->server, 0), held.data) : NULL;

    return story_count_is(s, at, k ? k->number : 0);
}

/* The node told it, with all of KEY=VALUE ... at words[at..], the last word excepted. */
static bool is_told_with(const struct story *s, const struct told *t, size_t at, size_t node)
{
    bool all = t->node == node && t->id == story_event(s, at);

    for (size_t i = at + 1; all && i + 1 < s->n_words; i++)
        all = strstr(t->line, s->words[i]) != NULL;
    return all;
}

/* NAME [KEY=VALUE ...] N */
static bool has_events(struct story *s, size_t at, size_t node)
{
    unsigned n = 0;

    if (at + 2 == s->n_words)
        return story_count_is(s, at + 1, s->counts[node][story_event(s, at)]);
    for (const struct told *t = s->told; t; t = t->next)
        n += is_told_with(s, t, at, node);
    return story_count_is(s, s->n_words - 1, n);
}

static bool was_told(struct story *s, size_t at, size_t node)
{
    if (!story_is_kind(s, at))
        return story_count_is(s, at, s->world.nodes[node].told[WIRE_PULL]);
    return story_count_is(s, at + 1, s->world.nodes[node].told[story_kind(s, at)]);
}

static bool has_said(struct story *s, size_t at, size_t node)
{
    return story_count_is(s, at + 1, s->world.nodes[node].said[story_kind(s, at)]);
}

/* ---- moments: within that second ---- */

static bool is_in_second(const struct story *s, size_t at, instant_t moment)
{
    instant_t from = story_instant(s, at);

    return !instant_is_never(moment) && instant_reached(from, moment) &&
           instant_before(moment, instant_add(from, span_s(1)));
}

/* NAME [KEY=VALUE ...] T: such an event, for the first time */
static bool has_event_at(struct story *s, size_t at, size_t node)
{
    instant_t first = INSTANT_NEVER;

    for (const struct told *t = s->told; t; t = t->next) {
        if (is_told_with(s, t, at, node))
            first = t->at; /* newest first */
    }
    return is_in_second(s, s->n_words - 1, first);
}

static struct check_moments moments(const struct story *s, size_t at, size_t node)
{
    const struct model_server *server = s->world.nodes[0].model->server;
    uint32_t group = s->group_id ? s->group_id : server->groups[0].id;

    return check_moments(s->world.check, node, group, (unsigned)story_number(s, at, ""));
}

static bool learned_at(struct story *s, size_t at, size_t node)
{
    return is_in_second(s, at + 1, moments(s, at, node).learned);
}

static bool switched_at(struct story *s, size_t at, size_t node)
{
    return is_in_second(s, at + 1, moments(s, at, node).sends);
}

static bool dropped_at(struct story *s, size_t at, size_t node)
{
    return is_in_second(s, at + 1, moments(s, at, node).dropped);
}

/* ---- what the server's configuration made of a member's keys ---- */

static bool has_cipher(struct story *s, size_t at, size_t node)
{
    const struct member *m = s->world.nodes[node].member;

    return member_vpn(m, vpn_of(s, m)).n_sas > 0 &&
           strcmp(cipher_name(member_sa(m, vpn_of(s, m), 0, s->world.now).cipher),
                  story_word(s, at)) == 0;
}

static bool has_kek_cipher(struct story *s, size_t at, size_t node)
{
    return strcmp(cipher_name(member_vpn(s->world.nodes[node].member, 0).kek.cipher),
                  story_word(s, at)) == 0;
}

static bool has_sig_hash(struct story *s, size_t at, size_t node)
{
    return strcmp(hash_name(member_vpn(s->world.nodes[node].member, 0).kek.sig_hash),
                  story_word(s, at)) == 0;
}

/* SOURCE DESTINATION PROTOCOL SOURCE-PORT DESTINATION-PORT of any of the member's keys. */
static bool has_policy(struct story *s, size_t at, size_t node)
{
    const struct member *m = s->world.nodes[node].member;
    struct esp_selector want = {.protocol = (uint8_t)story_number(s, at + 2, ""),
                                .source_port = (uint16_t)story_number(s, at + 3, ""),
                                .destination_port = (uint16_t)story_number(s, at + 4, "")};

    if (!prefix_parse(story_word(s, at), false, &want.source) ||
        !prefix_parse(story_word(s, at + 1), false, &want.destination))
        story_stop(s, "expected two prefixes, not", s->words[at]);
    for (size_t i = 0; i < member_vpn(m, vpn_of(s, m)).n_sas; i++) {
        struct member_sa_view v = member_sa(m, vpn_of(s, m), i, s->world.now);
        for (size_t j = 0; j < v.n_selectors; j++) {
            const struct esp_selector *x = &v.selectors[j];
            if (prefix_equal(x->source, want.source) &&
                prefix_equal(x->destination, want.destination) && x->protocol == want.protocol &&
                x->source_port == want.source_port && x->destination_port == want.destination_port)
                return true;
        }
    }
    return false;
}

static bool has_joined(struct story *s, size_t at, size_t node)
{
    const struct node *n = &s->world.nodes[node];
    struct ip group;

    if (!ip_parse(story_word(s, at), &group))
        story_stop(s, "expected an address, not", s->words[at]);
    for (size_t i = 0; i < n->n_joined; i++) {
        if (ip_equal(n->joined[i], group))
            return true;
    }
    return false;
}

/* Bits of the key pair that signs the server's pushes. */
static bool has_signer(struct story *s, size_t at, size_t node)
{
    const struct server *server = s->world.nodes[node].server;
    const struct kek_generation *kek =
        server ? server_group(server, 0)->kek[GROUP_KEK_CURRENT] : NULL;

    return kek && story_count_is(s, at, kek->signer->bits);
}

static bool has_window(struct story *s, size_t at, size_t node)
{
    return story_count_is(s, at, check_window(s->world.check, node));
}

static bool is_sent_out_of(struct story *s, size_t at, size_t node)
{
    (void)node;
    return strcmp(s->world.multicast_interface, story_word(s, at)) == 0;
}

static bool has_dropped(struct story *s, size_t at, size_t node)
{
    const struct node *n = &s->world.nodes[node];
    const uint64_t *dropped = n->server ? server_dropped(n->server) : member_dropped(n->member);

    for (unsigned e = 1; e < ERR_COUNT; e++) {
        if (strcmp(err_name((enum err)e), story_word(s, at)) == 0)
            return story_count_is(s, at + 1, dropped[e]);
    }
    story_stop(s, "no error is called", s->words[at]);
}

static const struct condition {
    const char *name;
    bool (*holds)(struct story *s, size_t at, size_t node); /* `at`: the word behind the name */
} conditions[] = {
    {"registered", is_registered},
    {"unregistered", is_unregistered},
    {"sends", sends},
    {"holds", holds},
    {"kek", has_kek},
    {"keyless", has_no_key},
    {"events", has_events},
    {"event-at", has_event_at},
    {"told", was_told},
    {"said", has_said},
    {"learned", learned_at},
    {"switched", switched_at},
    {"dropped", dropped_at},
    {"cipher", has_cipher},
    {"kek-cipher", has_kek_cipher},
    {"sig-hash", has_sig_hash},
    {"policy", has_policy},
    {"joined", has_joined},
    {"out-of", is_sent_out_of},
    {"window", has_window},
    {"signer", has_signer},
    {"drops", has_dropped},
};

/* All members among them send under the same generation. */
static bool agree(struct story *s, const bool *nodes)
{
    unsigned first = 0;

    for (size_t n = 0; n < s->world.n_nodes; n++) {
        if (!nodes[n] || s->world.nodes[n].kind == NODE_SERVER)
            continue;
        unsigned g = generation(s, n, true);
        if (g == 0 || (first && g != first))
            return false;
        first = g;
    }
    return true;
}

static const struct condition *condition_at(const struct story *s, size_t at)
{
    for (size_t i = 0; i < ARRAY_LEN(conditions); i++) {
        if (story_is(s, at, conditions[i].name))
            return &conditions[i];
    }
    story_stop(s, "no such condition:", story_word(s, at));
}

bool story_holds(struct story *s, size_t at, const bool *nodes)
{
    const struct model_server *server = s->world.nodes[0].model->server;

    s->group_id = 0;
    if (story_is(s, at, "in")) {
        s->group_id = server->groups[story_group(s, story_word(s, at + 1))].id;
        at += 2;
    }
    if (story_is(s, at, "agree"))
        return agree(s, nodes);
    const struct condition *condition = condition_at(s, at);
    for (size_t n = 0; n < s->world.n_nodes; n++) {
        if (nodes[n] && !condition->holds(s, at + 1, n))
            return false;
    }
    return true;
}
