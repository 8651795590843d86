#include "server/persist.h"

#include "crypto/hash.h"
#include "server/state.h"

#include <assert.h>

static struct store_tx *begin(uint64_t id, struct effects *out)
{
    return store_tx_new(&out->arena, id, id != 0);
}

/* From the engine's clock to the store's. */
static instant_t kept(const struct server *s, instant_t at)
{
    return instant_add(at, span_times(s->shift, -1));
}

static struct wr new_value(struct effects *out)
{
    return wr_of(arena_alloc(&out->arena, ROW_MAX), ROW_MAX);
}

static void put(struct store_tx *tx, enum store_table table, struct bytes key,
                const struct wr *value, struct effects *out)
{
    assert(wr_end(value) == ERR_OK); /* ROW_MAX holds the longest row that limits allow */
    store_put(&out->arena, tx, table, key, wr_bytes(value));
}

/* ---- groups and keys ---- */

/* Keys that are MINTED go into the store with or before this row. */
static void put_group(const struct group *g, struct store_tx *tx, struct effects *out)
{
    struct row_group_sa *sas = arena_alloc(&out->arena, g->n_sas * sizeof *sas);
    struct row_group row = {.id = g->model->id,
                            .push_seq = g->push_seq_given,
                            .version = group_version_to_be(g),
                            .kek_numbers = g->kek_numbers,
                            .atd_s = g->atd_s,
                            .wishes = group_wishes_left(g),
                            .n_sas = g->n_sas,
                            .sas = sas};
    struct wr value = new_value(out);
    uint8_t key[ROW_KEY_MAX];

    for (size_t i = 0; i < g->n_sas; i++)
        sas[i] = (struct row_group_sa){g->sas[i].model->name, g->sas[i].numbers,
                                       group_sa_wish_left(&g->sas[i])};
    row_group_write(&value, &row);
    put(tx, STORE_GROUP, row_key_u32(g->model->id, key), &value, out);
}

static void put_tek(const struct server *s, const struct group *g, const struct generation *t,
                    struct store_tx *tx, struct effects *out)
{
    struct row_tek row = {.spi = t->spi,
                          .group = g->model->id,
                          .number = t->number,
                          .time = {.created = kept(s, t->time.created),
                                   .switch_at = kept(s, t->time.switch_at),
                                   .drop_at = kept(s, t->time.drop_at),
                                   .expiry = kept(s, t->time.expiry)},
                          .window_ms = t->window_ms,
                          .policy = t->policy,
                          .key = secret_bytes(&t->key),
                          .auth_key = secret_bytes(&t->auth_key)};
    struct wr value = new_value(out);
    uint8_t key[ROW_KEY_MAX];

    row_tek_write(&value, &row);
    put(tx, STORE_TEK, row_key_u32(t->spi, key), &value, out);
}

static_assert((int)ROW_SIGNER_KEY == (int)SIGNING_KEY_ID, "a row is named by its key");

static void put_signer(const struct signing_key *signer, const char *certificate,
                       struct store_tx *tx, struct effects *out)
{
    uint8_t id[ROW_SIGNER_KEY], *pem = arena_alloc(&out->arena, ROW_PEM_MAX);
    size_t len = 0;

    enum err e = sign_key_to_pem(signer->private, pem, ROW_PEM_MAX, &len);
    assert(e == ERR_OK); /* RSA_BITS_MAX bits have less */
    signing_key_id(signer, id);
    struct row_signer row = {BYTES_OF(id), certificate, bytes(pem, len)};
    struct wr value = new_value(out);
    row_signer_write(&value, &row);
    put(tx, STORE_SIGNER, row.id, &value, out);
}

/* Whether that KEK was made for a removal. */
static bool retires(const struct group *g, const struct kek_generation *k)
{
    const struct kek_generation *previous = g->kek[GROUP_KEK_PREVIOUS];

    if (k == g->kek[GROUP_KEK_MINTED])
        return g->minted_excludes;
    return k == g->kek[GROUP_KEK_CURRENT] && previous && previous->retired;
}

static void put_kek(const struct server *s, const struct group *g, const struct kek_generation *k,
                    struct store_tx *tx, struct effects *out)
{
    uint8_t id[ROW_SIGNER_KEY];
    struct row_kek row = {.spi = BYTES_OF(k->spi),
                          .group = g->model->id,
                          .number = k->number,
                          .created = kept(s, k->created),
                          .expiry = kept(s, k->expiry),
                          .policy = k->policy,
                          .iv = secret_bytes(&k->iv),
                          .key = secret_bytes(&k->key),
                          .signer = BYTES_OF(id),
                          .retires = retires(g, k)};
    struct wr value = new_value(out);

    signing_key_id(k->signer, id);
    row_kek_write(&value, &row);
    put(tx, STORE_KEK, row.spi, &value, out);
    put_signer(k->signer, k->policy->certificate, tx, out);
}

void persist_changeover(struct server *s, const struct group *g, uint64_t id, struct effects *out)
{
    struct store_tx *tx = begin(id, out);

    put_group(g, tx, out);
    for (size_t i = 0; i < g->n_sas; i++) {
        for (size_t slot = 0; slot < GROUP_SLOTS; slot++) {
            if (g->sas[i].slot[slot])
                put_tek(s, g, g->sas[i].slot[slot], tx, out);
        }
    }
    for (size_t slot = 0; slot < GROUP_KEK_SLOTS; slot++) {
        if (g->kek[slot])
            put_kek(s, g, g->kek[slot], tx, out);
    }
    effects_persist(out, tx);
}

void persist_seq(const struct group *g, uint64_t id, struct effects *out)
{
    struct store_tx *tx = begin(id, out);

    put_group(g, tx, out);
    effects_persist(out, tx);
}

static void drop(enum store_table table, struct bytes key, uint64_t id, struct effects *out)
{
    struct store_tx *tx = begin(id, out);

    store_delete(&out->arena, tx, table, key);
    effects_persist(out, tx);
}

void persist_drop_tek(const struct generation *key, struct effects *out)
{
    uint8_t k[ROW_KEY_MAX];

    drop(STORE_TEK, row_key_u32(key->spi, k), 0, out);
}

/* Whether somebody else needs that key pair: another KEK, or the next ones of the server's own. */
static bool signs_on(const struct server *s, const struct kek_generation *gone)
{
    if (gone->signer == s->signing.key)
        return true;
    for (size_t i = 0; i < s->n_groups; i++) {
        for (size_t slot = 0; slot < GROUP_KEK_SLOTS; slot++) {
            const struct kek_generation *k = s->groups[i]->kek[slot];
            if (k && k != gone && k->signer == gone->signer)
                return true;
        }
    }
    return false;
}

void persist_drop_kek(struct server *s, const struct kek_generation *kek, struct effects *out)
{
    struct store_tx *tx = begin(0, out);
    uint8_t id[ROW_SIGNER_KEY];

    store_delete(&out->arena, tx, STORE_KEK, BYTES_OF(kek->spi));
    signing_key_id(kek->signer, id);
    if (!signs_on(s, kek))
        store_delete(&out->arena, tx, STORE_SIGNER, BYTES_OF(id));
    effects_persist(out, tx);
}

/* ---- the group clock ---- */

void persist_clock(struct server *s, instant_t now, struct effects *out)
{
    struct store_tx *tx = begin(0, out);
    struct row_clock row = {kept(s, now), group_clock_read(&s->clock, now)};
    struct wr value = new_value(out);

    row_clock_write(&value, &row);
    put(tx, STORE_SERVER, bytes_str(ROW_CLOCK_KEY), &value, out);
    effects_persist(out, tx);
}

/* ---- members and bans ---- */

static struct row_who who_of(const struct group *g, const struct registry_member *m)
{
    return (struct row_who){g->model->id,
                            {(enum model_id_type)m->id[0], bytes(m->id + 1, m->id_len)}};
}

void persist_member(struct server *s, const struct group *g, const struct registry_member *m,
                    struct effects *out)
{
    struct store_tx *tx = begin(0, out);
    uint8_t key[ROW_KEY_MAX], room[ROW_MEMBER_MAX];
    struct wr value = wr_of(room, sizeof room);
    struct row_member row = {.who = who_of(g, m),
                             .gateway = m->gateway->name,
                             .remote = m->remote,
                             .registered = kept(s, registry_since(m)),
                             .updated = kept(s, m->updated),
                             .pulls_succeeded = m->pulls_succeeded,
                             .pulls_failed = m->pulls_failed,
                             .version = m->version,
                             .native = m->native,
                             .proven = m->proven,
                             .status = (enum registry_status)m->status,
                             .reason = (enum registry_reason)m->reason,
                             .struck = kept(s, registry_struck(m))};

    row_member_write(&value, &row);
    put(tx, STORE_MEMBER, row_key_who(&row.who, key), &value, out);
    effects_persist(out, tx);
}

void persist_forget_member(const struct group *g, const struct registry_member *m,
                           struct effects *out)
{
    struct row_who who = who_of(g, m);

    persist_forget(&who, 0, out);
}

void persist_forget(const struct row_who *who, uint64_t id, struct effects *out)
{
    uint8_t key[ROW_KEY_MAX];

    drop(STORE_MEMBER, row_key_who(who, key), id, out);
}

void persist_ban(struct server *s, const struct row_ban *ban, uint64_t id, struct effects *out)
{
    struct store_tx *tx = begin(id, out);
    uint8_t key[ROW_KEY_MAX], room[ROW_MEMBER_MAX];
    struct wr value = wr_of(room, sizeof room);
    struct row_ban row = {ban->who, kept(s, ban->since), ban->address};
    const struct group *g = server_group_by_id(s, ban->who.group);

    if (g)
        put_group(g, tx, out);
    row_ban_write(&value, &row);
    put(tx, STORE_BAN, row_key_who(&row.who, key), &value, out);
    store_delete(&out->arena, tx, STORE_MEMBER, row_key_who(&row.who, key)); /* M18: with it */
    effects_persist(out, tx);
}

void persist_lift_ban(const struct row_who *who, uint64_t id, struct effects *out)
{
    uint8_t key[ROW_KEY_MAX];

    drop(STORE_BAN, row_key_who(who, key), id, out);
}
