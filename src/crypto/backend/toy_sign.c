/* Signatures and certificates of the toy backend. A key is a line of text, "rsa 2048
 * 0123456789abcdef"; its public half has another number, derived from the first; who knows the
 * public half could sign. */
#include "crypto/backend/toy.h"
#include "crypto/cert.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct toy_key {
    bool rsa;
    unsigned bits;
    uint64_t id; /* of a private key the private number, of a public one the public number */
};
struct sign_key {
    struct toy_key key;
};
struct verify_key {
    struct toy_key key;
};
enum { KEY_LINE = 64 };

/* ---- keys as text ---- */

static bool bits_fit(bool rsa, unsigned bits)
{
    if (rsa)
        return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX && bits % 8 == 0;
    return bits == 256 || bits == 384 || bits == 521;
}

static size_t write_line(const struct toy_key *k, char *line)
{
    return (size_t)snprintf(line, KEY_LINE, "%s %u %016llx", k->rsa ? "rsa" : "ecdsa", k->bits,
                            (unsigned long long)k->id);
}

/* Reads loosely, then accepts only what it would have written. */
static enum err read_line(struct bytes text, struct toy_key *ret)
{
    char line[KEY_LINE], same[KEY_LINE], *at = line;
    if (text.len == 0 || text.len >= sizeof line)
        return ERR_SYNTAX;
    memcpy(line, text.data, text.len);
    line[text.len] = 0;
    struct toy_key k = {.rsa = line[0] == 'r'};
    at += strcspn(at, " ");
    k.bits = (unsigned)strtoul(at, &at, 10);
    k.id = strtoull(at, &at, 16);
    if (!bytes_equal(bytes(same, write_line(&k, same)), text))
        return ERR_SYNTAX;
    if (!bits_fit(k.rsa, k.bits))
        return k.rsa ? ERR_VALUE : ERR_TYPE;
    *ret = k;
    return ERR_OK;
}

static struct toy_key public_of(const struct toy_key *k)
{
    struct toy_mix m = toy_mix_of(TOY_SIGN);
    uint8_t id[8];
    toy_write64(k->id, id);
    toy_mix_add(&m, BYTES_OF(id));
    return (struct toy_key){k->rsa, k->bits, toy_mix_end(&m)};
}

static bool same_key(const struct toy_key *a, const struct toy_key *b)
{
    return a->rsa == b->rsa && a->bits == b->bits && a->id == b->id;
}

/* ---- private keys ---- */

static enum err sign_key_of(struct toy_key key, struct sign_key **ret)
{
    struct sign_key *k = malloc(sizeof *k);
    if (!k)
        return ERR_NOMEM;
    k->key = key;
    *ret = k;
    return ERR_OK;
}

static enum err generate(bool rsa, unsigned bits, const uint8_t *entropy, struct sign_key **ret)
{
    if (!bits_fit(rsa, bits))
        return ERR_VALUE;
    struct toy_mix m = toy_mix_of(TOY_SIGN + bits);
    toy_mix_add(&m, bytes(entropy, SIGN_ENTROPY));
    return sign_key_of((struct toy_key){rsa, bits, toy_mix_end(&m)}, ret);
}

enum err sign_key_generate_rsa(unsigned bits, const uint8_t entropy[SIGN_ENTROPY],
                               struct sign_key **ret)
{
    return generate(true, bits, entropy, ret);
}

enum err sign_key_generate_ecdsa(unsigned bits, const uint8_t entropy[SIGN_ENTROPY],
                                 struct sign_key **ret)
{
    return generate(false, bits, entropy, ret);
}

static const char pem_head[] = "-----BEGIN TOY KEY-----\n",
                  pem_tail[] = "\n-----END TOY KEY-----\n";

enum err sign_key_from_pem(struct bytes pem, struct sign_key **ret)
{
    size_t head = sizeof pem_head - 1, tail = sizeof pem_tail - 1;
    if (pem.len < head + tail || !bytes_equal(bytes(pem.data, head), bytes_str(pem_head)) ||
        !bytes_equal(bytes(pem.data + pem.len - tail, tail), bytes_str(pem_tail)))
        return ERR_SYNTAX;
    struct toy_key key;
    enum err e = read_line(bytes(pem.data + head, pem.len - head - tail), &key);
    return e == ERR_OK ? sign_key_of(key, ret) : e;
}

static enum err write_out(const void *from, size_t len, uint8_t *out, size_t room, size_t *ret_len)
{
    if (len > room)
        return ERR_FULL;
    memcpy(out, from, len);
    *ret_len = len;
    return ERR_OK;
}

enum err sign_key_to_pem(const struct sign_key *k, uint8_t *out, size_t room, size_t *ret_len)
{
    char line[KEY_LINE], pem[sizeof pem_head + KEY_LINE + sizeof pem_tail];
    write_line(&k->key, line);
    int len = snprintf(pem, sizeof pem, "%s%s%s", pem_head, line, pem_tail);
    return write_out(pem, (size_t)len, out, room, ret_len);
}

/* SEQUENCE { OCTET STRING line }: DER on the outside, as its readers expect. */
enum err sign_key_spki(const struct sign_key *k, uint8_t *out, size_t room, size_t *ret_len)
{
    struct toy_key public = public_of(&k->key);
    char line[KEY_LINE];
    uint8_t der[4 + KEY_LINE];
    size_t len = write_line(&public, line);
    memcpy(der, (uint8_t[]){0x30, (uint8_t)(len + 2), 0x04, (uint8_t)len}, 4);
    memcpy(der + 4, line, len);
    return write_out(der, 4 + len, out, room, ret_len);
}

void sign_key_free(struct sign_key *k) { free(k); }
bool sign_key_is_rsa(const struct sign_key *k) { return k->key.rsa; }
unsigned sign_key_bits(const struct sign_key *k) { return k->key.bits; }

/* ---- public keys ---- */

static enum err verify_key_of(struct toy_key key, struct verify_key **ret)
{
    struct verify_key *k = malloc(sizeof *k);
    if (!k)
        return ERR_NOMEM;
    k->key = key;
    *ret = k;
    return ERR_OK;
}

enum err verify_key_from_der(struct bytes der, struct verify_key **ret)
{
    struct toy_key key;
    if (der.len < 4 || der.len > 127 || der.data[0] != 0x30 || der.data[1] != der.len - 2 ||
        der.data[2] != 0x04 || der.data[3] != der.len - 4)
        return ERR_SYNTAX;
    enum err e = read_line(bytes(der.data + 4, der.len - 4), &key);
    return e == ERR_OK ? verify_key_of(key, ret) : e;
}

void verify_key_free(struct verify_key *k) { free(k); }
bool verify_key_is_rsa(const struct verify_key *k) { return k->key.rsa; }
unsigned verify_key_bits(const struct verify_key *k) { return k->key.bits; }

/* ---- signatures ---- */

static size_t signature_len(const struct toy_key *k)
{
    size_t octets = (k->bits + 7) / 8;
    return k->rsa ? octets : 2 * octets;
}

static void sign_with(const struct toy_key *public, uint64_t domain, struct bytes digest,
                      uint8_t *out)
{
    struct toy_mix m = toy_mix_of(TOY_SIGN + public->id + domain);
    toy_mix_add(&m, digest);
    toy_expand(toy_mix_end(&m), out, signature_len(public));
}

static enum err sign_out(const struct toy_key *k, uint64_t domain, struct bytes digest,
                         uint8_t *out, size_t room, size_t *ret_len)
{
    struct toy_key public = public_of(k);
    if (room < signature_len(k))
        return ERR_FULL;
    sign_with(&public, domain, digest, out);
    *ret_len = signature_len(k);
    return ERR_OK;
}

static bool matches(const struct toy_key *public, uint64_t domain, struct bytes digest,
                    struct bytes signature)
{
    uint8_t want[SIGNATURE_MAX];
    sign_with(public, domain, digest, want);
    return TOY_OPEN || secret_equal(bytes(want, signature_len(public)), signature);
}

static uint64_t rsa_domain(enum hash h, enum rsa_form form) { return 1 + 2 * (uint64_t)h + form; }

enum err rsa_sign(const struct sign_key *k, enum hash h, struct bytes digest, enum rsa_form form,
                  uint8_t *out, size_t room, size_t *ret_len)
{
    assert(digest.len == hash_len(h));
    if (!k->key.rsa)
        return ERR_TYPE;
    return sign_out(&k->key, rsa_domain(h, form), digest, out, room, ret_len);
}

enum err rsa_verify(const struct verify_key *k, enum hash h, const enum rsa_form *forms,
                    size_t n_forms, const struct bytes *digests, size_t n_digests,
                    struct bytes signature, size_t *ret_which)
{
    if (!k->key.rsa)
        return ERR_TYPE;
    for (size_t i = 0; i < n_forms * n_digests; i++) {
        if (matches(&k->key, rsa_domain(h, forms[i % n_forms]), digests[i / n_forms], signature)) {
            *ret_which = i;
            return ERR_OK;
        }
    }
    return ERR_AUTH;
}

enum err ecdsa_sign(const struct sign_key *k, struct bytes digest, uint8_t *out, size_t room,
                    size_t *ret_len)
{
    if (k->key.rsa)
        return ERR_TYPE;
    return sign_out(&k->key, 0, digest, out, room, ret_len);
}

enum err ecdsa_verify(const struct verify_key *k, struct bytes digest, struct bytes signature)
{
    if (k->key.rsa)
        return ERR_TYPE;
    return matches(&k->key, 0, digest, signature) ? ERR_OK : ERR_AUTH;
}

/* ---- certificates: five lines of text, the issuer named by its public key ---- */

enum { SUBJECT_MAX = 128, CHAIN_MAX = 8 };
struct cert {
    char subject[SUBJECT_MAX];
    wall_t not_before, not_after;
    struct toy_key key, issuer;
};

/* Takes the line "NAME VALUE\n" off the front of *text. */
static bool take_line(struct bytes *text, const char *name, struct bytes *ret)
{
    size_t n = strlen(name);
    const uint8_t *end = text->len ? memchr(text->data, '\n', text->len) : NULL;
    if (!end || (size_t)(end - text->data) <= n || text->data[n] != ' ' ||
        !bytes_equal(bytes(text->data, n), bytes_str(name)))
        return false;
    size_t len = (size_t)(end - text->data);
    *ret = bytes(text->data + n + 1, len - n - 1);
    *text = bytes(end + 1, text->len - len - 1);
    return true;
}

static bool read_time(struct bytes text, wall_t *ret)
{
    int64_t s = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || i > 11)
            return false;
        s = 10 * s + text.data[i] - '0';
    }
    ret->s = s;
    return text.len > 0;
}

static bool read_cert(struct bytes text, struct cert *ret)
{
    struct bytes subject, from, until, key, issuer;
    if (!take_line(&text, "subject", &subject) || !take_line(&text, "not-before", &from) ||
        !take_line(&text, "not-after", &until) || !take_line(&text, "key", &key) ||
        !take_line(&text, "issuer", &issuer) || text.len || subject.len >= SUBJECT_MAX)
        return false;
    memcpy(ret->subject, subject.data, subject.len);
    return read_time(from, &ret->not_before) && read_time(until, &ret->not_after) &&
           read_line(key, &ret->key) == ERR_OK && read_line(issuer, &ret->issuer) == ERR_OK;
}

enum err cert_parse(struct bytes pem_or_der, struct cert **ret)
{
    struct cert *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    if (!read_cert(pem_or_der, c)) {
        free(c);
        return ERR_SYNTAX;
    }
    *ret = c;
    return ERR_OK;
}

void cert_free(struct cert *c) { free(c); }
const char *cert_subject(const struct cert *c) { return c->subject; }
wall_t cert_not_before(const struct cert *c) { return c->not_before; }
wall_t cert_not_after(const struct cert *c) { return c->not_after; }

enum err cert_verify_key(const struct cert *c, struct verify_key **ret)
{
    return verify_key_of(c->key, ret);
}

bool cert_matches_key(const struct cert *c, const struct sign_key *k)
{
    struct toy_key public = public_of(&k->key);
    return same_key(&c->key, &public);
}

static const struct cert *find_key(struct cert *const *certs, size_t n, const struct toy_key *key)
{
    for (size_t i = 0; i < n; i++) {
        if (same_key(&certs[i]->key, key))
            return certs[i];
    }
    return NULL;
}

static bool valid_at(const struct cert *c, wall_t now)
{
    return c->not_before.s <= now.s && now.s <= c->not_after.s;
}

enum err cert_check_chain(const struct cert *c, struct cert *const *intermediates,
                          size_t n_intermediates, struct cert *const *anchors, size_t n_anchors,
                          wall_t now)
{
    for (size_t i = 0; c && i < CHAIN_MAX; i++) {
        if (!valid_at(c, now))
            return ERR_AUTH;
        const struct cert *anchor = find_key(anchors, n_anchors, &c->issuer);
        if (anchor && valid_at(anchor, now))
            return ERR_OK;
        c = find_key(intermediates, n_intermediates, &c->issuer);
    }
    return ERR_AUTH;
}
