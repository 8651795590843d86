#pragma once
/* GROUPKEY-PUSH, the server's side (RFC 6407 4; decisions M4, M5, M13-M18): what is sent to a group
 * when. Three things want to be sent, in this order when they are due at the same time, and each
 * has a room of its own:
 *
 *   deletes.h    keys that must not be used any more
 *   announce.h   new keys, in rounds
 *   beat.h       signs of life
 *
 * push_message.h brings one message on its way, push_build.h makes its octets; ack.h hears the
 * answers. */
#include "group/group.h"
#include "server/ack.h"
#include "server/announce.h"
#include "server/beat.h"
#include "server/deletes.h"
#include "server/push_message.h"

struct server;

struct push_counters {
    uint64_t rounds, pushed, heartbeats, deletes; /* messages; pushed: datagrams of rounds */
    uint64_t failed;                              /* messages that could not be stored or signed */
    uint64_t struck, reinstated;
    uint64_t acks, acks_repeated, acks_refused[ERR_COUNT];
};
/* The transaction that stores keys which are MINTED. */
struct push_minted {
    uint64_t tx;  /* 0: none */
    uint32_t seq; /* that it stores with them, for the message that will tell of them */
};
struct push {
    struct push_minted minted;
    struct push_message message;
    struct announcement announcement;
    struct beat beat;
    struct delete_order *deletes;
    struct ack_keys acks[GROUP_KEK_SLOTS];
    size_t told_size; /* of a push with a KEK, when it was too large for a path */
    struct push_counters counters;
};

struct push *push_new(void);
void push_free(struct push *p); /* wipes; NULL allowed */
/* The group's keys are gone: what was under way about them is, too. Deletes stay. */
void push_reset(struct push *p);

/* The group has committed new keys: its members are told, from now on. */
void push_announce(struct server *s, struct group *g, instant_t now, struct announce_news news,
                   struct effects *out);
/* After a restart: what an earlier server had not finished starts again, with a fresh SEQ. */
void push_resume(struct server *s, instant_t now, struct effects *out);
/* A member registered, perhaps with keys that are not the newest any more (M9): then it is told of
 * those. */
void push_to_latecomer(struct group *g, const struct registry_member *m, instant_t now);
/* Tells the members to drop keys: see deletes_add(). */
void push_delete(struct server *s, struct group *g, instant_t now, const struct push_delete *what,
                 struct effects *out);

void push_timer(struct server *s, instant_t now, struct effects *out);
instant_t push_due(const struct server *s);
/* The group's message is not under way any more: plans what comes next. */
void push_ended(struct server *s, struct group *g, instant_t now, enum push_outcome how,
                struct effects *out);
