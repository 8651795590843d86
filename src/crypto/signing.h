#pragma once
/* A key pair that signs pushes, shared by reference: a KEK belongs to the pair it was made with
 * (decisions M17), and a job that signs may outlive the KEK. Counted by one thread: workers read
 * what others hold for them. */
#include "base/compiler.h"
#include "base/err.h"
#include "crypto/sign.h"

enum { SIGNING_KEY_ID = 32 };

struct signing_key {
    unsigned refs;
    struct sign_key *private;
    unsigned bits;
    size_t spki_len;
    uint8_t spki[SPKI_MAX]; /* the public half: DER SubjectPublicKeyInfo */
};

/* Takes *private over and leaves NULL there; the caller holds the only reference. ERR_TYPE: not
 * RSA; ERR_FULL: a public half beyond SPKI_MAX; ERR_NOMEM. */
MUST_USE enum err signing_key_new(struct sign_key **private, struct signing_key **ret);
/* SHA-256 of the public half: two objects with one are the same key. */
void signing_key_id(const struct signing_key *k, uint8_t out[SIGNING_KEY_ID]);
/* Whether they are one key pair. */
bool signing_key_is(const struct signing_key *k, const struct sign_key *private);
struct signing_key *signing_key_hold(struct signing_key *k);
void signing_key_release(struct signing_key *k); /* the last one frees; NULL allowed */
