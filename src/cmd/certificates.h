#pragma once
/* The key pairs that `certificate NAME` of server-member-communication names: in the folder of key
 * pairs (--pki-dir), NAME.key holds the private key (PEM, for nobody's eyes but ours), NAME.crt or
 * NAME.pem its X.509 certificate. Members trust the key because their registration brought it; the
 * certificate tells operators whose it is and how long it may be used. */
#include "conf/check.h"
#include "server/server.h"

/* Tries every certificate that the configuration names and adds what is wrong with one to the
 * findings of the check: an error; for files that this user may not read, a warning. Soon to
 * expire, or weak: a warning. */
void certificates_check(struct conf_check *check, const char *pki_dir);

struct certificates {
    struct server_certificate list[MODEL_GROUPS_MAX]; /* each name once */
    size_t n;
};
/* Loads them. On failure it has been said on stderr, and there are none. */
MUST_USE enum err certificates_load(const char *program, const struct model_server *model,
                                    const char *pki_dir, struct certificates *ret);
void certificates_free(struct certificates *c); /* what has not been taken */
