#include "server/beat.h"

#include "server/limits.h"
#include "server/members.h"
#include "server/push.h"

/* A KEK that ends later than this has been changed out of turn: L - 4 ATD is its turn, and it may
 * be one ATD early (decisions M5). */
enum { OUT_OF_TURN_ATDS = 5 };

/* As the statement says; without it, as it was when the KEK was made. */
static span_t interval(const struct group *g)
{
    const struct kek_generation *kek = g->kek[GROUP_KEK_CURRENT];
    const struct model_communication *c = &g->model->communication;

    return span_s(!c->present && kek ? kek->policy->heartbeat_s : c->heartbeat_s);
}

void beat_stop(struct beat *b)
{
    *b = (struct beat){
        .heartbeat_at = INSTANT_NEVER, .last_call_at = INSTANT_NEVER, .farewell_at = INSTANT_NEVER};
}

void beat_start(struct group *g, instant_t now)
{
    beat_stop(&g->push->beat);
    g->push->beat.heartbeat_at = instant_add(now, interval(g));
}

void beat_call(struct beat *b, instant_t now)
{
    b->last_call_at = b->farewell_at = now;
    b->re_register = true;
}

void beat_call_again(struct beat *b, instant_t now)
{
    beat_call(b, instant_max(now, instant_add(b->called, SERVER_PUSH_PAUSE)));
}

void beat_after_news(struct group *g, instant_t now, struct announce_news news)
{
    const struct kek_generation *before = g->kek[GROUP_KEK_PREVIOUS];
    struct beat *b = &g->push->beat;
    instant_t soon = instant_add(now, group_atd(g));

    b->heartbeat_at = instant_min(b->heartbeat_at, soon);
    if (!news.kek || !before)
        return;
    instant_t turn = instant_add(now, span_times(group_atd(g), OUT_OF_TURN_ATDS));
    b->last_call_at = instant_before(turn, before->expiry) ? soon : INSTANT_NEVER;
    b->farewell_at = INSTANT_NEVER;
    b->re_register = false;
    if (news.by_pull)
        beat_call(b, now);
}

static instant_t *at_of(struct beat *b, enum push_kind kind)
{
    return kind == PUSH_HEARTBEAT   ? &b->heartbeat_at
           : kind == PUSH_LAST_CALL ? &b->last_call_at
                                    : &b->farewell_at;
}

/* It has left, or had nobody to go to. */
static void done(struct group *g, enum push_kind kind, instant_t now)
{
    struct beat *b = &g->push->beat;
    struct announcement *a = &g->push->announcement;

    *at_of(b, kind) = kind == PUSH_FAREWELL ? INSTANT_NEVER : instant_add(now, interval(g));
    if (kind == PUSH_LAST_CALL)
        b->re_register = false; /* it was said to all who are there */
    if (kind == PUSH_HEARTBEAT && a->state == ANNOUNCE_OVER)
        a->first_sent = INSTANT_NEVER; /* whoever was struck has heard this one */
}

void beat_ended(struct group *g, enum push_kind kind, instant_t now, enum push_outcome how)
{
    if (how == PUSH_FAILED)
        *at_of(&g->push->beat, kind) = instant_add(now, SERVER_PUSH_RETRY);
    else
        done(g, kind, now);
    if (how == PUSH_LEFT && kind != PUSH_HEARTBEAT)
        g->push->beat.called = now;
}

instant_t beat_due(const struct beat *b)
{
    return instant_min(b->heartbeat_at, instant_min(b->last_call_at, b->farewell_at));
}

/* Only peers that announced us know a notification in a push; the delete is for the others. */
static enum push_dialect dialect_for(enum push_kind kind)
{
    return kind == PUSH_FAREWELL ? PUSH_RFC6407 : PUSH_NATIVE;
}

static const struct kek_generation *kek_for(const struct group *g, enum push_kind kind)
{
    return g->kek[kind == PUSH_HEARTBEAT ? GROUP_KEK_CURRENT : GROUP_KEK_PREVIOUS];
}

/* Whether one of that kind, which is due, began. */
static bool begin(struct server *s, struct group *g, enum push_kind kind, instant_t now,
                  struct effects *out)
{
    const struct kek_generation *kek = kek_for(g, kind);

    if (kek && members_any(g, dialect_for(kind))) {
        push_begin(s, g, now, (struct push_subject){kind, dialect_for(kind), push_carrier_of(kek)},
                   out);
        return true;
    }
    done(g, kind, now);
    if (!kek)
        *at_of(&g->push->beat, kind) = INSTANT_NEVER; /* it ended */
    return false;
}

void beat_step(struct server *s, struct group *g, instant_t now, struct effects *out)
{
    static const enum push_kind kinds[] = {PUSH_LAST_CALL, PUSH_FAREWELL, PUSH_HEARTBEAT};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (instant_reached(*at_of(&g->push->beat, kinds[i]), now) &&
            begin(s, g, kinds[i], now, out))
            return;
    }
}
