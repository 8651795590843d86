#pragma once
/* What was asked of a group, and has not been made yet: keys out of turn. The planner makes them as
 * soon as it may (decisions M8); whoever stores the group stores what is left of its wishes, so
 * that they outlive the server.
 *
 *   ipsec-sa   asked for by group_rekey() and group_rekey_later(), with which
 *              group_postpone_wishes() replaces the other; ends when the store has a key of it, or
 *              all keys are gone (group_clear())
 *   kek        by group_rekey_kek() and group_set_signer(); ends when the store has one that the
 *              group's signer signs, or the KEKs are gone (group_clear(), group_drop_keks())
 *   exclusion  by group_exclude(); ends when the store has the keys that were made for it, or all
 *              keys are gone; becomes one of each ipsec-sa by group_postpone_wishes() */
#include "base/instant.h"

struct group;
struct group_sa;

/* Of one ipsec-sa. */
enum group_sa_wish {
    GROUP_SA_NO_WISH,
    GROUP_SA_JOINS, /* a key with the group's next changeover, whenever that is */
    GROUP_SA_REKEY, /* a key at once, or when the changeover that runs is over */
    GROUP_SA_WISH_COUNT
};
/* Of the group. */
struct group_wishes {
    bool kek;       /* a new one */
    bool exclusion; /* a member has to go: all keys anew, which all others come for (M18) ... */
    span_t spread;  /* ... within so much time; 0 without an exclusion */
};

/* Asks for new keys: at once, or when the changeover that runs is over. sa NULL: all. */
void group_rekey(struct group *g, struct group_sa *sa);
/* Asks for new keys with the group's next changeover, whenever that is; sa NULL: of all. For groups
 * that cannot tell their members of keys out of turn. An ipsec-sa whose key nobody could wait for,
 * because no other has one, is served at once. */
void group_rekey_later(struct group *g, struct group_sa *sa);
/* Asks for a new KEK; without server-member-communication nothing happens. */
void group_rekey_kek(struct group *g);
/* Asks for a new KEK and new keys of all ipsec-sas, none of which goes out under the old KEK:
 * members come for them, within `spread` (decisions M18). */
void group_exclude(struct group *g, span_t spread);
/* Members cannot be told of keys out of turn any more: what is wanted comes with the next
 * changeover. */
void group_postpone_wishes(struct group *g);

bool group_has_wishes(const struct group *g);
/* What is left of them once the store has the keys that are MINTED: those fulfil the others, and a
 * server that comes back must not do it again. */
struct group_wishes group_wishes_left(const struct group *g);
enum group_sa_wish group_sa_wish_left(const struct group_sa *sa);
