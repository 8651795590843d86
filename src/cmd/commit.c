#include "cmd/commit.h"

#include "cmd/certificates.h"
#include "cmd/daemon.h"
#include "cmd/show.h"
#include "host/clock.h"
#include "server/change.h"
#include "server/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of groups that are there and of those that are leaving: one commit may replace them all. */
enum { COMMIT_ADDRESSES_MAX = 8 * MODEL_GROUPS_MAX };

/* One attempt. */
struct attempt {
    struct arena scratch; /* of what there is to say */
    struct arena arena;   /* of the next configuration, until it is taken over */
    struct setup_config next;
    const char *findings; /* lines; "": none */
    const struct change_lines *lines;
    const char *why; /* it failed, when no finding says so */
};

static void end(struct attempt *a)
{
    arena_free(&a->scratch);
    arena_free(&a->arena);
}

size_t commit_addresses(const struct model *model, struct ip *ret)
{
    for (size_t i = 0; i < model->server->n_groups; i++)
        ret[i] = model->server->groups[i].server_address;
    return model->server->n_groups;
}

/* ---- reading, and what it would mean ---- */

static enum err prepare(const struct commit *c, struct attempt *a)
{
    const char *text;
    enum err e = setup_load(&c->setup, c->options->config, &a->arena, &a->next, &text);

    a->findings = arena_text(&a->scratch, "%s", text);
    if (e)
        return e;
    if (a->next.model->co_location != c->active.model->co_location) {
        a->why = "co-location begins or ends with a restart of the server";
        return ERR_CONFIG;
    }
    struct change_lines *lines =
        change_lines(c->active.model->server, a->next.model->server, &a->scratch);
    change_excluded(c->show->server, a->next.model->server, &a->scratch, lines);
    a->lines = lines;
    return ERR_OK;
}

/* ---- doing it ---- */

/* Sockets first: a server that cannot be reached there is not what was asked for. */
static enum err open_sockets(const struct commit *c, struct attempt *a)
{
    struct ip addresses[MODEL_GROUPS_MAX];
    enum err e =
        daemon_open(c->show->daemon, addresses, commit_addresses(a->next.model, addresses));

    if (e)
        a->why = "no socket at a new server-address";
    return e;
}

static enum err reconfigure(const struct commit *c, const struct attempt *a,
                            struct effects *effects)
{
    struct certificates certificates;
    enum err e =
        certificates_load(c->show->daemon, c->options, a->next.model->server, &certificates);

    if (e)
        return e;
    const struct server_config config = {.model = a->next.model->server,
                                         .certificates = certificates.list,
                                         .n_certificates = certificates.n};
    e = server_reconfigure(c->show->server, host_now(), &config, effects);
    certificates_free(&certificates);
    return e;
}

static void take_over(struct commit *c, struct attempt *a)
{
    arena_free(&c->arena);
    c->arena = a->arena;
    c->active = a->next;
    c->show->statement = c->active.statement;
    c->show->n_statements++;
    a->arena = (struct arena){0};
}

void commit_tidy(struct commit *c)
{
    struct ip addresses[COMMIT_ADDRESSES_MAX];

    if (!c->crowded)
        return;
    size_t n = server_addresses(c->show->server, addresses, COMMIT_ADDRESSES_MAX);
    daemon_keep(c->show->daemon, addresses, n);
    c->crowded = n > server_n_groups(c->show->server);
}

static enum err apply(struct commit *c, struct attempt *a)
{
    struct effects effects = {0};
    enum err e = setup_crypto(c->options->program, a->next.model);

    if (!e)
        e = open_sockets(c, a);
    if (!e)
        e = reconfigure(c, a, &effects);
    if (!e)
        take_over(c, a);
    daemon_carry_out(c->show->daemon, &effects);
    effects_free(&effects);
    c->crowded = true;
    commit_tidy(c);
    return e;
}

/* ---- what is said ---- */

static void tell_result(const struct commit *c, const struct attempt *a, enum err err)
{
    struct event e = event_of(err ? EV_COMMIT_FAILED : EV_COMMIT);

    event_add_str(&e, "configuration", c->options->config);
    if (err) {
        event_add_str(&e, "what", a->why ? a->why : "nothing has changed");
        event_add_err(&e, err);
    } else {
        event_add_u64(&e, "differences", a->lines->n);
    }
    daemon_tell(c->show->daemon, &e);
}

static enum err try(struct commit *c, struct attempt *a, bool check)
{
    enum err e = prepare(c, a);

    if (!check && !e)
        e = apply(c, a);
    if (check)
        return e;
    daemon_tell_lines(c->show->daemon, a->findings);
    tell_result(c, a, e);
    return e;
}

void commit_reload(struct commit *c)
{
    struct attempt a = {.findings = ""};

    (void)try(c, &a, false); /* it has been told */
    end(&a);
}

/* ---- the console ---- */

static void put_lines(struct ctl_wr *w, const char *list, const char *const *line, size_t n)
{
    ctl_list(w, list);
    for (size_t i = 0; i < n; i++) {
        ctl_section(w, NULL);
        ctl_put_str(w, "text", line[i]);
        ctl_end(w);
    }
    ctl_end(w);
}

static void put_findings(struct ctl_wr *w, const char *findings)
{
    ctl_list(w, "finding");
    for (const char *at = findings; *at;) {
        size_t len = strcspn(at, "\n");
        char line[CTL_SENTENCE_MAX];
        snprintf(line, sizeof line, "%.*s", (int)len, at);
        ctl_section(w, NULL);
        ctl_put_str(w, "text", line);
        ctl_end(w);
        at += len + (at[len] == '\n');
    }
    ctl_end(w);
}

static bool is_error(const char *line, size_t len)
{
    static const char note[] = ": note: ", warning[] = ": warning: ";

    return len > 0 && !memmem(line, len, note, sizeof note - 1) &&
           !memmem(line, len, warning, sizeof warning - 1);
}

/* The first finding that is an error, or the first one, and where the others are. */
static void say_why(const struct attempt *a, enum err e, char sentence[CTL_SENTENCE_MAX])
{
    const char *first = a->findings;
    size_t len = strcspn(first, "\n");
    bool more = first[len] && first[len + 1];

    for (const char *at = first; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        if (!is_error(at, strcspn(at, "\n")))
            continue;
        first = at;
        len = strcspn(at, "\n");
        break;
    }
    if (a->why)
        snprintf(sentence, CTL_SENTENCE_MAX, "nothing has changed: %s", a->why);
    else if (len > 0)
        snprintf(sentence, CTL_SENTENCE_MAX, "nothing has changed: %.*s%s",
                 (int)(len < CTL_SENTENCE_MAX - 80 ? len : CTL_SENTENCE_MAX - 80), first,
                 more ? " (all of it: conclaved -n FILE)" : "");
    else
        snprintf(sentence, CTL_SENTENCE_MAX, "nothing has changed: %s (see the log)", err_text(e));
}

static enum err answer(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                       char sentence[CTL_SENTENCE_MAX])
{
    const struct show *show = ctx;
    struct attempt a = {.findings = ""};
    bool check = ctl_request_has(r, "check");
    enum err e = try(show->commit, &a, check);

    if (e) {
        say_why(&a, e, sentence);
    } else {
        put_lines(reply, "consequence", a.lines->line, a.lines->n);
        put_findings(reply, a.findings);
        ctl_put_str(reply, "result", check ? "configuration check succeeds" : "commit complete");
    }
    end(&a);
    return e;
}

void commit_handlers(struct ctl_service *service) { service->handlers[CTL_COMMIT].answer = answer; }
