#include "cmd/certificates.h"
#include "cmd/daemon.h"
#include "crypto/cert.h"
#include "host/clock.h"
#include "host/system.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    FILE_MAX = 64 << 10, /* octets; a key of RSA_BITS_MAX in PEM has 6,400 */
    PATH_MAX_HERE = 1024,
    WHY_MAX = 512,
    SOON_DAYS = 30,
    WEAK_BITS = 2048, /* below: RFC 6407 6.1 has 2048 as the one that everybody must have */
};

/* One key pair as it is tried: what it is, and what is wrong with it. */
struct trial {
    const char *dir, *name;
    wall_t now;
    struct sign_key *key;
    struct cert *cert;
    enum err err;
    bool unreadable;  /* err, but only for this user */
    bool out_of_date; /* err, but nothing else is wrong with it, and the key is there */
    char why[WHY_MAX];
};

/* ---- files ---- */

static void refuse(struct trial *t, enum err err, const char *file, const char *what)
{
    t->err = err;
    snprintf(t->why, sizeof t->why, "%s/%s%s: %s", t->dir, t->name, file, what);
}

/* True when the file has been read; otherwise errno says why not, if it is not there at all. */
static bool read_file(struct trial *t, const char *suffix, bool secret, char **ret_text,
                      size_t *ret_len)
{
    char path[PATH_MAX_HERE];

    snprintf(path, sizeof path, "%s/%s%s", t->dir, t->name, suffix);
    enum err e = secret ? host_read_secret(path, FILE_MAX, ret_text, ret_len)
                        : host_read_file(path, FILE_MAX, ret_text, ret_len);
    if (e == ERR_OK)
        return true;
    t->unreadable = e == ERR_SYSTEM && errno == EACCES;
    if (e == ERR_DENIED)
        refuse(t, e, suffix, "others may read or write it, expected mode 0600");
    else
        refuse(t, e, suffix, e == ERR_SYSTEM ? strerror(errno) : err_text(e));
    return false;
}

static const char *why_no_key(enum err e)
{
    switch ((int)e) {
    case ERR_SYNTAX:
        return "no private key, expected one in PEM without a password";
    case ERR_TYPE:
        return "not RSA, expected a RSA key";
    case ERR_VALUE:
        return "RSA modulus or exponent out of range, expected 1024 to 8192 bits";
    default:
        return err_text(e);
    }
}

static bool read_key(struct trial *t)
{
    char *text = NULL;
    size_t len = 0;

    if (!read_file(t, ".key", true, &text, &len))
        return false;
    enum err e = sign_key_from_pem(bytes(text, len), &t->key);
    explicit_bzero(text, len);
    free(text);
    if (e == ERR_OK && !sign_key_is_rsa(t->key))
        e = ERR_TYPE; /* RFC 6407 has ECDSA, the statement has RSA only */
    if (e != ERR_OK)
        refuse(t, e, ".key", why_no_key(e));
    return e == ERR_OK;
}

static bool read_cert(struct trial *t, const char **ret_suffix)
{
    char *text = NULL;
    size_t len = 0;
    const char *suffix = ".crt";
    bool found = read_file(t, suffix, false, &text, &len);

    if (!found && t->err == ERR_SYSTEM && errno == ENOENT) {
        suffix = ".pem";
        found = read_file(t, suffix, false, &text, &len);
    }
    if (!found)
        return false;
    t->err = cert_parse(bytes(text, len), &t->cert);
    free(text);
    if (t->err != ERR_OK)
        refuse(t, t->err, suffix, "no X.509 certificate, expected one in PEM or DER");
    *ret_suffix = suffix;
    return t->err == ERR_OK;
}

/* ---- judging ---- */

static const char *day_of(wall_t w, char out[16])
{
    struct tm tm;
    time_t s = (time_t)w.s;

    if (!gmtime_r(&s, &tm) || strftime(out, 16, "%Y-%m-%d", &tm) == 0)
        return "?";
    return out;
}

/* RFC 5280 section 4.1.2.5. */
static void check_validity(struct trial *t, const char *suffix)
{
    wall_t from = cert_not_before(t->cert), until = cert_not_after(t->cert);
    char day[16], what[64];

    if (t->now.s < from.s)
        snprintf(what, sizeof what, "not valid before %s", day_of(from, day));
    else if (t->now.s > until.s)
        snprintf(what, sizeof what, "expired on %s", day_of(until, day));
    else
        return;
    refuse(t, ERR_VALUE, suffix, what);
    t->out_of_date = true;
}

/* Both files, and that they belong together. */
static void try_pair(struct trial *t)
{
    const char *suffix;

    if (!read_key(t) || !read_cert(t, &suffix))
        return;
    if (!cert_matches_key(t->cert, t->key))
        refuse(t, ERR_CONFLICT, suffix,
               "the certificate of another key, expected that of the .key");
    else
        check_validity(t, suffix);
}

static void end_trial(struct trial *t)
{
    sign_key_free(t->key);
    cert_free(t->cert);
}

/* ---- findings ---- */

static void warn(struct conf_diags *d, const struct conf_node *n, const struct trial *t)
{
    const char *path = conf_path(d->arena, n);
    wall_t until = cert_not_after(t->cert);
    char day[16];

    if (!t->out_of_date && until.s - t->now.s < (int64_t)SOON_DAYS * 86400)
        conf_diag(d, CONF_WARNING, n->values[0].pos, path, "expires on %s", day_of(until, day));
    if (sign_key_bits(t->key) < WEAK_BITS)
        conf_diag(d, CONF_WARNING, n->values[0].pos, path, "a RSA key of %u bits is weak",
                  sign_key_bits(t->key));
}

/* Judged when the key is taken up; a key at work is replaced when the operator has another. */
static bool may_go_on(const struct trial *t, const struct server *running)
{
    return t->out_of_date && (!running || server_signs_with(running, t->key));
}

/* A server that runs is confined to the folders that were there when it started. */
static void find(struct conf_diags *d, const struct conf_node *n, const struct trial *t,
                 const struct server *running)
{
    const char *path = conf_path(d->arena, n);
    struct conf_pos pos = n->values[0].pos;

    if (!running && t->unreadable)
        conf_diag(d, CONF_WARNING, pos, path, "cannot be checked: %s", t->why);
    else if (may_go_on(t, running))
        conf_diag(d, CONF_WARNING, pos, path,
                  "%s; a key at work goes on signing, a commit takes up no such key", t->why);
    else if (t->unreadable)
        conf_diag(d, CONF_ERROR, pos, path,
                  "%s; a folder made after the start of conclaved opens only after its restart",
                  t->why);
    else
        conf_diag(d, CONF_ERROR, pos, path, "%s", t->why);
}

static void check_one(struct conf_diags *d, const struct conf_node *n, const char *pki_dir,
                      const struct server *running)
{
    struct trial t = {.dir = pki_dir, .name = conf_text(n), .now = host_wall()};

    try_pair(&t);
    if (t.err != ERR_OK)
        find(d, n, &t, running);
    if (t.err == ERR_OK || t.out_of_date)
        warn(d, n, &t);
    end_trial(&t);
}

void certificates_check(struct conf_check *check, const char *pki_dir, const struct server *running)
{
    for (const struct conf_node *g = conf_child(conf_server(check->tree), "group"); g;
         g = conf_next(g)) {
        const struct conf_node *n =
            conf_child(conf_child(g, "server-member-communication"), "certificate");
        if (n && n->n_values > 0)
            check_one(&check->diags, n, pki_dir, running);
    }
    conf_diags_sort(&check->diags);
}

/* ---- loading ---- */

static bool has(const struct certificates *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->list[i].name, name) == 0)
            return true;
    }
    return false;
}

static void tell_date(struct daemon *d, const struct trial *t)
{
    struct event e = event_of(EV_CERTIFICATE);

    event_add_str(&e, "certificate", t->name);
    event_add_fmt(&e, "what", "%s; its key goes on signing: replace it", t->why);
    daemon_tell(d, &e);
}

/* The dates of a certificate were judged when it was checked. */
static enum err load_one(struct daemon *d, const struct options *o, const char *name,
                         struct certificates *c)
{
    struct trial t = {.dir = o->pki_dir, .name = name, .now = host_wall()};

    try_pair(&t);
    enum err e = t.out_of_date ? ERR_OK : t.err;
    if (t.out_of_date)
        tell_date(d, &t);
    if (e == ERR_OK) {
        c->list[c->n++] = (struct server_certificate){name, t.key};
        t.key = NULL;
    } else {
        fprintf(stderr, "%s: %s\n", o->program, t.why);
    }
    end_trial(&t);
    return e;
}

enum err certificates_load(struct daemon *d, const struct options *o,
                           const struct model_server *model, struct certificates *ret)
{
    struct certificates c = {.n = 0};
    enum err e = ERR_OK;

    for (size_t i = 0; i < model->n_groups && e == ERR_OK; i++) {
        const char *name = model->groups[i].communication.certificate;
        if (name && !has(&c, name))
            e = load_one(d, o, name, &c);
    }
    if (e == ERR_OK)
        *ret = c;
    else
        certificates_free(&c);
    return e;
}

void certificates_free(struct certificates *c)
{
    for (size_t i = 0; i < c->n; i++)
        sign_key_free(c->list[i].key);
    c->n = 0;
}
