#include "server/push_message.h"

#include "gdoi/numbers.h"
#include "sa/job.h"
#include "server/limits.h"
#include "server/members.h"
#include "server/persist.h"
#include "server/push.h"
#include "server/push_build.h"
#include "server/state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the KEK that it goes under ---- */

struct push_carrier push_carrier_of(const struct kek_generation *kek)
{
    struct push_carrier c = {.cipher = kek->cipher,
                             .sig_hash = kek->sig_hash,
                             .iv = kek->iv,
                             .key = kek->key,
                             .signer = signing_key_hold(kek->signer)};

    memcpy(c.spi, kek->spi, sizeof c.spi);
    if (kek->policy->type == MODEL_PUSH_MULTICAST) {
        c.multicast_group = kek->policy->multicast_group;
        snprintf(c.interface, sizeof c.interface, "%s", kek->policy->multicast_interface);
    }
    return c;
}

void push_carrier_wipe(struct push_carrier *c)
{
    signing_key_release(c->signer);
    explicit_bzero(c, sizeof *c);
}

/* Unicast: once, and number-of-retransmission repeats; multicast: so many copies in all. */
unsigned push_rounds(unsigned n_retransmission, bool multicast)
{
    if (!multicast)
        return 1 + n_retransmission;
    return n_retransmission ? n_retransmission : 1;
}

void push_drop_message(struct push *p)
{
    struct push_message *m = &p->message;

    if (m->octets)
        explicit_bzero(m->octets, m->len);
    free(m->octets);
    push_carrier_wipe(&m->subject.carrier);
    *m = (struct push_message){0};
}

static bool is_beat(const struct push_message *m)
{
    return m->subject.kind == PUSH_HEARTBEAT || m->subject.kind == PUSH_LAST_CALL;
}

static bool is_delete(const struct push_message *m)
{
    return m->subject.kind == PUSH_DELETE || m->subject.kind == PUSH_FAREWELL;
}

static void tell_failed(struct group *g, enum err err, const char *what, struct effects *out)
{
    struct event e = event_of(EV_PUSH_FAILED);

    g->push->counters.failed++;
    event_add_str(&e, "group", g->model->name);
    event_add_str(&e, "what", what);
    event_add_err(&e, err);
    effects_tell(out, &e);
}

static void fail(struct server *s, struct group *g, instant_t now, enum err err, const char *what,
                 struct effects *out)
{
    tell_failed(g, err, what, out);
    push_ended(s, g, now, PUSH_FAILED, out);
}

/* ---- building and signing ---- */

static enum err build(const struct server *s, const struct group *g, instant_t now, struct wr *w,
                      size_t *ret_signature_at)
{
    const struct push *p = g->push;
    const struct push_message *m = &p->message;
    const struct offer_state state = {.spread = server_spread(s, g),
                                      .re_register =
                                          m->subject.kind == PUSH_LAST_CALL && p->beat.re_register,
                                      .clock = &s->clock};
    const struct push_delete farewell = {.kek = true};
    struct push_content c = {.group = g,
                             .carrier = &m->subject.carrier,
                             .seq = g->push_seq + 1,
                             .keys = m->subject.kind == PUSH_KEYS,
                             .what = {.native = m->subject.dialect == PUSH_NATIVE,
                                      .with_kek = p->announcement.with_kek,
                                      .all = p->announcement.all}};

    if (is_beat(m) || (c.keys && c.what.native)) /* keys: so that their age can be known */
        c.state = &state;
    if (m->subject.kind == PUSH_FAREWELL)
        c.deletes = &farewell;
    if (m->subject.kind == PUSH_DELETE)
        c.deletes = &p->deletes->what;
    return push_build(&c, now, w, ret_signature_at);
}

static bool to_worker(struct server *s, struct push_message *m, struct effects *out)
{
    struct job job = {.id = ++s->sign_jobs, .kind = JOB_SIGN};

    job.sign = push_to_sign(&m->subject.carrier, bytes(m->octets, m->len), m->signature_at);
    if (!job.sign)
        return false;
    effects_job(out, &job); /* which takes it over */
    m->stage = PUSH_SIGNING;
    m->waits_for = job.id;
    return true;
}

/* Its SEQ is durable. The delays it tells are those of this moment. */
static void prepare(struct server *s, struct group *g, instant_t now, struct effects *out)
{
    struct push_message *m = &g->push->message;
    uint8_t room[DATAGRAM_MAX - CIPHER_BLOCK_MAX];
    struct wr w = wr_of(room, sizeof room);
    enum err e = build(s, g, now, &w, &m->signature_at);

    if (e == ERR_NOT_FOUND) {
        push_ended(s, g, now, PUSH_NOTHING_TO_SAY, out);
        return;
    }
    if (!e) {
        m->len = w.len;
        m->octets = malloc(w.len + CIPHER_BLOCK_MAX);
        e = m->octets ? ERR_OK : ERR_NOMEM;
    }
    if (!e) {
        memcpy(m->octets, room, w.len);
        e = to_worker(s, m, out) ? ERR_OK : ERR_NOMEM;
    }
    explicit_bzero(room, sizeof room);
    if (e)
        fail(s, g, now, e, "a rekey message could not be built", out);
}

/* ---- SEQ ---- */

void push_reserve(struct group *g)
{
    if (g->push_seq_given == g->push_seq && g->push_seq < SERVER_SEQ_LAST)
        g->push_seq_given++;
}

/* Whether it has to stay behind rows that are on their way to the store: a delete that is told for
 * the first time, behind the order that it follows. */
static bool follows_order(const struct group *g, const struct push_subject *what)
{
    return what->kind == PUSH_DELETE && g->push->deletes->rounds_done == 0;
}

void push_begin(struct server *s, struct group *g, instant_t now, struct push_subject what,
                struct effects *out)
{
    struct push_message *m = &g->push->message;

    assert(m->stage == PUSH_IDLE);
    *m = (struct push_message){.subject = what};
    /* it came with the keys, or with a message unsent */
    if (g->push_seq_durable > g->push_seq && !follows_order(g, &what)) {
        prepare(s, g, now, out);
        return;
    }
    m->stage = PUSH_STORING;
    m->waits_for = ++s->transactions;
    push_reserve(g);
    persist_seq(g, m->waits_for, out);
}

static struct group *waiting(const struct server *s, enum push_stage stage, uint64_t id)
{
    struct group *g;

    for (size_t i = 0; id && (g = server_any_group(s, i)); i++) {
        if (g->push->message.stage == stage && g->push->message.waits_for == id)
            return g;
    }
    return NULL;
}

bool push_stored(struct server *s, instant_t now, uint64_t id, enum err err, struct effects *out)
{
    struct group *g = waiting(s, PUSH_STORING, id);

    if (!g)
        return false;
    if (err) {
        fail(s, g, now, err, "the number of a rekey message could not be stored", out);
        return true;
    }
    g->push_seq_durable = g->push_seq_given;
    prepare(s, g, now, out);
    return true;
}

/* ---- it leaves ---- */

static void tell_sent(const struct group *g, struct effects *out)
{
    static const char *const names[] = {[PUSH_KEYS] = "keys",
                                        [PUSH_HEARTBEAT] = "heartbeat",
                                        [PUSH_LAST_CALL] = "heartbeat under the KEK before",
                                        [PUSH_FAREWELL] = "delete of the KEK before",
                                        [PUSH_DELETE] = "delete"};
    const struct push_message *m = &g->push->message;
    struct event e = event_of(EV_PUSH_SENT);

    event_add_str(&e, "group", g->model->name);
    event_add_str(&e, "what", names[m->subject.kind]);
    event_add_u64(&e, "seq", g->push_seq);
    event_add_u64(&e, "members", m->n_members);
    event_add_u64(&e, "octets", m->len);
    effects_tell(out, &e);
}

/* It never starts again under the same KEK (RFC 6407 3.2), nor does it wrap. */
static void tell_numbers(const struct group *g, struct effects *out)
{
    bool is_last = g->push_seq == SERVER_SEQ_LAST;
    struct event e = event_of(is_last ? EV_SEQ_END : EV_SEQ_NEAR_END);

    if (!is_last && g->push_seq != SERVER_SEQ_LAST - SERVER_SEQ_NEAR)
        return;
    event_add_str(&e, "group", g->model->name);
    event_add_u64(&e, "left", SERVER_SEQ_LAST - g->push_seq);
    effects_tell(out, &e);
}

static void count(struct push_counters *c, const struct push_message *m)
{
    c->rounds += m->subject.kind == PUSH_KEYS;
    c->pushed += m->subject.kind == PUSH_KEYS ? m->n_members : 0;
    c->heartbeats += is_beat(m);
    c->deletes += is_delete(m);
}

/* One datagram to a set (RFC 6407 4): to the multicast group, or to each member that it is for. */
static bool fan_out(const struct server *s, struct group *g, struct bytes datagram,
                    struct effects *out)
{
    struct push_message *m = &g->push->message;
    const struct push_carrier *c = &m->subject.carrier;
    struct endpoint from = {g->model->server_address, s->port};
    struct endpoint group = {c->multicast_group, GDOI_PORT};

    if (c->multicast_group.version != 0) {
        m->n_members = g->registry.n;
        effects_fanout(out, from, &group, 1, datagram, c->interface);
        return true;
    }
    struct endpoint *to = members_for(g, &m->subject, &out->arena, &m->n_members);
    if (m->n_members > 0)
        effects_fanout(out, from, to, m->n_members, datagram, NULL);
    return m->n_members > 0;
}

static void leave(struct server *s, struct group *g, instant_t now, struct bytes signature,
                  struct effects *out)
{
    struct push_message *m = &g->push->message;
    struct wr w = {m->octets, m->len, m->len + CIPHER_BLOCK_MAX, ERR_OK};

    push_seal(&m->subject.carrier, &w, m->signature_at, signature);
    m->len = w.len;
    if (!fan_out(s, g, wr_bytes(&w), out)) { /* everybody has answered meanwhile */
        push_ended(s, g, now, PUSH_NOTHING_TO_SAY, out);
        return;
    }
    g->push_seq++;
    if (is_delete(m))
        announce_note_keyless(g);
    count(&g->push->counters, m);
    tell_sent(g, out);
    tell_numbers(g, out);
    push_ended(s, g, now, PUSH_LEFT, out);
}

void push_job_done(struct server *s, instant_t now, const struct job_result *result,
                   struct effects *out)
{
    struct group *g = waiting(s, PUSH_SIGNING, result->id);

    if (!g) /* it was dropped meanwhile */
        return;
    if (result->err)
        fail(s, g, now, result->err, "a rekey message could not be signed", out);
    else
        leave(s, g, now, bytes(result->signature, result->signature_len), out);
}
