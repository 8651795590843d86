#include "server/refuse.h"

#include "server/gateways.h"
#include "server/state.h"

#include <stdio.h>

static void tolerate_byte_order(struct server *s, const struct phase1_sa *sa, struct group *g,
                                struct effects *out)
{
    struct event e = server_event(EV_TOLERATED, sa);

    gdoi_tolerate(&s->tolerated, TOLERATED_GROUP_ID_SWAPPED);
    g->counters.host_order_ids++;
    event_add_str(&e, "group", g->model->name);
    event_add_str(&e, "what", gdoi_tolerance_name(TOLERATED_GROUP_ID_SWAPPED));
    effects_tell(out, &e);
}

struct refusal refuse_unknown(struct server *s, const struct phase1_sa *sa,
                              const struct gdoi_group_id *id, struct group **ret,
                              struct effects *out)
{
    struct group *g = id->type == IKE1_ID_KEY_ID ? server_group_by_id(s, id->exact) : NULL;

    if (!g && id->type == IKE1_ID_KEY_ID) {
        g = server_group_by_id(s, id->swapped);
        if (g)
            tolerate_byte_order(s, sa, g, out);
    }
    if (g) {
        *ret = g;
        return (struct refusal){0};
    }
    struct refusal r = {.err = ERR_UNKNOWN_GROUP,
                        .notify = IKE1_NOTIFY_INVALID_ID_INFORMATION,
                        .reason = GDOI_REASON_NOT_AUTHORISED,
                        .where = &s->model->where};
    char text[IP_TEXT_MAX];
    if (id->type == IKE1_ID_KEY_ID)
        snprintf(r.what, sizeof r.what, "no group has group-id %lu", (unsigned long)id->exact);
    else
        snprintf(r.what, sizeof r.what, "the group is named by address %s, not by group-id",
                 ip_text(id->ip, text, sizeof text));
    return r;
}

/* Somebody else who is registered at the peer's address. An acknowledgement names its sender by
 * address alone (RFC 8263 3.4): two members behind one could not be told apart (decisions M15). */
static const struct registry_member *other_at_address(const struct phase1_sa *sa,
                                                      const struct group *g)
{
    const struct registry_member *m = registry_at_address(&g->registry, phase1_remote(sa).ip);
    const struct model_communication *c = &g->model->communication;

    if (!c->present || c->type != MODEL_PUSH_UNICAST)
        return NULL;
    while (m && (m->status == REGISTRY_STRUCK || registry_is(m, phase1_peer_identity(sa))))
        m = registry_same_address(m);
    return m;
}

static bool waits_for_signer(const struct group *g)
{
    return g->n_sas > 0 && g->model->communication.present && !g->signer;
}

static const char *why_not_ready(const struct group *g)
{
    if (g->n_sas == 0)
        return "the group has no ipsec-sa";
    return waits_for_signer(g) ? "the key that signs the group's pushes is not there yet"
                               : "the group has no live keys: new ones are not stored yet";
}

/* `member-threshold`: who is known keeps his place, struck or not. A server that is full does not
 * answer, so that the member tries the next one of its list, as Junos's do. */
static bool is_full(const struct phase1_sa *sa, const struct group *g)
{
    uint32_t most = g->model->member_threshold;

    return most > 0 && g->registry.n >= most &&
           !registry_find(&g->registry, phase1_peer_identity(sa));
}

struct refusal refuse_unauthorised(const struct server *s, const struct phase1_sa *sa,
                                   const struct group *g, instant_t now)
{
    const struct model_server_gateway *gateway = phase1_peer(sa)->owner;
    struct ip address = phase1_local(sa).ip;
    char text[IP_TEXT_MAX];
    struct refusal r = {.notify = IKE1_NOTIFY_INVALID_ID_INFORMATION, .where = &g->model->where};

    if (!server_lists(s, g, gateway)) {
        r.err = ERR_NOT_AUTHORISED;
        r.reason = GDOI_REASON_NOT_AUTHORISED;
        snprintf(r.what, sizeof r.what, "gateway %.60s is not in the group's ike-gateway list",
                 gateway->name);
    } else if (ban_find(&s->bans, g->model->id, phase1_peer_identity(sa))) {
        r.err = ERR_BANNED;
        r.reason = GDOI_REASON_NOT_AUTHORISED;
        snprintf(r.what, sizeof r.what, "gateway %.60s was removed from the group by the operator",
                 gateway->name);
        r.where = NULL; /* no statement did */
    } else if (!ip_equal(g->model->server_address, address)) {
        r.err = ERR_ADDRESS;
        r.reason = GDOI_REASON_SERVER_ADDRESS;
        snprintf(r.what, sizeof r.what, "asked at %s, which is not the group's server-address",
                 ip_text(address, text, sizeof text));
    } else if (group_window_ms(g) != 0 && !phase1_peer_knows_stamps(sa)) {
        r.err = ERR_POLICY;
        r.reason = GDOI_REASON_TIME_STAMPS;
        snprintf(r.what, sizeof r.what,
                 "the group uses time stamps: set no-anti-replay or remove gateway %.50s",
                 gateway->name);
    } else if (group_window_ms(g) != 0 && !s->clock.set) {
        r.err = ERR_NOT_FOUND;
        r.reason = GDOI_REASON_NOT_READY;
        snprintf(r.what, sizeof r.what, "the group clock is not set yet");
    } else if (is_full(sa, g)) {
        r.err = ERR_LIMIT;
        r.silent = true;
        snprintf(r.what, sizeof r.what, "the group has %lu members, its member-threshold",
                 (unsigned long)g->model->member_threshold);
    } else if (other_at_address(sa, g)) {
        r.err = ERR_DUPLICATE;
        r.reason = GDOI_REASON_ADDRESS;
        snprintf(r.what, sizeof r.what, "gateway %.60s is registered at the same address",
                 other_at_address(sa, g)->gateway->name);
        r.where = &g->model->communication.where;
    } else if (!group_is_ready(g, now)) {
        r.err = ERR_NOT_FOUND;
        r.reason = GDOI_REASON_NOT_READY;
        if (waits_for_signer(g))
            r.where = &g->model->communication.where;
        snprintf(r.what, sizeof r.what, "%s", why_not_ready(g));
    }
    return r;
}

/* Exchange 32 is also Quick Mode (RFC 2409 appendix A), which begins HASH, SA: a peer that takes us
 * for an ordinary IPsec gateway (decisions M26). */
struct refusal refuse_form(enum err err, uint8_t payload, const char *message)
{
    struct refusal r = {.err = err, .notify = IKE1_NOTIFY_PAYLOAD_MALFORMED};

    if (err == ERR_TYPE && payload == IKE1_PAYLOAD_SA) {
        r.notify = IKE1_NOTIFY_NO_PROPOSAL_CHOSEN;
        snprintf(r.what, sizeof r.what, "this is Quick Mode: the peer wants a tunnel, not a group");
    } else if (err == ERR_TYPE) { /* RFC 3547's KE, CERT, POP */
        r.notify = IKE1_NOTIFY_INVALID_PAYLOAD_TYPE;
        snprintf(r.what, sizeof r.what, "payload %s in message %s is not supported",
                 ike1_payload_name(payload), message);
    } else if (err == ERR_ATTRIBUTE) {
        r.notify = IKE1_NOTIFY_ATTRIBUTES_NOT_SUPPORTED;
        snprintf(r.what, sizeof r.what, "an attribute of %s in message %s is not understood",
                 ike1_payload_name(payload), message);
    } else {
        snprintf(r.what, sizeof r.what, "message %s is malformed at %s", message,
                 ike1_payload_name(payload));
    }
    return r;
}

struct refusal refuse_limit(enum err err, const char *what)
{
    struct refusal r = {
        .err = err, .notify = IKE1_NOTIFY_INVALID_ID_INFORMATION, .reason = GDOI_REASON_LIMIT};

    snprintf(r.what, sizeof r.what, "%s", what);
    return r;
}

/* Data of INVALID-ID-INFORMATION for natives: reason(2), text. */
static struct bytes reason_data(const struct phase1_sa *sa, const struct refusal *r, uint8_t *room,
                                size_t len)
{
    struct wr w = wr_of(room, len);

    if (r->notify == IKE1_NOTIFY_INVALID_ID_INFORMATION && phase1_peer_is_native(sa))
        gdoi_reason_write(&w, r->reason);
    return wr_bytes(&w);
}

void refuse(struct server *s, struct phase1_sa *sa, struct group *g, const struct refusal *r,
            struct effects *out)
{
    struct event e = server_event(EV_MEMBER_REFUSED, sa);
    uint8_t room[2 + GDOI_REASON_TEXT_MAX];

    if (g) {
        *(r->silent ? &g->counters.pulls_exceeding : &g->counters.pulls_refused) += 1;
        event_add_str(&e, "group", g->model->name);
    }
    event_add_str(&e, "what", r->what);
    event_add_err(&e, r->err);
    model_event_where(&e, r->where);
    effects_tell(out, &e);
    if (r->silent)
        return;
    phase1_notify(s->phase1, sa, (uint16_t)r->notify, IKE1_DOI_GDOI,
                  reason_data(sa, r, room, sizeof room), out);
}
