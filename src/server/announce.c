#include "server/announce.h"

#include "server/limits.h"
#include "server/members.h"
#include "server/push.h"

/* ---- what is announced ---- */

/* Which KEK the announcement goes under: a new one under the one before it, all else under the
 * current one (decisions M5). NULL: no push can bring it, as the first one of all. */
static const struct kek_generation *carrier_for(const struct group *g, struct announce_news news)
{
    const struct kek_generation *kek = g->kek[news.kek ? GROUP_KEK_PREVIOUS : GROUP_KEK_CURRENT];

    return kek && !kek->retired && !news.by_pull ? kek : NULL;
}

static bool is_multicast(const struct kek_generation *kek)
{
    return kek->policy->type == MODEL_PUSH_MULTICAST;
}

static bool is_sent(const struct announcement *a)
{
    return a->state == ANNOUNCE_WAITING || a->state == ANNOUNCE_SENDING;
}

static void count_rounds(struct group *g)
{
    struct announcement *a = &g->push->announcement;

    a->rounds_done = a->dialects = 0;
    a->rounds_left = push_rounds(g->model->communication.n_retransmission, a->multicast);
    a->first_sent = INSTANT_NEVER;
}

static void start_rounds(struct group *g, instant_t at)
{
    count_rounds(g);
    g->push->announcement.state = ANNOUNCE_WAITING;
    g->push->announcement.at = at;
}

void announce_adopt(struct group *g)
{
    g->push->announcement.version = g->version;
    g->push->announcement.first_seq = g->push_seq + 1;
    g->push->announcement.n_keyless = 0;
}

void announce_begin(struct group *g, instant_t now, struct announce_news news)
{
    const struct kek_generation *carrier = carrier_for(g, news);
    struct announcement *a = &g->push->announcement;

    /* who misses the announcement that this one supersedes is to find its keys here */
    a->all = is_sent(a) && members_dialects(g) != 0;
    a->with_kek = news.kek;
    a->by_pull = news.by_pull;
    /* Members answer as the newest SAK says that they have (RFC 8263 7.2): not to the push that
     * brings a KEK for multicasts. One that ends them goes to each member, so that it can ask for
     * answers in the words that he knows (decisions M13). */
    a->unanswered = is_multicast(g->kek[GROUP_KEK_CURRENT]);
    announce_adopt(g);
    announce_stop(a);
    if (g->push->message.subject.kind == PUSH_KEYS) /* with a SEQ that counts now, and older keys */
        push_drop_message(g->push);
    if (!carrier)
        return;
    memcpy(a->carrier, carrier->spi, sizeof a->carrier);
    a->multicast = is_multicast(carrier) && a->unanswered;
    start_rounds(g, now);
}

void announce_again(struct group *g, instant_t now)
{
    struct announcement *a = &g->push->announcement;
    instant_t soon = instant_max(now, instant_add(a->round_sent, SERVER_PUSH_PAUSE));

    switch (a->state) {
    case ANNOUNCE_OVER:
    case ANNOUNCE_LISTENING:
        start_rounds(g, soon);
        break;
    case ANNOUNCE_WAITING:
        a->at = instant_min(a->at, soon);
        break;
    case ANNOUNCE_SENDING: /* whom the last message is for has been decided */
        if (a->rounds_left == 0 && !a->dialects)
            count_rounds(g);
        break;
    }
}

void announce_stop(struct announcement *a)
{
    a->state = ANNOUNCE_OVER;
    a->at = INSTANT_NEVER;
    a->rounds_left = a->dialects = 0;
}

/* ---- rounds ---- */

static span_t period(const struct group *g)
{
    return span_s(g->model->communication.retransmission_period_s);
}

/* RFC 8263 6: no acknowledgement is missing before SERVER_ACK_TIME. */
static void listen(struct group *g, instant_t last_round)
{
    struct announcement *a = &g->push->announcement;
    instant_t answered = instant_add(a->first_sent, SERVER_ACK_TIME);

    a->state = ANNOUNCE_LISTENING;
    a->at = instant_max(instant_add(last_round, period(g)), answered);
}

/* No more of them; anybody: it would still have reached somebody. */
static void end_rounds(struct group *g, bool anybody)
{
    struct announcement *a = &g->push->announcement;

    announce_stop(a);
    if (anybody && a->rounds_done)
        listen(g, a->round_sent);
}

/* Opens the next round. Nobody is left to reach, or the KEK has ended: there is none. */
static void open_round(struct group *g)
{
    struct announcement *a = &g->push->announcement;
    unsigned dialects =
        a->multicast ? (unsigned)(g->registry.n > 0) << PUSH_RFC6407 : members_dialects(g);

    if (!dialects || !group_kek(g, a->carrier)) {
        end_rounds(g, dialects);
        return;
    }
    a->state = ANNOUNCE_SENDING;
    a->dialects = dialects;
    a->rounds_left--;
}

/* The last dialect of a round is out, or had nobody to go to. */
static void close_round(struct group *g, instant_t now)
{
    struct announcement *a = &g->push->announcement;

    a->rounds_done++;
    a->round_sent = now;
    if (instant_is_never(a->first_sent))
        a->first_sent = now;
    if (a->rounds_left == 0) {
        listen(g, now);
        return;
    }
    a->state = ANNOUNCE_WAITING;
    a->at = instant_add(now, period(g));
}

static enum push_dialect first_dialect(unsigned dialects)
{
    return dialects & 1u << PUSH_NATIVE ? PUSH_NATIVE : PUSH_RFC6407;
}

static void send_round(struct server *s, struct group *g, instant_t now, struct effects *out)
{
    struct announcement *a = &g->push->announcement;
    const struct kek_generation *kek = group_kek(g, a->carrier);
    struct push_subject what = {.kind = PUSH_KEYS, .dialect = first_dialect(a->dialects)};

    if (!kek) { /* it has ended since the round was opened */
        end_rounds(g, true);
        return;
    }
    a->dialects &= ~(1u << what.dialect);
    what.carrier = push_carrier_of(kek);
    if (!a->multicast)
        what.carrier.multicast_group = IP_NONE;
    push_begin(s, g, now, what, out);
}

/* A message that failed is a round that did not take place. */
void announce_ended(struct group *g, instant_t now, enum push_outcome how)
{
    struct announcement *a = &g->push->announcement;

    if (how == PUSH_FAILED) {
        a->rounds_left++;
        a->dialects = 0;
        a->state = ANNOUNCE_WAITING;
        a->at = instant_add(now, SERVER_PUSH_RETRY);
    } else if (!a->dialects) {
        close_round(g, now);
    }
}

instant_t announce_due(const struct announcement *a)
{
    const instant_t at_once = {INT64_MIN};

    return a->state == ANNOUNCE_SENDING ? at_once : a->at;
}

void announce_step(struct server *s, struct group *g, instant_t now, struct effects *out)
{
    switch (g->push->announcement.state) {
    case ANNOUNCE_WAITING:
        open_round(g);
        break;
    case ANNOUNCE_SENDING:
        send_round(s, g, now, out);
        break;
    case ANNOUNCE_LISTENING:
        announce_stop(&g->push->announcement);
        members_close_announcement(s, g, now, out);
        break;
    case ANNOUNCE_OVER:
        break;
    }
}

/* ---- which answers count ---- */

/* When there have been too many, answers to what went before them no longer count. */
void announce_note_keyless(struct group *g)
{
    struct announcement *a = &g->push->announcement;

    if (a->n_keyless == ANNOUNCE_KEYLESS_MAX) {
        a->n_keyless = 0;
        a->first_seq = g->push_seq;
    }
    a->keyless[a->n_keyless++] = g->push_seq;
}

bool announce_expects(const struct group *g, uint32_t seq)
{
    return seq >= g->push->announcement.first_seq && seq <= g->push_seq;
}

bool announce_brought_keys(const struct announcement *a, uint32_t seq)
{
    for (size_t i = 0; i < a->n_keyless; i++) {
        if (a->keyless[i] == seq)
            return false;
    }
    return true;
}
