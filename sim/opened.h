#pragma once
/* What a datagram is, and what a push says: read by the checker with the KEK that the server's
 * truth told, never by an engine. */
#include "gdoi/kd.h"
#include "gdoi/notify.h"
#include "gdoi/sa.h"
#include "sim/check_kek.h"

/*    id               name         what */
#define WIRE_LIST(X)                                                                               \
    X(WIRE_OTHER, "other")         /* no ISAKMP, or an exchange of none of these */                \
    X(WIRE_PHASE1, "phase1")       /* main and aggressive mode, informational */                   \
    X(WIRE_PULL, "pull")           /* GROUPKEY-PULL */                                             \
    X(WIRE_PUSH, "push")           /* GROUPKEY-PUSH with keys */                                   \
    X(WIRE_DELETE, "delete")       /* ... with nothing but deletes */                              \
    X(WIRE_HEARTBEAT, "heartbeat") /* ... with nothing but a state notification */                 \
    X(WIRE_ACK, "ack")             /* GROUPKEY-PUSH ACK */

enum wire_kind {
#define X(id, name) id,
    WIRE_LIST(X)
#undef X
        WIRE_COUNT
};
const char *wire_kind_name(enum wire_kind k);

/* A push in clear: keys are views into `clear`. */
struct opened {
    const struct check_kek *kek; /* that it came under */
    uint32_t seq;
    struct gdoi_sa sa; /* both empty when there are none */
    struct gdoi_kd kd;
    bool has_state;
    struct gdoi_state state;
    size_t n_deletes; /* D payloads */
    uint64_t content; /* a hash of everything in clear */
    uint8_t clear[2048];
};
/* The kind of any datagram; *ret (50 kilobytes) is filled for a push that opens. A push
 * that does not open is WIRE_OTHER. */
enum wire_kind opened_of(struct check_keks *keks, struct bytes datagram, struct opened *ret);
