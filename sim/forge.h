#pragma once
/* What an attacker makes of what he recorded, and of a group key that a member gave him. */
#include "sim/world.h"

/*    name       what comes to the node */
#define FORGE_LIST(X)                                                                              \
    X(FORGE_FLIP, "flip")         /* the last push with one bit changed */                         \
    X(FORGE_TRUNCATE, "truncate") /* ... cut to its first half */                                  \
    X(FORGE_LENGTHEN, "lengthen") /* ... with a block more */                                      \
    X(FORGE_INSIDER, "insider")   /* under the real KEK: SEQ ffffffff, delete all, no signature */ \
    X(FORGE_ACK, "ack")           /* the last acknowledgement, with another SEQ */                 \
    X(FORGE_ACK_FLIP, "ack-flip") /* ... with one bit of its hash changed */                       \
    X(FORGE_ACK_CUT, "ack-cut")   /* ... cut short */                                              \
    X(FORGE_ACK_NAME, "ack-name") /* ... from another member's address */

enum forge_kind {
#define X(id, name) id,
    FORGE_LIST(X)
#undef X
        FORGE_COUNT
};
const char *forge_name(enum forge_kind k);
/* False when nothing was recorded that it could be made of. */
bool forge(struct world *w, enum forge_kind kind, size_t node);
