#include "sa/job.h"

#include <assert.h>

static_assert((int)DH_ENTROPY >= (int)SIGN_ENTROPY, "one field of struct job serves both");

static enum err exchange_secret(const struct job *job, struct job_result *r)
{
    struct bytes peer = bytes(job->peer_public, job->peer_public_len);

    if (job->private.len)
        return dh_derive(job->dh_group, &job->private, peer, &r->shared);
    r->public_len = dh_public_len(job->dh_group);
    return dh_agree(job->dh_group, job->entropy, peer, r->public, &r->shared);
}

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
    }
    *ret = r;
    explicit_bzero(&r, sizeof r); /* the key is the caller's */
}

void job_wipe(struct job *job) { explicit_bzero(job, sizeof *job); }

void job_result_wipe(struct job_result *result)
{
    sign_key_free(result->sign_key);
    explicit_bzero(result, sizeof *result);
}
