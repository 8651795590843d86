#pragma once
/* How the members of a group hear of its newest keys (RFC 6407 4; decisions M4, M5, M13, M15).
 *
 * A changeover that the store has is announced in rounds: each is a new message with the next SEQ
 * and what is left of every delay and lifetime, one per dialect, encrypted and signed once however
 * many members. Unicast rounds go to those who have not acknowledged, multicast ones to the group.
 * When the last one is out, those who stay silent too long are struck (server/members.h).
 *
 *                              at            the last dialect is out
 *   OVER ------------> WAITING ----> SENDING ----------------------> LISTENING ----> OVER
 *          new keys       ^             |                                 |     at
 *                         +-------------+---------------------------------+
 *                           more rounds   a latecomer with older keys */
#include "base/instant.h"
#include "group/kek.h"
#include "sa/effects.h"
#include "server/push_message.h"

struct group;
struct server;

enum announce_state {
    ANNOUNCE_OVER,      /* none has begun, no push can bring it, or it is done */
    ANNOUNCE_WAITING,   /* for `at`: the next round */
    ANNOUNCE_SENDING,   /* a round: `dialects` are still to begin, or the last one is under way */
    ANNOUNCE_LISTENING, /* for answers, until `at` */
};
enum { ANNOUNCE_KEYLESS_MAX = 16 };
/* The one that runs, or ran last. */
struct announcement {
    enum announce_state state;
    instant_t at;
    /* What it is about. */
    uint32_t version; /* of the keys */
    uint8_t carrier[KEK_SPI];
    bool with_kek, all; /* struct offer_push */
    bool multicast;     /* as its carrier says: the configuration may be another one by now */
    bool unanswered;    /* nobody is asked to acknowledge it */
    bool by_pull;       /* no push brings these keys (M18) */
    /* How far it is. */
    unsigned rounds_done, rounds_left;
    unsigned dialects;    /* SENDING: bits, still to begin in this round */
    instant_t round_sent; /* the last one, of whatever keys */
    instant_t first_sent; /* the first one of these; NEVER: none yet */
    /* Which answers count: from first_seq on, but for those to messages without keys. */
    uint32_t first_seq, keyless[ANNOUNCE_KEYLESS_MAX];
    size_t n_keyless;
};

/* The store has new keys: what they are. */
struct announce_news {
    bool kek;     /* a KEK is among them */
    bool by_pull; /* of an exclusion: nobody gets them by a push */
};
/* Supersedes the one that runs. The group has a KEK. */
void announce_begin(struct group *g, instant_t now, struct announce_news news);
/* After a restart: the keys are known as those of an earlier server, whose messages are not, so
 * only answers to what this one sends count. */
void announce_adopt(struct group *g);
/* Somebody registered with keys that were the newest when it asked (M9): it gets a round, with all
 * who do so within SERVER_PUSH_PAUSE of the last one. */
void announce_again(struct group *g, instant_t now);
void announce_stop(struct announcement *a);

/* When there is something to do, provided that no message is under way; does the next of it. */
instant_t announce_due(const struct announcement *a);
void announce_step(struct server *s, struct group *g, instant_t now, struct effects *out);
/* A message with keys is not under way any more. */
void announce_ended(struct group *g, instant_t now, enum push_outcome how);

/* A message without keys has left, with the group's SEQ, that members answer all the same (RFC 8263
 * 4). */
void announce_note_keyless(struct group *g);
/* Whether an acknowledgement with that SEQ is one of this announcement: any from the first message
 * that brought the newest keys on, because members answer the last push (RFC 8263 7.2) and an
 * answer to an earlier round may be late. */
bool announce_expects(const struct group *g, uint32_t seq);
/* Whether it says that the member has the newest keys: false for those of deletes. */
bool announce_brought_keys(const struct announcement *a, uint32_t seq);
