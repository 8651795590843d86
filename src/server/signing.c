#include "server/signing.h"

#include "sa/job.h"
#include "server/limits.h"
#include "server/state.h"

static bool has_own_key(const struct model_group *g)
{
    return g->communication.present && !g->communication.certificate;
}

static void give_away(struct server *s, instant_t now, struct effects *out)
{
    struct job job = {.id = ++s->signing.jobs, .kind = JOB_SIGN_KEY, .rsa_bits = SERVER_SIGN_BITS};

    drbg_fill(&s->drbg, job.entropy, sizeof job.entropy);
    effects_job(out, &job);
    job_wipe(&job);
    s->signing.due = instant_add(now, SERVER_SIGN_RETRY);
}

static void hand_out(struct server *s)
{
    for (size_t i = 0; i < s->n_groups; i++) {
        if (has_own_key(s->groups[i]->model))
            group_set_signer(s->groups[i], s->signing.key);
    }
}

static bool is_needed(const struct server *s)
{
    for (size_t i = 0; i < s->model->n_groups; i++) {
        if (has_own_key(&s->model->groups[i]))
            return true;
    }
    return false;
}

void signing_start(struct server *s, instant_t now, struct effects *out)
{
    s->signing.due = INSTANT_NEVER;
    signing_update(s, now, out);
}

/* A job that is under way is not given away twice. */
void signing_update(struct server *s, instant_t now, struct effects *out)
{
    if (s->signing.key)
        hand_out(s);
    if (s->signing.key || !is_needed(s))
        s->signing.due = INSTANT_NEVER;
    else if (instant_is_never(s->signing.due))
        give_away(s, now, out);
}

void signing_timer(struct server *s, instant_t now, struct effects *out)
{
    if (instant_reached(s->signing.due, now))
        give_away(s, now, out);
}

static void tell(const struct signing_key *key, enum err err, struct effects *out)
{
    struct event e = event_of(err ? EV_INTERNAL : EV_SIGNING_KEY);

    event_add_str(&e, "what", "the server's own RSA key for pushes");
    if (err)
        event_add_err(&e, err);
    else
        event_add_u64(&e, "bits", key->bits);
    effects_tell(out, &e);
}

enum err signing_restore(struct server *s, struct bytes pem, struct effects *out)
{
    struct sign_key *pair = NULL;

    if (s->signing.key)
        return ERR_DUPLICATE;
    enum err e = sign_key_from_pem(pem, &pair);
    if (!e)
        e = signing_key_new(&pair, &s->signing.key);
    sign_key_free(pair);
    if (e)
        return e;
    tell(s->signing.key, ERR_OK, out);
    hand_out(s);
    return ERR_OK;
}

void signing_job_done(struct server *s, struct job_result *result, struct effects *out)
{
    struct signing *g = &s->signing;

    if (g->key) /* the answer to a job that was thought lost */
        return;
    enum err e = result->err ? result->err : signing_key_new(&result->sign_key, &g->key);
    tell(g->key, e, out);
    if (e)
        return; /* again when due */
    g->due = INSTANT_NEVER;
    hand_out(s);
}

bool server_signs_with(const struct server *s, const struct sign_key *key)
{
    for (size_t i = 0; i < s->n_groups; i++) {
        const struct signing_key *signer = s->groups[i]->signer;
        if (signer && signing_key_is(signer, key))
            return true;
    }
    return false;
}

void signing_free(struct signing *g)
{
    signing_key_release(g->key);
    *g = (struct signing){0};
}
