#pragma once
/* When a key generation is made, used and forgotten (decisions M1, M3). E is the expiry of the
 * generation that it replaces, L the lifetime, ATD the group's activation-time-delay:
 *
 *   created                  + 2 ATD        + 3 ATD                                    + L
 *      |-- known, receive only --|-- sends, -----|-- the only one ------------ ... -------|
 *                            switch_at   old    drop_at                                 expiry
 *                                      receives
 *
 * With a successor made at L - 4 ATD that gives the figures of the statement: everyone sends with
 * it from L - 2 ATD on, and the old key goes at L - ATD, however a member came to hear of it. */
#include "base/instant.h"

struct timeline {
    instant_t created, switch_at, drop_at, expiry;
};

/* The first generation of an SA. Nobody to wait for: active at once. */
struct timeline timeline_first(instant_t now, span_t lifetime, span_t atd, bool has_members);
/* A generation made `now` in place of one that expires at `replaced`. */
struct timeline timeline_after(instant_t now, span_t lifetime, span_t atd, instant_t replaced);

/* The same with a longer wait: everyone has to register again for it, over that time (decisions
 * M18). switch_at = now + max(2 ATD, spread + ATD), and drop_at one ATD later, within E as above.
 */
struct timeline timeline_spread(instant_t now, span_t lifetime, span_t atd, instant_t replaced,
                                span_t spread);

/* When the successor is due: L - 4 ATD. */
instant_t timeline_renew_at(const struct timeline *t, span_t atd);
/* How long a changeover lasts, from creation to the drop of the old key: 3 ATD. */
span_t timeline_changeover(span_t atd);

/* What is left, for a message built at `now`: GAP in whole seconds rounded up, so that nobody
 * switches too early; lifetimes rounded down, so that nobody keeps a key too long. Never below 0.
 */
uint16_t timeline_activation_s(const struct timeline *t, instant_t now);
uint16_t timeline_deactivation_s(const struct timeline *t, instant_t now);
uint32_t timeline_life_s(const struct timeline *t, instant_t now);
