#pragma once
/* How large the messages of a group become, before a group is served whose messages are lost to
 * their size. The group may not be there yet; its statements have passed their checks. */
#include "sa/effects.h"

struct model_group;

/* Octets of the largest rekey message (RFC 6407 4) that a key pair of so many bits signs. */
size_t size_of_push(const struct model_group *model, unsigned bits);
/* ... of the largest message of a registration (RFC 6407 3): in a changeover it brings two keys of
 * each ipsec-sa, and the public half of that key pair. */
size_t size_of_pull(const struct model_group *model, unsigned bits);
/* ERR_LIMIT, told in `out`, when one of them is larger than can be sent. */
MUST_USE enum err size_check(const struct model_group *model, unsigned bits, struct effects *out);
