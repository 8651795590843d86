#include "cmd/setup.h"
#include "cmd/streams.h"

#include "conf/print.h"
#include "host/system.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the file ---- */

/* ret_why: in the arena, when the file cannot be read. */
static enum err check_file(const struct setup *s, const char *file, struct arena *arena,
                           struct conf_check *ret_check, const char **ret_why)
{
    char *text = NULL;
    size_t len = 0;
    enum err e = s->serving ? host_read_file(file, CONFIG_OCTETS_MAX, &text, &len)
                            : host_read_input(file, CONFIG_OCTETS_MAX, &text, &len);

    if (e != ERR_OK) {
        *ret_why = arena_text(arena, "%s: %s: %s\n", s->program, file,
                              e == ERR_SYSTEM ? strerror(errno) : err_text(e));
        return e;
    }
    conf_check(arena, s->role, file, bytes(text, len), ret_check);
    if (s->check_more)
        s->check_more(s->ctx, ret_check);
    explicit_bzero(text, len); /* it holds secrets */
    free(text);
    return ERR_OK;
}

int setup_check(const struct setup *s, const char *file)
{
    struct arena arena = {0};
    struct conf_check check;
    const char *why;
    int exit_code = EXIT_FAILURE;

    if (check_file(s, file, &arena, &check, &why) == ERR_OK) {
        fputs(conf_check_report(&check), stdout);
        exit_code = streams_written(s->program) ? conf_check_exit_code(&check) : EXIT_FAILURE;
    } else {
        fputs(why, stderr);
    }
    arena_free(&arena);
    return exit_code;
}

/* As `show configuration` shows it; "" when the file has none. */
static const char *statement_of(const struct setup *s, const struct conf_tree *tree,
                                struct arena *arena)
{
    const struct conf_node *n = s->role == CONF_ROLE_SERVER ? conf_server(tree) : conf_member(tree);

    return n ? conf_print_statement(n, CONF_SECRETS_MASKED, arena) : "";
}

enum err setup_load(const struct setup *s, const char *file, struct arena *arena,
                    struct setup_config *ret, const char **ret_text)
{
    struct arena tree = {0}; /* its copies of the secrets end here */
    struct conf_check check;
    const char *text = "";
    enum err e = check_file(s, file, &tree, &check, &text);
    bool read = e == ERR_OK;

    if (read)
        e = conf_check_verdict(&check);
    if (e == ERR_OK)
        e = model_build(check.tree, &check.diags, arena, &ret->model);
    if (e == ERR_OK)
        ret->statement = arena_text(arena, "%s", statement_of(s, check.tree, &tree));
    if (read && (e != ERR_OK || check.diags.n > 0))
        text = conf_check_report(&check);
    *ret_text = arena_text(arena, "%s", text);
    arena_free(&tree);
    return e;
}

enum err setup_model(const struct setup *s, const char *file, struct arena *arena,
                     struct setup_config *ret)
{
    const char *text;
    enum err e = setup_load(s, file, arena, ret, &text);

    fputs(text, stderr);
    if (e != ERR_OK)
        fprintf(stderr, "%s: %s: not started\n", s->program, file);
    return e;
}

/* ---- algorithms ---- */

static void use_ike(const struct model_ike_proposal *p, size_t n, struct crypto_use *use)
{
    for (size_t i = 0; i < n; i++) {
        use->dh_groups |= UINT64_C(1) << p[i].dh_group;
        if (p[i].hash == MODEL_IKE_MD5)
            use->hashes |= 1U << HASH_MD5;
        if (p[i].cipher == MODEL_IKE_DES)
            use->ciphers |= 1U << CIPHER_DES_CBC;
        if (p[i].cipher == MODEL_IKE_3DES)
            use->ciphers |= 1U << CIPHER_3DES_CBC;
    }
}

static void use_ipsec(const struct model_ipsec_proposal *p, size_t n, struct crypto_use *use)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i].auth == MODEL_ESP_HMAC_MD5_96)
            use->hashes |= 1U << HASH_MD5;
        if (p[i].cipher == MODEL_ESP_DES)
            use->ciphers |= 1U << CIPHER_DES_CBC;
        if (p[i].cipher == MODEL_ESP_3DES)
            use->ciphers |= 1U << CIPHER_3DES_CBC;
    }
}

static void use_communication(const struct model_communication *c, struct crypto_use *use)
{
    if (c->present && c->sig_hash == MODEL_SIG_MD5)
        use->hashes |= 1U << HASH_MD5;
    if (c->present && c->cipher == MODEL_KEK_DES)
        use->ciphers |= 1U << CIPHER_DES_CBC;
    if (c->present && c->cipher == MODEL_KEK_3DES)
        use->ciphers |= 1U << CIPHER_3DES_CBC;
}

/* Everything but what an OpenSSL may lack: MD5, DES and 3DES only when they are configured. */
static struct crypto_use use_of(const struct model *m)
{
    struct crypto_use use = CRYPTO_USE_ALL;

    use.hashes &= ~(1U << HASH_MD5);
    use.ciphers &= ~(1U << CIPHER_DES_CBC | 1U << CIPHER_3DES_CBC);
    use.dh_groups = 0;
    if (m->server) {
        use_ike(m->server->ike_proposals, m->server->n_ike_proposals, &use);
        use_ipsec(m->server->ipsec_proposals, m->server->n_ipsec_proposals, &use);
        for (size_t i = 0; i < m->server->n_groups; i++)
            use_communication(&m->server->groups[i].communication, &use);
    }
    if (m->member)
        use_ike(m->member->ike_proposals, m->member->n_ike_proposals, &use);
    return use;
}

enum err setup_crypto(const char *program, const struct model *model)
{
    const char *what = "";
    enum err e = crypto_start(use_of(model), &what);

    /* A server may be told to change, when it cannot open files any more. */
    if (e == ERR_OK && crypto_start(CRYPTO_USE_ALL, &what) == ERR_SELF_TEST)
        e = ERR_SELF_TEST;
    if (e != ERR_OK)
        fprintf(stderr, "%s: %s: %s\n", program, err_text(e), what);
    return e;
}
