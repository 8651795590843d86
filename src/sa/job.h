#pragma once
/* Slow or secret work that leaves the engine: Diffie-Hellman, and whatever needs a long-term
 * secret. job_run() is a pure function that a worker thread (or a simulation) calls; the process
 * that holds the pre-shared keys can take it over without a change to the engines. */
#include "base/bytes.h"
#include "base/err.h"
#include "crypto/dh.h"
#include "crypto/hash.h"
#include "crypto/signing.h"

enum { NONCE_MIN = 8, NONCE_MAX = 256, PSK_MAX = 255 }; /* RFC 2409 section 5 */

enum job_kind {
    JOB_DH_GENERATE, /* initiator: a key pair */
    JOB_PHASE1_KEYS, /* g^xy and SKEYID = prf(psk, Ni_b | Nr_b); a responder's key pair too */
    JOB_SIGN_KEY,    /* a RSA key pair for signatures */
    JOB_SIGN,        /* the signature of a push */
};
struct job {
    uint64_t id; /* comes back with the result; no two jobs of one kind share it */
    enum job_kind kind;
    unsigned dh_group; /* JOB_DH_GENERATE, JOB_PHASE1_KEYS */
    unsigned rsa_bits; /* JOB_SIGN_KEY */
    uint8_t entropy[DH_ENTROPY];
    /* JOB_PHASE1_KEYS */
    struct secret private; /* the initiator's; len 0 = make a pair (responder) */
    uint8_t peer_public[DH_PUBLIC_MAX];
    size_t peer_public_len;
    enum hash hash;
    uint8_t psk[PSK_MAX];
    size_t psk_len;
    uint8_t ni[NONCE_MAX], nr[NONCE_MAX];
    size_t ni_len, nr_len;
    /* JOB_SIGN: `sign` is the job's own (job_sign_new()), and goes with job_wipe(). */
    struct job_sign *sign;
};

/* What is to be signed (RFC 6407 4): "rekey", the header of a push, payloads. Nothing else is
 * signed, so that whoever takes an engine over cannot have other things signed (decisions M17). */
struct job_sign {
    struct signing_key *key; /* held */
    enum hash hash;
    size_t len;
    uint8_t text[];
};
/* NULL: no memory. */
struct job_sign *job_sign_new(struct signing_key *key, enum hash hash, const struct bytes *parts,
                              size_t n);

struct job_result {
    uint64_t id;
    enum job_kind kind;
    enum err err; /* ERR_OK, ERR_LENGTH or ERR_VALUE for the peer's public value, ERR_CRYPTO,
                   * ERR_DENIED for what is no push, ERR_LIMIT: nobody could run it */
    struct secret private;         /* JOB_DH_GENERATE */
    uint8_t public[DH_PUBLIC_MAX]; /* JOB_DH_GENERATE, and JOB_PHASE1_KEYS of a responder */
    size_t public_len;
    struct secret_long shared;        /* JOB_PHASE1_KEYS */
    struct secret skeyid;             /* JOB_PHASE1_KEYS */
    struct sign_key *sign_key;        /* JOB_SIGN_KEY: whoever keeps it leaves NULL behind */
    uint8_t signature[SIGNATURE_MAX]; /* JOB_SIGN */
    size_t signature_len;
};

/* Runs the job; wipes nothing of it. The caller wipes both with job_wipe() and job_result_wipe()
 * when the result was delivered. A job that was copied out of a list of effects is wiped once, in
 * the thread of the engine, also when nobody runs it; each one gets exactly one result. */
void job_run(const struct job *job, struct job_result *ret);
void job_wipe(struct job *job);
void job_result_wipe(struct job_result *result); /* frees a sign_key that nobody kept */
