/* Commands that change the groups of a server at work. */
#include "cmd/daemon.h"
#include "cmd/show.h"
#include "host/clock.h"
#include "server/operator.h"
#include "server/server.h"

#include <stdio.h>

/* One command about one group. */
struct order {
    struct server *server;
    const struct ctl_request *request;
    struct group *group;
    struct operator_who who;
    instant_t now;
    struct effects out;
    struct operator_answer answer;
};
typedef enum err carry_out(struct order *o);

static struct operator_who who_of(const struct ctl_request *r)
{
    const struct ctl_argument *address = ctl_request_arg(r, "member-address");

    return (struct operator_who){.gateway = ctl_request_text(r, "member-gateway"),
                                 .address = address ? address->ip : IP_NONE,
                                 .identity = ctl_request_text(r, "member-identity")};
}

static bool names_member(const struct operator_who *who)
{
    return who->gateway || who->identity || who->address.version != 0;
}

/* What happens when, and to how many. */
static void put_answer(struct ctl_wr *w, const struct order *o)
{
    const struct operator_answer *a = &o->answer;

    show_put_group(w, o->group);
    ctl_put_u64(w, "members", a->n_members);
    ctl_put_bool(w, "has-pushes", o->group->model->communication.present);
    ctl_put_bool(w, "now", ctl_request_has(o->request, "now"));
    ctl_put_bool(w, "waits", a->waits);
    ctl_put_bool(w, "by-pull", a->by_pull);
    ctl_put_bool(w, "only-kek", ctl_request_has(o->request, "kek"));
    ctl_put_u64(w, "spread", a->spread_s);
    ctl_put_u64(w, "made-in", (uint64_t)instant_left_ceil_s(a->made_at, o->now));
    ctl_put_u64(w, "switch-in", (uint64_t)instant_left_ceil_s(a->switch_at, o->now));
    ctl_put_u64(w, "drop-in", (uint64_t)instant_left_ceil_s(a->drop_at, o->now));
    ctl_put_time(w, "switch-at", host_wall_of(a->switch_at));
    ctl_put_time(w, "drop-at", host_wall_of(a->drop_at));
}

/* Groups are done one after the other, so their numbers ascend. */
static void add_wait(struct ctl_wait *w, const struct operator_answer *a)
{
    if (a->last_tx == 0)
        return;
    if (w->last == 0 || a->first_tx < w->first)
        w->first = a->first_tx;
    if (a->last_tx > w->last)
        w->last = a->last_tx;
}

static struct ctl_wait waits_for(void *ctx) { return ((struct show *)ctx)->wait; }

/* Carries it out in one group and adds the answer to the list. */
static enum err order(struct show *s, const struct ctl_request *r, const struct group *g,
                      carry_out *fn, struct ctl_wr *w, char sentence[CTL_SENTENCE_MAX])
{
    struct order o = {.server = s->server,
                      .request = r,
                      .group = server_group_named(s->server, g->model->name),
                      .who = who_of(r),
                      .now = host_now()};
    enum err e = fn(&o);

    daemon_carry_out(s->daemon, &o.out);
    effects_free(&o.out);
    ctl_section(w, NULL);
    if (e == ERR_OK) {
        put_answer(w, &o);
        add_wait(&s->wait, &o.answer);
    } else {
        show_put_group(w, g);
        ctl_put_str(w, "refusal", o.answer.sentence);
        snprintf(sentence, CTL_SENTENCE_MAX, "%s", o.answer.sentence);
    }
    ctl_end(w);
    return e;
}

static size_t count_asked(const struct show *s, const struct ctl_request *r)
{
    size_t n = 0;

    for (size_t i = 0; i < server_n_groups(s->server); i++)
        n += show_group_asked(r, server_group(s->server, i)->model);
    return n;
}

/* In every group that is asked for. It is an error when none did it. */
static enum err order_all(void *ctx, const struct ctl_request *r, carry_out *fn,
                          struct ctl_wr *reply, char sentence[CTL_SENTENCE_MAX])
{
    struct show *s = ctx;
    enum err e = show_groups_check(s->server, r, sentence), last = ERR_OK;
    size_t n_done = 0;

    s->wait = (struct ctl_wait){0};
    if (e != ERR_OK)
        return e;
    ctl_list(reply, "group");
    for (size_t i = 0; i < server_n_groups(s->server); i++) {
        const struct group *g = server_group(s->server, i);
        if (!show_group_asked(r, g->model))
            continue;
        e = order(s, r, g, fn, reply, sentence);
        last = e ? e : last;
        n_done += e == ERR_OK;
    }
    ctl_end(reply);
    return n_done > 0 ? ERR_OK : last;
}

/* In the one group that is named, or there. */
static enum err order_one(void *ctx, const struct ctl_request *r, carry_out *fn,
                          struct ctl_wr *reply, char sentence[CTL_SENTENCE_MAX])
{
    if (count_asked(ctx, r) > 1) {
        snprintf(sentence, CTL_SENTENCE_MAX, "which group? add 'group NAME'");
        return ERR_USAGE;
    }
    return order_all(ctx, r, fn, reply, sentence);
}

static enum err order_member(void *ctx, const struct ctl_request *r, carry_out *fn,
                             struct ctl_wr *reply, char sentence[CTL_SENTENCE_MAX])
{
    const struct operator_who who = who_of(r);

    if (names_member(&who))
        return order_one(ctx, r, fn, reply, sentence);
    snprintf(sentence, CTL_SENTENCE_MAX,
             "which member? add 'member-gateway NAME', 'member-address A' or 'member-identity ID'");
    return ERR_USAGE;
}

/* ---- the commands ---- */

static enum err do_rekey(struct order *o)
{
    const struct operator_rekey what = {ctl_request_text(o->request, "ipsec-sa"),
                                        ctl_request_has(o->request, "kek")};

    return server_rekey(o->server, o->now, o->group, &what, &o->out, &o->answer);
}

static enum err rekey(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                      char sentence[CTL_SENTENCE_MAX])
{
    return order_one(ctx, r, do_rekey, reply, sentence);
}

static enum err do_remove(struct order *o)
{
    return server_remove(o->server, o->now, o->group, &o->who, ctl_request_has(o->request, "now"),
                         &o->out, &o->answer);
}

static enum err remove_member(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                              char sentence[CTL_SENTENCE_MAX])
{
    return order_member(ctx, r, do_remove, reply, sentence);
}

static enum err do_restore(struct order *o)
{
    return server_lift(o->server, o->now, o->group, &o->who, &o->out, &o->answer);
}

static enum err restore_member(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                               char sentence[CTL_SENTENCE_MAX])
{
    return order_member(ctx, r, do_restore, reply, sentence);
}

static enum err do_forget(struct order *o)
{
    return server_forget(o->server, o->now, o->group, &o->who, &o->out, &o->answer);
}

static enum err do_clear(struct order *o)
{
    return server_clear(o->server, o->now, o->group, ctl_request_has(o->request, "now"), &o->out,
                        &o->answer);
}

/* One member's registration, or groups with all their keys. */
static enum err clear(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                      char sentence[CTL_SENTENCE_MAX])
{
    const struct operator_who who = who_of(r);

    ctl_put_bool(reply, "one-member", names_member(&who));
    return names_member(&who) ? order_one(ctx, r, do_forget, reply, sentence)
                              : order_all(ctx, r, do_clear, reply, sentence);
}

void operate_server_handlers(struct ctl_service *service)
{
    service->handlers[CTL_REQUEST_REKEY] =
        (struct ctl_handler){.answer = rekey, .waits_for = waits_for};
    service->handlers[CTL_REQUEST_REMOVE] =
        (struct ctl_handler){.answer = remove_member, .waits_for = waits_for};
    service->handlers[CTL_REQUEST_RESTORE] =
        (struct ctl_handler){.answer = restore_member, .waits_for = waits_for};
    service->handlers[CTL_CLEAR_SERVER] =
        (struct ctl_handler){.answer = clear, .waits_for = waits_for};
}
