#include "cli/connection.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static enum err say_err(char sentence[CTL_SENTENCE_MAX], enum err e)
{
    snprintf(sentence, CTL_SENTENCE_MAX, "the daemon's answer cannot be understood: %s",
             err_text(e));
    return e;
}

/* ---- octets ---- */

static enum err send_all(struct cli_connection *c, struct bytes b)
{
    while (b.len > 0) {
        ssize_t n = send(c->fd, b.data, b.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ERR_CLOSED;
        b = bytes(b.data + n, b.len - (size_t)n);
    }
    return ERR_OK;
}

enum err cli_receive(struct cli_connection *c)
{
    uint8_t buffer[65536];
    ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);

    if (n < 0 && errno == EINTR)
        return ERR_OK;
    if (n <= 0)
        return ERR_CLOSED;
    ctl_buf_put(&c->in, bytes(buffer, (size_t)n));
    return c->in.err;
}

/* Waits for a frame. It stays at the front of c->in until the caller eats *ret_used. */
static enum err next_frame(struct cli_connection *c, struct ctl_frame *ret, size_t *ret_used)
{
    for (;;) {
        enum err e = ctl_frame_parse(ctl_buf_bytes(&c->in), ret, ret_used);
        if (e != ERR_SHORT)
            return e;
        e = cli_receive(c);
        if (e != ERR_OK)
            return e;
    }
}

static enum err refused(const struct ctl_frame *f, char sentence[CTL_SENTENCE_MAX])
{
    struct arena arena = {0};
    const char *text = NULL;

    if (ctl_error_parse(&arena, f->body, &text) == ERR_OK)
        snprintf(sentence, CTL_SENTENCE_MAX, "%s", text);
    else
        snprintf(sentence, CTL_SENTENCE_MAX, "refused without a reason");
    arena_free(&arena);
    return ERR_REFUSED;
}

/* ---- connecting ---- */

static enum err dial(const char *path, int *ret_fd, char sentence[CTL_SENTENCE_MAX])
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = strlen(path);

    if (len >= sizeof to.sun_path) {
        snprintf(sentence, CTL_SENTENCE_MAX, "%.120s...: the path is too long", path);
        return ERR_LENGTH;
    }
    memcpy(to.sun_path, path, len);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0) {
        *ret_fd = fd;
        return ERR_OK;
    }
    int why = errno;
    if (fd >= 0)
        close(fd);
    bool absent = why == ENOENT || why == ECONNREFUSED;
    snprintf(sentence, CTL_SENTENCE_MAX, "%s: %s", path,
             absent                          ? "no daemon answers here"
             : why == EACCES || why == EPERM ? "you may not talk to this daemon"
                                             : strerror(why));
    return absent ? ERR_NOT_FOUND : why == EACCES || why == EPERM ? ERR_DENIED : ERR_SYSTEM;
}

static enum err greet(struct cli_connection *c, char sentence[CTL_SENTENCE_MAX])
{
    struct ctl_wr w = {0};
    struct ctl_buf out = {0};
    struct ctl_frame f;
    struct ctl_node *hello = NULL;
    size_t used = 0;

    ctl_put_str(&w, "program", "conclave");
    ctl_hello_write(&out, ctl_buf_bytes(&w.buf));
    (void)send_all(c, ctl_buf_bytes(&out)); /* who hangs up at once has said why */
    ctl_buf_free(&w.buf);
    ctl_buf_free(&out);
    enum err e = next_frame(c, &f, &used);
    if (e == ERR_OK && f.kind == CTL_ERROR)
        return refused(&f, sentence);
    if (e == ERR_OK)
        e = f.kind == CTL_HELLO ? ctl_hello_parse(&c->arena, f.body, &hello) : ERR_UNEXPECTED;
    if (e != ERR_OK)
        return say_err(sentence, e);
    ctl_buf_eat(&c->in, used);
    c->hello = hello;
    return ERR_OK;
}

enum err cli_connect(const char *path, struct cli_connection *ret, char sentence[CTL_SENTENCE_MAX])
{
    struct cli_connection c = {0};
    enum err e = dial(path, &c.fd, sentence);

    if (e != ERR_OK)
        return e;
    e = greet(&c, sentence);
    if (e == ERR_OK)
        *ret = c;
    else
        cli_disconnect(&c);
    return e;
}

void cli_disconnect(struct cli_connection *c)
{
    close(c->fd);
    ctl_buf_free(&c->in);
    arena_free(&c->arena);
}

/* ---- asking ---- */

static enum err send_request(struct cli_connection *c, const struct ctl_request *request)
{
    struct ctl_wr w = {0};
    struct ctl_buf out = {0};

    ctl_request_write(&w, request);
    ctl_frame_write(&out, CTL_REQUEST, ++c->last_id, ctl_buf_bytes(&w.buf));
    enum err e = send_all(c, ctl_buf_bytes(&out));
    ctl_buf_free(&w.buf);
    ctl_buf_free(&out);
    return e;
}

/* Gathers the pieces of the answer. */
static enum err gather(struct cli_connection *c, struct ctl_buf *answer,
                       char sentence[CTL_SENTENCE_MAX])
{
    for (;;) {
        struct ctl_frame f;
        size_t used = 0;
        enum err e = next_frame(c, &f, &used);
        if (e != ERR_OK)
            return say_err(sentence, e);
        if (f.kind == CTL_ERROR)
            return refused(&f, sentence);
        if (f.id != c->last_id || (f.kind != CTL_REPLY && f.kind != CTL_DONE))
            return say_err(sentence, ERR_UNEXPECTED);
        bool last = f.kind == CTL_DONE;
        ctl_buf_put(answer, f.body);
        ctl_buf_eat(&c->in, used);
        if (last || answer->err != ERR_OK)
            return answer->err == ERR_OK ? ERR_OK : say_err(sentence, answer->err);
    }
}

enum err cli_ask(struct cli_connection *c, const struct ctl_request *request, struct arena *arena,
                 struct ctl_node **ret_tree, char sentence[CTL_SENTENCE_MAX])
{
    struct ctl_buf answer = {0};
    enum err e = send_request(c, request);

    if (e != ERR_OK)
        return say_err(sentence, e);
    e = gather(c, &answer, sentence);
    if (e == ERR_OK) {
        e = ctl_tree_parse(arena, ctl_buf_bytes(&answer), ret_tree);
        if (e != ERR_OK)
            (void)say_err(sentence, e);
    }
    ctl_buf_free(&answer);
    return e;
}

/* ---- events ---- */

enum err cli_subscribe(struct cli_connection *c, const struct ctl_request *request,
                       char sentence[CTL_SENTENCE_MAX])
{
    enum err e = send_request(c, request);
    return e == ERR_OK ? ERR_OK : say_err(sentence, e);
}

enum err cli_next_event(struct cli_connection *c, struct arena *arena, struct ctl_node **ret_tree,
                        char sentence[CTL_SENTENCE_MAX])
{
    struct ctl_frame f;
    size_t used = 0;
    enum err e = ctl_frame_parse(ctl_buf_bytes(&c->in), &f, &used);

    if (e == ERR_SHORT)
        return e;
    if (e == ERR_OK && f.kind == CTL_ERROR)
        return refused(&f, sentence);
    if (e == ERR_OK)
        e = f.kind == CTL_EVENT ? ctl_tree_parse(arena, f.body, ret_tree) : ERR_UNEXPECTED;
    if (e != ERR_OK)
        return say_err(sentence, e);
    ctl_buf_eat(&c->in, used);
    return ERR_OK;
}
