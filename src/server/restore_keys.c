/* The keys of an earlier server: key pairs that sign, TEKs, KEKs, and the slots that are theirs. */
#include "group/change.h"
#include "group/restore.h"
#include "server/limits.h"
#include "server/push.h"
#include "server/restoring.h"
#include "server/state.h"

#include <assert.h>

/* A key may only be used again when the numbers are known that must not come twice under it. */
static struct group *counted_group(const struct restore *r, uint32_t id)
{
    struct group *g = server_group_by_id(r->s, id);

    return g && r->counted & restore_bit_of(r, g) ? g : NULL;
}

static struct group_sa *counted_sa(const struct restore *r, uint32_t id, const char *name)
{
    struct group *g = counted_group(r, id);

    return g ? group_sa_named(g, name) : NULL;
}

/* ---- key pairs ---- */

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

void restore_signer(struct restore *r, const struct store_row *row)
{
    struct row_signer k;
    struct found_signer found = {.key = NULL};
    enum err e = row_signer_read(row, &r->arena, &k);

    if (!e)
        e = find_signer(r, &k, &found);
    if (e)
        restore_give_up(r, row, e, "key pair");
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
            restore_forget(r, STORE_SIGNER, r->signers[i].id);
        signing_key_release(r->signers[i].key);
    }
}

/* ---- keys ---- */

void restore_tek(struct restore *r, const struct store_row *row)
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
        const struct kept_key key = {
            .number = k.number,
            .spi = k.spi,
            .time = {restore_at(r, k.time.created), restore_at(r, k.time.switch_at),
                     restore_at(r, k.time.drop_at), restore_at(r, k.time.expiry)},
            .window_ms = k.window_ms,
            .policy = k.policy,
            .key = k.key,
            .auth_key = k.auth_key};
        e = mint_restore(&r->s->mint, &key, &found.tek);
    }
    if (e)
        restore_give_up(r, row, e, "key of an ipsec-sa");
    else
        r->teks[r->n_teks++] = found;
}

void restore_kek(struct restore *r, const struct store_row *row)
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
                                     .created = restore_at(r, k.created),
                                     .expiry = restore_at(r, k.expiry),
                                     .policy = k.policy,
                                     .iv = k.iv,
                                     .key = k.key,
                                     .signer = signer->key};
        signer->is_used = true;
        e = kek_restore(&kek, &found.kek);
    }
    if (e)
        restore_give_up(r, row, e, "key for pushes");
    else
        r->keks[r->n_keks++] = found;
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
    restore_give_up(r, &row, ERR_OK, "its time is over");
}

static void tell_kek(void *to, enum group_event what, const struct group *g,
                     const struct kek_generation *kek)
{
    const struct store_row row = {.table = STORE_KEK, .key = BYTES_OF(kek->spi)};

    (void)g;
    assert(what == GROUP_DROPPED);
    restore_give_up(to, &row, ERR_OK, "its time is over");
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

void restore_slots(struct restore *r)
{
    for (size_t i = 0; i < r->s->n_groups; i++) {
        struct group *g = r->s->groups[i];
        for (size_t k = 0; k < g->n_sas; k++)
            place_teks(r, g, &g->sas[k]);
        place_keks(r, g);
        begin_numbers(g);
        g->cleared = is_cleared(r, g);
    }
    release_signers(r);
}

void restore_delete_lost(struct restore *r, struct group *g)
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
