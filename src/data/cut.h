#pragma once
/* Cuts what the TUN hands out into packets as they go on the wire: TCP and UDP super-packets into
 * segments, and unfinished checksums are finished. Pure. */
#include "base/bytes.h"
#include "base/compiler.h"
#include "base/err.h"

#include <linux/virtio_net.h>

enum cut_kind { CUT_WHOLE, CUT_TCP, CUT_UDP };
struct cut {
    uint8_t *packet; /* the caller's, until the last segment is out */
    size_t len;
    enum cut_kind kind;
    size_t ip_len, header_len, segment_len; /* IP header; all headers; payload of a segment */
    size_t at;                              /* payload cut so far */
    unsigned n;                             /* segments cut so far */
    bool done;
};

/* ERR_LENGTH or ERR_TYPE for a frame that does not describe itself rightly. */
MUST_USE enum err cut_begin(struct cut *c, const struct virtio_net_hdr *h, uint8_t *packet,
                            size_t len);
/* The next packet into out, or false when there is none. A segment that exceeds room ends the
 * frame. */
bool cut_next(struct cut *c, uint8_t *out, size_t room, size_t *ret_len);
