#pragma once
/* Every limit and timer of the server in one place; those of phase 1 are in sa/limits.h. */
#include "base/instant.h"

enum {
    SERVER_PULLS_MAX = 32768,     /* exchanges remembered, completed ones for their repeats */
    SERVER_PULLS_PER_SA_MAX = 4,  /* ... of one phase 1 SA */
    SERVER_PULL_REPEATS_MAX = 16, /* answers given again to one repeated message */
    SERVER_NONCE = 32,            /* octets of Nr (RFC 6407 5.8: 8 to 128) */
    SERVER_SAS_MAX = 32,          /* ipsec-sas of one group: two keys of each in one KD */
    SERVER_POLICIES_MAX = 56,     /* match-policies of one group: twice as many SATs in one SA */
    SERVER_REGISTRATIONS_S = 250, /* a second, believed of this machine until it has done more */
    SERVER_PUSH_PATH = 1472,      /* octets of a datagram that a path of 1500 octets carries */
    SERVER_DELETES_MAX = 32,      /* deletes of one group that are told at the same time */
    SERVER_LEAVING_MAX = 64,      /* removed groups whose members are still being told */
    SERVER_SEQ_NEAR = 1 << 20,    /* rekey messages before the last one the operator is told */
    SERVER_SIGN_BITS = 3072,      /* of the server's own RSA key: 128 bits of strength */
};

/* The number of a group's last rekey message. The next server goes on with the group's keys, but
 * under a new KEK: there its numbers begin with 1. */
#define SERVER_SEQ_LAST UINT32_C(0xfffffff0)
/* A group that was removed lasts this long after its last delete should have left. */
#define SERVER_LEAVE span_s(30)
/* A key pair takes a second; a job that gave none, or got lost, is given away again. */
#define SERVER_SIGN_RETRY span_s(60)
/* From message 2 to message 3, and from message 4 to the last repeat of message 3. */
#define SERVER_PULL_LIFE span_s(10)
/* No acknowledgement is missing before (RFC 8263 6). */
#define SERVER_ACK_TIME span_s(10)
/* A message that could not be stored or signed is tried again. */
#define SERVER_PUSH_RETRY span_s(5)
/* Between rounds, however many members register with keys that have just been replaced. */
#define SERVER_PUSH_PAUSE span_s(1)
