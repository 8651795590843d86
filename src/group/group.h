#pragma once
/* One group: for each ipsec-sa the three slots of its keys, two slots for the KEK, and the planner
 * that moves generations through them.
 *
 *        created         switch_at            drop_at
 *           |     NEXT       |     CURRENT  ...  (successor's switch_at)   PREVIOUS   |
 *
 * The slot is the state; there are no flags beside it. A RFC 6407 SA payload has one GAP for all
 * its keys (5.2.1), so a changeover belongs to the group: ipsec-sas that fall due while one would
 * run take part in it from its start, later requests wait for its end (decisions M2, M8). */
#include "group/kek.h"
#include "group/mint.h"
#include "group/registry.h"

/* The statement's rule: a lifetime is at least this many times activation-time-delay. With less, a
 * changeover would not be over before the next one is due. */
enum { GROUP_LIFETIME_ATDS = 10 };

enum group_slot { GROUP_NEXT, GROUP_CURRENT, GROUP_PREVIOUS, GROUP_SLOTS };

struct group_sa {
    const struct model_ipsec_sa *model;
    struct generation *slot[GROUP_SLOTS]; /* NULL: empty */
    uint32_t numbers;                     /* given out so far */
    bool rekey_wanted;                    /* asked for, and waits for the planner */
    bool rekey_joins; /* takes part in the group's next changeover, whenever that is */
};
enum group_kek_slot { GROUP_KEK_CURRENT, GROUP_KEK_PREVIOUS, GROUP_KEK_SLOTS };
struct group_counters {
    uint64_t pulls_succeeded, pulls_refused, pulls_failed, pulls_repeated;
    uint64_t host_order_ids; /* group ids in host byte order, tolerated (decisions M25) */
};
struct group {
    const struct model_group *model;
    uint32_t atd_s; /* activation-time-delay in force: what members were told of the present keys */
    struct group_sa *sas;
    size_t n_sas;
    struct kek_generation *kek[GROUP_KEK_SLOTS]; /* NULL: empty */
    uint32_t kek_numbers;                        /* given out so far */
    const struct signing_key *signer;            /* of the next KEK; NULL: none is made */
    uint32_t push_seq; /* SEQ of the last push, 0 before the first; never reset (decisions M11) */
    uint32_t version;  /* counts changeovers: which set of keys is the newest */
    struct mint *mint;
    struct registry registry;
    struct group_counters counters;
};

/* No generation exists before the first group_advance(). The model and the mint outlive the group;
 * the proposals must have passed mint_check() and the rule above (asserted). */
struct group *group_new(const struct model_group *model, struct mint *mint);
void group_free(struct group *g); /* wipes; NULL allowed */

/* What happened to a generation, told while it happens. DROPPED: the generation dies when the call
 * returns. */
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
/* Does all that is due at `now`. */
void group_advance(struct group *g, instant_t now, const struct group_listener *listener);
/* Asks for new keys: at once, or when the changeover that runs is over. sa NULL: all. */
void group_rekey(struct group *g, struct group_sa *sa);

/* The key pair that signs the group's pushes, for the KEKs made from now on; it outlives the group.
 * The first one lets the planner make the first KEK. */
void group_set_signer(struct group *g, const struct signing_key *signer);
/* Whether there is all that the statement wants a registration to get: at least one ipsec-sa, and
 * with server-member-communication a KEK. */
bool group_is_ready(const struct group *g);
/* The live KEK with that SPI, current or previous, or NULL. */
const struct kek_generation *group_kek(const struct group *g, const uint8_t spi[KEK_SPI]);

span_t group_atd(const struct group *g);
/* The delays that every message about this group tells (RFC 6407 5.4), in seconds. */
struct group_delays {
    uint16_t activation, deactivation;
};
struct group_delays group_delays(const struct group *g, instant_t now);
/* NEXT if there is one, else CURRENT. */
const struct generation *group_newest(const struct group_sa *sa);
/* The anti-replay window of the newest generations, which all have the same: one GAP speaks for all
 * keys of a message (decisions M20). 0: no time stamps. */
uint32_t group_window_ms(const struct group *g);
