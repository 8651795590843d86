#include "member/policy.h"

#include "member/member.h"

#include <assert.h>

enum { LIFE_DEFAULT_S = 28800 }; /* RFC 2407 4.5: when no duration is stated */

static bool cipher_of(const struct gdoi_sat *sat, enum cipher *ret)
{
    static const struct {
        uint8_t transform;
        uint16_t bits;
        enum cipher cipher;
    } table[] = {
        {GDOI_ESP_DES, 0, CIPHER_DES_CBC},           {GDOI_ESP_3DES, 0, CIPHER_3DES_CBC},
        {GDOI_ESP_AES_CBC, 128, CIPHER_AES_128_CBC}, {GDOI_ESP_AES_CBC, 192, CIPHER_AES_192_CBC},
        {GDOI_ESP_AES_CBC, 256, CIPHER_AES_256_CBC},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (table[i].transform == sat->transform && table[i].bits == sat->key_length) {
            *ret = table[i].cipher;
            return true;
        }
    }
    return false;
}

static bool auth_of(const struct gdoi_sat *sat, enum auth *ret)
{
    static const struct {
        uint16_t number;
        enum auth auth;
    } table[] = {
        {GDOI_AUTH_HMAC_MD5, AUTH_HMAC_MD5_96},
        {GDOI_AUTH_HMAC_SHA1, AUTH_HMAC_SHA1_96},
        {GDOI_AUTH_HMAC_SHA256, AUTH_HMAC_SHA256_128},
        {GDOI_AUTH_HMAC_SHA384, AUTH_HMAC_SHA384_192},
        {GDOI_AUTH_HMAC_SHA512, AUTH_HMAC_SHA512_256},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (table[i].number == sat->auth) {
            *ret = table[i].auth;
            return true;
        }
    }
    return false;
}

/* What this member's data path cannot do, each with its sentence. */
static enum err check_sat(const struct gdoi_sat *sat, bool transport_mode, const char **ret_what)
{
    enum cipher cipher;
    enum auth auth;

    if (sat->protocol_id != GDOI_PROTOCOL_ESP) {
        *ret_what = "only ESP is supported";
        return ERR_TYPE;
    }
    if (sat->transform >= GDOI_ESP_AES_CTR && sat->transform <= GDOI_ESP_AES_GCM_16) {
        *ret_what = "counter modes need sender identifiers, which are not supported yet";
        return ERR_TYPE;
    }
    if (!cipher_of(sat, &cipher) || !auth_of(sat, &auth)) {
        *ret_what = "the encryption or authentication algorithm is not supported";
        return ERR_TYPE;
    }
    if (sat->encapsulation != GDOI_ENCAPSULATION_TUNNEL &&
        !(transport_mode && sat->encapsulation == GDOI_ENCAPSULATION_TRANSPORT)) {
        *ret_what = "only tunnel mode is supported";
        return ERR_POLICY;
    }
    if (sat->preserve != 0 && sat->preserve != GDOI_PRESERVE_BOTH) {
        *ret_what = "both addresses must be preserved";
        return ERR_POLICY;
    }
    if (sat->src.ip.version != 4 || sat->dst.ip.version != 4) {
        *ret_what = "only IPv4 selectors are supported";
        return ERR_POLICY;
    }
    return ERR_OK;
}

static bool kek_cipher_of(const struct gdoi_sak *sak, enum cipher *ret)
{
    if (sak->algorithm == GDOI_KEK_ALG_DES)
        *ret = CIPHER_DES_CBC;
    else if (sak->algorithm == GDOI_KEK_ALG_3DES)
        *ret = CIPHER_3DES_CBC;
    else if (sak->algorithm == GDOI_KEK_ALG_AES && sak->key_length == 128)
        *ret = CIPHER_AES_128_CBC;
    else if (sak->algorithm == GDOI_KEK_ALG_AES && sak->key_length == 192)
        *ret = CIPHER_AES_192_CBC;
    else if (sak->algorithm == GDOI_KEK_ALG_AES && sak->key_length == 256)
        *ret = CIPHER_AES_256_CBC;
    else
        return false;
    return true;
}

static bool sig_hash_of(const struct gdoi_sak *sak, enum hash *ret)
{
    static const enum hash table[] = {
        [GDOI_SIG_HASH_MD5] = HASH_MD5,       [GDOI_SIG_HASH_SHA1] = HASH_SHA1,
        [GDOI_SIG_HASH_SHA256] = HASH_SHA256, [GDOI_SIG_HASH_SHA384] = HASH_SHA384,
        [GDOI_SIG_HASH_SHA512] = HASH_SHA512,
    };
    if (sak->sig_hash < GDOI_SIG_HASH_MD5 || sak->sig_hash > GDOI_SIG_HASH_SHA512)
        return false;
    *ret = table[sak->sig_hash];
    return true;
}

static void refuse(struct policy_refusal *r, uint32_t spi, enum err err, const char *what)
{
    if (r->n++ > 0)
        return;
    r->spi = spi;
    r->err = err;
    r->what = what;
}

static void check_sak(const struct gdoi_sak *sak, struct policy_refusal *r)
{
    enum cipher cipher;
    enum hash hash;

    if (!kek_cipher_of(sak, &cipher))
        refuse(r, 0, ERR_TYPE, "the encryption algorithm of the rekey key is not supported");
    else if (sak->sig_algorithm != GDOI_SIG_ALG_RSA || !sig_hash_of(sak, &hash))
        refuse(r, 0, ERR_TYPE, "the signature algorithm of the rekey key is not supported");
}

/* How many SATs before this one have its SPI. */
static size_t n_before(const struct gdoi_sa *sa, size_t i)
{
    size_t n = 0;

    for (size_t j = 0; j < i; j++)
        n += sa->sats[j].spi == sa->sats[i].spi;
    return n;
}

/* One GAP speaks for all keys of the payload (RFC 6407 5.2.1); with a type there MUST be a window
 * (draft-weis-delay-detection-03 4). */
static void check_gap(const struct gdoi_gap *gap, struct policy_refusal *r)
{
    if (gap->d3p_type != 0 && gap->d3p_type != GDOI_D3P_POSIX_TIME)
        refuse(r, 0, ERR_TYPE, "time stamps of that type are not supported");
    else if ((gap->d3p_type != 0) != (gap->d3p_window != 0))
        refuse(r, 0, ERR_MISSING, "time stamps need both a type and a window");
}

uint32_t policy_window_ms(const struct gdoi_sa *sa)
{
    uint32_t least = 0;

    for (size_t i = 0; i < sa->n_sats; i++) {
        uint32_t window = gdoi_sat_window(sa, &sa->sats[i]);
        least = window && (!least || window < least) ? window : least;
    }
    return least;
}

enum err policy_check(const struct gdoi_sa *sa, bool transport_mode,
                      struct policy_refusal *ret_refusal)
{
    struct policy_refusal r = {.err = ERR_OK};
    size_t keys = 0;

    if (sa->has_sak)
        check_sak(&sa->sak, &r);
    check_gap(&sa->gap, &r);
    for (size_t i = 0; i < sa->n_sats; i++) {
        const struct gdoi_sat *sat = &sa->sats[i];
        const char *what = NULL;
        enum err e = check_sat(sat, transport_mode, &what);
        size_t same = n_before(sa, i);
        keys += same == 0;
        if (e)
            refuse(&r, sat->spi, e, what);
        else if (same >= ESP_SELECTORS_MAX)
            refuse(&r, sat->spi, ERR_TOO_MANY, "more policies of one key than this member holds");
        else if (gdoi_sat_window(sa, sat) > MEMBER_WINDOW_MAX_MS)
            refuse(&r, sat->spi, ERR_VALUE, "the anti-replay window is longer than an hour");
        else if (same == 0 && keys > GDOI_TEKS_MAX)
            refuse(&r, sat->spi, ERR_LIMIT, "more keys than this member holds");
    }
    if (r.err)
        *ret_refusal = r;
    return r.err;
}

static struct tek *tek_of(const struct gdoi_sat *sat, const struct gdoi_tek_packet *packet,
                          struct ip server, instant_t received)
{
    struct tek *t = tek_new();

    t->spi = sat->spi;
    t->server = server;
    if (!cipher_of(sat, &t->cipher) || !auth_of(sat, &t->auth))
        assert(!"policy_check() has let an unknown algorithm through");
    t->key = secret_of(packet->cipher_key);
    t->auth_key = secret_of(packet->integrity_key);
    t->transport_mode = sat->encapsulation == GDOI_ENCAPSULATION_TRANSPORT;
    t->receive_only = sat->direction == GDOI_DIRECTION_RECEIVER;
    t->expiry =
        instant_add(received, span_s(sat->life.has_seconds ? sat->life.seconds : LIFE_DEFAULT_S));
    t->learned = t->send_at = received;
    tek_set_digest(t);
    return t;
}

static struct esp_selector selector_of(const struct gdoi_sat *sat)
{
    return (struct esp_selector){.source = sat->src,
                                 .destination = sat->dst,
                                 .source_port = sat->src_port,
                                 .destination_port = sat->dst_port,
                                 .protocol = sat->ip_protocol};
}

static struct tek *find(struct tek *const *teks, size_t n, uint32_t spi)
{
    for (size_t i = 0; i < n; i++) {
        if (teks[i]->spi == spi)
            return teks[i];
    }
    return NULL;
}

void policy_teks(const struct gdoi_sa *sa, const struct gdoi_kd *kd, struct ip server,
                 instant_t received, struct tek *ret_teks[GDOI_TEKS_MAX], size_t *ret_n)
{
    size_t n = 0;

    for (size_t i = 0; i < sa->n_sats; i++) {
        const struct gdoi_sat *sat = &sa->sats[i];
        struct tek *t = find(ret_teks, n, sat->spi);
        if (!t) {
            assert(n < GDOI_TEKS_MAX);
            t = ret_teks[n++] = tek_of(sat, gdoi_kd_tek(kd, sat->spi), server, received);
            t->window_ms = gdoi_sat_window(sa, sat);
        }
        assert(t->n_selectors < ESP_SELECTORS_MAX);
        t->selectors[t->n_selectors++] = selector_of(sat);
    }
    *ret_n = n;
}

static void set_digest(struct kek *kek)
{
    uint8_t hash[HASH_MAX];

    hash_parts(HASH_SHA256,
               PARTS(bytes_str(MEMBER_KEK_DIGEST_LABEL), ike1_cookies_bytes(&kek->cookies),
                     secret_bytes(&kek->iv), secret_bytes(&kek->key),
                     bytes(kek->sig_key, kek->sig_key_len)),
               hash);
    memcpy(kek->digest, hash, sizeof kek->digest);
    explicit_bzero(hash, sizeof hash);
}

void policy_kek(const struct gdoi_sa *sa, const struct gdoi_kd *kd, struct ip server,
                instant_t received, uint32_t sequence, struct kek *ret)
{
    struct bytes iv, key;

    *ret = (struct kek){.present = true,
                        .server = server,
                        .source = sa->sak.src.ip,
                        .group = ip_is_multicast(sa->sak.dst.ip) ? sa->sak.dst.ip
                                                                 : IP_NONE, /* decisions S27 */
                        .cookies = sa->sak.spi,
                        .ack = sa->sak.ack,
                        .sequence = sequence,
                        .learned = received};
    if (gdoi_kek_split(&sa->sak, kd->kek.iv_and_key, &iv, &key) != ERR_OK ||
        !kek_cipher_of(&sa->sak, &ret->cipher) || !sig_hash_of(&sa->sak, &ret->sig_hash))
        assert(!"policy_check() or gdoi_kd_match() has let a bad key through");
    ret->iv = secret_of(iv);
    ret->key = secret_of(key);
    static_assert(sizeof ret->sig_key == GDOI_SIG_KEY_MAX, "gdoi_kd_parse() reads no longer one");
    ret->sig_key_len = kd->kek.sig_key.len;
    if (ret->sig_key_len > 0)
        memcpy(ret->sig_key, kd->kek.sig_key.data, ret->sig_key_len);
    ret->expiry =
        sa->sak.has_lifetime ? instant_add(received, span_s(sa->sak.lifetime)) : INSTANT_NEVER;
    set_digest(ret);
}
