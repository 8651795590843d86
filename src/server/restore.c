#include "server/restore.h"

#include "group/change.h"
#include "server/gateways.h"
#include "server/live.h"
#include "server/operator.h"
#include "server/restoring.h"
#include "server/state.h"

#include <assert.h>

instant_t restore_at(const struct restore *r, instant_t kept)
{
    return instant_add(kept, r->config->shift);
}

/* ---- what is not used ---- */

void restore_forget(struct restore *r, enum store_table table, struct bytes key)
{
    store_delete(&r->out->arena, r->cleanup, table, key);
    r->n_unused[table]++;
}

/* why: ERR_OK when nothing is wrong with it. Keys are told one by one; of the others there may be
 * many, and their number has to do. */
static void tell_unused(struct restore *r, const struct store_row *row, enum err why,
                        const char *what)
{
    struct event e = event_of(EV_NOT_RESTORED);

    if (r->n_unused[row->table] > 1 && row->table != STORE_TEK && row->table != STORE_KEK)
        return;
    event_add_str(&e, "table", store_table_name(row->table));
    event_add_hex(&e, "row", row->key);
    event_add_str(&e, "what", what);
    if (why)
        event_add_err(&e, why);
    effects_tell(r->out, &e);
}

void restore_give_up(struct restore *r, const struct store_row *row, enum err why, const char *what)
{
    restore_forget(r, row->table, row->key);
    tell_unused(r, row, why, what);
}

/* ---- one table each ---- */

uint64_t restore_bit_of(const struct restore *r, const struct group *g)
{
    size_t i = 0;

    while (r->s->groups[i] != g)
        i++;
    return UINT64_C(1) << i;
}

static void restore_sa(struct group *g, const struct row_group_sa *k)
{
    struct group_sa *sa = group_sa_named(g, k->name);

    if (!sa)
        return;
    sa->numbers = k->numbers;
    sa->wish = k->wish;
}

static void restore_group(struct restore *r, const struct store_row *row)
{
    struct row_group k;
    enum err e = row_group_read(row, &r->arena, &k);
    struct group *g = e ? NULL : server_group_by_id(r->s, k.id);

    if (!g) {
        restore_give_up(r, row, e ? e : ERR_NOT_FOUND, "group");
        return;
    }
    r->counted |= restore_bit_of(r, g);
    g->push_seq = g->push_seq_given = g->push_seq_durable = k.push_seq;
    g->version = k.version;
    g->kek_numbers = k.kek_numbers;
    g->atd_s = k.atd_s;
    g->wishes = k.wishes;
    for (size_t i = 0; i < k.n_sas; i++)
        restore_sa(g, &k.sas[i]);
}

static void restore_member(struct restore *r, const struct store_row *row)
{
    struct row_member k;
    enum err e = row_member_read(row, &r->arena, &k);
    struct group *g = e ? NULL : server_group_by_id(r->s, k.who.group);
    const struct phase1_peer *peer = g ? map_get(&r->gateways, bytes_str(k.gateway)) : NULL;
    const struct model_server_gateway *gateway = peer ? peer->owner : NULL;

    if (!e && (!gateway || !server_lists(r->s, g, gateway))) {
        e = ERR_NOT_AUTHORISED;
        if (g)
            r->shut_out |= restore_bit_of(r, g);
    }
    if (!e) {
        const struct registration last = {.gateway = gateway,
                                          .identity = k.who.identity,
                                          .remote = k.remote,
                                          .now = restore_at(r, k.updated),
                                          .version = k.version,
                                          .native = k.native};
        const struct registry_kept kept = {.first = restore_at(r, k.registered),
                                           .struck = restore_at(r, k.struck),
                                           .pulls_succeeded = k.pulls_succeeded,
                                           .pulls_failed = k.pulls_failed,
                                           .status = k.status,
                                           .reason = k.reason,
                                           .proven = k.proven};
        e = registry_restore(&g->registry, &last, &kept);
    }
    if (e)
        restore_give_up(r, row, e, "member");
    else
        r->n_members++;
}

static void restore_ban(struct restore *r, const struct store_row *row)
{
    struct row_ban k;
    enum err e = row_ban_read(row, &k);

    if (!e && !server_group_by_id(r->s, k.who.group))
        e = ERR_NOT_FOUND;
    if (!e)
        e = ban_put(&r->s->bans, k.who.group, k.who.identity, k.address, restore_at(r, k.since));
    if (e)
        restore_give_up(r, row, e, "ban");
    else
        r->n_bans++;
}

/* Of the table of what belongs to no group there is one row. */
static void restore_clock(struct restore *r, const struct store_row *row)
{
    struct row_clock k;
    enum err e = row_clock_read(row, &k);

    if (e)
        restore_give_up(r, row, e, "group clock");
    else
        group_clock_restore(&r->s->clock, restore_at(r, k.at), k.time, r->config->clock_lost);
}

/* ---- all of it ---- */

static void alarm(struct restore *r, enum event_id id, const char *what)
{
    struct event e = event_of(id);

    event_add_str(&e, "what", what);
    effects_tell(r->out, &e);
}

/* Of an older copy of the database neither keys nor who has them can be believed. */
static bool is_believed(const struct restore *r, enum store_table table)
{
    return !r->config->keys_lost ||
           (table != STORE_TEK && table != STORE_KEK && table != STORE_MEMBER);
}

static void restore_table(struct restore *r, enum store_table table,
                          void (*restore)(struct restore *, const struct store_row *))
{
    for (size_t i = 0; i < r->config->n_rows; i++) {
        const struct store_row *row = &r->config->rows[i];
        if (row->table != table)
            continue;
        if (is_believed(r, table))
            restore(r, row);
        else
            restore_forget(r, table, row->key);
    }
}

static void tell_done(struct restore *r)
{
    struct event e = event_of(EV_RESTORED);
    size_t unused = 0;

    for (size_t i = 0; i < STORE_TABLE_COUNT; i++)
        unused += r->n_unused[i];
    event_add_u64(&e, "keys", r->n_keys);
    event_add_u64(&e, "members", r->n_members);
    event_add_u64(&e, "bans", r->n_bans);
    event_add_u64(&e, "unused", unused);
    effects_tell(r->out, &e);
}

static void restore_all(struct restore *r)
{
    restore_table(r, STORE_SIGNER, restore_signer);
    restore_table(r, STORE_GROUP, restore_group);
    restore_table(r, STORE_TEK, restore_tek);
    restore_table(r, STORE_KEK, restore_kek);
    restore_table(r, STORE_MEMBER, restore_member);
    restore_table(r, STORE_BAN, restore_ban);
    restore_table(r, STORE_SERVER, restore_clock);
    restore_slots(r);
    if (r->config->keys_lost)
        alarm(r, EV_STORE_OLD,
              "the database is an older copy: its keys are not used, members have to register, "
              "removals since it was made are unknown");
    if (r->config->clock_lost)
        alarm(r, EV_CLOCK_LOST, "the clocks went back meanwhile: every group gets new keys");
    for (size_t i = 0; r->config->clock_lost && i < r->s->n_groups; i++) {
        group_rekey(r->s->groups[i], NULL);
        group_rekey_kek(r->s->groups[i]);
    }
    for (size_t i = 0; i < r->s->n_groups; i++) {
        restore_delete_lost(r, r->s->groups[i]);
        if (r->shut_out & restore_bit_of(r, r->s->groups[i])) {
            live_shut_out(r->s, r->s->groups[i]);
            order_wish(r->s, r->s->groups[i], r->out);
        }
    }
    tell_done(r);
}

static void index_gateways(struct restore *r)
{
    const struct model_server *model = r->s->model;

    for (size_t i = 0; i < model->n_gateways; i++)
        map_put(&r->gateways, bytes_str(model->gateways[i].name), &r->s->peers[i]);
}

void restore_rows(struct server *s, const struct server_config *config, instant_t now,
                  struct effects *out)
{
    struct restore r = {.s = s, .config = config, .now = now, .out = out};

    if (config->n_rows == 0 && !config->keys_lost)
        return;
    r.cleanup = store_tx_new(&out->arena, 0, false);
    r.signers = arena_alloc(&r.arena, config->n_rows * sizeof *r.signers);
    r.teks = arena_alloc(&r.arena, config->n_rows * sizeof *r.teks);
    r.lost = arena_alloc(&r.arena, config->n_rows * sizeof *r.lost);
    r.keks = arena_alloc(&r.arena, config->n_rows * sizeof *r.keks);
    index_gateways(&r);
    restore_all(&r);
    map_free(&r.gateways);
    if (r.cleanup->n > 0)
        effects_persist(out, r.cleanup);
    arena_free(&r.arena);
}
