#pragma once
/* The key pairs that `certificate NAME` of server-member-communication names: in the folder of key
 * pairs (--pki-dir), NAME.key holds the private key (PEM, for nobody's eyes but ours), NAME.crt or
 * NAME.pem its X.509 certificate. Members trust the key because their registration brought it; the
 * certificate tells operators whose it is and how long it may be used. */
#include "conf/check.h"
#include "server/server.h"

struct daemon;
struct options;

/* Who wants to know. */
enum certificates_for {
    CERTIFICATES_FOR_START,  /* of a server, or whoever looks at a file meanwhile */
    CERTIFICATES_FOR_COMMIT, /* on a server that runs */
};
/* Tries every certificate that the configuration names and adds what is wrong with one to the
 * findings of the check: an error. Soon to expire, or weak: a warning. For a start, so are one that
 * is out of date (a group must not end with a reboot: members do not see the certificate, and trust
 * the key because their registration brought it, RFC 6407 5.6.2.2) and files that this user
 * may not read. */
void certificates_check(struct conf_check *check, const char *pki_dir, enum certificates_for what);

struct certificates {
    struct server_certificate list[MODEL_GROUPS_MAX]; /* each name once */
    size_t n;
};
/* Loads them; one that is out of date is told as an event. On failure it has been said on stderr,
 * and there are none. */
MUST_USE enum err certificates_load(struct daemon *d, const struct options *o,
                                    const struct model_server *model, struct certificates *ret);
void certificates_free(struct certificates *c); /* what has not been taken */
