#pragma once
/* Keys of an earlier server back into their slots. The slot is the state and is not kept: it
 * follows from the instants, as it would have come about had the server been here all the time. */
#include "group/group.h"

/* The generations of one ipsec-sa, in any order; they are the group's from now on. What has no
 * place any more (expired, or its drop_at has come) is dropped and told. */
void group_restore_teks(struct group *g, struct group_sa *sa, struct generation **teks, size_t n,
                        instant_t now, const struct group_listener *listener);
/* The same for the group's KEKs. */
void group_restore_keks(struct group *g, struct kek_generation **keks, size_t n, instant_t now,
                        const struct group_listener *listener);
