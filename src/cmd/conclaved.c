/* conclaved: the key server engine on a host. */
#include "cmd/certificates.h"
#include "cmd/commit.h"
#include "cmd/daemon.h"
#include "cmd/keeper.h"
#include "cmd/setup.h"
#include "cmd/show.h"
#include "cmd/streams.h"
#include "crypto/crypto.h"
#include "host/clock.h"
#include "host/loop.h"
#include "host/system.h"
#include "server/server.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

static void on_persist(void *self, const struct store_tx *tx)
{
    keeper_take(((struct show *)self)->keeper, tx);
}

static void on_stored(void *self, uint64_t id, enum err err)
{
    struct show *show = self;
    struct effects effects = {0};

    server_stored(show->server, host_now(), id, err, &effects);
    daemon_carry_out(show->daemon, &effects);
    effects_free(&effects);
    daemon_stored(show->daemon, id, err);
}

static void on_store_event(void *self, const struct event *e)
{
    daemon_tell(((struct show *)self)->daemon, e);
}

static void on_wall(void *self, instant_t now, span_t utc, struct effects *out)
{
    server_wall(server_of(self), now, utc, out);
}

static void on_timer(void *self, instant_t now, struct effects *out)
{
    commit_tidy(((struct show *)self)->commit);
    keeper_timer(((struct show *)self)->keeper, now);
    server_timer(server_of(self), now, out);
}

static instant_t due(const void *self)
{
    const struct show *show = self;

    return instant_min(server_due(show->server), keeper_due(show->keeper));
}

static void on_reseed(void *self, const uint8_t seed[DRBG_SEED])
{
    server_reseed(server_of(self), seed);
}

static void on_stop(void *self, instant_t now, struct effects *out)
{
    server_stop(server_of(self), now, out);
}

/* What the making of the engine asked for: work makes threads, and they must be confined. */
static void on_start(void *self, instant_t now, struct effects *out)
{
    struct show *show = self;

    (void)now;
    (void)out;
    daemon_carry_out(show->daemon, &show->first);
    effects_free(&show->first);
}

static void on_reload(void *self) { commit_reload(((struct show *)self)->commit); }

/* ---- wiring ---- */

static void check_for_start(const void *pki_dir, struct conf_check *check)
{
    certificates_check(check, pki_dir, NULL);
}

static void check_for_commit(const void *ctx, struct conf_check *check)
{
    const struct commit *commit = ctx;

    certificates_check(check, commit->options->pki_dir, commit->show->server);
}

static struct setup setup_of(const struct options *o)
{
    return (struct setup){o->program, CONF_ROLE_SERVER, check_for_start, o->pki_dir};
}

/* The store: opened, and what is in it; the rows are in `a`. */
static enum err open_store(const struct options *o, struct show *show, struct arena *a,
                           struct database_contents *ret)
{
    const struct keeper_config config = {.host = daemon_loop(show->daemon),
                                         .program = o->program,
                                         .state_dir = o->state_dir,
                                         .key_dir = o->key_dir,
                                         .ctx = show,
                                         .stored = on_stored,
                                         .tell = on_store_event};

    return keeper_open(&config, a, &show->keeper, ret);
}

static void add_folder(struct engine *e, const char *path, enum host_access access)
{
    assert(e->n_folders < ENGINE_FOLDERS_MAX);
    if (path)
        e->folders[e->n_folders++] = (struct host_folder){path, access};
}

/* The configuration can be read later, also when another file takes its place, and so can the key
 * pairs that it may name. */
static void set_engine(const struct commit *commit)
{
    const struct options *o = commit->options;
    struct show *show = commit->show;
    struct engine engine = {.self = show,
                            .start = on_start,
                            .datagram = on_datagram,
                            .job_done = on_job_done,
                            .persist = on_persist,
                            .wall = on_wall,
                            .timer = on_timer,
                            .due = due,
                            .reseed = on_reseed,
                            .stop = on_stop,
                            .reload = on_reload};

    add_folder(&engine, o->state_dir, HOST_CHANGE);
    add_folder(&engine, o->key_dir, HOST_CHANGE);
    add_folder(&engine, commit->folder, HOST_READ);
    add_folder(&engine, access(o->pki_dir, F_OK) == 0 ? o->pki_dir : NULL, HOST_READ);
    daemon_engine(show->daemon, &engine);
}

static enum err new_server(const struct commit *commit, const struct database_contents *kept)
{
    const struct options *o = commit->options;
    const struct model_server *model = commit->active.model->server;
    struct show *show = commit->show;
    uint8_t seed[DRBG_SEED];
    struct certificates certificates;
    enum err e = certificates_load(show->daemon, o, model, &certificates);

    if (e != ERR_OK)
        return e;
    set_engine(commit);
    host_random(seed, sizeof seed);
    const struct server_config config = {.model = model,
                                         .rows = kept->rows,
                                         .n_rows = kept->n_rows,
                                         .shift = kept->clock.shift,
                                         .keys_lost = kept->keys_lost,
                                         .clock_lost = kept->clock.lost,
                                         .port = o->port,
                                         .certificates = certificates.list,
                                         .n_certificates = certificates.n};
    e = server_new(&config, seed, host_now(), &show->first, &show->server);
    certificates_free(&certificates);
    explicit_bzero(seed, sizeof seed);
    if (e != ERR_OK)
        daemon_carry_out(show->daemon, &show->first); /* it says why */
    if (e != ERR_OK)
        fprintf(stderr, "%s: key server: %s\n", o->program, err_text(e));
    return e;
}

static enum err start_server(const struct commit *commit)
{
    struct arena rows = {0}; /* secrets among them: gone as soon as they are read */
    struct database_contents kept;
    enum err e = open_store(commit->options, commit->show, &rows, &kept);

    if (e == ERR_OK)
        e = new_server(commit, &kept);
    arena_free(&rows);
    return e;
}

static enum err run_server(const struct commit *commit)
{
    const struct options *o = commit->options;
    struct show *show = commit->show;
    struct ctl_service service = {
        .ctx = show, .program = o->program, .version = CONCLAVE_VERSION, .host = daemon_host()};
    struct ip addresses[MODEL_GROUPS_MAX];

    show_server_handlers(&service);
    commit_handlers(&service);
    return daemon_run(show->daemon, addresses, commit_addresses(commit->active.model, addresses),
                      &service);
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
    struct show show = {0};
    struct commit commit = {.options = o, .setup = setup_of(o), .show = &show};
    enum err e = setup_model(&commit.setup, o->config, &commit.arena, &commit.active);

    commit.folder = host_folder_of(o->config);
    commit.setup.serving = true; /* from the next time on */
    show.commit = &commit;
    show.statement = commit.active.statement;
    if (e == ERR_OK)
        e = setup_crypto(o->program, commit.active.model);
    if (e == ERR_OK) {
        struct options mine = options_for(o, commit.active.model);
        e = daemon_new(&mine, &show.daemon);
    }
    if (e == ERR_OK)
        e = start_server(&commit);
    commit.setup.check_more = check_for_commit;
    commit.setup.ctx = &commit;
    if (e == ERR_OK)
        e = run_server(&commit);
    effects_free(&show.first);
    keeper_close(show.keeper);
    daemon_free(show.daemon);
    server_free(show.server);
    crypto_stop();
    arena_free(&commit.arena);
    free(commit.folder);
    return e;
}

int main(int argc, char **argv)
{
    struct options options;
    int exit_code;

    streams_open();
    if (!options_read(argc, argv, false, &options, &exit_code))
        return exit_code;
    const struct setup setup = setup_of(&options);
    if (options.check)
        return setup_check(&setup, options.check);
    host_hold_reload();
    (void)host_harden(); /* best effort: what a machine does not grant, it does without */
    return serve(&options) == ERR_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
