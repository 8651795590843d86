#pragma once
/* The key pairs that `certificate NAME` of server-member-communication names: in the folder of key
 * pairs (--pki-dir), NAME.key holds the private key (PEM, for nobody's eyes but ours), NAME.crt or
 * NAME.pem its X.509 certificate. Members trust the key because their registration brought it; the
 * certificate tells operators whose it is and how long it may be used. */
#include "conf/check.h"
#include "server/server.h"

struct daemon;
struct options;

/* Tries every certificate that the configuration names and adds what is wrong with one to the
 * findings of the check: an error. Soon to expire, or weak: a warning. So is one that is out of
 * date, for a start (`running` is NULL) and when its key is at work on the server that runs: a
 * group must not end with a reboot, nor wait for a certificate with an urgent commit. Members do
 * not see it, and trust the key because their registration brought it (RFC 6407 5.6.2.2). Files
 * that this user may not read are a warning for a start, which another user may make. */
void certificates_check(struct conf_check *check, const char *pki_dir,
                        const struct server *running);

struct certificates {
    struct server_certificate list[MODEL_GROUPS_MAX]; /* each name once */
    size_t n;
};
/* Loads them; one that is out of date is told as an event. On failure it has been said on stderr,
 * and there are none. */
MUST_USE enum err certificates_load(struct daemon *d, const struct options *o,
                                    const struct model_server *model, struct certificates *ret);
void certificates_free(struct certificates *c); /* what has not been taken */
