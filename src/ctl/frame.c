#include "ctl/frame.h"
#include "wire/rd.h"
#include "wire/wr.h"

#include <assert.h>

enum { KIND_AND_ID = CTL_FRAME_HEADER - 4 };

enum err ctl_frame_parse(struct bytes stream, struct ctl_frame *ret_frame, size_t *ret_used)
{
    struct rd r = rd_of(stream);
    uint32_t len = rd_u32(&r);
    uint8_t kind = rd_u8(&r);
    uint32_t id = rd_u32(&r);

    if (stream.len >= 4 && (len < KIND_AND_ID || len > CTL_BODY_MAX + KIND_AND_ID))
        return ERR_LENGTH;
    if (stream.len > 4 && (kind < CTL_HELLO || kind >= CTL_KIND_END))
        return ERR_TYPE;
    struct bytes body = rd_take(&r, r.err ? 0 : len - KIND_AND_ID);
    if (r.err)
        return r.err;
    *ret_frame = (struct ctl_frame){(enum ctl_kind)kind, id, body};
    *ret_used = 4 + (size_t)len;
    return ERR_OK;
}

void ctl_frame_write(struct ctl_buf *out, enum ctl_kind kind, uint32_t id, struct bytes body)
{
    uint8_t head[CTL_FRAME_HEADER];
    struct wr w = wr_of(head, sizeof head);

    assert(body.len <= CTL_BODY_MAX);
    wr_u32(&w, (uint32_t)body.len + KIND_AND_ID);
    wr_u8(&w, (uint8_t)kind);
    wr_u32(&w, id);
    ctl_buf_put(out, wr_bytes(&w));
    ctl_buf_put(out, body);
}

void ctl_answer_write(struct ctl_buf *out, uint32_t id, struct bytes tree)
{
    while (tree.len > CTL_PIECE) {
        ctl_frame_write(out, CTL_REPLY, id, bytes(tree.data, CTL_PIECE));
        tree = bytes(tree.data + CTL_PIECE, tree.len - CTL_PIECE);
    }
    ctl_frame_write(out, CTL_DONE, id, tree);
}

enum err ctl_hello_parse(struct arena *arena, struct bytes body, struct ctl_node **ret_tree)
{
    struct rd r = rd_of(body);

    if (rd_u32(&r) != CTL_VERSION_WORD)
        return ERR_VERSION;
    return ctl_tree_parse(arena, rd_rest(&r), ret_tree);
}

void ctl_hello_write(struct ctl_buf *out, struct bytes tree)
{
    uint8_t word[4];
    struct wr w = wr_of(word, sizeof word);
    struct ctl_buf body = {.cap = CTL_BODY_MAX};

    wr_u32(&w, CTL_VERSION_WORD);
    ctl_buf_put(&body, wr_bytes(&w));
    ctl_buf_put(&body, tree);
    assert(body.err == ERR_OK);
    ctl_frame_write(out, CTL_HELLO, 0, ctl_buf_bytes(&body));
    ctl_buf_free(&body);
}

enum err ctl_error_parse(struct arena *arena, struct bytes body, const char **ret_sentence)
{
    struct ctl_node *tree = NULL;
    enum err e = ctl_tree_parse(arena, body, &tree);

    if (e != ERR_OK)
        return e;
    const char *sentence = ctl_find_text(tree, "message");
    if (!sentence)
        return ERR_MISSING;
    *ret_sentence = sentence;
    return ERR_OK;
}

void ctl_error_write(struct ctl_buf *out, uint32_t id, enum err code, const char *sentence)
{
    struct ctl_wr w = {0};

    ctl_put_str(&w, "error", err_name(code));
    ctl_put_str(&w, "message", sentence);
    ctl_frame_write(out, CTL_ERROR, id, ctl_buf_bytes(&w.buf));
    ctl_buf_free(&w.buf);
}
