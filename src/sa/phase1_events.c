/* Telling the operator: each refusal and each failure once, naming the peer, the gateway, the
 * reason and the statement that decided, which stands before whatever text the peer can make long.
 */
#include "sa/phase1_internal.h"

struct event phase1_event(enum event_id id, const struct phase1_peer *peer, struct endpoint remote,
                          struct endpoint local)
{
    struct event e = event_of(id);
    event_add_endpoint(&e, "peer", remote);
    event_add_endpoint(&e, "local", local);
    if (peer)
        event_add_str(&e, "gateway", peer->name);
    return e;
}

static struct event of_sa(enum event_id id, const struct phase1_sa *sa)
{
    return phase1_event(id, sa->peer, phase1_remote(sa), sa->local);
}

/* Whether the last line about a source was about this very datagram: who gets no answer sends it
 * again and again, and the operator reads it once. */
static bool told_already(struct phase1_call *c)
{
    uint64_t *last = &c->t->refused_last[phase1_source_bucket(c)];
    bool told = *last == c->digest;

    *last = c->digest;
    return told;
}

/* A first message that was refused; nothing is kept of it. */
void phase1_tell_refused(struct phase1_call *c, const struct phase1_peer *peer, enum err err,
                         const struct model_where *where, const char *detail)
{
    if (told_already(c))
        return;
    struct event e = phase1_event(EV_PHASE1_FAILED, peer, c->from, c->to);
    event_add_err(&e, err);
    model_event_where(&e, where);
    event_add_str(&e, "detail", detail);
    effects_tell(c->out, &e);
}

void phase1_tell_dropped(struct phase1_call *c, const struct phase1_sa *sa, enum err err,
                         const char *detail)
{
    struct event e = of_sa(EV_DATAGRAM_DROPPED, sa);
    event_add_err(&e, err);
    event_add_str(&e, "detail", detail);
    effects_tell(c->out, &e);
}

void phase1_tell_up(struct phase1_call *c, const struct phase1_sa *sa)
{
    char text[IKE1_ID_TEXT_MAX];
    struct ike1_id id = phase1_id_remote(sa->peer, &sa->ip);
    struct event e = of_sa(EV_PHASE1_UP, sa);

    event_add_str(&e, "role", sa->initiator ? "initiator" : "responder");
    event_add_str(&e, "mode", phase1_is_mode_aggressive(sa) ? "aggressive" : "main");
    event_add_str(&e, "identity", phase1_id_text(&id, text, sizeof text));
    event_add_hex(&e, "cookies", phase1_cookies(sa));
    event_add_str(&e, "proposal", sa->proposal->name);
    event_add_u64(&e, "lifetime", (uint64_t)instant_left_ceil_s(sa->expiry, c->now));
    effects_tell(c->out, &e);
}

/* Ends an exchange that never came up. A suspicion has been told already. */
void phase1_fail(struct phase1_call *c, struct phase1_sa *sa, enum err err,
                 const struct model_where *where, const char *detail)
{
    uint16_t hint = sa->hs->hint;

    if (err != ERR_AUTH || !sa->hs->suspect) {
        struct event e = of_sa(EV_PHASE1_FAILED, sa);
        event_add_str(&e, "role", sa->initiator ? "initiator" : "responder");
        event_add_err(&e, err);
        model_event_where(&e, where);
        event_add_str(&e, "detail", detail);
        if (hint)
            event_add_str(&e, "peer_says", ike1_notify_name(hint));
        effects_tell(c->out, &e);
    }
    c->t->counters.failed++;
    c->outcome =
        (struct phase1_outcome){.kind = PHASE1_FAILED, .sa = sa, .err = err, .notify_type = hint};
    phase1_bury(c->t, sa);
}

/* A message did not authenticate. It may be forged, so the exchange goes on; it may also be the
 * wrong key, so the operator reads it now, once, and not only when the exchange has timed out. */
void phase1_suspect(struct phase1_call *c, struct phase1_sa *sa, const char *detail)
{
    if (sa->hs->suspect)
        return;
    sa->hs->suspect = true;
    struct event e = of_sa(EV_PHASE1_SUSPECT, sa);
    event_add_str(&e, "role", sa->initiator ? "initiator" : "responder");
    event_add_err(&e, ERR_AUTH);
    model_event_where(&e, &sa->peer->policy->where);
    event_add_str(&e, "detail", detail);
    if (sa->hs->hint)
        event_add_str(&e, "peer_says", ike1_notify_name(sa->hs->hint));
    effects_tell(c->out, &e);
    phase1_notify_clear(c, &sa->cookies, sa->doi, IKE1_NOTIFY_AUTHENTICATION_FAILED);
}

static const char *const causes[PHASE1_CAUSE_COUNT] = {
    [PHASE1_CAUSE_NONE] = "none",
    [PHASE1_CAUSE_EXPIRED] = "lifetime over",
    [PHASE1_CAUSE_DELETED] = "deleted by the peer",
    [PHASE1_CAUSE_INITIAL_CONTACT] = "the peer started anew",
    [PHASE1_CAUSE_TOO_MANY] = "replaced by newer ones",
    [PHASE1_CAUSE_LOCAL] = "ended here",
};

void phase1_tell_down(const struct phase1_sa *sa, enum phase1_cause cause, struct effects *out)
{
    struct event e = of_sa(EV_PHASE1_DOWN, sa);
    event_add_hex(&e, "cookies", phase1_cookies(sa));
    event_add_str(&e, "cause", causes[cause]);
    effects_tell(out, &e);
}

void phase1_down(struct phase1_call *c, struct phase1_sa *sa, enum phase1_cause cause)
{
    phase1_tell_down(sa, cause, c->out);
    c->outcome.kind = PHASE1_DOWN;
    c->outcome.sa = sa;
    phase1_bury(c->t, sa);
}
