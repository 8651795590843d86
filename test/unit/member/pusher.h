#pragma once
/* A key server that only pushes: one KEK, one signing key, and whatever content a test wants. */
#include "unit/member/duo.h"

#include "crypto/sign.h"

enum { PUSHER_IV = 16, PUSHER_KEY = 16, PUSHER_CONTENT_KEYS = 8 };

struct pusher {
    struct ike1_cookies spi;
    enum cipher cipher;
    enum hash hash;
    uint8_t iv_key[PUSHER_IV + PUSHER_KEY];
    struct sign_key *key;
    uint8_t spki[SPKI_MAX];
    size_t spki_len;
};

/* What stands in a push, and how it is signed. */
struct content {
    struct gdoi_sa sa;
    struct gdoi_kd kd;
    uint8_t keys[PUSHER_CONTENT_KEYS][32];
    uint32_t deleted[4]; /* TEKs */
    size_t n_deleted;
    bool delete_teks, delete_keks; /* all of them */
    const struct ike1_cookies *delete_kek;
    const struct gdoi_state *state;
    const struct ike1_delete *odd_delete;
    const struct ike1_notify *odd_notify;
    bool cert;
    enum rsa_form form;
    bool over_padded; /* the Length that was signed is the one on the wire */
};

static const struct ike1_cookies every_kek = {{0}, {0}};

static inline struct sign_key *pusher_sign_key(void)
{
    static struct sign_key *key; /* one for the whole program: they take long to make */
    static const uint8_t entropy[SIGN_ENTROPY] = {1};
    if (!key)
        assert_int_equal(sign_key_generate_rsa(RSA_BITS_MIN, entropy, &key), ERR_OK);
    return key;
}

static inline void pusher_init(struct pusher *p, uint8_t number)
{
    *p = (struct pusher){.spi = {{number}, {2}},
                         .cipher = CIPHER_AES_128_CBC,
                         .hash = HASH_SHA256,
                         .key = pusher_sign_key()};
    memset(p->iv_key, number + 100, sizeof p->iv_key);
    p->iv_key[0] ^= 0x55;
    assert_int_equal(sign_key_spki(p->key, p->spki, sizeof p->spki, &p->spki_len), ERR_OK);
}

/* ---- content ---- */

static inline struct content *content_new(void)
{
    struct content *c = calloc(1, sizeof *c);
    assert_non_null(c);
    return c;
}

/* A TEK whose key follows from its SPI and `flavour`, for 10.SUBNET.0.0/16. */
static inline void content_tek(struct content *c, uint32_t spi, uint32_t seconds, uint8_t subnet,
                               uint8_t flavour)
{
    size_t n = c->kd.n_teks++;
    memset(c->keys[n], (int)(spi + flavour), sizeof c->keys[n]);
    struct prefix net = prefix_of(ip_v4(0x0a000000u | (uint32_t)subnet << 16), 16);
    c->sa.sats[c->sa.n_sats++] =
        (struct gdoi_sat){.protocol_id = GDOI_PROTOCOL_ESP,
                          .src = net,
                          .dst = net,
                          .transform = GDOI_ESP_AES_CBC,
                          .key_length = 128,
                          .auth = GDOI_AUTH_HMAC_SHA256,
                          .encapsulation = GDOI_ENCAPSULATION_TUNNEL,
                          .spi = spi,
                          .life = {.has_seconds = true, .seconds = seconds}};
    c->kd.teks[n] = (struct gdoi_tek_packet){
        .spi = spi, .cipher_key = bytes(c->keys[n], 16), .integrity_key = bytes(c->keys[n], 32)};
}

static inline void content_gap(struct content *c, uint16_t atd, uint16_t dtd)
{
    c->sa.has_gap = true;
    c->sa.gap = (struct gdoi_gap){.has_atd = true, .atd = atd, .has_dtd = true, .dtd = dtd};
}

static inline uint16_t sig_hash_number(enum hash h)
{
    static const uint16_t numbers[] = {[HASH_MD5] = GDOI_SIG_HASH_MD5,
                                       [HASH_SHA1] = GDOI_SIG_HASH_SHA1,
                                       [HASH_SHA256] = GDOI_SIG_HASH_SHA256,
                                       [HASH_SHA384] = GDOI_SIG_HASH_SHA384,
                                       [HASH_SHA512] = GDOI_SIG_HASH_SHA512};
    return numbers[h];
}

static inline void content_kek(struct content *c, const struct pusher *p, uint32_t seconds,
                               uint16_t ack)
{
    c->sa.has_sak = c->kd.has_kek = true;
    c->sa.sak = (struct gdoi_sak){.protocol = 17,
                                  .src = blue_at,
                                  .dst = {{4, {0}}, 848},
                                  .spi = p->spi,
                                  .algorithm = GDOI_KEK_ALG_AES,
                                  .key_length = 128,
                                  .sig_hash = sig_hash_number(p->hash),
                                  .sig_algorithm = GDOI_SIG_ALG_RSA,
                                  .ack = ack,
                                  .has_lifetime = true,
                                  .lifetime = seconds};
    c->kd.kek = (struct gdoi_kek_packet){
        .spi = p->spi, .iv_and_key = BYTES_OF(p->iv_key), .sig_key = bytes(p->spki, p->spki_len)};
}

/* ---- the message ---- */

static inline void push_put(struct chain_wr *chain, const struct content *c, uint32_t seq)
{
    static const uint32_t all = 0;
    bool empty = c->sa.n_sats == 0 && !c->sa.has_sak;

    gdoi_seq_write(chain, seq);
    if (c->n_deleted)
        gdoi_delete_teks_write(chain, c->deleted, c->n_deleted);
    if (c->delete_teks)
        gdoi_delete_teks_write(chain, &all, 1);
    if (c->delete_kek)
        gdoi_delete_kek_write(chain, c->delete_kek);
    if (c->delete_keks)
        gdoi_delete_kek_write(chain, &every_kek);
    if (c->odd_delete)
        ike1_delete_write(chain, c->odd_delete);
    if (!empty) {
        gdoi_sa_write(chain, &GDOI_RFC6407, &c->sa);
        gdoi_kd_write(chain, &c->kd);
    }
    if (c->state)
        gdoi_state_write(chain, c->state);
    if (c->odd_notify)
        ike1_notify_write(chain, c->odd_notify);
    if (c->cert)
        ike1_cert_write(chain, IKE1_PAYLOAD_CERT,
                        &(struct ike1_cert){.encoding = 4, .data = bytes_str("not ours")});
}

/* RFC 6407 4: over "rekey", header and payloads; the header's Length is without padding, or not. */
static inline void push_sign(const struct pusher *p, const struct content *c, struct wr *w,
                             size_t payloads_end, size_t sig_at)
{
    uint8_t digest[HASH_MAX];
    size_t len = 0;

    hash_parts(p->hash,
               PARTS(bytes_str(GDOI_REKEY_LABEL), bytes(w->data, IKE1_HEADER),
                     bytes(w->data + IKE1_HEADER, payloads_end - IKE1_HEADER)),
               digest);
    assert_int_equal(rsa_sign(p->key, p->hash, bytes(digest, hash_len(p->hash)), c->form,
                              w->data + sig_at, w->len - sig_at, &len),
                     ERR_OK);
}

static inline struct packet push_of(const struct pusher *p, const struct content *c, uint32_t seq)
{
    struct packet packet = {.from = blue_at, .to = site_2};
    struct wr w = wr_of(packet.data, sizeof packet.data);
    struct ike1_header h = {
        .cookies = p->spi, .exchange = IKE1_EXCHANGE_GROUPKEY_PUSH, .flags = IKE1_FLAG_ENCRYPTION};
    struct chain_wr chain = ike1_header_write(&w, &h);
    uint8_t iv[PUSHER_IV];

    push_put(&chain, c, seq);
    size_t end = w.len;
    size_t sig_at = ike1_data_reserve(&chain, IKE1_PAYLOAD_SIG, sign_key_bits(p->key) / 8);
    size_t unpadded = w.len;
    ike1_message_end(&w);
    if (c->over_padded)
        ike1_message_pad(&w, PUSHER_IV);
    struct wr signable = w;
    signable.len = unpadded;
    push_sign(p, c, &signable, end, sig_at);
    if (!c->over_padded)
        ike1_message_pad(&w, PUSHER_IV);
    assert_int_equal(w.err, ERR_OK);
    memcpy(iv, p->iv_key, sizeof iv);
    cbc_encrypt(p->cipher, bytes(p->iv_key + PUSHER_IV, PUSHER_KEY), iv, w.data + IKE1_HEADER,
                w.len - IKE1_HEADER);
    packet.len = w.len;
    return packet;
}

static inline void push_give(struct duo *w, const struct pusher *p, const struct content *c,
                             uint32_t seq)
{
    struct packet packet = push_of(p, c, seq);
    duo_give(w, &packet);
}

/* ---- a member that is registered ---- */

static inline void pusher_pull(struct duo *w, const struct content *c, uint32_t seq)
{
    fake_offer(w, &c->sa);
    struct packet p = duo_take(w);
    duo_give(w, &p);
    assert_int_equal(fake_read(w, true), ERR_OK);
    fake_send(w, &(struct fake_answer){
                     .seq = c->sa.has_sak ? &seq : NULL, .kd = &c->kd, .state = c->state});
    p = duo_take(w);
    duo_give(w, &p);
    assert_int_equal(duo_vpn(w, 0).state, MEMBER_REGISTERED);
}

/* Opened, with VPN "blue" registered under `p` and TEK 0x1000 of 3600 s for 10.1.0.0/16. */
static inline struct duo *pusher_duo(struct duo *w, const struct pusher *p, uint16_t ack,
                                     const struct gdoi_state *state)
{
    struct content *c = content_new();
    w->is_fake = true;
    w->vpns[0].external_interface = "eth1";
    duo_open(w);
    content_tek(c, 0x1000, 3600, 1, 0);
    content_kek(c, p, 3600, ack);
    c->state = state;
    pusher_pull(w, c, 10);
    free(c);
    return w;
}

static inline bool duo_holds(const struct duo *w, uint32_t spi, enum esp_slot slot)
{
    for (size_t i = 0; i < w->installed[0].n_sas; i++) {
        if (w->installed[0].sas[i].spi == spi)
            return w->installed[0].sas[i].slot == slot;
    }
    return false;
}
