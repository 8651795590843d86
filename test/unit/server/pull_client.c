#include "unit/server/pull_client.h"

#include "gdoi/id.h"
#include "gdoi/numbers.h"
#include "gdoi/push.h"
#include "ike1/payload.h"

#include <assert.h>
#include <string.h>

static uint8_t ni[PULL_CLIENT_NONCE] = "the nonce of the member";

void pull_client_open(struct pull_client *c, const struct pull_client_config *config)
{
    uint8_t seed[DRBG_SEED] = {config->seed, 0xcc};

    memset(c, 0, sizeof *c);
    c->policy = (struct model_ike_policy){.name = "client",
                                          .mode = config->mode,
                                          .proposals = config->proposal,
                                          .n_proposals = 1,
                                          .psk = config->psk};
    c->peer = (struct phase1_peer){.name = "server",
                                   .policy = &c->policy,
                                   .local = config->identity,
                                   .address = config->server.ip};
    c->local = config->local;
    c->server = config->server;
    c->drbg = drbg_of(seed);
    struct phase1_config phase1 = {&c->peer, 1, false};
    enum err e = phase1_table_new(&phase1, &c->drbg, &c->table);
    assert(e == ERR_OK);
}

void pull_client_close(struct pull_client *c)
{
    phase1_table_free(c->table);
    effects_free(&c->out);
    explicit_bzero(c, sizeof *c);
}

static void note(struct pull_client *c, struct phase1_outcome o)
{
    if (o.kind == PHASE1_UP)
        c->sa = o.sa;
    if (o.kind == PHASE1_DOWN && o.sa == c->sa)
        c->sa = NULL;
    if (o.kind != PHASE1_NOTIFIED)
        return;
    struct ike1_notify n = {.type = o.notify_type, .data = o.notify_data};
    c->notified = o.notify_type;
    c->refusal = gdoi_refusal_of(&n);
    if (c->refusal.text.len)
        memcpy(c->refusal_text, c->refusal.text.data, c->refusal.text.len);
    c->refusal.text.data = c->refusal_text;
}

void pull_client_start(struct pull_client *c, instant_t now)
{
    struct phase1_sa *sa = phase1_initiate(c->table, now, &c->peer, c->local, c->server, &c->out);
    assert(sa);
}

void pull_client_job(struct pull_client *c, instant_t now, const struct job_result *result)
{
    note(c, phase1_job_done(c->table, now, result, &c->out));
}

void pull_client_timer(struct pull_client *c, instant_t now)
{
    while (instant_reached(phase1_due(c->table), now))
        note(c, phase1_timer(c->table, now, &c->out));
}

void pull_client_phase1(struct pull_client *c, instant_t now, struct endpoint from,
                        uint8_t *datagram, size_t len)
{
    struct ike1_header h;

    if (ike1_header_parse(bytes(datagram, len), &h))
        return;
    note(c, phase1_datagram(c->table, now, from, c->local, &h, datagram, len, &c->out));
}

/* group_id NULL: `more` writes all that follows HASH. Empty when the SA has no message id left. */
static struct bytes message_1(struct pull_client *c, const uint32_t *group_id,
                              pull_client_more *more, uint8_t room[DATAGRAM_MAX])
{
    struct wr w = wr_of(room, DATAGRAM_MAX);

    c->message_id = exchange_new_id(c->sa, &c->drbg);
    if (c->message_id == 0)
        return bytes(NULL, 0);
    exchange_iv_start(c->sa, c->message_id, &c->iv);
    struct chain_wr chain = exchange_build(c->sa, &w, IKE1_EXCHANGE_GROUPKEY_PULL, c->message_id);
    if (group_id) {
        ike1_data_write(&chain, IKE1_PAYLOAD_NONCE, BYTES_OF(ni));
        gdoi_group_id_write(&chain, *group_id);
    }
    if (more)
        more(&chain);
    enum err e = exchange_seal(c->sa, &c->iv, &w, c->message_id, NULL, 0);
    assert(e == ERR_OK);
    return wr_bytes(&w);
}

struct bytes pull_client_1(struct pull_client *c, uint32_t group_id, pull_client_more *more,
                           uint8_t room[DATAGRAM_MAX])
{
    return message_1(c, &group_id, more, room);
}

struct bytes pull_client_any_1(struct pull_client *c, pull_client_more *write,
                               uint8_t room[DATAGRAM_MAX])
{
    return message_1(c, NULL, write, room);
}

struct bytes pull_client_3(struct pull_client *c, pull_client_more *more,
                           uint8_t room[DATAGRAM_MAX])
{
    const struct bytes prefix[] = {BYTES_OF(ni), bytes(c->nr, c->nr_len)};
    struct wr w = wr_of(room, DATAGRAM_MAX);
    struct chain_wr chain = exchange_build(c->sa, &w, IKE1_EXCHANGE_GROUPKEY_PULL, c->message_id);

    if (more)
        more(&chain);
    enum err e = exchange_seal(c->sa, &c->iv, &w, c->message_id, prefix, 2);
    assert(e == ERR_OK);
    return wr_bytes(&w);
}

static enum err open_answer(struct pull_client *c, struct bytes datagram,
                            const struct bytes *prefix, size_t n_prefix, uint8_t room[DATAGRAM_MAX],
                            struct chain *ret)
{
    struct ike1_header h;
    struct exchange_iv iv = c->iv;
    enum err e = datagram.len > DATAGRAM_MAX ? ERR_LENGTH : ike1_header_parse(datagram, &h);

    if (!e && (h.exchange != IKE1_EXCHANGE_GROUPKEY_PULL || h.message_id != c->message_id))
        e = ERR_UNEXPECTED;
    if (e)
        return e;
    memcpy(room, datagram.data, datagram.len);
    e = exchange_open(c->sa, &iv, &h, room, datagram.len, ret);
    if (!e)
        e = exchange_check_hash(c->sa, c->message_id, prefix, n_prefix, ret);
    if (!e)
        c->iv = iv;
    return e;
}

enum err pull_client_2(struct pull_client *c, struct bytes datagram)
{
    uint8_t room[DATAGRAM_MAX];
    struct bytes prefix = BYTES_OF(ni), nr;
    struct chain chain;
    enum err e = open_answer(c, datagram, &prefix, 1, room, &chain);

    if (e)
        return e;
    const struct chain_payload *nonce = chain_find(&chain, IKE1_PAYLOAD_NONCE),
                               *sa = chain_find(&chain, IKE1_PAYLOAD_SA);
    if (!nonce || !sa)
        return ERR_MISSING;
    e = ike1_data_parse(IKE1_PAYLOAD_NONCE, nonce->body, &nr);
    if (!e)
        e = gdoi_sa_parse(sa->body, &GDOI_STAMPS, NULL, &c->offer);
    if (e)
        return e;
    memcpy(c->nr, nr.data, nr.len);
    c->nr_len = nr.len;
    return ERR_OK;
}

static void take_key(struct pull_client *c, const struct gdoi_tek_packet *p)
{
    struct pull_client_key *key = &c->keys[c->n_keys++];

    key->spi = p->spi;
    key->cipher_len = p->cipher_key.len;
    key->auth_len = p->integrity_key.len;
    memcpy(key->cipher_key, p->cipher_key.data, p->cipher_key.len);
    memcpy(key->auth_key, p->integrity_key.data, p->integrity_key.len);
}

/* The KEK and SEQ, which must be there together or not at all (RFC 6407 3.2). */
static enum err take_kek(struct pull_client *c, const struct chain *chain, const struct gdoi_kd *kd)
{
    const struct chain_payload *seq = chain_find(chain, IKE1_PAYLOAD_SEQ);
    struct pull_client_kek *k = &c->kek;
    struct bytes iv, key;

    *k = (struct pull_client_kek){.present = kd->has_kek, .has_seq = seq != NULL};
    if (k->has_seq != c->offer.has_sak)
        return k->has_seq ? ERR_CONFLICT : ERR_MISSING;
    if (!kd->has_kek)
        return ERR_OK;
    enum err e = gdoi_kek_split(&c->offer.sak, kd->kek.iv_and_key, &iv, &key);
    if (!e)
        e = gdoi_seq_parse(seq->body, &k->seq);
    if (e)
        return e;
    k->spi = kd->kek.spi;
    k->iv_len = iv.len;
    k->key_len = key.len;
    k->sig_key_len = kd->kek.sig_key.len;
    memcpy(k->iv, iv.data, iv.len);
    memcpy(k->key, key.data, key.len);
    memcpy(k->sig_key, kd->kek.sig_key.data, kd->kek.sig_key.len);
    return ERR_OK;
}

enum err pull_client_4(struct pull_client *c, struct bytes datagram)
{
    uint8_t room[DATAGRAM_MAX];
    const struct bytes prefix[] = {BYTES_OF(ni), bytes(c->nr, c->nr_len)};
    struct chain chain;
    struct gdoi_kd kd;
    struct ike1_notify n;
    enum err e = open_answer(c, datagram, prefix, 2, room, &chain);

    if (e)
        return e;
    const struct chain_payload *p = chain_find(&chain, IKE1_PAYLOAD_KD);
    e = p ? gdoi_kd_parse(p->body, &kd, NULL) : ERR_MISSING;
    if (!e)
        e = gdoi_kd_match(&c->offer, &kd, NULL, NULL);
    if (!e)
        e = take_kek(c, &chain, &kd);
    if (e)
        return e;
    c->n_keys = 0;
    for (size_t i = 0; i < kd.n_teks && i < PULL_CLIENT_KEYS; i++)
        take_key(c, &kd.teks[i]);
    p = chain_find(&chain, IKE1_PAYLOAD_N);
    c->has_state = p && !ike1_notify_parse(p->body, &n) && gdoi_is_state(&n) &&
                   !gdoi_state_parse(&n, &c->state);
    return ERR_OK;
}

const struct pull_client_key *pull_client_key_of(const struct pull_client *c, uint32_t spi)
{
    for (size_t i = 0; i < c->n_keys; i++) {
        if (c->keys[i].spi == spi)
            return &c->keys[i];
    }
    return NULL;
}
