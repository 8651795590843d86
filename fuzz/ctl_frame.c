/* Control frames, both directions: what parses is written as it was; a session that is fed anything
 * answers with frames that parse. */
#include "ctl/session.h"
#include "fuzz/fuzz.h"

#include <stdlib.h>

static void check_tree(struct bytes body)
{
    struct arena arena = {0};
    struct ctl_node *root = NULL;
    struct ctl_wr w = {0};

    if (ctl_tree_parse(&arena, body, &root) == ERR_OK) {
        ctl_put_tree(&w, root);
        if (ctl_wr_end(&w) != ERR_OK || !bytes_equal(ctl_buf_bytes(&w.buf), body))
            abort();
    }
    ctl_buf_free(&w.buf);
    arena_free(&arena);
}

static void check_frame(struct bytes in)
{
    struct ctl_frame f;
    struct ctl_buf again = {0};
    size_t used = 0;

    if (ctl_frame_parse(in, &f, &used) != ERR_OK)
        return;
    ctl_frame_write(&again, f.kind, f.id, f.body);
    if (!bytes_equal(ctl_buf_bytes(&again), bytes(in.data, used)))
        abort();
    ctl_buf_free(&again);
    check_tree(f.body);
}

static enum err echo(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                     char sentence[CTL_SENTENCE_MAX])
{
    (void)ctx;
    (void)sentence;
    for (size_t i = 0; i < r->n; i++) {
        if (i >= CTL_ARGS_MAX || !r->args[i].arg)
            abort();
        ctl_put_str(reply, r->args[i].arg->word, r->args[i].text);
    }
    return ERR_OK;
}

/* Three pieces of a list, whatever was begun. */
static bool more(void *ctx, const struct ctl_request *r, struct ctl_cursor *at,
                 struct ctl_wr *reply)
{
    (void)ctx;
    if (!r->command || at->at > 2)
        abort();
    ctl_put_u64(reply, at->at == 0 ? "first" : at->at == 1 ? "second" : "third", at->at);
    return ++at->at == 3;
}

static void check_answers(struct bytes out)
{
    while (out.len > 0) {
        struct ctl_frame f;
        size_t used = 0;
        if (ctl_frame_parse(out, &f, &used) != ERR_OK)
            abort();
        out = bytes(out.data + used, out.len - used);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctl_service service = {.program = "fuzz", .version = "0", .host = "h"};
    struct bytes in = bytes(data, size);

    for (size_t i = 0; i < CTL_COMMAND_COUNT; i++)
        service.handlers[i] = (struct ctl_handler){echo, i % 2 ? more : NULL};
    check_frame(in);
    check_tree(in);
    struct ctl_session s =
        ctl_session_start(&service, (enum ctl_class)(size % CTL_CLASS_COUNT), NULL);
    ctl_session_feed(&s, in);
    ctl_session_event(&s, in.len < CTL_BODY_MAX ? in : bytes(NULL, 0));
    check_answers(ctl_buf_bytes(&s.out));
    do
        ctl_buf_eat(&s.out, s.out.len);
    while (ctl_session_go_on(&s));
    ctl_session_free(&s);
    return 0;
}
