#pragma once
/* The control protocol's envelope, the same in both directions of a stream:
 *
 *     length(4)  of what follows: kind, id and body
 *     kind(1)    below
 *     id(4)      the request that this is about, chosen by the console; 0 for HELLO
 *     body       a tree (ctl/tree.h); in REPLY and DONE a piece of one
 *
 * Each side begins with HELLO, whose body is a version word and then a tree. A REQUEST is answered
 * by any number of REPLY and one DONE, whose bodies one after the other are the answer's tree, or
 * by ERROR. A subscription is a request that is answered by EVENTs, each a tree, until CANCEL. */
#include "ctl/buf.h"
#include "ctl/tree.h"

enum { CTL_FRAME_HEADER = 9, CTL_BODY_MAX = 131072, CTL_PIECE = 32768 };

/* "CVL" and the version of the protocol. */
#define CTL_VERSION_WORD UINT32_C(0x43564c01)

enum ctl_kind {
    CTL_HELLO = 1,
    CTL_REQUEST,
    CTL_CANCEL,
    CTL_REPLY,
    CTL_DONE,
    CTL_ERROR,
    CTL_EVENT,
    CTL_KIND_END
};

struct ctl_frame {
    enum ctl_kind kind;
    uint32_t id;
    struct bytes body; /* points into what was parsed */
};

/* The frame at the start of a stream and how many octets it took. ERR_SHORT: wait for more octets.
 * ERR_LENGTH, ERR_TYPE: the stream is not ours and cannot be followed. */
MUST_USE enum err ctl_frame_parse(struct bytes stream, struct ctl_frame *ret_frame,
                                  size_t *ret_used);
/* The body must be at most CTL_BODY_MAX octets long. */
void ctl_frame_write(struct ctl_buf *out, enum ctl_kind kind, uint32_t id, struct bytes body);
/* A whole tree as REPLY pieces and DONE. */
void ctl_answer_write(struct ctl_buf *out, uint32_t id, struct bytes tree);

/* The body of HELLO. ERR_VERSION: another protocol, or another version of ours. */
MUST_USE enum err ctl_hello_parse(struct arena *arena, struct bytes body,
                                  struct ctl_node **ret_tree);
void ctl_hello_write(struct ctl_buf *out, struct bytes tree);
/* The body of ERROR: what went wrong, as a sentence for the operator. */
MUST_USE enum err ctl_error_parse(struct arena *arena, struct bytes body,
                                  const char **ret_sentence);
void ctl_error_write(struct ctl_buf *out, uint32_t id, enum err code, const char *sentence);
