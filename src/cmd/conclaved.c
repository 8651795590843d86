/* conclaved: the key server engine on a host. */
#include "cmd/certificates.h"
#include "cmd/daemon.h"
#include "cmd/setup.h"
#include "cmd/show.h"
#include "crypto/crypto.h"
#include "host/clock.h"
#include "host/system.h"
#include "server/server.h"

#include <stdio.h>
#include <stdlib.h>

#include "version.h"

/* ---- the engine's calls ---- */

static struct server *server_of(void *self) { return ((struct show *)self)->server; }

static void on_datagram(void *self, instant_t now, struct endpoint from, struct endpoint to,
                        uint8_t *data, size_t len, struct effects *out)
{
    server_datagram(server_of(self), now, from, to, data, len, out);
}

static void on_job_done(void *self, instant_t now, struct job_result *result, struct effects *out)
{
    server_job_done(server_of(self), now, result, out);
}

static void on_stored(void *self, instant_t now, uint64_t id, enum err err, struct effects *out)
{
    server_stored(server_of(self), now, id, err, out);
}

static void on_wall(void *self, instant_t now, span_t utc, struct effects *out)
{
    server_wall(server_of(self), now, utc, out);
}

static void on_timer(void *self, instant_t now, struct effects *out)
{
    server_timer(server_of(self), now, out);
}

static instant_t due(const void *self) { return server_due(((const struct show *)self)->server); }

static void on_reseed(void *self, const uint8_t seed[DRBG_SEED])
{
    server_reseed(server_of(self), seed);
}

static void on_stop(void *self, instant_t now, struct effects *out)
{
    server_stop(server_of(self), now, out);
}

/* ---- wiring ---- */

static void check_more(const void *pki_dir, struct conf_check *check)
{
    certificates_check(check, pki_dir);
}

static struct setup setup_of(const struct options *o)
{
    return (struct setup){o->program, CONF_ROLE_SERVER, check_more, o->pki_dir};
}

static enum err new_server(const struct options *o, const struct model_server *model,
                           struct show *show)
{
    uint8_t seed[DRBG_SEED];
    struct effects effects = {0};
    struct certificates certificates;
    enum err e = certificates_load(o->program, model, o->pki_dir, &certificates);

    if (e != ERR_OK)
        return e;
    daemon_engine(show->daemon, &(struct engine){.self = show,
                                                 .datagram = on_datagram,
                                                 .job_done = on_job_done,
                                                 .stored = on_stored,
                                                 .wall = on_wall,
                                                 .timer = on_timer,
                                                 .due = due,
                                                 .reseed = on_reseed,
                                                 .stop = on_stop});
    host_random(seed, sizeof seed);
    const struct server_config config = {
        .model = model, .certificates = certificates.list, .n_certificates = certificates.n};
    e = server_new(&config, seed, host_now(), &effects, &show->server);
    certificates_free(&certificates);
    explicit_bzero(seed, sizeof seed);
    daemon_carry_out(show->daemon, &effects); /* what it says on failure, too */
    effects_free(&effects);
    if (e != ERR_OK)
        fprintf(stderr, "%s: key server: %s\n", o->program, err_text(e));
    return e;
}

static enum err run_server(const struct options *o, const struct model_server *model,
                           struct show *show)
{
    struct ctl_service service = {
        .ctx = show, .program = o->program, .version = CONCLAVE_VERSION, .host = daemon_host()};
    struct ip addresses[MODEL_GROUPS_MAX];

    for (size_t i = 0; i < model->n_groups; i++)
        addresses[i] = model->groups[i].server_address;
    show_server_handlers(&service);
    return daemon_run(show->daemon, addresses, model->n_groups, &service);
}

/* Beside a member its data path is there: what we send would look like traffic to protect. */
static struct options options_for(const struct options *o, const struct model *model)
{
    struct options mine = *o;

    if (model->co_location && !o->has_mark)
        mine.mark = OWN_MARK;
    return mine;
}

static enum err serve(const struct options *o)
{
    struct arena arena = {0};
    struct options mine;
    const struct model *model = NULL;
    struct show show = {0};
    const struct setup setup = setup_of(o);
    enum err e = setup_model(&setup, o->config, &arena, &model);

    if (e == ERR_OK)
        e = setup_crypto(o->program, model);
    if (e == ERR_OK) {
        mine = options_for(o, model);
        e = daemon_new(&mine, &show.daemon);
    }
    if (e == ERR_OK)
        e = new_server(o, model->server, &show);
    if (e == ERR_OK)
        e = run_server(o, model->server, &show);
    daemon_free(show.daemon);
    server_free(show.server);
    crypto_stop();
    arena_free(&arena);
    return e;
}

int main(int argc, char **argv)
{
    struct options options;
    int exit_code;

    if (!options_read(argc, argv, false, &options, &exit_code))
        return exit_code;
    const struct setup setup = setup_of(&options);
    if (options.check)
        return setup_check(&setup, options.check);
    (void)host_harden(); /* best effort: what a machine does not grant, it does without */
    return serve(&options) == ERR_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
