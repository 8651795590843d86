#pragma once
/* The nft tables as text, and the program that loads them. Rendering is pure.
 *
 * A table is never replaced: the kernel exchanges a set or a whole table not in one instant for the
 * packets in flight, but emptying a chain and filling it again in one transaction lets nothing
 * through. */
#include "data/data.h"

#include <stdio.h>

/* The tables with their hooks; policies that are in them stay. */
void nft_render_setup(FILE *out, const struct esp_vpn_config *vpns, size_t n);

/* What changes with the keys. */
struct nft_vpn {
    const struct esp_vpn_config *config;
    const struct esp_selector *selectors; /* in force, or the last known */
    size_t n_selectors;
    bool known; /* selectors were installed by this process: else what stands in the kernel stays */
    bool can_send; /* else: fail closed */
    bool alive;    /* a member runs: fail-open rules hold while it cannot send */
};
void nft_render_policy(FILE *out, const struct nft_vpn *vpns, size_t n);
/* Whole ESP packets end before the kernel reassembles and routes: the packet socket has them
 * already. n = 0: none do. */
void nft_render_early(FILE *out, const struct esp_vpn_config *vpns, size_t n);
void nft_render_teardown(FILE *out);

/* Loads a script in one transaction. ERR_NOT_FOUND: no nft program; ERR_SYSTEM: refused, with its
 * first line of complaint. */
MUST_USE enum err nft_load(const char *script, struct data_failure *ret_failure);
/* Whether both tables stand already with their rules, and with them what was decided before. */
bool nft_guard_stands(void);
MUST_USE enum err nft_read_counters(struct data_guard_stats *ret);
