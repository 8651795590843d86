/* Time. The initiator sends again with exponential back-off and jitter until its tries are used up;
 * the responder waits a fixed time for the next message. Only aggressive mode's message 2 is
 * repeated by a responder, because nothing else would bring back a lost message 3; a spoofed
 * message 1 gets no more than three answers that way. */
#include "sa/phase1_internal.h"

#include <assert.h>
#include <stdio.h>

/* +-10 % */
static instant_t with_jitter(struct phase1_call *c, span_t span)
{
    int64_t tenth = span.ns / 10;
    int64_t jitter = (int64_t)drbg_below(c->t->drbg, (uint64_t)(2 * tenth + 1)) - tenth;
    return instant_add(c->now, (span_t){span.ns + jitter});
}

void phase1_resume(struct phase1_call *c, struct phase1_sa *sa)
{
    struct phase1_handshake *hs = sa->hs;

    if (sa->initiator)
        hs->deadline = INSTANT_NEVER;
    hs->resend = sa->initiator || hs->tries ? with_jitter(c, hs->interval) : INSTANT_NEVER;
    phase1_schedule(c->t, sa);
}

void phase1_expect_answer(struct phase1_call *c, struct phase1_sa *sa, unsigned tries)
{
    sa->hs->interval = PHASE1_RETRANSMIT_FIRST;
    sa->hs->tries = sa->hs->urgent ? PHASE1_RETRANSMIT_TRIES_URGENT : tries;
    phase1_resume(c, sa);
}

void phase1_await_job(struct phase1_call *c, struct phase1_sa *sa)
{
    sa->hs->resend = INSTANT_NEVER;
    sa->hs->deadline = instant_add(c->now, PHASE1_HALF_OPEN_LIFE);
    phase1_schedule(c->t, sa);
}

void phase1_hurry(struct phase1_sa *sa)
{
    assert(sa->hs && sa->initiator);
    sa->hs->urgent = true;
    sa->hs->tries = PHASE1_RETRANSMIT_TRIES_URGENT;
}

static const char *waited_for(const struct phase1_sa *sa)
{
    switch (sa->at) {
    case PHASE1_I_SENT_1:
    case PHASE1_AI_SENT_1:
        return "no answer to message 1";
    case PHASE1_I_SENT_3:
        return "no answer to message 3";
    case PHASE1_I_SENT_5:
        return "no answer to message 5";
    case PHASE1_R_SENT_2:
        return "the peer did not go on after message 2";
    case PHASE1_R_SENT_4:
        return "the peer did not go on after message 4";
    case PHASE1_AR_SENT_2:
        return "the peer did not go on after message 2";
    default:
        return "the key computation did not finish";
    }
}

/* A suspicion was told when it arose; it is the reason now. */
static void give_up(struct phase1_call *c, struct phase1_sa *sa)
{
    phase1_fail(c, sa, sa->hs->suspect ? ERR_AUTH : ERR_TIMEOUT, &sa->peer->where, waited_for(sa));
}

static void send_again(struct phase1_call *c, struct phase1_sa *sa)
{
    struct phase1_handshake *hs = sa->hs;

    if (hs->tries == 0 && sa->initiator) {
        give_up(c, sa);
        return;
    }
    phase1_send_again(c, sa);
    hs->tries--;
    hs->interval = span_min(span_times(hs->interval, 2),
                            hs->urgent ? PHASE1_RETRANSMIT_URGENT : PHASE1_RETRANSMIT_MAX);
    phase1_resume(c, sa);
}

static void up_timer(struct phase1_call *c, struct phase1_sa *sa)
{
    if (sa->cause != PHASE1_CAUSE_NONE) {
        phase1_down(c, sa, sa->cause);
    } else if (instant_reached(sa->expiry, c->now)) {
        phase1_delete(c->t, sa, c->out);
        phase1_down(c, sa, PHASE1_CAUSE_EXPIRED);
    } else {
        phase1_handshake_drop(c->t, sa); /* the peer has our last message, or never will */
        phase1_schedule(c->t, sa);
    }
}

struct phase1_outcome phase1_timer(struct phase1_table *t, instant_t now, struct effects *out)
{
    struct phase1_call c = {.t = t, .now = now, .out = out};

    phase1_free_dead(t);
    if (!instant_reached(heap_due(&t->timers), now))
        return c.outcome;
    struct phase1_sa *sa = HEAP_OBJECT(heap_first(&t->timers), struct phase1_sa, timer);
    if (sa->at == PHASE1_AT_UP)
        up_timer(&c, sa);
    else if (instant_reached(sa->hs->deadline, now))
        give_up(&c, sa);
    else
        send_again(&c, sa);
    return c.outcome;
}
