#include "server/groups.h"

#include "group/change.h"
#include "model/diff.h"
#include "server/limits.h"
#include "server/order_tx.h"
#include "server/persist.h"
#include "server/push.h"
#include "server/state.h"

/* Whom the planner tells. */
struct told {
    struct server *s;
    struct effects *out;
    size_t n_over; /* keys that were replaced by such of other policies */
    uint32_t over[SERVER_SAS_MAX];
};

/* By its policies alone a member knows which key succeeds which (decisions M2): of one that has
 * others it cannot, and would keep the old one until it ends. */
static void note_over(struct told *told, const struct group_sa *sa, const struct generation *gone)
{
    const struct generation *current = sa->slot[GROUP_CURRENT];

    if (current && current != gone && told->n_over < SERVER_SAS_MAX &&
        !model_ipsec_sa_same_traffic(current->policy, gone->policy))
        told->over[told->n_over++] = gone->spi;
}

/* Replacement without loss: push the new, wait for drop_at, then delete (decisions S29). */
static void delete_over(const struct told *told, struct group *g, instant_t now)
{
    if (told->n_over > 0)
        push_delete(told->s, g, now, &(struct push_delete){.spis = told->over, .n = told->n_over},
                    told->out);
}

static void tell_generation(void *to, enum group_event what, const struct group *g,
                            const struct group_sa *sa, const struct generation *generation)
{
    static const enum event_id ids[] = {[GROUP_CREATED] = EV_GENERATION_CREATED,
                                        [GROUP_SWITCHED] = EV_GENERATION_SWITCHED,
                                        [GROUP_DROPPED] = EV_GENERATION_DROPPED};
    struct event e = event_of(ids[what]);
    struct told *told = to;

    event_add_str(&e, "group", g->model->name);
    event_add_str(&e, "ipsec-sa", sa->model->name);
    event_add_u64(&e, "generation", generation->number);
    event_add_fmt(&e, "spi", "%08lx", (unsigned long)generation->spi);
    effects_tell(told->out, &e);
    if (what != GROUP_DROPPED)
        return;
    persist_drop_tek(generation, told->out);
    note_over(told, sa, generation);
}

static void tell_kek(void *to, enum group_event what, const struct group *g,
                     const struct kek_generation *kek)
{
    struct event e = event_of(what == GROUP_DROPPED ? EV_KEK_DROPPED : EV_KEK_CREATED);
    struct told *told = to;

    event_add_str(&e, "group", g->model->name);
    event_add_u64(&e, "generation", kek->number);
    event_add_hex(&e, "spi", BYTES_OF(kek->spi));
    effects_tell(told->out, &e);
    if (what == GROUP_DROPPED)
        persist_drop_kek(told->s, kek, told->out);
}

static struct group_listener listener_of(struct told *told)
{
    return (struct group_listener){tell_generation, tell_kek, told};
}

/* The keys and the SEQ of the push that will tell of them: one transaction. */
static void store_minted(struct server *s, struct group *g, struct effects *out)
{
    if (!group_is_minted(g) || g->push->minted.tx)
        return;
    g->push->minted.tx = ++s->transactions;
    push_reserve(g);
    g->push->minted.seq = g->push_seq_given;
    persist_changeover(s, g, g->push->minted.tx, out);
}

static void advance(struct server *s, struct group *g, instant_t now, struct effects *out)
{
    struct told told = {s, out};
    struct group_listener listener = listener_of(&told);

    group_advance(g, now, &listener);
    delete_over(&told, g, now);
    store_minted(s, g, out);
}

void groups_advance(struct server *s, instant_t now, struct effects *out)
{
    for (size_t i = 0; i < s->n_groups; i++)
        advance(s, s->groups[i], now, out);
}

instant_t groups_due(const struct server *s)
{
    instant_t due = INSTANT_NEVER;

    for (size_t i = 0; i < s->n_groups; i++)
        due = instant_min(due, group_due(s->groups[i]));
    return due;
}

static void tell_failed(const struct group *g, enum err err, struct effects *out)
{
    struct event e = event_of(EV_STORE_FAILED);

    event_add_str(&e, "group", g->model->name);
    event_add_str(&e, "what", "new keys could not be stored: the group goes on with those it has");
    event_add_err(&e, err);
    effects_tell(out, &e);
}

/* A transaction that failed, or whose answer nobody waits for, may have left rows all the same. */
static void forget_minted(struct server *s, const struct group *g, struct effects *out)
{
    for (size_t i = 0; i < g->n_sas; i++) {
        if (g->sas[i].slot[GROUP_MINTED])
            persist_drop_tek(g->sas[i].slot[GROUP_MINTED], out);
    }
    if (g->kek[GROUP_KEK_MINTED])
        persist_drop_kek(s, g->kek[GROUP_KEK_MINTED], out);
}

static void answer(struct server *s, struct group *g, instant_t now, enum err err,
                   struct effects *out)
{
    struct told told = {s, out};
    struct group_listener listener = listener_of(&told);

    g->push->minted.tx = 0;
    if (!group_is_minted(g)) /* the operator took them away meanwhile */
        return;
    if (err) {
        forget_minted(s, g, out);
        group_abandon(g, now);
        if (group_has_wishes(g)) /* a row behind these keys says that they fulfil them */
            order_wish(s, g, out);
        tell_failed(g, err, out);
        return;
    }
    if (g->push->minted.seq > g->push_seq_durable) /* of a message begun since nothing is known */
        g->push_seq_durable = g->push->minted.seq;
    struct announce_news news = {.kek = g->kek[GROUP_KEK_MINTED] != NULL,
                                 .by_pull = g->minted_excludes};
    group_commit(g, now, &listener);
    delete_over(&told, g, now);
    push_announce(s, g, now, news, out);
}

bool groups_stored(struct server *s, instant_t now, uint64_t id, enum err err, struct effects *out)
{
    for (size_t i = 0; id && i < s->n_groups; i++) {
        struct group *g = s->groups[i];
        if (g->push->minted.tx != id)
            continue;
        answer(s, g, now, err, out);
        advance(s, g, now, out);
        return true;
    }
    return false;
}

void groups_forget_minted(struct server *s, struct group *g, struct effects *out)
{
    forget_minted(s, g, out);
    group_forget_minted(g);
    g->push->minted.tx = 0; /* its answer is nobody's any more */
}

void groups_adopt(struct server *s, struct group *g, const struct model_group *model,
                  struct effects *out)
{
    struct told told = {s, out};
    struct group_listener listener = listener_of(&told);

    group_adopt(g, model, &listener);
}

void groups_drop_keks(struct server *s, struct group *g, struct effects *out)
{
    struct told told = {s, out};
    struct group_listener listener = listener_of(&told);

    group_drop_keks(g, &listener);
    push_reset(g->push);
}

void groups_clear(struct server *s, struct group *g, struct effects *out)
{
    struct told told = {s, out};
    struct group_listener listener = listener_of(&told);

    forget_minted(s, g, out);
    g->push->minted.tx = 0; /* its answer is nobody's any more */
    group_clear(g, &listener);
    push_reset(g->push);
}
