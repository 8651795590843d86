#pragma once
/* A member's Diffie-Hellman for next to nothing, so that load costs the server and not who makes
 * it. A member need not be secret here: its exponent is 2, which the server cannot tell. */
#include "sa/job.h"

static inline void cheap_job(const struct job *job, struct job_result *ret)
{
    if (job->kind != JOB_DH_GENERATE) {
        job_run(job, ret);
        return;
    }
    *ret = (struct job_result){.id = job->id, .kind = job->kind};
    ret->private = secret_of(bytes((const uint8_t[]){2}, 1));
    ret->public_len = dh_public_len(job->dh_group);
    ret->public[ret->public_len - 1] = 4;
}
