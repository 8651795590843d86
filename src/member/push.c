/* GROUPKEY-PUSH, the member's side (RFC 6407 4, 4.4):
 *
 *   HDR*, SEQ, [D ...,] [SA, KD,] [N,] SIG
 *
 * Cheapest check first: cookies, addresses, the cipher, the form, SEQ, and only then the signature;
 * until that holds nothing is changed. Then the content is taken whole or not at all. The sequence
 * number moves in both cases: a genuine push that was refused today must not be taken when somebody
 * sends it again tomorrow. */
#include "gdoi/push.h"
#include "crypto/sign.h"
#include "gdoi/shape.h"
#include "member/vpn.h"

#include <assert.h>
#include <stdlib.h>

enum { DELETES_MAX = 16 };

/* One push, decrypted. */
struct push {
    struct member *m;
    struct vpn *v;
    struct kek *carrier; /* the KEK that it came under, held by v */
    instant_t now;
    uint32_t seq;
    bool has_sa, has_state, in_order; /* in_order: nothing newer has been taken */
    struct gdoi_sa sa;
    struct gdoi_kd kd;
    size_t n_deletes;
    struct ike1_delete deletes[DELETES_MAX];
    struct gdoi_state state;
    const char *refused; /* a sentence, when the policy cannot be followed */
};

/* ---- before the signature ---- */

/* RFC 6407 4.2. */
static enum err check_header(const struct ike1_header *h)
{
    return h->flags == IKE1_FLAG_ENCRYPTION && h->message_id == 0 ? ERR_OK : ERR_VALUE;
}

static bool find_carrier(struct member *m, const struct ike1_cookies *cookies, struct vpn **ret_vpn,
                         struct kek **ret_kek)
{
    for (size_t i = 0; i < m->n_vpns; i++) {
        struct kek *kek = keks_find(&m->vpns[i].keks, cookies);
        if (!kek)
            continue;
        *ret_vpn = &m->vpns[i];
        *ret_kek = kek;
        return true;
    }
    return false;
}

/* Decisions S28: whoever signs may push, but only from the SRC of the SAK or as a configured
 * server, and acknowledgements go nowhere else. */
static enum err check_addresses(const struct vpn *v, const struct kek *kek, struct ip from,
                                struct ip to)
{
    bool known = ip_equal(from, kek->source);

    for (size_t i = 0; i < v->n_peers && !known; i++)
        known = ip_equal(from, v->peers[i].address);
    if (!known)
        return ERR_UNKNOWN_PEER;
    bool ours = ip_equal(to, v->model->gateway->local_address) ||
                (!ip_is_any(kek->group) && ip_equal(to, kek->group));
    return ours ? ERR_OK : ERR_UNEXPECTED;
}

/* Every push under a KEK begins with the IV that came with it (RFC 6407 5.6.2.1). */
static enum err open_push(const struct kek *kek, uint8_t next_payload, uint8_t *datagram,
                          size_t len, struct chain *ret)
{
    size_t block = cipher_block(kek->cipher);
    uint8_t iv[CIPHER_BLOCK_MAX];

    if (len <= IKE1_HEADER || (len - IKE1_HEADER) % block != 0)
        return ERR_LENGTH;
    memcpy(iv, kek->iv.b, block);
    cbc_decrypt(kek->cipher, secret_bytes(&kek->key), iv, datagram + IKE1_HEADER,
                len - IKE1_HEADER);
    enum err e = ike1_payloads_parse(bytes(datagram, len), next_payload, block, ret);
    return e ? e : gdoi_shape_check(GDOI_PUSH, ret, NULL);
}

/* Greater than the last one, and nothing else (decisions M11): gaps are normal. */
static enum err check_sequence(const struct keks *keks, const struct kek *kek,
                               const struct chain *c, uint32_t *ret)
{
    enum err e = gdoi_seq_parse(chain_find(c, IKE1_PAYLOAD_SEQ)->body, ret);
    if (e)
        return e;
    return *ret > keks_floor(keks, kek) ? ERR_OK : ERR_REPLAY;
}

enum { FORMS = 2, DIGESTS = 2 };

/* Both forms of RSA, over either Length (decisions M16); what comes out of the operation is
 * compared and never parsed. It is a public operation, some tens of microseconds, and only holders
 * of the KEK get this far: no work for another thread. */
static enum err verify(const struct kek *kek, const struct gdoi_signed *s, size_t *ret_which)
{
    static const enum rsa_form forms[FORMS] = {RSA_DIGEST_INFO, RSA_BARE_HASH};
    struct bytes label = bytes_str(GDOI_REKEY_LABEL);
    uint8_t unpadded[HASH_MAX], padded[HASH_MAX];
    size_t len = hash_len(kek->sig_hash);
    struct verify_key *key;
    enum err e = verify_key_from_der(bytes(kek->sig_key, kek->sig_key_len), &key);

    if (e)
        return e;
    hash_parts(kek->sig_hash, PARTS(label, BYTES_OF(s->header), s->payloads), unpadded);
    hash_parts(kek->sig_hash, PARTS(label, BYTES_OF(s->received), s->payloads), padded);
    const struct bytes digests[DIGESTS] = {bytes(unpadded, len), bytes(padded, len)};
    e = rsa_verify(key, kek->sig_hash, forms, FORMS, digests, DIGESTS, s->signature, ret_which);
    verify_key_free(key);
    return e;
}

static enum err check_signature(struct member *m, const struct kek *kek, struct bytes datagram,
                                const struct chain *c)
{
    struct gdoi_signed s;
    size_t which = 0;
    enum err e = gdoi_signed_of(datagram, c, &s);

    if (!e)
        e = verify(kek, &s, &which);
    if (e)
        return e;
    if (which % FORMS == RSA_BARE_HASH)
        gdoi_tolerate(&m->tolerated, TOLERATED_BARE_SIGNATURE);
    if (which / FORMS == 1)
        gdoi_tolerate(&m->tolerated, TOLERATED_PADDED_SIGNATURE);
    return ERR_OK;
}

/* ---- the content ---- */

static enum err read_policy(struct push *p, const struct chain *c)
{
    const struct chain_payload *sa = chain_find(c, IKE1_PAYLOAD_SA);
    struct member *m = p->m;

    if (!sa)
        return ERR_OK;
    p->has_sa = true;
    struct gdoi_dialect dialect = member_dialect(m, p->v->knows_stamps);
    enum err e = gdoi_sa_parse(sa->body, &dialect, &m->tolerated, &p->sa);
    if (!e)
        e = gdoi_kd_parse(chain_find(c, IKE1_PAYLOAD_KD)->body, &p->kd, NULL);
    return e ? e : gdoi_kd_match(&p->sa, &p->kd, &p->carrier->cookies, &m->tolerated);
}

static enum err read_delete(struct push *p, struct bytes body)
{
    assert(p->n_deletes < DELETES_MAX); /* the shape says so */
    struct ike1_delete *d = &p->deletes[p->n_deletes];
    enum err e = ike1_delete_parse(body, d);
    if (!e)
        e = gdoi_delete_check(d, &p->m->tolerated);
    if (!e)
        p->n_deletes++;
    return e;
}

/* From a foreign server the number may mean anything; what cannot be read is a newer server's, and
 * does not make its keys worse. */
static void read_notify(struct push *p, struct bytes body)
{
    struct ike1_notify n;

    if (p->v->beat.native && ike1_notify_parse(body, &n) == ERR_OK && gdoi_is_state(&n))
        p->has_state = gdoi_state_parse(&n, &p->state) == ERR_OK;
}

static enum err read_content(struct push *p, const struct chain *c)
{
    enum err e = read_policy(p, c);

    for (size_t i = 0; i < c->n && !e; i++) {
        if (c->p[i].type == IKE1_PAYLOAD_D)
            e = read_delete(p, c->p[i].body);
        else if (c->p[i].type == IKE1_PAYLOAD_N)
            read_notify(p, c->p[i].body);
        else if (c->p[i].type == IKE1_PAYLOAD_CERT) /* decisions S28 */
            gdoi_tolerate(&p->m->tolerated, TOLERATED_CERT_IN_PUSH);
    }
    return e;
}

static enum err check_policy(struct push *p)
{
    struct policy_refusal refusal;
    enum err e = p->has_sa ? policy_check(&p->sa, p->m->config.transport_mode, &refusal) : ERR_OK;

    if (!e && policy_window_ms(&p->sa) != 0 && !p->v->clock.set) {
        p->refused = "the keys have time stamps, and the group clock has not been measured";
        return ERR_POLICY;
    }
    if (!e)
        return ERR_OK;
    vpn_policy_refused(p->v, &refusal);
    p->refused = refusal.what;
    return e;
}

/* Whether it offers a key that is not held: else it is a repeat, and taking it changes nothing. */
static bool has_news(const struct push *p)
{
    const struct gdoi_sa *sa = &p->sa;

    for (size_t i = 0; p->has_sa && i < sa->n_sats; i++) {
        if (!keyring_holds(&p->v->keys, sa->sats[i].spi, p->carrier->server))
            return true;
    }
    return p->has_sa && sa->has_sak && !keks_find(&p->v->keks, &sa->sak.spi);
}

/* How old it is by the group clock; nothing, if nobody says. */
static span_t age_of(const struct push *p)
{
    const struct member_clock *clock = &p->v->clock;

    if (!p->has_state || !p->state.clock_valid || !clock->set)
        return (span_t){0};
    return member_clock_age(clock, gdoi_state_clock(&p->state), p->now);
}

/* Others drop what these keys replace when the delay of their message is over. */
static span_t before_drop(const struct push *p, span_t age)
{
    const struct gdoi_gap *gap = &p->sa.gap;
    span_t drop = span_s(gap->has_dtd ? gap->dtd : 2 * (int64_t)p->v->atd_s);
    span_t left = {drop.ns - age.ns - MEMBER_DROP_MARGIN.ns};

    return span_max(span_min(vpn_spread(p->v), left), MEMBER_SPREAD_MIN);
}

/* Delays count from the receipt (RFC 6407 5.4.1): who held a push back would make its receiver
 * switch later than all others (decisions M4). So keys that are too old are not taken and not
 * acknowledged: a registration brings what is true now, unless one already has. */
static enum err check_age(struct push *p)
{
    struct vpn *v = p->v;
    span_t age = age_of(p), half = {span_s(v->atd_s).ns / 2};

    if (age.ns <= span_max(MEMBER_PUSH_AGE_MAX, half).ns || !has_news(p))
        return ERR_OK;
    p->refused = "it was held back on its way";
    if (instant_since(p->now, v->registered_at).ns > age.ns)
        vpn_register_within(p->m, v, p->now, before_drop(p, age));
    return ERR_TIMEOUT;
}

/* What is announced from a new KEK on travels under that one. So a push under the KEK before it
 * brings what is known here, or what was held back on its way until nobody else knows it any more.
 */
static enum err check_carrier(struct push *p)
{
    const struct keks *k = &p->v->keks;

    if (p->carrier == &k->current || !k->current.present || !has_news(p))
        return ERR_OK;
    p->refused = "its rekey key has been replaced, and new keys come under the new one";
    vpn_register_within(p->m, p->v, p->now, before_drop(p, age_of(p)));
    return ERR_UNEXPECTED;
}

/* ---- taking it ---- */

static enum err take_teks(struct push *p, size_t *ret_learned)
{
    struct tek *teks[GDOI_TEKS_MAX];
    struct keyring_offer offer = {.teks = teks,
                                  .waits = true,
                                  .atd_s = p->sa.gap.atd,
                                  .has_dtd = p->sa.gap.has_dtd,
                                  .dtd_s = p->sa.gap.dtd,
                                  .asked = p->now,
                                  .received = p->now};

    policy_teks(&p->sa, &p->kd, p->carrier->server, p->now, teks, &offer.n);
    return keyring_push(&p->v->keys, p->now, &offer, ret_learned);
}

/* All of it, or nothing. */
static enum err take_keys(struct push *p, size_t *ret_teks, bool *ret_kek)
{
    struct vpn *v = p->v;
    struct kek kek = {0};
    enum err e = ERR_OK;

    if (p->sa.has_sak) {
        policy_kek(&p->sa, &p->kd, p->carrier->server, p->now, 0, &kek);
        e = keks_check(&v->keks, &kek);
    }
    if (!e)
        e = take_teks(p, ret_teks);
    if (!e && p->sa.has_sak) {
        bool repeated = keks_find(&v->keks, &kek.cookies) == p->carrier;
        *ret_kek = keks_push(&v->keks, &kek);
        if (repeated)
            gdoi_tolerate(&p->m->tolerated, TOLERATED_REPEATED_KEK);
        if (*ret_kek)
            member_kek_learned(p->m, &v->keks.current);
    }
    explicit_bzero(&kek, sizeof kek);
    return e;
}

/* Everything that there was under the push's KEK. A repeat may come when a registration has brought
 * what is new: that is not meant. */
static void forget_all(struct push *p, uint8_t protocol, size_t *teks, size_t *keks)
{
    struct keks *k = &p->v->keks;
    bool overtaken = p->carrier != &k->current && k->current.present;

    if (protocol == GDOI_PROTOCOL_KEK)
        *keks += keks_delete(k, overtaken ? &p->carrier->cookies : NULL);
    else
        *teks +=
            keyring_delete_all(&p->v->keys, overtaken ? k->current.learned : INSTANT_NEVER, p->now);
}

/* At once, whatever a GAP says (decisions S29). */
static void forget(struct push *p, const struct ike1_delete *d, size_t *teks, size_t *keks)
{
    struct vpn *v = p->v;

    if (d->protocol == GDOI_PROTOCOL_AH)
        return; /* there are no such keys */
    if (gdoi_delete_all(d)) {
        forget_all(p, d->protocol, teks, keks);
        return;
    }
    for (size_t i = 0; i < d->n_spis; i++) {
        if (d->protocol == GDOI_PROTOCOL_KEK) {
            struct ike1_cookies spi;
            memcpy(&spi, ike1_delete_spi(d, i).data, sizeof spi);
            *keks += keks_delete(&v->keks, &spi);
        } else if (gdoi_delete_tek(d, i) != 0) {
            *teks += keyring_delete(&v->keys, gdoi_delete_tek(d, i), p->now);
        }
    }
}

/* What a push has come to. */
struct change {
    size_t teks;
    bool kek;
    size_t teks_deleted, keks_deleted;
};

static void tell(const struct push *p, const struct change *c, struct effects *out)
{
    struct event e = vpn_event(p->v, EV_REKEYED);

    event_add_u64(&e, "sequence", p->seq);
    event_add_u64(&e, "new", c->teks);
    event_add_u64(&e, "new-keks", c->kek);
    event_add_u64(&e, "deleted", c->teks_deleted);
    event_add_u64(&e, "deleted-keks", c->keks_deleted);
    event_add_u64(&e, "keys", p->v->keys.n);
    effects_tell(out, &e);
}

static void take_deletes(struct push *p, struct change *c)
{
    for (size_t i = 0; i < p->n_deletes; i++)
        forget(p, &p->deletes[i], &c->teks_deleted, &c->keks_deleted);
}

static void changed(struct push *p, const struct change *c, struct effects *out)
{
    struct vpn *v = p->v;

    v->pushes.keys_learned += c->teks;
    v->pushes.keks_learned += c->kek;
    v->pushes.keys_deleted += c->teks_deleted;
    v->pushes.keks_deleted += c->keks_deleted;
    if (c->teks + c->kek + c->teks_deleted + c->keks_deleted == 0)
        return;
    vpn_rekeyed(p->m, v, p->now, out);
    tell(p, c, out);
    /* Nothing to send with, or nothing to be told by: the server has the rest. */
    if (c->teks_deleted + c->keks_deleted > 0 && (v->keys.n == 0 || !v->keks.current.present))
        vpn_register_within(p->m, v, p->now, vpn_spread(v));
}

/* The acknowledgement is of the SAK heard last (RFC 8263 7.2), under the KEK that the push came
 * under, and made before that one may be deleted (RFC 8263 4). A heartbeat is not acknowledged. */
static struct ack make_ack(const struct push *p)
{
    uint16_t type = p->sa.has_sak ? p->sa.sak.ack : p->v->keks.ack;

    if (!p->has_sa && p->n_deletes == 0)
        return (struct ack){0};
    return ack_of(p->carrier, type, p->seq, p->v->model->gateway->local_address);
}

static enum err take(struct push *p, struct endpoint from, struct effects *out)
{
    bool under_current = p->carrier == &p->v->keks.current;
    struct ack ack = make_ack(p);
    struct change c = {0};
    enum err e = p->has_sa ? take_keys(p, &c.teks, &c.kek) : ERR_OK;

    if (e)
        return e;
    take_deletes(p, &c);
    changed(p, &c, out);
    heartbeat_sign(p->v, p->now);
    if (p->v->state == MEMBER_WAITING) /* it tries ever more rarely, and the server lives */
        vpn_register_within(p->m, p->v, p->now, vpn_spread(p->v));
    if (p->has_state && p->in_order && !p->has_sa) /* with keys it is there for its clock alone */
        heartbeat_state(p->m, p->v, p->now, &p->state, under_current, out);
    ack_send(p->m, p->v, &ack, from, out);
    return ERR_OK;
}

static void count(struct push *p)
{
    p->v->pushes.accepted++;
    if (!p->has_state || p->has_sa || p->n_deletes > 0)
        return;
    p->v->pushes.heartbeats_received++;
    p->v->beat.last = p->now;
}

/* It was the server's, and this member cannot follow it. Another key under a SPI that is held is
 * worse than that: two servers, or a server that has lost its memory, or its key. */
static void refuse(struct push *p, enum err err, struct effects *out)
{
    struct event e = vpn_event(p->v, err == ERR_CONFLICT ? EV_KEY_CONFLICT : EV_PUSH_REFUSED);

    p->v->pushes.rejected[err]++;
    event_add_u64(&e, "sequence", p->seq);
    event_add_err(&e, err);
    event_add_str(&e, "what", p->refused);
    effects_tell(out, &e);
}

static struct push *push_new(struct member *m, struct vpn *v, struct kek *carrier, instant_t now,
                             uint32_t seq)
{
    struct push *p = calloc(1, sizeof *p);

    if (!p)
        abort(); /* like every container: limits are checked where sizes enter */
    p->m = m;
    p->v = v;
    p->carrier = carrier;
    p->now = now;
    p->seq = seq;
    return p;
}

static void push_free(struct push *p)
{
    explicit_bzero(p, sizeof *p);
    free(p);
}

static void genuine(struct push *p, const struct chain *c, struct endpoint from,
                    struct effects *out)
{
    p->in_order = p->seq > keks_sequence(&p->v->keks);
    p->carrier->sequence = p->seq;
    enum err e = read_content(p, c);
    if (!e)
        e = check_age(p);
    if (!e)
        e = check_carrier(p);
    if (!e)
        e = check_policy(p);
    if (!e)
        e = take(p, from, out);
    if (e)
        refuse(p, e, out);
    else
        count(p);
}

void push_datagram(struct member *m, instant_t now, struct endpoint from, struct endpoint to,
                   const struct ike1_header *header, uint8_t *datagram, size_t len,
                   struct effects *out)
{
    struct vpn *v;
    struct kek *kek;
    struct chain c;
    uint32_t seq;
    enum err e = check_header(header);

    if (!e && !find_carrier(m, &header->cookies, &v, &kek))
        e = ERR_UNKNOWN_SA;
    if (e) {
        member_drop(m, from, e, "groupkey-push", out);
        return;
    }
    e = check_addresses(v, kek, from.ip, to.ip);
    if (!e)
        e = open_push(kek, header->next_payload, datagram, len, &c);
    if (!e)
        e = check_sequence(&v->keks, kek, &c, &seq);
    if (!e)
        e = check_signature(m, kek, bytes(datagram, len), &c);
    if (e) {
        v->pushes.rejected[e]++;
        member_drop(m, from, e, "groupkey-push", out);
    } else {
        struct push *p = push_new(m, v, kek, now, seq);
        genuine(p, &c, from, out);
        push_free(p);
    }
    explicit_bzero(datagram, len);
}
