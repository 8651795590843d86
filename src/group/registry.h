#pragma once
/* The registered members of one group, by phase 1 identity and by address. A member is added after
 * HASH(3) of its PULL was checked and not before (RFC 6407 3.2, 7.2.5). */
#include "base/compiler.h"
#include "base/err.h"
#include "base/instant.h"
#include "base/ip.h"
#include "model/model.h"

enum { REGISTRY_MEMBERS_MAX = 1000000, REGISTRY_ID_MAX = 255 };
enum registry_index { REGISTRY_BY_IDENTITY, REGISTRY_BY_ADDRESS, REGISTRY_INDICES };

/* Whether pushes go to a member (RFC 8263 6, decisions M15), and why not. */
enum registry_status { REGISTRY_ACTIVE, REGISTRY_STRUCK };
#define REGISTRY_REASON_LIST(X)                                                                    \
    X(REGISTRY_NO_REASON, "")                                                                      \
    X(REGISTRY_SILENT, "did not acknowledge a rekey message")                                      \
    X(REGISTRY_UNHEARD, "never acknowledged, and the keys that it came for have ended")
enum registry_reason {
#define X(id, text) id,
    REGISTRY_REASON_LIST(X)
#undef X
        REGISTRY_REASON_COUNT
};
const char *registry_reason_text(enum registry_reason reason);

/* As small as may be: there may be a million. So the indices run through the members themselves,
 * and counts stop at UINT16_MAX. */
struct registry_member {
    struct registry_member *next[REGISTRY_INDICES]; /* in the same place of the index */
    const struct model_server_gateway *gateway;
    instant_t updated;    /* last completed PULL */
    int32_t registered_s; /* first completed PULL, in whole seconds of the clock; before its start
                             when that was in another boot */
    uint32_t at;          /* in registry.members */
    struct endpoint remote;
    uint16_t pulls_succeeded, pulls_failed;
    uint16_t
        version; /* of the group: the newest that the member has, as far as it said, mod 2^16 */
    bool native; /* announced Conclave's vendor id: its dialect, and it acknowledges */
    bool proven; /* has acknowledged a push */
    uint8_t status, reason; /* enum registry_status, enum registry_reason */
    uint8_t unanswered;     /* changeovers whose pushes it has not acknowledged, since the last */
    int32_t struck_s;       /* REGISTRY_STRUCK: since when, in whole seconds */
    uint8_t id_len;
    uint8_t id[]; /* type, then value */
};
struct registry {
    uint64_t seed[2];
    struct registry_member **places[REGISTRY_INDICES]; /* n_places chains each */
    struct registry_member **members; /* in no particular order, but the same for the same past */
    size_t n, n_places, max;          /* members has n_places entries, too */
};

/* seed: of the indices; max: REGISTRY_MEMBERS_MAX, or less for a test. */
struct registry registry_of(const uint64_t seed[2], size_t max);
void registry_free(struct registry *r);

struct registry_member *registry_find(const struct registry *r, struct model_identity identity);
/* The first one behind that address, and the next one behind the same; NULL: no more. */
struct registry_member *registry_at_address(const struct registry *r, struct ip address);
struct registry_member *registry_same_address(const struct registry_member *m);
bool registry_is(const struct registry_member *m, struct model_identity identity);
/* First completed PULL, to the second. */
instant_t registry_since(const struct registry_member *m);

/* A completed PULL: adds the member or brings it up to date; it is ACTIVE again. ERR_LIMIT at `max`
 * members, ERR_LENGTH for an identity of more than REGISTRY_ID_MAX octets. */
struct registration {
    const struct model_server_gateway *gateway;
    struct model_identity identity;
    struct endpoint remote;
    instant_t now;
    uint32_t version;
    bool native;
};
MUST_USE enum err registry_put(struct registry *r, const struct registration *what);
/* A member that an earlier server had: its last PULL, and what else it knew. ERR_DUPLICATE when it
 * is there, and as registry_put(). */
struct registry_kept {
    instant_t first, struck;
    uint16_t pulls_succeeded, pulls_failed;
    enum registry_status status;
    enum registry_reason reason;
    bool proven;
};
MUST_USE enum err registry_restore(struct registry *r, const struct registration *last,
                                   const struct registry_kept *kept);
/* The member said that it has that version of the group. True: it was struck, and is no more. */
bool registry_acknowledged(struct registry_member *m, uint32_t version);
/* Pushes are not for it any more, until it registers again or acknowledges after all. */
void registry_strike(struct registry_member *m, enum registry_reason reason, instant_t now);
instant_t registry_struck(const struct registry_member *m);
/* A PULL of a registered member that did not complete. */
void registry_failed(struct registry_member *m);
void registry_remove(struct registry *r, struct registry_member *m);

/* Goes through a large registry a little at a time, while members come and go: calls fn() for those
 * of one place of the index and returns where to go on, 0 at the end (start with 0). Whoever is in
 * from the first call to the last is met at least once, and only once unless the index has grown.
 */
size_t registry_scan(const struct registry *r, size_t cursor,
                     void (*fn)(void *ctx, const struct registry_member *m), void *ctx);
