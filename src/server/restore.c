#include "server/restore.h"

#include "group/change.h"
#include "group/restore.h"
#include "server/limits.h"
#include "server/live.h"
#include "server/operator.h"
#include "server/persist.h"
#include "server/push.h"
#include "server/state.h"

#include <assert.h>

struct found_tek {
    struct group_sa *sa;
    struct generation *tek;
};
struct lost_tek {
    const struct group *group;
    uint32_t spi;
};
struct found_kek {
    struct group *group;
    struct kek_generation *kek;
    bool retires;
};
/* A key pair that KEKs were made with: the server's own, one that the configuration names, or one
 * that it named then (decisions M17: their pushes go on being signed with it). */
struct found_signer {
    struct bytes id;
    struct signing_key *key; /* held */
    bool is_used;            /* by a KEK, or for the next ones */
};
struct restore {
    struct server *s;
    const struct server_config *config;
    instant_t now;
    struct effects *out;
    struct arena arena;       /* what the rows say */
    struct store_tx *cleanup; /* rows that are of no use any more */
    struct found_tek *teks;
    struct lost_tek *lost; /* of ipsec-sas that the configuration has no more */
    size_t n_lost;
    struct found_kek *keks;
    struct found_signer *signers;
    struct map gateways; /* of the model, by name: there may be as many as members */
    uint64_t shut_out;   /* groups with members that may not be any more: bit i for groups[i] */
    uint64_t counted;    /* groups whose SEQ and numbers are known: bit i for groups[i] */
    size_t n_signers, n_teks, n_keks, n_keys, n_members, n_bans, n_unused[STORE_TABLE_COUNT];
};

static instant_t at(const struct restore *r, instant_t kept)
{
    return instant_add(kept, r->config->shift);
}

/* ---- what is not used ---- */

static void forget(struct restore *r, enum store_table table, struct bytes key)
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

static void give_up(struct restore *r, const struct store_row *row, enum err why, const char *what)
{
    forget(r, row->table, row->key);
    tell_unused(r, row, why, what);
}

/* ---- one table each ---- */

/* Its bit in what is known of groups. */
static uint64_t bit_of(const struct restore *r, const struct group *g)
{
    size_t i = 0;

    while (r->s->groups[i] != g)
        i++;
    return UINT64_C(1) << i;
}

/* A key may only be used again when the numbers are known that must not come twice under it. */
static struct group *counted_group(const struct restore *r, uint32_t id)
{
    struct group *g = server_group_by_id(r->s, id);

    return g && r->counted & bit_of(r, g) ? g : NULL;
}

static struct group_sa *counted_sa(const struct restore *r, uint32_t id, const char *name)
{
    struct group *g = counted_group(r, id);

    return g ? group_sa_named(g, name) : NULL;
}

static enum err former_signer(const struct row_signer *k, struct signing_key **ret)
{
    struct sign_key *pair = NULL;
    enum err e = sign_key_from_pem(k->pem, &pair);

    if (!e)
        e = signing_key_new(&pair, ret);
    sign_key_free(pair);
    return e;
}

static enum err find_signer(struct restore *r, const struct row_signer *k, struct found_signer *ret)
{
    struct signing_key *named = certified_with_id(&r->s->certified, k->id.data);
    enum err e = ERR_OK;

    *ret = (struct found_signer){.id = k->id, .is_used = named || !k->certificate};
    if (!named && k->certificate)
        return former_signer(k, &ret->key);
    if (!named)
        e = signing_restore(r->s, k->pem, r->out);
    if (!e)
        ret->key = signing_key_hold(named ? named : r->s->signing.key);
    return e;
}

static void restore_signer(struct restore *r, const struct store_row *row)
{
    struct row_signer k;
    struct found_signer found = {.key = NULL};
    enum err e = row_signer_read(row, &r->arena, &k);

    if (!e)
        e = find_signer(r, &k, &found);
    if (e)
        give_up(r, row, e, "key pair");
    else
        r->signers[r->n_signers++] = found;
}

static struct found_signer *signer_of(struct restore *r, struct bytes id)
{
    for (size_t i = 0; i < r->n_signers; i++) {
        if (bytes_equal(r->signers[i].id, id))
            return &r->signers[i];
    }
    return NULL;
}

/* KEKs have their own hold on them by now. */
static void release_signers(struct restore *r)
{
    for (size_t i = 0; i < r->n_signers; i++) {
        if (!r->signers[i].is_used)
            forget(r, STORE_SIGNER, r->signers[i].id);
        signing_key_release(r->signers[i].key);
    }
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
        give_up(r, row, e ? e : ERR_NOT_FOUND, "group");
        return;
    }
    r->counted |= bit_of(r, g);
    g->push_seq = g->push_seq_given = g->push_seq_durable = k.push_seq;
    g->version = k.version;
    g->kek_numbers = k.kek_numbers;
    g->atd_s = k.atd_s;
    g->wishes = k.wishes;
    for (size_t i = 0; i < k.n_sas; i++)
        restore_sa(g, &k.sas[i]);
}

static void restore_tek(struct restore *r, const struct store_row *row)
{
    struct row_tek k;
    struct found_tek found = {0};
    enum err e = row_tek_read(row, &r->arena, &k);

    found.sa = e ? NULL : counted_sa(r, k.group, k.policy->name);
    if (!e && !found.sa) {
        e = ERR_NOT_FOUND;
        r->lost[r->n_lost++] = (struct lost_tek){counted_group(r, k.group), k.spi};
    }
    if (!e) {
        const struct kept_key key = {.number = k.number,
                                     .spi = k.spi,
                                     .time = {at(r, k.time.created), at(r, k.time.switch_at),
                                              at(r, k.time.drop_at), at(r, k.time.expiry)},
                                     .window_ms = k.window_ms,
                                     .policy = k.policy,
                                     .key = k.key,
                                     .auth_key = k.auth_key};
        e = mint_restore(&r->s->mint, &key, &found.tek);
    }
    if (e)
        give_up(r, row, e, "key of an ipsec-sa");
    else
        r->teks[r->n_teks++] = found;
}

static void restore_kek(struct restore *r, const struct store_row *row)
{
    struct row_kek k;
    struct found_kek found = {0};
    enum err e = row_kek_read(row, &r->arena, &k);

    found.group = e ? NULL : counted_group(r, k.group);
    found.retires = !e && k.retires;
    struct found_signer *signer = e ? NULL : signer_of(r, k.signer);
    if (!e && (!found.group || !signer))
        e = ERR_NOT_FOUND;
    if (!e && found.group->push_seq == SERVER_SEQ_LAST) /* none of its numbers is left */
        e = ERR_LIMIT;
    if (!e) {
        const struct kept_kek kek = {.number = k.number,
                                     .spi = k.spi.data,
                                     .created = at(r, k.created),
                                     .expiry = at(r, k.expiry),
                                     .policy = k.policy,
                                     .iv = k.iv,
                                     .key = k.key,
                                     .signer = signer->key};
        signer->is_used = true;
        e = kek_restore(&kek, &found.kek);
    }
    if (e)
        give_up(r, row, e, "key for pushes");
    else
        r->keks[r->n_keks++] = found;
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
            r->shut_out |= bit_of(r, g);
    }
    if (!e) {
        const struct registration last = {.gateway = gateway,
                                          .identity = k.who.identity,
                                          .remote = k.remote,
                                          .now = at(r, k.updated),
                                          .version = k.version,
                                          .native = k.native};
        const struct registry_kept kept = {.first = at(r, k.registered),
                                           .struck = at(r, k.struck),
                                           .pulls_succeeded = k.pulls_succeeded,
                                           .pulls_failed = k.pulls_failed,
                                           .status = k.status,
                                           .reason = k.reason,
                                           .proven = k.proven};
        e = registry_restore(&g->registry, &last, &kept);
    }
    if (e)
        give_up(r, row, e, "member");
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
        e = ban_put(&r->s->bans, k.who.group, k.who.identity, k.address, at(r, k.since));
    if (e)
        give_up(r, row, e, "ban");
    else
        r->n_bans++;
}

/* Of the table of what belongs to no group there is one row. */
static void restore_clock(struct restore *r, const struct store_row *row)
{
    struct row_clock k;
    enum err e = row_clock_read(row, &k);

    if (e)
        give_up(r, row, e, "group clock");
    else
        group_clock_restore(&r->s->clock, at(r, k.at), k.time, r->config->clock_lost);
}

/* ---- slots ---- */

static void tell_tek(void *to, enum group_event what, const struct group *g,
                     const struct group_sa *sa, const struct generation *tek)
{
    struct restore *r = to;
    uint8_t key[ROW_KEY_MAX];
    const struct store_row row = {.table = STORE_TEK, .key = row_key_u32(tek->spi, key)};

    (void)g;
    (void)sa;
    assert(what == GROUP_DROPPED);
    give_up(r, &row, ERR_OK, "its time is over");
}

static void tell_kek(void *to, enum group_event what, const struct group *g,
                     const struct kek_generation *kek)
{
    const struct store_row row = {.table = STORE_KEK, .key = BYTES_OF(kek->spi)};

    (void)g;
    assert(what == GROUP_DROPPED);
    give_up(to, &row, ERR_OK, "its time is over");
}

static void place_teks(struct restore *r, struct group *g, struct group_sa *sa)
{
    const struct group_listener listener = {tell_tek, tell_kek, r};
    struct generation **mine = arena_alloc(&r->arena, r->n_teks * sizeof(struct generation *));
    size_t n = 0;

    for (size_t i = 0; i < r->n_teks; i++) {
        if (r->teks[i].sa == sa)
            mine[n++] = r->teks[i].tek;
    }
    group_restore_teks(g, sa, mine, n, r->now, &listener);
    for (size_t i = 0; i < GROUP_SLOTS; i++)
        r->n_keys += sa->slot[i] != NULL;
}

static bool retires(const struct restore *r, const struct kek_generation *kek)
{
    for (size_t i = 0; i < r->n_keks; i++) {
        if (r->keks[i].kek == kek)
            return r->keks[i].retires;
    }
    return false;
}

/* Whose numbers have ended, that one has no KEK any more: they begin again under the next one. */
static void begin_numbers(struct group *g)
{
    if (g->push_seq == SERVER_SEQ_LAST)
        g->push_seq = g->push_seq_given = g->push_seq_durable = 0;
}

static void place_keks(struct restore *r, struct group *g)
{
    const struct group_listener listener = {tell_tek, tell_kek, r};
    struct kek_generation **mine = arena_alloc(&r->arena, r->n_keks * sizeof(void *));
    size_t n = 0;

    for (size_t i = 0; i < r->n_keks; i++) {
        if (r->keks[i].group == g)
            mine[n++] = r->keks[i].kek;
    }
    group_restore_keks(g, mine, n, r->now, &listener);
    for (size_t i = 0; i < GROUP_KEK_SLOTS; i++)
        r->n_keys += g->kek[i] != NULL;
    if (g->kek[GROUP_KEK_PREVIOUS])
        g->kek[GROUP_KEK_PREVIOUS]->retired = retires(r, g->kek[GROUP_KEK_CURRENT]);
}

/* Nobody may use a key that a new one would have to wait for: none came back, and none was left out
 * that a member may have. They ended while there was no server, or an operator had ended them. */
static bool is_cleared(const struct restore *r, const struct group *g)
{
    bool any = false;

    for (size_t i = 0; i < g->n_sas; i++)
        any = any || group_newest(&g->sas[i]) || g->sas[i].slot[GROUP_PREVIOUS];
    for (size_t i = 0; i < r->n_lost; i++)
        any = any || r->lost[i].group == g;
    return !any;
}

static void place_keys(struct restore *r)
{
    for (size_t i = 0; i < r->s->n_groups; i++) {
        struct group *g = r->s->groups[i];
        for (size_t k = 0; k < g->n_sas; k++)
            place_teks(r, g, &g->sas[k]);
        place_keks(r, g);
        begin_numbers(g);
        g->cleared = is_cleared(r, g);
    }
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
            forget(r, table, row->key);
    }
}

/* Members are told to drop what the configuration has no more. */
static void delete_lost(struct restore *r, struct group *g)
{
    uint32_t *spis = arena_alloc(&r->arena, r->n_lost * sizeof *spis);
    size_t n = 0;

    for (size_t i = 0; i < r->n_lost; i++) {
        if (r->lost[i].group == g)
            spis[n++] = r->lost[i].spi;
    }
    if (n > 0)
        push_delete(r->s, g, r->now, &(struct push_delete){.spis = spis, .n = n}, r->out);
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
    place_keys(r);
    release_signers(r);
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
        delete_lost(r, r->s->groups[i]);
        if (r->shut_out & bit_of(r, r->s->groups[i])) {
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
