/* conclave-member: the member engine on a host, and its data path. */
#include "cmd/daemon.h"
#include "cmd/setup.h"
#include "cmd/show.h"
#include "cmd/streams.h"
#include "crypto/crypto.h"
#include "data/data.h"
#include "data/names.h"
#include "host/clock.h"
#include "host/loop.h"
#include "host/system.h"
#include "member/member.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "version.h"

static_assert((int)OWN_MARK == (int)DATA_MARK_OWN, "what the guard lets pass");

/* ---- the engine's calls ---- */

static struct member *member_of(void *self) { return ((struct show *)self)->member; }

/* Whether ESP came under SPIs that nobody here holds: looked at once a second, told once a minute.
 */
#define PROBE_INTERVAL span_s(1)
#define UNKNOWN_PAUSE span_s(60)

static void tell_unknown(struct show *show, instant_t now, struct esp_unknown unknown,
                         struct effects *out)
{
    if (!instant_reached(show->unknown_at, now))
        return;
    struct event e = event_of(EV_UNKNOWN_SPI);
    event_add_fmt(&e, "spi", "%08x", unknown.spi);
    event_add_u64(&e, "packets", unknown.n);
    effects_tell(out, &e);
    show->unknown_at = instant_add(now, UNKNOWN_PAUSE);
}

static void probe(struct show *show, instant_t now, struct effects *out)
{
    struct esp_unknown unknown = data_unknown(show->data);

    if (unknown.n != show->unknown_seen) {
        tell_unknown(show, now, unknown, out);
        member_unknown_spi(show->member, now, unknown.spi, out);
    }
    show->unknown_seen = unknown.n;
    show->probe_at = instant_add(now, PROBE_INTERVAL);
}

#define CHECK_INTERVAL span_s(5)

static void tell_data_path(struct effects *out, const char *what, const struct data_failure *why)
{
    struct event e = event_of(EV_DATA_PATH);

    event_add_str(&e, "what", what);
    if (why) {
        event_add_err(&e, why->err);
        event_add_str(&e, "detail", why->text);
    }
    effects_tell(out, &e);
}

/* What stands between clear text and the WAN is not ours alone: firewalls are loaded anew, and
 * interfaces taken down. */
static void check(struct show *show, instant_t now, struct effects *out)
{
    struct data_failure failure;
    bool was_gone = false;
    bool broken = data_check(show->data, &was_gone, &failure) != ERR_OK;

    if (was_gone)
        tell_data_path(out, "the guard had been removed, and is made again", NULL);
    if (broken && !show->is_broken)
        tell_data_path(out, "protected traffic is dropped", &failure);
    if (!broken && show->is_broken)
        tell_data_path(out, "protected traffic passes again", NULL);
    show->is_broken = broken;
    show->check_at = instant_add(now, CHECK_INTERVAL);
}

static void on_start(void *self, instant_t now, struct effects *out)
{
    struct show *show = self;

    show->probe_at = show->check_at = show->data ? now : INSTANT_NEVER;
    member_start(show->member, now, out);
}

static void on_datagram(void *self, instant_t now, struct endpoint from, struct endpoint to,
                        uint8_t *data, size_t len, struct effects *out)
{
    member_datagram(member_of(self), now, from, to, data, len, out);
}

static void on_job_done(void *self, instant_t now, struct job_result *result, struct effects *out)
{
    member_job_done(member_of(self), now, result, out);
}

static void on_timer(void *self, instant_t now, struct effects *out)
{
    struct show *show = self;

    if (instant_reached(show->probe_at, now))
        probe(show, now, out);
    if (instant_reached(show->check_at, now))
        check(show, now, out);
    member_timer(show->member, now, out);
}

static instant_t due(const void *self)
{
    const struct show *show = self;
    instant_t due = instant_min(show->probe_at, show->check_at);

    return instant_min(member_due(show->member), due);
}

static void on_reseed(void *self, const uint8_t seed[DRBG_SEED])
{
    member_reseed(member_of(self), seed);
}

static void on_stop(void *self, instant_t now, struct effects *out)
{
    member_stop(member_of(self), now, out);
}

static void on_clock(void *self, const char *vpn, span_t offset)
{
    struct show *show = self;
    enum err e = show->data ? data_set_clock(show->data, vpn, offset) : ERR_OK;

    assert(e == ERR_OK); /* the data path knows the model's VPNs */
    (void)e;
}

/* What could not be installed leaves the guard as it was: protected traffic is dropped. */
static void on_install(void *self, const struct esp_vpn_install *install)
{
    struct show *show = self;
    struct data_failure failure;

    if (!show->data || data_install(show->data, install, &failure) == ERR_OK)
        return;
    struct event e = event_of(EV_DATA_PATH);
    event_add_str(&e, "vpn", install->vpn);
    event_add_err(&e, failure.err);
    event_add_str(&e, "detail", failure.text);
    daemon_tell(show->daemon, &e);
}

/* ---- the configuration ---- */

static struct setup setup_of(const struct options *o, bool serving)
{
    return (struct setup){.program = o->program, .role = CONF_ROLE_MEMBER, .serving = serving};
}

/* Its data path guards traffic by what it was told at the start, so another configuration needs
 * another start. Whether that would go well is known now. */
static void tell_reloaded(const struct show *show, enum err err, const char *statement)
{
    bool same = !err && strcmp(statement, show->statement) == 0;
    struct event e = event_of(same ? EV_CONFIG : EV_COMMIT_FAILED);

    event_add_str(&e, "configuration", show->options->config);
    event_add_str(&e, "what",
                  err    ? "no member could start with it: this one goes on with what it has"
                  : same ? "no statement has changed; secrets are read when a member starts"
                         : "a member follows it when it starts: restart it; traffic stays guarded "
                           "meanwhile");
    if (err)
        event_add_err(&e, err);
    daemon_tell(show->daemon, &e);
}

static void on_reload(void *self)
{
    const struct show *show = self;
    const struct setup setup = setup_of(show->options, true);
    struct arena arena = {0};
    struct setup_config config = {0};
    const char *findings;
    enum err e = setup_load(&setup, show->options->config, &arena, &config, &findings);

    daemon_tell_lines(show->daemon, findings);
    tell_reloaded(show, e, config.statement);
    arena_free(&arena);
}

/* ---- the data path ---- */

enum { VPNS_MAX = 256 };

/* The data path's configuration, from the model's. */
struct data_setup {
    struct data_config config;
    struct esp_vpn_config vpns[VPNS_MAX];
    struct esp_rule exclude[VPNS_MAX][MODEL_RULES_MAX], fail_open[VPNS_MAX][MODEL_RULES_MAX];
};

static void copy_rules(const struct model_rule *from, size_t n, struct esp_rule *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (struct esp_rule){.source = from[i].source,
                                  .destination = from[i].destination,
                                  .protocol = from[i].protocol,
                                  .destination_port_first = from[i].destination_port_first,
                                  .destination_port_last = from[i].destination_port_last};
}

static enum esp_df df_of(enum model_df_bit df)
{
    return df == MODEL_DF_SET ? ESP_DF_SET : df == MODEL_DF_COPY ? ESP_DF_COPY : ESP_DF_CLEAR;
}

static void copy_vpn(const struct model_vpn *v, struct data_setup *s, size_t i)
{
    copy_rules(v->exclude, v->n_exclude, s->exclude[i]);
    copy_rules(v->fail_open, v->n_fail_open, s->fail_open[i]);
    s->vpns[i] = (struct esp_vpn_config){.vpn = v->name,
                                         .group = v->group_id,
                                         .external_interface = v->external_interface,
                                         .df_bit = df_of(v->df_bit),
                                         .tunnel_mtu = v->tunnel_mtu,
                                         .exclude = s->exclude[i],
                                         .n_exclude = v->n_exclude,
                                         .fail_open = s->fail_open[i],
                                         .n_fail_open = v->n_fail_open};
}

/* Opens the data path, or only sets the guard up (ret NULL). */
static enum err open_data(const struct options *o, const struct model_member *model,
                          struct data_path **ret)
{
    struct data_setup *s = calloc(1, sizeof *s);
    struct data_failure failure = {.text = ""};
    size_t n = model->n_vpns;

    if (!s)
        return ERR_NOMEM;
    for (size_t i = 0; i < n && i < VPNS_MAX; i++)
        copy_vpn(&model->vpns[i], s, i);
    s->config = (struct data_config){
        .vpns = s->vpns, .n_vpns = n, .backend = PACKET_BACKEND_BEST, .inside_address = IP_NONE};
    enum err e = n > VPNS_MAX ? ERR_LIMIT
                 : ret        ? data_open(&s->config, ret, &failure)
                              : data_setup(&s->config, &failure);
    if (e != ERR_OK)
        fprintf(stderr, "%s: data path: %s%s%s\n", o->program, err_text(e),
                failure.text[0] ? ": " : "", failure.text);
    free(s);
    return e;
}

static int tear_down(const struct options *o)
{
    struct data_failure failure = {.text = ""};

    if (data_teardown(&failure) == ERR_OK)
        return EXIT_SUCCESS;
    fprintf(stderr, "%s: tear-down: %s\n", o->program, failure.text);
    return EXIT_FAILURE;
}

/* ---- wiring ---- */

static enum err new_member(const struct options *o, const struct model_member *model,
                           struct show *show)
{
    const struct member_config config = {
        .model = model, .local_port = o->port, .server_port = o->server_port};
    uint8_t seed[DRBG_SEED];

    host_random(seed, sizeof seed);
    enum err e = member_new(&config, seed, &show->member);
    explicit_bzero(seed, sizeof seed);
    show->server_port = o->server_port;
    if (e != ERR_OK)
        fprintf(stderr, "%s: member: %s\n", o->program, err_text(e));
    return e;
}

static struct engine engine_of(const struct options *o, struct show *show, const char *folder)
{
    return (struct engine){.self = show,
                           .start = on_start,
                           .datagram = on_datagram,
                           .job_done = on_job_done,
                           .timer = on_timer,
                           .due = due,
                           .reseed = on_reseed,
                           .stop = on_stop,
                           .clock = on_clock,
                           .reload = on_reload,
                           .install = on_install,
                           .needs_files = !o->no_data_path, /* nft, devices */
                           .folders = {{folder, HOST_READ}},
                           .n_folders = folder ? 1 : 0}; /* what came through a pipe is in none */
}

static enum err run_member(const struct options *o, const struct model_member *model,
                           struct show *show)
{
    struct ctl_service service = {
        .ctx = show, .program = o->program, .version = CONCLAVE_VERSION, .host = daemon_host()};
    struct ip *addresses = calloc(model->n_vpns + 1, sizeof *addresses);
    char *folder = host_folder_of(o->config);

    if (!addresses) {
        free(folder);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < model->n_vpns; i++)
        addresses[i] = model->vpns[i].gateway->local_address;
    show_member_handlers(&service);
    const struct engine engine = engine_of(o, show, folder);
    daemon_engine(show->daemon, &engine);
    enum err e = daemon_run(show->daemon, addresses, model->n_vpns, &service);
    free(addresses);
    free(folder);
    return e;
}

static enum err take_part(const struct options *o, const struct setup_config *config)
{
    struct show show = {.statement = config->statement, .options = o};
    const struct model_member *model = config->model->member;
    enum err e = daemon_new(o, &show.daemon);

    if (e == ERR_OK && !o->no_data_path)
        e = open_data(o, model, &show.data);
    if (e == ERR_OK)
        e = new_member(o, model, &show);
    if (e == ERR_OK)
        e = run_member(o, model, &show);
    daemon_free(show.daemon);
    data_close(show.data);
    member_free(show.member);
    return e;
}

static enum err start(const struct options *o)
{
    struct arena arena = {0};
    struct setup_config config = {0};
    const struct setup setup = setup_of(o, false);
    enum err e = setup_model(&setup, o->config, &arena, &config);

    if (e == ERR_OK && o->set_up)
        e = open_data(o, config.model->member, NULL);
    else if (e == ERR_OK && (e = setup_crypto(o->program, config.model)) == ERR_OK)
        e = take_part(o, &config);
    crypto_stop();
    arena_free(&arena);
    return e;
}

int main(int argc, char **argv)
{
    struct options options;
    int exit_code;

    streams_open();
    if (!options_read(argc, argv, true, &options, &exit_code))
        return exit_code;
    const struct setup setup = setup_of(&options, false);
    if (options.check)
        return setup_check(&setup, options.check);
    if (options.tear_down)
        return tear_down(&options);
    host_hold_reload();
    (void)host_harden(); /* best effort: what a machine does not grant, it does without */
    return start(&options) == ERR_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
