#pragma once
/* Every limit and timer of phase 1 in one place. */
#include "base/instant.h"

enum {
    PHASE1_HALF_OPEN_MAX = 4096,      /* responder: exchanges whose peer has not authenticated */
    PHASE1_HALF_OPEN_PER_IP_MAX = 16, /* ... from one address */
    PHASE1_SAS_MAX = 1200000,         /* established and half-open together */
    PHASE1_PER_PAIR_MAX = 8,          /* established with one peer at one address: the oldest end */
    PHASE1_JOBS_MAX = 4, /* started for the messages of one exchange that did not authenticate */
    PHASE1_JOBS_WAITING_MAX =
        1024, /* unfinished: a peer whose message comes later sends it again */
    PHASE1_JOBS_WAITING_AGGRESSIVE = 256, /* ... when the next is for a return path not shown */
    PHASE1_EXCHANGES_MAX = 64,            /* message ids used under one SA; then it is replaced */
    PHASE1_LAST_WORDS = 8, /* ... and as many more for informational exchanges: the Delete */
    DATAGRAM_MAX = 8192,
    IKE_PORT = 848,
};

#define PHASE1_RETRANSMIT_FIRST span_ms(500)    /* then doubled ... */
#define PHASE1_RETRANSMIT_MAX span_s(8)         /* ... up to this, */
#define PHASE1_RETRANSMIT_URGENT span_s(2)      /* ... or only to this, in a hurry; */
enum { PHASE1_RETRANSMIT_TRIES_URGENT = 12 };   /* then there are more of them */
enum { PHASE1_RETRANSMIT_TRIES = 6 };           /* the first sending not counted; +-10 % jitter */
enum { PHASE1_RETRANSMIT_TRIES_RESPONDER = 2 }; /* aggressive mode's message 2 */
#define PHASE1_HALF_OPEN_LIFE span_s(30)
#define PHASE1_NOTIFY_CLEAR_GAP span_s(1) /* between unprotected notifications to one address */
#define PHASE1_LIFETIME_DEFAULT_S 28800   /* neither side stated one */
