#include "server/order_tx.h"

#include "server/persist.h"
#include "server/state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static const char ban[] = "a removal", lift[] = "the end of a removal",
                  forget[] = "the end of a registration", wish[] = "the wish for new keys";

void order_txs_free(struct order_txs *txs)
{
    free(txs->list);
    *txs = (struct order_txs){0};
}

/* Remembers it; its id. */
static uint64_t begin(struct server *s, const char *what, const struct row_who *who)
{
    struct order_txs *t = &s->orders;

    assert(who->identity.value.len <= BAN_ID_MAX);
    if (t->n == t->room) {
        t->room = t->room ? 2 * t->room : 8;
        t->list = realloc(t->list, t->room * sizeof *t->list);
        if (!t->list)
            abort(); /* as many as consoles and groups have under way */
    }
    struct order_tx *tx = &t->list[t->n++];
    *tx = (struct order_tx){.id = ++s->transactions,
                            .what = what,
                            .group = who->group,
                            .type = who->identity.type,
                            .len = who->identity.value.len};
    if (tx->len > 0)
        memcpy(tx->value, who->identity.value.data, tx->len);
    return tx->id;
}

void order_ban(struct server *s, const struct row_ban *row, struct effects *out)
{
    persist_ban(s, row, begin(s, ban, &row->who), out);
}

void order_lift(struct server *s, const struct row_who *who, struct effects *out)
{
    persist_lift_ban(who, begin(s, lift, who), out);
}

void order_forget(struct server *s, const struct row_who *who, struct effects *out)
{
    persist_forget(who, begin(s, forget, who), out);
}

void order_wish(struct server *s, const struct group *g, struct effects *out)
{
    const struct row_who nobody = {.group = g->model->id};

    persist_seq(g, begin(s, wish, &nobody), out);
}

/* ---- the answer ---- */

static void tell_failed(const struct group *g, const struct order_tx *tx, enum err err,
                        struct effects *out)
{
    struct event e = event_of(EV_STORE_FAILED);
    char what[EVENT_TEXT_MAX];

    snprintf(what, sizeof what, "%s could not be stored: until it is, a restart forgets it",
             tx->what);
    event_add_str(&e, "group", g->model->name);
    if (tx->type != MODEL_ID_NONE)
        model_event_identity(&e, (struct model_identity){tx->type, bytes(tx->value, tx->len)});
    event_add_str(&e, "what", what);
    event_add_err(&e, err);
    effects_tell(out, &e);
}

/* As things are now: what failed may have been undone since. */
static void again(struct server *s, const struct group *g, const struct order_tx *tx,
                  struct effects *out)
{
    const struct row_who who = {tx->group, {tx->type, bytes(tx->value, tx->len)}};
    const struct ban *b = ban_find(&s->bans, who.group, who.identity);

    if (tx->what == wish)
        persist_seq(g, 0, out);
    else if (tx->what == forget && !registry_find(&g->registry, who.identity))
        persist_forget(&who, 0, out);
    else if (tx->what != forget && b)
        persist_ban(s, &(struct row_ban){who, b->since, b->address}, 0, out);
    else if (tx->what != forget)
        persist_lift_ban(&who, 0, out);
}

bool order_stored(struct server *s, uint64_t id, enum err err, struct effects *out)
{
    struct order_txs *t = &s->orders;
    size_t i = 0;

    while (i < t->n && t->list[i].id != id)
        i++;
    if (i == t->n)
        return false;
    struct order_tx tx = t->list[i];
    t->list[i] = t->list[--t->n];
    const struct group *g = err ? server_group_by_id(s, tx.group) : NULL;
    if (g) {
        tell_failed(g, &tx, err, out);
        again(s, g, &tx, out);
    }
    return true;
}
