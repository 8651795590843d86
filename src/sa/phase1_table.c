/* The table of SAs: birth, look-up, timers, death. */
#include "sa/phase1_internal.h"

#include <assert.h>
#include <stdlib.h>

#define AT(a) FSM_TO(PHASE1_##a)
#define OVER (AT(AT_UP) | AT(AT_END))

/* A job that fails for a forged public value leads back to waiting (see phase1_jobs.c). */
static const struct fsm_state states[PHASE1_AT_COUNT] = {
    [PHASE1_I_SENT_1] = {"sent-1", AT(I_GENERATING) | AT(AT_END)},
    [PHASE1_I_GENERATING] = {"generating", AT(I_SENT_3) | AT(AT_END)},
    [PHASE1_I_SENT_3] = {"sent-3", AT(I_KEYING) | AT(AT_END)},
    [PHASE1_I_KEYING] = {"keying", AT(I_SENT_5) | AT(I_SENT_3) | AT(AT_END)},
    [PHASE1_I_SENT_5] = {"sent-5", OVER},
    [PHASE1_R_SENT_2] = {"sent-2", AT(R_KEYING) | AT(AT_END)},
    [PHASE1_R_KEYING] = {"keying", AT(R_SENT_4) | AT(R_SENT_2) | AT(AT_END)},
    [PHASE1_R_SENT_4] = {"sent-4", OVER},
    [PHASE1_AI_GENERATING] = {"generating", AT(AI_SENT_1) | AT(AT_END)},
    [PHASE1_AI_SENT_1] = {"aggressive-sent-1", AT(AI_KEYING) | AT(AT_END)},
    [PHASE1_AI_KEYING] = {"aggressive-keying", AT(AI_SENT_1) | OVER},
    [PHASE1_AR_KEYING] = {"aggressive-keying", AT(AR_SENT_2) | AT(AT_END)},
    [PHASE1_AR_SENT_2] = {"aggressive-sent-2", OVER},
    [PHASE1_AT_UP] = {"up", AT(AT_END)},
    [PHASE1_AT_END] = {"end", 0},
};

void *phase1_zeroed(size_t size)
{
    void *p = calloc(1, size);
    if (!p)
        abort(); /* like every container of base/: limits are checked where sizes enter */
    return p;
}

void phase1_blob_free(struct phase1_blob *b)
{
    if (b->data)
        explicit_bzero(b->data, b->len);
    free(b->data);
    *b = (struct phase1_blob){0};
}

void phase1_blob_set(struct phase1_blob *b, struct bytes value)
{
    struct phase1_blob fresh = {phase1_zeroed(value.len ? value.len : 1), value.len};
    if (value.len)
        memcpy(fresh.data, value.data, value.len);
    phase1_blob_free(b);
    *b = fresh;
}

void phase1_link_init(struct phase1_link *l) { l->prev = l->next = l; }

void phase1_link_append(struct phase1_link *list, struct phase1_link *l)
{
    assert(l->next == l);
    l->prev = list->prev;
    l->next = list;
    list->prev->next = l;
    list->prev = l;
}

void phase1_link_remove(struct phase1_link *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    phase1_link_init(l);
}

static void seed(struct phase1_table *t, struct map *m)
{
    m->seed[0] = drbg_u64(t->drbg);
    m->seed[1] = drbg_u64(t->drbg);
}

enum err phase1_table_new(const struct phase1_config *config, struct drbg *drbg,
                          struct phase1_table **ret)
{
    struct phase1_table *t = phase1_zeroed(sizeof *t);
    struct map *maps[] = {&t->by_cookies, &t->by_first, &t->by_job, &t->by_pair, &t->by_source};
    struct phase1_peers *peers;

    t->drbg = drbg;
    t->next_job = 1;
    phase1_link_init(&t->unproven);
    for (size_t i = 0; i < ARRAY_LEN(maps); i++)
        seed(t, maps[i]);
    enum err e = phase1_peers_new(config, drbg, &peers);
    if (e) {
        phase1_table_free(t);
        return e;
    }
    phase1_peers_replace(t, peers, NULL); /* of nobody yet */
    *ret = t;
    return ERR_OK;
}

void phase1_table_free(struct phase1_table *t)
{
    if (!t)
        return;
    for (struct heap_node *n = heap_first(&t->timers); n; n = heap_first(&t->timers))
        phase1_bury(t, HEAP_OBJECT(n, struct phase1_sa, timer));
    phase1_free_dead(t);
    map_free(&t->by_cookies);
    map_free(&t->by_first);
    map_free(&t->by_job);
    map_free(&t->by_pair);
    map_free(&t->by_source);
    heap_free(&t->timers);
    phase1_peers_clear(&t->peers);
    explicit_bzero(t, sizeof *t);
    free(t);
}

/* RFC 2408 2.5.3 wants a cookie that depends on the parties and on a local secret: ours is random,
 * and is accepted only from the endpoint that it was issued to. `half` is the one of the two to
 * fill. */
void phase1_fresh_cookie(struct phase1_table *t, struct ike1_cookies *cookies, uint8_t *half)
{
    static const uint8_t none[IKE1_COOKIE];
    do {
        drbg_fill(t->drbg, half, IKE1_COOKIE);
    } while (bytes_equal(bytes(half, IKE1_COOKIE), BYTES_OF(none)) || phase1_find(t, cookies));
}

/* proposal: NULL while an initiator does not know which it will be. */
static size_t keys_room(const struct model_ike_proposal *p)
{
    enum { CIPHER_KEY_LONGEST = 32 };
    return p ? hash_len(phase1_hash_of(p)) + cipher_key_len(phase1_cipher_of(p))
             : HASH_MAX + CIPHER_KEY_LONGEST;
}

struct phase1_sa *phase1_sa_new(struct phase1_table *t, const struct phase1_peer *peer,
                                const struct model_ike_proposal *proposal, enum phase1_at at,
                                const struct ike1_cookies *cookies, struct endpoint local,
                                struct endpoint remote)
{
    size_t room = keys_room(proposal);
    struct phase1_sa *sa = phase1_zeroed(sizeof *sa + room);

    sa->keys_room = (uint8_t)room;
    sa->hs = phase1_zeroed(sizeof *sa->hs);
    sa->hs->sa = sa;
    sa->hs->deadline = sa->hs->resend = INSTANT_NEVER;
    phase1_link_init(&sa->hs->age);
    phase1_link_init(&sa->hs->sibling);
    sa->at = (uint8_t)at;
    sa->peer = peer;
    sa->proposal = proposal;
    sa->ip = remote.ip;
    sa->remote_port = remote.port;
    sa->local = local;
    sa->expiry = INSTANT_NEVER;
    sa->doi = IKE1_DOI_GDOI;
    sa->cookies = *cookies;
    map_put(&t->by_cookies, ike1_cookies_bytes(&sa->cookies), sa);
    return sa;
}

void phase1_rekey_cookies(struct phase1_table *t, struct phase1_sa *sa,
                          const struct ike1_cookies *cookies)
{
    map_remove(&t->by_cookies, ike1_cookies_bytes(&sa->cookies));
    sa->cookies = *cookies;
    map_put(&t->by_cookies, ike1_cookies_bytes(&sa->cookies), sa);
}

void phase1_move(struct phase1_sa *sa, enum phase1_at at)
{
    unsigned state = sa->at;
    fsm_move(states, &state, at);
    sa->at = (uint8_t)state;
}

/* What is left of the handshake goes: the cached answer too. */
void phase1_handshake_drop(struct phase1_table *t, struct phase1_sa *sa)
{
    struct phase1_handshake *hs = sa->hs;
    if (!hs)
        return;
    struct phase1_blob *blobs[] = {&hs->sent,    &hs->sa_body, &hs->public_i, &hs->public_r,
                                   &hs->nonce_i, &hs->nonce_r, &hs->peer_id,  &hs->peer_hash};
    phase1_half_open_remove(t, sa);
    if (hs->job)
        map_remove(&t->by_job, bytes(&hs->job, sizeof hs->job));
    for (size_t i = 0; i < ARRAY_LEN(blobs); i++)
        phase1_blob_free(blobs[i]);
    explicit_bzero(hs, sizeof *hs);
    free(hs);
    sa->hs = NULL;
}

/* The outcome of the call may still show the SA, so its octets live until the next one. */
void phase1_bury(struct phase1_table *t, struct phase1_sa *sa)
{
    if (sa->at == PHASE1_AT_UP)
        phase1_pair_remove(t, sa);
    phase1_move(sa, PHASE1_AT_END);
    phase1_handshake_drop(t, sa);
    map_remove(&t->by_cookies, ike1_cookies_bytes(&sa->cookies));
    heap_remove(&t->timers, &sa->timer);
    sa->older = t->dead;
    t->dead = sa;
}

void phase1_free_dead(struct phase1_table *t)
{
    while (t->dead) {
        struct phase1_sa *sa = t->dead;
        t->dead = sa->older;
        if (sa->n_ids > PHASE1_IDS_FEW)
            free(sa->ids.many);
        explicit_bzero(sa, sizeof *sa + sa->keys_room);
        free(sa);
    }
}

/* One timer per SA, for whatever comes first. */
void phase1_schedule(struct phase1_table *t, struct phase1_sa *sa)
{
    instant_t due = sa->expiry;
    if (sa->hs)
        due = instant_min(due, instant_min(sa->hs->deadline, sa->hs->resend));
    assert(!instant_is_never(due));
    heap_set(&t->timers, &sa->timer, due);
}

instant_t phase1_due(const struct phase1_table *t) { return heap_due(&t->timers); }

struct phase1_sa *phase1_find(const struct phase1_table *t, const struct ike1_cookies *cookies)
{
    return map_get(&t->by_cookies, ike1_cookies_bytes(cookies));
}

struct phase1_sa *phase1_next(const struct phase1_table *t, size_t *cursor)
{
    return map_next(&t->by_cookies, cursor);
}

size_t phase1_count(const struct phase1_table *t, bool established_only)
{
    return established_only ? t->n_up : t->by_cookies.n;
}

const struct phase1_counters *phase1_counters(const struct phase1_table *t) { return &t->counters; }
