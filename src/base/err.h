#pragma once
/* Every error of the project, from one list. The class says who hears of it:
 *   PEER    somebody on the network sent it: count it, perhaps notify, log at most a limited line
 *   LOCAL   this machine ran short of something: retry or degrade
 *   CONFIG  the operator wrote it: tell him where, and what was expected
 * A bug of ours is an assert, never an error. */
#include "base/compiler.h"

#define ERR_LIST(X)                                                                                \
    /* reading */                                                                                  \
    X(ERR_SHORT, PEER, "input ends inside a field")                                                \
    X(ERR_TRAILING, PEER, "octets left after the last field")                                      \
    X(ERR_VERSION, PEER, "version not supported")                                                  \
    X(ERR_LENGTH, PEER, "length field does not fit its contents")                                  \
    X(ERR_RESERVED, PEER, "a reserved field is not zero")                                          \
    X(ERR_ORDER, PEER, "payload out of order or not allowed here")                                 \
    X(ERR_MISSING, PEER, "a required payload or attribute is missing")                             \
    X(ERR_DUPLICATE, PEER, "a payload or attribute appears twice")                                 \
    X(ERR_TOO_MANY, PEER, "more items than the limit allows")                                      \
    X(ERR_VALUE, PEER, "value out of range")                                                       \
    X(ERR_ATTRIBUTE, PEER, "attribute unknown or malformed")                                       \
    X(ERR_TYPE, PEER, "type not supported here")                                                   \
    X(ERR_DOI, PEER, "domain of interpretation not supported")                                     \
    X(ERR_SITUATION, PEER, "situation not supported")                                              \
    X(ERR_CONFLICT, PEER, "two statements of one message contradict each other")                   \
    /* protocol */                                                                                 \
    X(ERR_AUTH, PEER, "authentication failed")                                                     \
    X(ERR_REPLAY, PEER, "seen before, or outside the replay window")                               \
    X(ERR_UNKNOWN_PEER, PEER, "no gateway is configured for this peer")                            \
    X(ERR_UNKNOWN_SA, PEER, "no security association has these cookies or this SPI")               \
    X(ERR_UNEXPECTED, PEER, "message not expected in this state")                                  \
    X(ERR_NO_PROPOSAL, PEER, "no proposal in common")                                              \
    X(ERR_IDENTITY, PEER, "identity is not the configured one")                                    \
    X(ERR_NOT_AUTHORISED, PEER, "gateway is not on the group's list")                              \
    X(ERR_BANNED, PEER, "removed by the operator")                                                 \
    X(ERR_UNKNOWN_GROUP, PEER, "no such group")                                                    \
    X(ERR_REFUSED, PEER, "the peer refused")                                                       \
    X(ERR_POLICY, PEER, "policy not acceptable to this member")                                    \
    X(ERR_PADDING, PEER, "padding is not as specified")                                            \
    X(ERR_SELECTOR, PEER, "packet outside the selectors of its security association")              \
    X(ERR_ADDRESS, PEER, "inner and outer addresses differ")                                       \
    X(ERR_TIMEOUT, PEER, "no answer from the peer")                                                \
    /* this machine */                                                                             \
    X(ERR_FULL, LOCAL, "no room left in the output")                                               \
    X(ERR_NOMEM, LOCAL, "out of memory")                                                           \
    X(ERR_LIMIT, LOCAL, "a limit is reached")                                                      \
    X(ERR_CRYPTO, LOCAL, "the cryptographic library failed")                                       \
    X(ERR_NO_PROVIDER, LOCAL, "a cryptographic provider is missing")                               \
    X(ERR_SELF_TEST, LOCAL, "a cryptographic self-test failed")                                    \
    X(ERR_SYSTEM, LOCAL, "a system call failed")                                                   \
    X(ERR_NOT_FOUND, LOCAL, "no such object")                                                      \
    X(ERR_BUSY, LOCAL, "already in use")                                                           \
    X(ERR_DENIED, LOCAL, "permission denied")                                                      \
    X(ERR_NOT_A_FILE, LOCAL, "this is no file, but what may keep its reader waiting")              \
    X(ERR_NO_SPACE, LOCAL, "the disk is full")                                                     \
    X(ERR_DAMAGED, LOCAL, "what is stored is damaged")                                             \
    X(ERR_CLOSED, LOCAL, "the other end closed the connection")                                    \
    /* the operator */                                                                             \
    X(ERR_SYNTAX, CONFIG, "syntax error")                                                          \
    X(ERR_CONFIG, CONFIG, "configuration is not valid")                                            \
    X(ERR_UNBUILT, CONFIG, "not supported yet")                                                    \
    X(ERR_USAGE, CONFIG, "usage")

enum err_class { ERR_CLASS_OK, ERR_CLASS_PEER, ERR_CLASS_LOCAL, ERR_CLASS_CONFIG };

enum err {
    ERR_OK,
#define X(name, class, text) name,
    ERR_LIST(X)
#undef X
        ERR_COUNT
};

/* The sentence of the list above; "ok" for ERR_OK. Static storage. */
const char *err_text(enum err e);
/* The identifier as written ("ERR_SHORT"), for counters and tests. Static storage. */
const char *err_name(enum err e);
enum err_class err_class(enum err e);
