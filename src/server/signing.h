#pragma once
/* The server's own key pair, which signs the pushes of every group whose
 * server-member-communication names no certificate (RFC 6407 5.3.6). It is made by a job; until it
 * is there those groups have no KEK, and registrations are told to come again. */
#include "base/instant.h"
#include "crypto/signing.h"
#include "sa/effects.h"

struct job_result;
struct server;

struct signing {
    struct signing_key *key; /* held; NULL: not there yet */
    instant_t due;           /* when to give the job away (again); NEVER: no need */
    uint64_t jobs;           /* given away so far */
};

/* At the start: whether a key pair is needed at all. */
void signing_start(struct server *s, instant_t now, struct effects *out);
/* The key pair of an earlier server, as PEM: before signing_start(). ERR_DUPLICATE when there is
 * one, and as sign_key_from_pem(). */
MUST_USE enum err signing_restore(struct server *s, struct bytes pem, struct effects *out);
/* After the configuration has changed. */
void signing_update(struct server *s, instant_t now, struct effects *out);
/* Takes the key out of the result of a JOB_SIGN_KEY. */
void signing_job_done(struct server *s, struct job_result *result, struct effects *out);
void signing_timer(struct server *s, instant_t now, struct effects *out);
void signing_free(struct signing *g); /* wipes */
