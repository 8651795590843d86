/* Diffie-Hellman and SKEYID leave the engine as jobs. A result whose SA is gone finds nobody and is
 * ignored. */
#include "sa/phase1_internal.h"

#include <assert.h>

static void start(struct phase1_call *c, struct phase1_sa *sa, struct job *job)
{
    struct phase1_handshake *hs = sa->hs;

    assert(hs->job == 0);
    c->t->n_jobs++;
    hs->job = job->id = c->t->next_job++;
    drbg_fill(c->t->drbg, job->entropy, sizeof job->entropy);
    map_put(&c->t->by_job, bytes(&hs->job, sizeof hs->job), sa);
    effects_job(c->out, job);
    job_wipe(job);
    phase1_await_job(c, sa);
}

/* A responder takes on no more than its workers finish in a while: a message that has to wait
 * longer than its sender does would be worked on in vain, and a flood would starve everybody. */
enum err phase1_job_room(struct phase1_call *c, size_t most)
{
    if (c->t->n_jobs < most)
        return ERR_OK;
    phase1_tell_limit(c, "unfinished jobs of phase 1", (unsigned)most);
    return ERR_LIMIT;
}

void phase1_job_generate(struct phase1_call *c, struct phase1_sa *sa, unsigned group)
{
    struct job job = {.kind = JOB_DH_GENERATE, .dh_group = group};
    start(c, sa, &job);
}

static size_t put(uint8_t *to, size_t room, struct bytes from)
{
    assert(from.len <= room);
    if (from.len)
        memcpy(to, from.data, from.len);
    return from.len;
}

/* g^xy and SKEYID, for the message in hand. A responder draws its nonce here, once. */
void phase1_job_keys(struct phase1_call *c, struct phase1_sa *sa)
{
    struct phase1_handshake *hs = sa->hs;
    const struct phase1_blob *peer = sa->initiator ? &hs->public_r : &hs->public_i;
    struct job job = {.kind = JOB_PHASE1_KEYS,
                      .dh_group = sa->proposal->dh_group,
                      .private = hs->private,
                      .hash = phase1_hash_of(sa->proposal)};

    if (!sa->initiator && hs->nonce_r.len == 0)
        phase1_fresh_nonce(c->t, &hs->nonce_r);
    job.peer_public_len = put(job.peer_public, sizeof job.peer_public, phase1_blob_bytes(peer));
    job.psk_len = put(job.psk, sizeof job.psk, sa->peer->policy->psk);
    job.ni_len = put(job.ni, sizeof job.ni, phase1_blob_bytes(&hs->nonce_i));
    job.nr_len = put(job.nr, sizeof job.nr, phase1_blob_bytes(&hs->nonce_r));
    hs->jobs++;
    hs->pending = c->digest;
    start(c, sa, &job);
}

void phase1_fresh_nonce(struct phase1_table *t, struct phase1_blob *ret)
{
    uint8_t nonce[PHASE1_NONCE];
    drbg_fill(t->drbg, nonce, sizeof nonce);
    phase1_blob_set(ret, BYTES_OF(nonce));
}

/* The peer's message held a public value that is none of its group, or did not authenticate:
 * anybody who saw our cookie may have sent it, so the exchange waits on for a better one. */
void phase1_back_to_waiting(struct phase1_call *c, struct phase1_sa *sa)
{
    struct phase1_handshake *hs = sa->hs;

    hs->pending = 0;
    switch (sa->at) {
    case PHASE1_I_KEYING:
        phase1_move(sa, PHASE1_I_SENT_3);
        break;
    case PHASE1_R_KEYING:
        phase1_move(sa, PHASE1_R_SENT_2);
        break;
    default:
        assert(sa->at == PHASE1_AI_KEYING);
        phase1_aggressive_forget_answer(c, sa);
        phase1_move(sa, PHASE1_AI_SENT_1);
        break;
    }
    phase1_resume(c, sa);
}

static void failed(struct phase1_call *c, struct phase1_sa *sa, enum err err)
{
    bool ours = err_class(err) != ERR_CLASS_PEER;

    if (ours || sa->at == PHASE1_AR_KEYING) {
        phase1_fail(c, sa, err, NULL,
                    ours ? "Diffie-Hellman failed on this machine"
                         : "the peer's public value is not of its group");
        return;
    }
    c->t->counters.dropped[err]++;
    phase1_tell_dropped(c, sa, err, "the peer's public value is not of its group");
    phase1_back_to_waiting(c, sa);
}

typedef void go_on(struct phase1_call *c, struct phase1_sa *sa, const struct job_result *r);

static go_on *const after[PHASE1_AT_COUNT] = {
    [PHASE1_I_GENERATING] = phase1_main_generated,
    [PHASE1_I_KEYING] = phase1_main_keyed_i,
    [PHASE1_R_KEYING] = phase1_main_keyed_r,
    [PHASE1_AI_GENERATING] = phase1_aggressive_generated,
    [PHASE1_AI_KEYING] = phase1_aggressive_keyed_i,
    [PHASE1_AR_KEYING] = phase1_aggressive_keyed_r,
};

struct phase1_outcome phase1_job_done(struct phase1_table *t, instant_t now,
                                      const struct job_result *result, struct effects *out)
{
    struct phase1_call c = {.t = t, .now = now, .out = out};

    phase1_free_dead(t);
    t->n_jobs -= t->n_jobs > 0;
    struct phase1_sa *sa = map_remove(&t->by_job, bytes(&result->id, sizeof result->id));
    if (!sa)
        return c.outcome;
    sa->hs->job = 0;
    c.from = phase1_remote(sa);
    c.to = sa->local;
    if (result->err)
        failed(&c, sa, result->err);
    else
        after[sa->at](&c, sa, result);
    return c.outcome;
}
