/* What is sent when: rounds of an announcement, deletes, signs of life. */
#include "server/push.h"

#include "sa/job.h"
#include "server/beat.h"
#include "server/limits.h"
#include "server/members.h"
#include "server/push_build.h"
#include "server/push_message.h"
#include "server/state.h"

#include <stdlib.h>

struct push *push_new(void)
{
    struct push *p = calloc(1, sizeof *p);

    if (!p)
        abort(); /* per group, at start-up or when the operator commits */
    push_reset(p);
    return p;
}

static void order_free(struct push_order *o)
{
    push_carrier_wipe(&o->carrier);
    free(o);
}

void push_free(struct push *p)
{
    if (!p)
        return;
    push_drop_message(p);
    while (p->orders) {
        struct push_order *next = p->orders->next;
        order_free(p->orders);
        p->orders = next;
    }
    for (size_t i = 0; i < ARRAY_LEN(p->acks); i++)
        ack_keys_wipe(&p->acks[i]);
    free(p);
}

void push_reset(struct push *p)
{
    if (p->message.kind != PUSH_DELETE)
        push_drop_message(p);
    p->rounds_left = p->dialects = 0;
    p->round_at = p->strike_at = p->first_sent = INSTANT_NEVER;
    p->heartbeat_at = p->last_call_at = p->farewell_at = INSTANT_NEVER;
    p->re_register = false;
}

/* ---- announcements ---- */

/* Unicast: once, and number-of-retransmission repeats; multicast: so many copies in all. */
static unsigned rounds_of(unsigned n, bool multicast)
{
    if (!multicast)
        return 1 + n;
    return n ? n : 1;
}

static span_t period(const struct group *g)
{
    return span_s(g->model->communication.retransmission_period_s);
}

static void start_rounds(struct group *g, instant_t now)
{
    struct push *p = g->push;

    p->rounds_done = p->dialects = 0;
    p->rounds_left = rounds_of(g->model->communication.n_retransmission, p->multicast);
    p->round_at = now;
    p->first_sent = p->strike_at = INSTANT_NEVER;
}

/* Which KEK the announcement goes under: a new one under the one before it, all else under the
 * current one (decisions M5). NULL: no push can bring it, as the first one of all. */
static const struct kek_generation *carrier_for(const struct group *g, struct push_news news)
{
    const struct kek_generation *kek = g->kek[news.kek ? GROUP_KEK_PREVIOUS : GROUP_KEK_CURRENT];

    return kek && !kek->retired && !news.by_pull ? kek : NULL;
}

static bool is_multicast(const struct kek_generation *kek)
{
    return kek->policy->type == MODEL_PUSH_MULTICAST;
}

/* Whether a round is still to come, or on its way. */
static bool is_announcing(const struct push *p)
{
    return p->rounds_left > 0 || p->dialects ||
           (p->message.stage != PUSH_IDLE && p->message.kind == PUSH_KEYS);
}

static void announce(struct group *g, instant_t now, struct push_news news)
{
    const struct kek_generation *carrier = carrier_for(g, news);
    struct push *p = g->push;

    /* who misses the announcement that this one supersedes is to find its keys here */
    p->all = is_announcing(p) && members_dialects(g) != 0;
    p->version = g->version;
    p->first_seq = g->push_seq + 1;
    p->with_kek = news.kek;
    p->by_pull = news.by_pull;
    p->n_keyless = 0;
    p->rounds_left = p->dialects = 0;
    p->strike_at = INSTANT_NEVER;
    /* Members answer as the newest SAK says that they have (RFC 8263 7.2): not to the push that
     * brings a KEK for multicasts. One that ends them goes to each member, so that it can ask for
     * answers in the words that he knows (decisions M13). */
    p->unanswered = is_multicast(g->kek[GROUP_KEK_CURRENT]);
    if (p->message.kind == PUSH_KEYS) /* with a SEQ that counts from now on, and older keys */
        push_drop_message(p);
    if (!carrier)
        return;
    memcpy(p->carrier, carrier->spi, sizeof p->carrier);
    p->multicast = is_multicast(carrier) && p->unanswered;
    start_rounds(g, now);
}

/* A path of 1500 octets carries 1472 of a datagram (decisions N39). Said with the first KEK, before
 * a push is lost to it, and whenever it is another size. */
static void tell_size(struct group *g, instant_t now, struct effects *out)
{
    struct event e = event_of(EV_PUSH_SIZE);
    struct push_carrier carrier = push_carrier_of(g->kek[GROUP_KEK_CURRENT]);
    size_t size = push_size(g, &carrier, now);

    push_carrier_wipe(&carrier);
    if (size <= SERVER_PUSH_PATH || g->push->told_size == size)
        return;
    g->push->told_size = size;
    event_add_str(&e, "group", g->model->name);
    event_add_u64(&e, "octets", size);
    event_add_u64(&e, "limit", SERVER_PUSH_PATH);
    effects_tell(out, &e);
}

void push_announce(struct server *s, struct group *g, instant_t now, struct push_news news,
                   struct effects *out)
{
    bool is_first = instant_is_never(g->push->heartbeat_at);

    if (!g->kek[GROUP_KEK_CURRENT])
        return;
    announce(g, now, news);
    if (is_first)
        beat_start(g, now);
    else
        beat_after_news(g, now, news);
    if (news.kek)
        tell_size(g, now, out);
    push_timer(s, now, out);
}

/* With a snapshot from before an exclusion it has heard of none: it is called once more. */
void push_to_latecomer(struct group *g, const struct registry_member *m, instant_t now)
{
    struct push *p = g->push;

    if (m->version == (uint16_t)g->version || !g->kek[GROUP_KEK_CURRENT])
        return;
    if (p->by_pull) {
        p->last_call_at = p->farewell_at = now;
        p->re_register = true;
        return;
    }
    instant_t soon = p->rounds_done ? instant_add(p->round_sent, SERVER_PUSH_PAUSE) : now;
    if (p->rounds_left == 0 && p->dialects == 0)
        start_rounds(g, now);
    p->round_at = instant_min(p->round_at, instant_max(soon, now));
}

/* RFC 8263 6: no acknowledgement is missing before SERVER_ACK_TIME. */
static void plan_strike(struct group *g, instant_t last_round)
{
    struct push *p = g->push;
    instant_t answered = instant_add(p->first_sent, SERVER_ACK_TIME);

    p->strike_at = instant_max(instant_add(last_round, period(g)), answered);
}

/* Opens the next round. Nobody is left to reach, or the KEK has ended: there is none. */
static void open_round(struct group *g)
{
    struct push *p = g->push;

    p->dialects =
        p->multicast ? (unsigned)(g->registry.n > 0) << PUSH_RFC6407 : members_dialects(g);
    if (p->dialects && group_kek(g, p->carrier)) {
        p->rounds_left--;
        return;
    }
    if (p->dialects && p->rounds_done)
        plan_strike(g, p->round_sent);
    p->dialects = p->rounds_left = 0;
}

static enum push_dialect first_dialect(unsigned dialects)
{
    return dialects & 1u << PUSH_NATIVE ? PUSH_NATIVE : PUSH_RFC6407;
}

static void send_round(struct server *s, struct group *g, instant_t now, struct effects *out)
{
    enum push_dialect dialect = first_dialect(g->push->dialects);
    const struct kek_generation *kek = group_kek(g, g->push->carrier);

    g->push->dialects &= ~(1u << dialect);
    if (!kek)
        return;
    struct push_carrier carrier = push_carrier_of(kek);
    if (!g->push->multicast)
        carrier.multicast_group = IP_NONE;
    push_begin(s, g, now, PUSH_KEYS, dialect, carrier, out);
}

/* The last dialect of a round is out, or had nobody to go to. */
static void close_round(struct group *g, instant_t now)
{
    struct push *p = g->push;

    p->rounds_done++;
    p->round_sent = now;
    if (instant_is_never(p->first_sent))
        p->first_sent = now;
    if (p->rounds_left)
        p->round_at = instant_add(now, period(g));
    else
        plan_strike(g, now);
}

/* A message that failed is a round that did not take place. */
static void round_ended(struct group *g, instant_t now, enum push_outcome how)
{
    struct push *p = g->push;

    if (how == PUSH_FAILED) {
        p->rounds_left++;
        p->dialects = 0;
        p->round_at = instant_add(now, SERVER_PUSH_RETRY);
    } else if (!p->dialects) {
        close_round(g, now);
    }
}

/* ---- deletes ---- */

static size_t count_orders(const struct push *p)
{
    size_t n = 0;

    for (const struct push_order *o = p->orders; o; o = o->next)
        n++;
    return n;
}

static void tell_gave_way(const struct group *g, struct effects *out)
{
    struct event e = event_of(EV_PUSH_FAILED);

    event_add_str(&e, "group", g->model->name);
    event_add_str(&e, "what", "too many deletes are being told: one gives way to a new one");
    event_add_err(&e, ERR_LIMIT);
    effects_tell(out, &e);
}

/* The one that was told most often gives way; the one that is on its way stays. */
static void make_room(struct group *g, struct effects *out)
{
    struct push *p = g->push;
    bool busy = p->message.stage != PUSH_IDLE && p->message.kind == PUSH_DELETE;

    if (count_orders(p) < SERVER_DELETES_MAX)
        return;
    struct push_order **most = busy ? &p->orders->next : &p->orders;
    for (struct push_order **at = &(*most)->next; *at; at = &(*at)->next) {
        if ((*at)->rounds_done > (*most)->rounds_done)
            most = at;
    }
    struct push_order *gone = *most;
    *most = gone->next;
    order_free(gone);
    tell_gave_way(g, out);
}

void push_delete(struct server *s, struct group *g, instant_t now, const struct push_delete *what,
                 struct effects *out)
{
    const struct kek_generation *kek = g->kek[GROUP_KEK_CURRENT];
    struct push_order **last = &g->push->orders;

    if (!kek || g->registry.n == 0)
        return;
    make_room(g, out);
    struct push_order *o = calloc(1, sizeof *o + what->n * sizeof o->spis[0]);
    if (!o)
        abort(); /* at an operator's word */
    if (what->n)
        memcpy(o->spis, what->spis, what->n * sizeof o->spis[0]);
    o->what = *what;
    o->what.spis = o->spis;
    o->carrier = push_carrier_of(kek);
    const struct model_communication *policy = kek->policy; /* the group may have none any more */
    o->rounds_left = rounds_of(policy->n_retransmission, policy->type == MODEL_PUSH_MULTICAST);
    o->period = span_s(policy->retransmission_period_s);
    o->at = now;
    while (*last)
        last = &(*last)->next;
    *last = o;
    push_timer(s, now, out);
}

static instant_t orders_due(const struct push *p)
{
    instant_t due = INSTANT_NEVER;

    for (const struct push_order *o = p->orders; o; o = o->next)
        due = instant_min(due, o->at);
    return due;
}

/* The first that is due comes to the front, where its message finds it. */
static void bring_forward(struct push *p, instant_t now)
{
    struct push_order **at = &p->orders, *o;

    while (!instant_reached((*at)->at, now))
        at = &(*at)->next;
    o = *at;
    *at = o->next;
    o->next = p->orders;
    p->orders = o;
}

static void send_order(struct server *s, struct group *g, instant_t now, struct effects *out)
{
    bring_forward(g->push, now);
    struct push_carrier carrier = g->push->orders->carrier;

    signing_key_hold(carrier.signer);
    push_begin(s, g, now, PUSH_DELETE, PUSH_RFC6407, carrier, out);
}

static void order_ended(struct push *p, instant_t now, enum push_outcome how)
{
    struct push_order *o = p->orders;

    o->rounds_done += how == PUSH_LEFT;
    if (how == PUSH_LEFT && --o->rounds_left > 0) {
        o->at = instant_add(now, o->period);
        return;
    }
    if (how == PUSH_FAILED) {
        o->at = instant_add(now, SERVER_PUSH_RETRY);
        return;
    }
    p->orders = o->next;
    order_free(o);
}

/* ---- one at a time ---- */

void push_ended(struct server *s, struct group *g, instant_t now, enum push_outcome how,
                struct effects *out)
{
    struct push *p = g->push;
    enum push_kind kind = p->message.kind;
    bool is_ours = p->message.version == p->version;

    push_drop_message(p);
    switch (kind) {
    case PUSH_KEYS:
        if (is_ours)
            round_ended(g, now, how);
        break;
    case PUSH_DELETE:
        order_ended(p, now, how);
        break;
    case PUSH_HEARTBEAT:
    case PUSH_LAST_CALL:
    case PUSH_FAREWELL:
        if (how == PUSH_FAILED)
            beat_again(g, kind, now);
        else
            beat_done(g, kind, now);
        break;
    }
    push_timer(s, now, out);
}

static instant_t due_of(const struct group *g)
{
    const struct push *p = g->push;
    instant_t due = beat_due(p);

    if (p->message.stage != PUSH_IDLE || g->push_seq >= SERVER_SEQ_LAST)
        return INSTANT_NEVER;
    if (p->dialects)
        return (instant_t){INT64_MIN};
    due = instant_min(due, orders_due(p));
    if (p->rounds_left)
        due = instant_min(due, p->round_at);
    return instant_min(due, p->strike_at);
}

static void beat(struct server *s, struct group *g, instant_t now, struct effects *out)
{
    enum push_kind kind;
    enum push_dialect dialect;
    const struct kek_generation *kek;

    if (beat_pick(g, now, &kind, &dialect, &kek))
        push_begin(s, g, now, kind, dialect, push_carrier_of(kek), out);
}

/* The first thing that is due. Each one leaves something behind that is due later. */
static void step(struct server *s, struct group *g, instant_t now, struct effects *out)
{
    struct push *p = g->push;

    if (instant_reached(orders_due(p), now)) {
        send_order(s, g, now, out);
    } else if (p->dialects) {
        send_round(s, g, now, out);
    } else if (p->rounds_left && instant_reached(p->round_at, now)) {
        open_round(g);
    } else if (instant_reached(p->strike_at, now)) {
        p->strike_at = INSTANT_NEVER;
        members_close_announcement(s, g, now, out);
    } else {
        beat(s, g, now, out);
    }
}

void push_timer(struct server *s, instant_t now, struct effects *out)
{
    struct group *g;

    for (size_t i = 0; (g = server_any_group(s, i)); i++) {
        while (instant_reached(due_of(g), now))
            step(s, g, now, out);
    }
}

instant_t push_due(const struct server *s)
{
    instant_t due = INSTANT_NEVER;
    const struct group *g;

    for (size_t i = 0; (g = server_any_group(s, i)); i++)
        due = instant_min(due, due_of(g));
    return due;
}

/* ---- after a restart ---- */

/* A KEK that is as young as a changeover takes may not be known to everybody yet. */
static bool is_kek_new(const struct group *g, instant_t now)
{
    const struct kek_generation *kek = g->kek[GROUP_KEK_CURRENT];
    instant_t known = instant_add(kek->created, timeline_changeover(group_atd(g)));

    return g->kek[GROUP_KEK_PREVIOUS] && instant_before(now, known);
}

static void believe_all(struct group *g)
{
    for (size_t i = 0; i < g->registry.n; i++)
        g->registry.members[i]->version = (uint16_t)g->version;
}

/* Of what an earlier server announced it is not known which message brought what: only answers to
 * what this one sends count. */
static void resume(struct group *g, instant_t now)
{
    const struct kek_generation *before = g->kek[GROUP_KEK_PREVIOUS];
    struct push_news news = {0};

    news.kek = is_kek_new(g, now);
    news.by_pull = news.kek && before->retired;
    g->push->version = g->version;
    g->push->first_seq = g->push_seq + 1;
    beat_start(g, now);
    g->push->heartbeat_at = now; /* nobody knows how long members have waited for one */
    if (!news.kek && !group_changeover(g))
        believe_all(g);
    else
        announce(g, now, news);
    beat_after_news(g, now, news);
}

void push_resume(struct server *s, instant_t now, struct effects *out)
{
    for (size_t i = 0; i < s->n_groups; i++) {
        struct group *g = s->groups[i];
        if (g->kek[GROUP_KEK_CURRENT])
            resume(g, now);
    }
    push_timer(s, now, out);
}
