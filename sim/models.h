#pragma once
/* Configurations of simulated worlds, written in the real language and read by the real parser. */
#include "base/arena.h"
#include "model/model.h"

enum { MODELS_ODD_MAX = 8, MODELS_WINDOW_UNSAID = 1 };

/* A member that is not like the others. */
struct models_odd {
    unsigned member;          /* from 0 */
    const char *secret;       /* its pre-shared key; NULL: the right one */
    unsigned group;           /* the group it asks for; 0: the right one */
    bool unlisted;            /* its gateway is not on the group's list */
    bool both;                /* it is in group 2 as well: VPN "v2", over the same gateway */
    bool foreign;             /* no vendor id of ours passes between it and others */
    const char *extra;        /* further lines of its configuration, or "" */
    const char *more_servers; /* tried before the right one: "192.0.2.9 192.0.2.8"; NULL: none */
};
struct models_plan {
    unsigned members;
    unsigned atd_s, lifetime_s, ike_lifetime_s;
    unsigned kek_lifetime_s; /* 0: no server-member-communication */
    unsigned window_s;       /* anti-replay-time-window; 0: no-anti-replay, UNSAID: neither */
    bool two_groups;         /* group g2 (id 2) at the same address, for those who are in both */
    const char *group_extra; /* further `set security group-vpn server group g1 ...` lines, or "" */
    size_t n_odd;
    struct models_odd odd[MODELS_ODD_MAX];
};
/* The odd member's entry, or an ordinary one's. */
struct models_odd models_odd_of(const struct models_plan *plan, unsigned member);
/* Parses, validates and builds; statements that daemons refuse to run yet are let through: engines
 * may know them before. Prints the findings and aborts on an error. */
const struct model *models_read(struct arena *arena, const char *name, const char *text);
/* Whether a commit of it would fail. */
bool models_refuses(struct arena *arena, const char *text);
/* Server 192.0.2.1 with group g1 (id 1) and one gateway per member; member i is 198.18.x.y, VPN
 * "v1". */
const char *models_server_text(struct arena *arena, const struct models_plan *plan);
const struct model *models_server(struct arena *arena, const struct models_plan *plan);
const struct model *models_member(struct arena *arena, const struct models_plan *plan, unsigned i);
