#pragma once
/* One group: for each ipsec-sa the slots of its keys, those of the KEK, and the planner that moves
 * generations through them.
 *
 *   created            switch_at            drop_at
 *      | MINTED |  NEXT    |     CURRENT  ...  (successor's switch_at)   PREVIOUS   |
 *            stored
 *
 * The slot is the state; there are no flags beside it. What is MINTED nobody may see: it is on its
 * way to the store, whose answer moves it on (group_commit()) or drops it (group_abandon()). A RFC
 * 6407 SA payload has one GAP for all its keys (5.2.1), so a changeover belongs to the group:
 * ipsec-sas that fall due while one would run take part in it from its start, later requests wait
 * for its end (decisions M2, M8). A KEK and keys that fall due within one ATD of each other change
 * together, so that one message brings both (M5). */
#include "group/kek.h"
#include "group/mint.h"
#include "group/registry.h"
#include "group/wishes.h"

/* The statement's rule: a lifetime is at least this many times activation-time-delay. With less, a
 * changeover would not be over before the next one is due. */
enum { GROUP_LIFETIME_ATDS = 10 };
/* After keys that could not be stored. */
#define GROUP_STORE_RETRY span_s(60)
/* The longest time over which a removal spreads registrations: delays are told in 16 bits. */
#define GROUP_SPREAD_MAX span_s(60000)

enum group_slot { GROUP_MINTED, GROUP_NEXT, GROUP_CURRENT, GROUP_PREVIOUS, GROUP_SLOTS };

struct group_sa {
    const struct model_ipsec_sa *model;
    struct generation *slot[GROUP_SLOTS]; /* NULL: empty */
    uint32_t numbers;                     /* given out so far */
    enum group_sa_wish wish;
};
enum group_kek_slot { GROUP_KEK_MINTED, GROUP_KEK_CURRENT, GROUP_KEK_PREVIOUS, GROUP_KEK_SLOTS };
struct group_counters {
    uint64_t pulls_succeeded, pulls_exceeding, pulls_refused, pulls_failed, pulls_repeated;
    uint64_t host_order_ids; /* group ids in host byte order, tolerated (decisions M25) */
};
struct push;
struct group {
    const struct model_group *model;
    uint32_t atd_s; /* activation-time-delay in force: what members were told of the present keys */
    struct group_sa *sas;
    size_t n_sas;
    struct kek_generation *kek[GROUP_KEK_SLOTS]; /* NULL: empty */
    uint32_t kek_numbers;                        /* given out so far */
    bool minted_excludes;       /* the keys that are MINTED fulfil the wish for an exclusion */
    struct signing_key *signer; /* of the next KEK, held; NULL: none is made */
    /* SEQ (decisions M11), never reset: of the last push that left; the highest that the store was
     * given; the highest that it has for sure. None above the last one may leave. */
    uint32_t push_seq, push_seq_given, push_seq_durable;
    uint32_t version; /* counts changeovers that the store has: which set of keys is the newest */
    struct group_wishes wishes;
    /* Nobody holds a key that a new one would have to wait for: from group_clear(), or a restart
     * without keys (server/restore.h), until the store has the next ones. */
    bool cleared;
    instant_t retry_at; /* no new keys before, because the store failed */
    struct mint *mint;
    struct registry registry;
    struct group_counters counters;
    struct push *push; /* what the server sends to it (server/push.h), not this module's */
};

/* No generation exists before the first group_advance(). The model and the mint outlive the group;
 * the proposals must have passed mint_check() and the rule above (asserted). */
struct group *group_new(const struct model_group *model, struct mint *mint);
void group_free(struct group *g); /* wipes; NULL allowed */

/* What happened to a generation, told while it happens. CREATED: the store has it. DROPPED: the
 * generation dies when the call returns. */
enum group_event { GROUP_CREATED, GROUP_SWITCHED, GROUP_DROPPED };
struct group_listener {
    void (*tell)(void *to, enum group_event what, const struct group *g, const struct group_sa *sa,
                 const struct generation *generation);
    /* CREATED or DROPPED; a KEK is current from its creation on. */
    void (*tell_kek)(void *to, enum group_event what, const struct group *g,
                     const struct kek_generation *kek);
    void *to;
};
/* When the planner has something to do. */
instant_t group_due(const struct group *g);
/* Does all that is due at `now`. Afterwards ask group_is_minted(). */
void group_advance(struct group *g, instant_t now, const struct group_listener *listener);

/* Whether keys wait for the store; nothing else is made meanwhile. */
bool group_is_minted(const struct group *g);
/* The version that the group has once they are stored; without such keys the one that it has. */
uint32_t group_version_to_be(const struct group *g);
/* The store has them: they are the group's, and what is due by now happens. */
void group_commit(struct group *g, instant_t now, const struct group_listener *listener);
/* The store failed: they are dropped, and others are made after GROUP_STORE_RETRY. */
void group_abandon(struct group *g, instant_t now);

/* They are dropped as if they had never been made: for a change of plan. */
void group_forget_minted(struct group *g);

/* When the changeovers that run are over, and keys that are asked for now can be made; with_kek:
 * also one of the KEK. In the past: at once. */
instant_t group_free_at(const struct group *g, bool with_kek);
/* Forgets every key of an ipsec-sa: members must not use them any more (M18). The next
 * group_advance() makes new ones and a new KEK, which retires the current one: under that there is
 * still something to tell, but no key. */
void group_clear(struct group *g, const struct group_listener *listener);

/* The key pair that signs the group's pushes, for the KEKs made from now on; the first one lets the
 * planner make the first KEK, and another one than that of the current KEK asks for a new KEK
 * (decisions M17). */
void group_set_signer(struct group *g, struct signing_key *signer);
/* Whether there is what the statement wants a registration to get: a key of an ipsec-sa, and with
 * server-member-communication a KEK, which have not ended. */
bool group_is_ready(const struct group *g, instant_t now);
/* The live KEK with that SPI, current or previous, or NULL. */
const struct kek_generation *group_kek(const struct group *g, const uint8_t spi[KEK_SPI]);

span_t group_atd(const struct group *g);
/* The delays that every message about this group tells (RFC 6407 5.4), in seconds. */
struct group_delays {
    uint16_t activation, deactivation;
};
struct group_delays group_delays(const struct group *g, instant_t now);
/* The changeover that runs, NULL: none. */
const struct timeline *group_changeover(const struct group *g);
/* The same if it is that of an exclusion: members come for its keys and its KEK, which no push
 * brings, within a spread that may be long. NULL: it is not. */
const struct timeline *group_exclusion(const struct group *g);
/* NEXT if there is one, else CURRENT; NULL while there is neither. */
const struct generation *group_newest(const struct group_sa *sa);
/* The anti-replay window of the newest generations, which all have the same: one GAP speaks for all
 * keys of a message (decisions M20). 0: no time stamps. */
uint32_t group_window_ms(const struct group *g);
