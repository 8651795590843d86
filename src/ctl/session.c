#include "ctl/session.h"

#include <stdio.h>

struct ctl_session ctl_session_start(const struct ctl_service *service, enum ctl_class class,
                                     void *owner)
{
    struct ctl_session s = {.service = service, .class = class, .owner = owner};
    struct ctl_wr hello = {0};

    s.in.cap = (size_t)2 * (CTL_BODY_MAX + CTL_FRAME_HEADER);
    ctl_put_str(&hello, "program", service->program);
    ctl_put_str(&hello, "version", service->version);
    ctl_put_str(&hello, "host", service->host);
    ctl_put_str(&hello, "privilege", ctl_class_name(class));
    ctl_hello_write(&s.out, ctl_buf_bytes(&hello.buf));
    ctl_buf_free(&hello.buf);
    return s;
}

static void refuse(struct ctl_session *s, uint32_t id, enum err e, const char *sentence)
{
    ctl_error_write(&s->out, id, e, sentence && sentence[0] ? sentence : err_text(e));
}

static void give_up(struct ctl_session *s, enum err e, const char *sentence)
{
    refuse(s, 0, e, sentence);
    s->closing = true;
}

void ctl_session_turn_away(struct ctl_session *s, enum err e, const char *sentence)
{
    ctl_buf_eat(&s->out, s->out.len); /* no greeting */
    give_up(s, e, sentence);
}

static void take_hello(struct ctl_session *s, const struct ctl_frame *f)
{
    struct arena arena = {0};
    struct ctl_node *tree = NULL;
    enum err e = f->kind == CTL_HELLO ? ctl_hello_parse(&arena, f->body, &tree) : ERR_UNEXPECTED;

    if (e == ERR_VERSION)
        give_up(s, e,
                "this console speaks another version of the control protocol: use the "
                "console that was installed with the daemon");
    else if (e != ERR_OK)
        give_up(s, e, NULL);
    s->greeted = e == ERR_OK;
    arena_free(&arena);
}

static void monitor(struct ctl_session *s, uint32_t id)
{
    if (s->monitor != 0)
        refuse(s, id, ERR_BUSY, "this connection already receives events");
    else
        s->monitor = id;
}

/* ---- answers ---- */

static void end_pending(struct ctl_session *s)
{
    ctl_buf_free(&s->pending.reply.buf);
    arena_free(&s->pending.arena);
    s->pending = (struct ctl_pending){0};
}

bool ctl_session_go_on(struct ctl_session *s)
{
    struct ctl_pending *p = &s->pending;

    if (p->wait.last != 0)
        return false;
    if (p->id == 0 || s->closing || s->out.len > 0)
        return p->id != 0 && !s->closing;
    bool last = s->service->handlers[p->request.command->id].more(s->service->ctx, &p->request,
                                                                  &p->at, &p->reply);
    struct bytes made = ctl_buf_bytes(&p->reply.buf);
    for (; made.len > 0; made = ctl_buf_bytes(&p->reply.buf)) {
        size_t n = made.len < CTL_PIECE ? made.len : CTL_PIECE;
        ctl_frame_write(&s->out, CTL_REPLY, p->id, bytes(made.data, n));
        ctl_buf_eat(&p->reply.buf, n);
    }
    if (p->reply.buf.err != ERR_OK)
        give_up(s, p->reply.buf.err, NULL);
    else if (last)
        ctl_frame_write(&s->out, CTL_DONE, p->id, bytes(NULL, 0));
    if (last || s->closing)
        end_pending(s);
    return p->id != 0;
}

static void finish(struct ctl_session *s, uint32_t id, struct ctl_wr *reply, enum err e,
                   const char *sentence)
{
    if (e == ERR_OK)
        e = ctl_wr_end(reply);
    if (e == ERR_OK)
        ctl_answer_write(&s->out, id, ctl_buf_bytes(&reply->buf));
    else
        refuse(s, id, e, sentence);
}

/* Answers, or begins to; then the arena is the session's. */
static void answer(struct ctl_session *s, uint32_t id, const struct ctl_request *r,
                   struct arena *arena)
{
    const struct ctl_handler *h = &s->service->handlers[r->command->id];
    char sentence[CTL_SENTENCE_MAX] = "";
    struct ctl_wr reply = {0};

    enum err e = h->answer(s->service->ctx, r, &reply, sentence);
    if (e == ERR_OK && h->more) {
        s->pending = (struct ctl_pending){id, *arena, *r, {0}, reply, {0}};
        *arena = (struct arena){0};
        (void)ctl_session_go_on(s);
        return;
    }
    struct ctl_wait wait = {0};
    if (e == ERR_OK && h->waits_for)
        wait = h->waits_for(s->service->ctx);
    if (wait.last != 0) {
        s->pending = (struct ctl_pending){.id = id, .reply = reply, .wait = wait};
        return;
    }
    finish(s, id, &reply, e, sentence);
    ctl_buf_free(&reply.buf);
}

bool ctl_session_stored(struct ctl_session *s, uint64_t id, enum err err)
{
    struct ctl_pending *p = &s->pending;
    char sentence[CTL_SENTENCE_MAX];

    if (id < p->wait.first || id > p->wait.last)
        return false;
    if (p->wait.err == ERR_OK)
        p->wait.err = err;
    if (id != p->wait.last)
        return false;
    snprintf(sentence, sizeof sentence,
             "it is in force, but it could not be stored (%s): until it is, a restart forgets it; "
             "the daemon goes on trying",
             err_text(p->wait.err));
    finish(s, p->id, &p->reply, p->wait.err, sentence);
    end_pending(s);
    return true;
}

static void deny(struct ctl_session *s, uint32_t id, const struct ctl_command *c)
{
    char sentence[CTL_SENTENCE_MAX];
    const char *holders = s->service->holders[c->class];

    snprintf(sentence, sizeof sentence, "'%s' needs the privilege %s%s%s", c->words,
             ctl_class_name(c->class), holders ? ", which you have as " : "",
             holders ? holders : "");
    refuse(s, id, ERR_DENIED, sentence);
    if (s->service->denied)
        s->service->denied(s->owner, c);
}

static void dispatch(struct ctl_session *s, uint32_t id, const struct ctl_request *r,
                     struct arena *arena)
{
    char sentence[CTL_SENTENCE_MAX];

    if (s->class < r->command->class) {
        deny(s, id, r->command);
    } else if (r->command->id == CTL_MONITOR) {
        monitor(s, id);
    } else if (!s->service->handlers[r->command->id].answer) {
        snprintf(sentence, sizeof sentence, "%s does not answer '%s'", s->service->program,
                 r->command->words);
        refuse(s, id, ERR_NOT_FOUND, sentence);
    } else {
        answer(s, id, r, arena);
    }
}

/* Why no request can be taken now; NULL: one can. */
static const char *why_busy(const struct ctl_session *s)
{
    if (s->pending.wait.last != 0)
        return "an earlier command of this connection waits until it is stored: ask again after "
               "its answer";
    if (s->pending.id != 0)
        return "an earlier answer of this connection goes on: ask again after its end";
    return s->out.len > CTL_OUT_MAX ? "earlier answers have not been read yet" : NULL;
}

static void take_request(struct ctl_session *s, const struct ctl_frame *f)
{
    struct arena arena = {0};
    struct ctl_request request;
    char sentence[CTL_SENTENCE_MAX];
    const char *busy = why_busy(s);
    enum err e = ctl_request_parse(&arena, f->body, &request, sentence);

    if (f->id == 0)
        give_up(s, ERR_VALUE, "a request needs an id");
    else if (busy)
        refuse(s, f->id, ERR_BUSY, busy);
    else if (e != ERR_OK)
        refuse(s, f->id, e, sentence);
    else
        dispatch(s, f->id, &request, &arena);
    arena_free(&arena);
}

static void take_cancel(struct ctl_session *s, uint32_t id)
{
    if (id != 0 && id == s->pending.id) {
        bool done = s->pending.wait.last != 0;
        end_pending(s);
        refuse(s, id, ERR_CLOSED,
               done ? "it is done; whether it is stored, events tell" : "cancelled");
        return;
    }
    if (id == 0 || id != s->monitor)
        return; /* answered already */
    s->monitor = 0;
    ctl_frame_write(&s->out, CTL_DONE, id, bytes(NULL, 0));
}

static void take(struct ctl_session *s, const struct ctl_frame *f)
{
    if (!s->greeted)
        take_hello(s, f);
    else if (f->kind == CTL_REQUEST)
        take_request(s, f);
    else if (f->kind == CTL_CANCEL)
        take_cancel(s, f->id);
    else
        give_up(s, ERR_UNEXPECTED, NULL);
}

static void take_all(struct ctl_session *s)
{
    while (!s->closing) {
        struct ctl_frame f;
        size_t used = 0;
        enum err e = ctl_frame_parse(ctl_buf_bytes(&s->in), &f, &used);
        if (e == ERR_SHORT)
            return;
        if (e != ERR_OK) {
            give_up(s, e, NULL);
            return;
        }
        take(s, &f);
        ctl_buf_eat(&s->in, used);
    }
}

void ctl_session_feed(struct ctl_session *s, struct bytes octets)
{
    if (s->closing)
        return;
    while (octets.len > 0 && !s->closing) {
        size_t n = octets.len < CTL_BODY_MAX ? octets.len : CTL_BODY_MAX;
        ctl_buf_put(&s->in, bytes(octets.data, n));
        octets = bytes(octets.data + n, octets.len - n);
        take_all(s);
    }
    if (s->in.err != ERR_OK || s->out.err != ERR_OK)
        s->closing = true;
}

void ctl_session_event(struct ctl_session *s, struct bytes event)
{
    if (s->monitor == 0 || s->closing)
        return;
    if (s->out.len + event.len > CTL_OUT_MAX || event.len > CTL_BODY_MAX) {
        s->n_lost++;
        return;
    }
    if (s->n_lost > 0) {
        struct ctl_wr lost = {0};
        ctl_put_u64(&lost, "lost", s->n_lost);
        ctl_frame_write(&s->out, CTL_EVENT, s->monitor, ctl_buf_bytes(&lost.buf));
        ctl_buf_free(&lost.buf);
        s->n_lost = 0;
    }
    ctl_frame_write(&s->out, CTL_EVENT, s->monitor, event);
}

void ctl_session_free(struct ctl_session *s)
{
    end_pending(s);
    ctl_buf_free(&s->in);
    ctl_buf_free(&s->out);
}
