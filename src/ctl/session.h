#pragma once
/* The daemon's side of one console connection: octets in, octets out, handlers in between. It does
 * no I/O. Who owns the connection feeds what arrived, sends what is in `out`, and closes after
 * sending once `closing` is set. */
#include "ctl/frame.h"
#include "ctl/request.h"

/* Octets waiting for a slow console. Beyond, events are lost and counted, requests are refused. */
enum { CTL_OUT_MAX = 4 * 1048576 };

/* Where a long answer has come to, in the handler's own terms; zeroed at its beginning. */
struct ctl_cursor {
    size_t item, at;
    uint32_t id;
    bool inside;
};
/* Transactions by their numbers, which are answered in this order; last 0: none. */
struct ctl_wait {
    uint64_t first, last;
    enum err err; /* of the first that failed */
};
struct ctl_handler {
    /* Answers a request into `reply`. On failure: an error, and a sentence for the operator (the
     * error's own when it is left empty). */
    enum err (*answer)(void *ctx, const struct ctl_request *request, struct ctl_wr *reply,
                       char sentence[CTL_SENTENCE_MAX]);
    /* Of a long answer, which answer() only begins: the next piece, some ten kilobytes. Called
     * whenever the last one was sent, and other work was done in between; true when it was the
     * last. NULL: answer() says it all. */
    bool (*more)(void *ctx, const struct ctl_request *request, struct ctl_cursor *at,
                 struct ctl_wr *reply);
    /* Of an answer that is true only when something is stored: what answer() has just handed to the
     * store. The answer leaves when ctl_session_stored() has told the last of it. NULL: it stores
     * nothing. Not together with more(). */
    struct ctl_wait (*waits_for)(void *ctx);
};
/* What a daemon offers, to all its sessions. A command without a handler is refused by name;
 * CTL_MONITOR needs none. */
struct ctl_service {
    void *ctx;
    const char *program, *version, *host;
    const char *holders[CTL_CLASS_COUNT]; /* who has the privilege: the end of a refusal */
    /* A peer asked for what it may not; `owner` is the session's. NULL: nobody minds. */
    void (*denied)(void *owner, const struct ctl_command *command);
    struct ctl_handler handlers[CTL_COMMAND_COUNT];
};

/* An answer that goes on, or waits. */
struct ctl_pending {
    uint32_t id;        /* 0: none */
    struct arena arena; /* of the request */
    struct ctl_request request;
    struct ctl_cursor at;
    struct ctl_wr reply;
    struct ctl_wait wait; /* last 0: it goes on */
};
struct ctl_session {
    const struct ctl_service *service;
    enum ctl_class class; /* the privilege of the peer */
    void *owner;
    bool greeted, closing;
    uint32_t monitor; /* the request that asked for events, 0 = none */
    uint64_t n_lost;  /* events that found no room since the last one that did */
    struct ctl_pending pending;
    struct ctl_buf in, out;
};

struct ctl_session ctl_session_start(const struct ctl_service *service, enum ctl_class class,
                                     void *owner);
/* Says why the peer is not served, and that this is all. */
void ctl_session_turn_away(struct ctl_session *s, enum err e, const char *sentence);
void ctl_session_feed(struct ctl_session *s, struct bytes octets);
/* Adds the next piece of a long answer once the last one has gone. True: there are more to come. */
bool ctl_session_go_on(struct ctl_session *s);
/* The store answered a transaction: what waits for it ends, with an error if it failed. True: there
 * is something to send. */
bool ctl_session_stored(struct ctl_session *s, uint64_t id, enum err err);
/* An event (the octets of its tree) for a session that asked for them; else no effect. */
void ctl_session_event(struct ctl_session *s, struct bytes event);
void ctl_session_free(struct ctl_session *s);
