#pragma once
/* Every limit and timer of the member in one place. */
#include "base/instant.h"

enum {
    MEMBER_TEKS_MAX = 128, /* keys held for one VPN, all slots together */
    MEMBER_PULL_TRIES = 6, /* sendings of one PULL message over a fresh phase 1 SA */
    MEMBER_PULL_TRIES_LIVE =
        2, /* ... over one that was up before: then a new phase 1 (decisions M7) */
    MEMBER_ATD_DEFAULT_S = 15, /* of a server that does not tell: the statement's default */
    MEMBER_ATD_MAX_S = 900,    /* the statement's largest */
    MEMBER_KEY_DIGEST = 8,
    MEMBER_WINDOW_MAX_MS = 3600000, /* of time stamps: the statement has at most six minutes */
};

#define MEMBER_PULL_RETRANSMIT_FIRST span_ms(500) /* doubled each time ... */
#define MEMBER_PULL_RETRANSMIT_MAX span_s(8)      /* ... up to this, */
#define MEMBER_PULL_RETRANSMIT_URGENT span_s(2)   /* or this while keys are about to end */
#define MEMBER_PULL_LIFE                                                                           \
    span_s(10)                        /* from message 2: then the server forgets it (decisions M9) \
                                       */
#define MEMBER_RETRY_FIRST span_s(1)  /* after all servers failed: doubled each round ... */
#define MEMBER_RETRY_MAX span_s(64)   /* ... up to this; +-25 % jitter, */
#define MEMBER_RETRY_URGENT span_s(2) /* or this while keys are about to end (decisions M7) */
/* How much later than its interval a heartbeat may come: its way, and the server's next timer. */
#define MEMBER_HEARTBEAT_GRACE span_s(2)
#define MEMBER_KEK_GRACE span_s(2) /* a KEK receives for so long after its expiry */
#define MEMBER_SPREAD_MIN                                                                          \
    span_s(1) /* of members that notice something together (decisions M10)                         \
               */
#define MEMBER_DROP_MARGIN                                                                         \
    span_s(2) /* before others drop the old key, a member has asked (M10)                          \
               */
/* Keys that were so long on their way are asked for: what their message says of delays is not true
 * any more. Younger, they make a member switch so much later than others, who drop the old key an
 * activation-time-delay after that. Half of that delay, where it is more: it is chosen by how long
 * the server takes to tell everybody. */
#define MEMBER_PUSH_AGE_MAX span_s(5)
#define MEMBER_PROBE_FIRST span_s(10) /* recovery-probe: between two, doubled */
#define MEMBER_PROBE_MAX span_s(320)
#define MEMBER_SA_MARGIN span_s(10) /* a phase 1 SA with less life left is not used again */
