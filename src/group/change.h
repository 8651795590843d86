#pragma once
/* A live group and another model of it: what stays, what goes, and what waits. The configuration
 * may change at any instant; keys keep the policy they were made with, and the delay in force
 * (group.atd_s) stays until a changeover has replaced every key, because members reckon by the one
 * they were told. */
#include "group/group.h"

/* No key may be MINTED. The group goes on under `model`, which outlives it: its members, numbers
 * and SEQ, and the keys of each ipsec-sa that the model still names. Keys of the others are told as
 * dropped, and dropped. ipsec-sas that are new have no key until the planner makes one. */
void group_adopt(struct group *g, const struct model_group *model,
                 const struct group_listener *listener);
/* The group has no KEK any more: each is told as dropped, and dropped. None may be MINTED. Keys
 * that are wished for, also by a removal, wait for the next changeover from now on. */
void group_drop_keks(struct group *g, const struct group_listener *listener);
/* Multicasts leave by the interface that the model says from now on, also under the KEKs that are
 * there: that is no business of the members. */
void group_use_interface(struct group *g);
struct group_sa *group_sa_named(const struct group *g, const char *name); /* NULL: none */
