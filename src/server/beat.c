#include "server/beat.h"

#include "server/limits.h"
#include "server/members.h"

/* A KEK that ends later than this has been changed out of turn: L - 4 ATD is its turn, and it may
 * be one ATD early (decisions M5). */
enum { OUT_OF_TURN_ATDS = 5 };

static span_t interval(const struct group *g)
{
    return span_s(g->model->communication.heartbeat_s);
}

void beat_start(struct group *g, instant_t now)
{
    g->push->heartbeat_at = instant_add(now, interval(g));
    g->push->last_call_at = g->push->farewell_at = INSTANT_NEVER;
    g->push->re_register = false;
}

void beat_after_news(struct group *g, instant_t now, struct push_news news)
{
    const struct kek_generation *before = g->kek[GROUP_KEK_PREVIOUS];
    struct push *p = g->push;
    instant_t soon = instant_add(now, group_atd(g));

    p->heartbeat_at = instant_min(p->heartbeat_at, soon);
    if (!news.kek || !before)
        return;
    instant_t turn = instant_add(now, span_times(group_atd(g), OUT_OF_TURN_ATDS));
    p->last_call_at = news.by_pull                           ? now
                      : instant_before(turn, before->expiry) ? soon
                                                             : INSTANT_NEVER;
    p->farewell_at = news.by_pull ? now : INSTANT_NEVER;
    p->re_register = news.by_pull;
}

static instant_t *at_of(struct push *p, enum push_kind kind)
{
    return kind == PUSH_HEARTBEAT   ? &p->heartbeat_at
           : kind == PUSH_LAST_CALL ? &p->last_call_at
                                    : &p->farewell_at;
}

void beat_done(struct group *g, enum push_kind kind, instant_t now)
{
    *at_of(g->push, kind) = kind == PUSH_FAREWELL ? INSTANT_NEVER : instant_add(now, interval(g));
    if (kind == PUSH_LAST_CALL)
        g->push->re_register = false; /* it was said to all who are there */
    if (kind == PUSH_HEARTBEAT && g->push->rounds_left == 0 && instant_is_never(g->push->strike_at))
        g->push->first_sent = INSTANT_NEVER; /* whoever was struck has heard this one */
}

void beat_again(struct group *g, enum push_kind kind, instant_t now)
{
    *at_of(g->push, kind) = instant_add(now, SERVER_PUSH_RETRY);
}

instant_t beat_due(const struct push *p)
{
    return instant_min(p->heartbeat_at, instant_min(p->last_call_at, p->farewell_at));
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

bool beat_pick(struct group *g, instant_t now, enum push_kind *ret_kind,
               enum push_dialect *ret_dialect, const struct kek_generation **ret_kek)
{
    static const enum push_kind kinds[] = {PUSH_LAST_CALL, PUSH_FAREWELL, PUSH_HEARTBEAT};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        enum push_kind kind = kinds[i];
        if (!instant_reached(*at_of(g->push, kind), now))
            continue;
        if (kek_for(g, kind) && members_any(g, dialect_for(kind))) {
            *ret_kind = kind;
            *ret_dialect = dialect_for(kind);
            *ret_kek = kek_for(g, kind);
            return true;
        }
        beat_done(g, kind, now);
        if (!kek_for(g, kind))
            *at_of(g->push, kind) = INSTANT_NEVER; /* it ended */
    }
    return false;
}
