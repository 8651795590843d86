#include "sa/job.h"

#include "ike1/header.h"
#include "ike1/numbers.h"

#include <assert.h>
#include <stdlib.h>

static_assert((int)DH_ENTROPY >= (int)SIGN_ENTROPY, "one field of struct job serves both");

static enum err exchange_secret(const struct job *job, struct job_result *r)
{
    struct bytes peer = bytes(job->peer_public, job->peer_public_len);

    if (job->private.len)
        return dh_derive(job->dh_group, &job->private, peer, &r->shared);
    r->public_len = dh_public_len(job->dh_group);
    return dh_agree(job->dh_group, job->entropy, peer, r->public, &r->shared);
}

/* ---- signatures ---- */

#define LABEL "rekey" /* RFC 6407 4 */
enum { LABEL_LEN = sizeof LABEL - 1 };

struct job_sign *job_sign_new(struct signing_key *key, enum hash hash, const struct bytes *parts,
                              size_t n)
{
    size_t len = 0;

    for (size_t i = 0; i < n; i++)
        len += parts[i].len;
    struct job_sign *s = malloc(sizeof *s + len);
    if (!s)
        return NULL;
    *s = (struct job_sign){.key = signing_key_hold(key), .hash = hash};
    for (size_t i = 0; i < n; i++) {
        memcpy(s->text + s->len, parts[i].data, parts[i].len);
        s->len += parts[i].len;
    }
    return s;
}

static void sign_free(struct job_sign *s)
{
    if (!s)
        return;
    signing_key_release(s->key);
    explicit_bzero(s->text, s->len); /* a push in clear */
    free(s);
}

/* Length there is that without cipher padding: all that is signed, and the signature. */
static bool is_push(const struct job_sign *s)
{
    struct ike1_header h;

    if (s->len < LABEL_LEN + IKE1_HEADER ||
        !bytes_equal(bytes(s->text, LABEL_LEN), bytes(LABEL, LABEL_LEN)))
        return false;
    size_t len = s->len - LABEL_LEN + CHAIN_HEADER + s->key->bits / 8;
    struct bytes message = bytes(s->text + LABEL_LEN, len); /* its header is all that is read */
    return ike1_header_parse(message, &h) == ERR_OK && h.exchange == IKE1_EXCHANGE_GROUPKEY_PUSH &&
           h.flags == IKE1_FLAG_ENCRYPTION && h.message_id == 0;
}

static enum err sign(const struct job_sign *s, struct job_result *r)
{
    uint8_t digest[HASH_MAX];

    if (!is_push(s))
        return ERR_DENIED;
    hash_parts(s->hash, PARTS(bytes(s->text, s->len)), digest);
    return rsa_sign(s->key->private, s->hash, bytes(digest, hash_len(s->hash)), RSA_DIGEST_INFO,
                    r->signature, sizeof r->signature, &r->signature_len);
}

/* ---- all kinds ---- */

void job_run(const struct job *job, struct job_result *ret)
{
    struct job_result r = {.id = job->id, .kind = job->kind};

    switch (job->kind) {
    case JOB_DH_GENERATE:
        r.public_len = dh_public_len(job->dh_group);
        r.err = dh_generate(job->dh_group, job->entropy, &r.private, r.public);
        break;
    case JOB_PHASE1_KEYS:
        r.err = exchange_secret(job, &r);
        r.skeyid = prf(job->hash, bytes(job->psk, job->psk_len),
                       PARTS(bytes(job->ni, job->ni_len), bytes(job->nr, job->nr_len)));
        break;
    case JOB_SIGN_KEY:
        r.err = sign_key_generate_rsa(job->rsa_bits, job->entropy, &r.sign_key);
        break;
    case JOB_SIGN:
        r.err = sign(job->sign, &r);
        break;
    }
    *ret = r;
    explicit_bzero(&r, sizeof r); /* the key is the caller's */
}

void job_wipe(struct job *job)
{
    sign_free(job->sign);
    explicit_bzero(job, sizeof *job);
}

void job_result_wipe(struct job_result *result)
{
    sign_key_free(result->sign_key);
    explicit_bzero(result, sizeof *result);
}
