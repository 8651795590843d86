#pragma once
/* Private parts, sent only to peers that announced us (ike1/vendor.h): the state notification and
 * the reason of a refusal. */
#include "base/instant.h"
#include "ike1/header.h"
#include "ike1/payload.h"
#include "wire/chain.h"

enum {
    GDOI_DIGEST = 16,
    GDOI_STATE_DATA = 32,
    GDOI_STATE_VERSION = 1,
    GDOI_REASON_TEXT_MAX = 200,
};

/* Last payload of message 4 of a PULL; alone with SEQ and SIG it is the heartbeat. Its data:
 * version, flags, heartbeat (2), spread (2), activation delay (2), clock (4, 4), digest (16). */
struct gdoi_state {
    bool has_kek;
    struct ike1_cookies kek;
    bool re_register, clock_valid;
    uint16_t heartbeat, spread; /* seconds */
    uint16_t activation_delay;  /* seconds, 0 = not told: a member re-registers at L - 3 ATD */
    uint32_t clock_s, clock_us; /* group clock */
    uint8_t digest[GDOI_DIGEST];
};
/* The group clock as it was told: time since 1970, less what 32 bits of seconds cannot hold. */
span_t gdoi_state_clock(const struct gdoi_state *s);
bool gdoi_is_state(const struct ike1_notify *n); /* type 36865 */
/* ERR_DOI, ERR_TYPE for the protocol, ERR_LENGTH, ERR_VERSION; ERR_VALUE for a million microseconds
 * or an unknown flag. */
MUST_USE enum err gdoi_state_parse(const struct ike1_notify *n, struct gdoi_state *ret);
void gdoi_state_write(struct chain_wr *c, const struct gdoi_state *s);

/* Why a native member was refused: data of INVALID-ID-INFORMATION. Unknown group, unlisted gateway
 * and ban share one number. */
#define GDOI_REASON_LIST(X)                                                                        \
    X(GDOI_REASON_NONE, 0, "no reason given")                                                      \
    X(GDOI_REASON_NOT_AUTHORISED, 1, "not authorised for this group")                              \
    X(GDOI_REASON_TIME_STAMPS, 2,                                                                  \
      "the group uses time stamps: set no-anti-replay or remove the member")                       \
    X(GDOI_REASON_DIALECT, 3, "the group's dialect is not one this member can follow")             \
    X(GDOI_REASON_SERVER_ADDRESS, 4, "the group is served at another address")                     \
    X(GDOI_REASON_LIMIT, 5, "a limit of the server is reached")                                    \
    X(GDOI_REASON_NOT_READY, 6, "the server has no keys for this group yet")                       \
    X(GDOI_REASON_ADDRESS, 7, "another member of the group is registered at this address")
enum gdoi_reason { GDOI_REASON_LIST(IKE1_NUMBER) };
const char *gdoi_reason_text(unsigned reason); /* "unknown" for a number without name */

struct gdoi_refusal {
    uint16_t reason;   /* 0 when the notification carries none */
    struct bytes text; /* of the peer: escape it */
};
struct gdoi_refusal gdoi_refusal_of(const struct ike1_notify *n);
/* The data of such a notification: the number and its text. A foreign peer gets none. */
void gdoi_reason_write(struct wr *w, enum gdoi_reason reason);
