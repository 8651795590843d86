#pragma once
/* The objects that outlive the member: TUN, tables, rules, sysctls (README.md has the list and the
 * order). */
#include "data/data.h"

struct rtnl;

MUST_USE enum err kernel_setup(struct rtnl *n, const struct data_config *config,
                               struct data_failure *f);
MUST_USE enum err kernel_teardown(struct rtnl *n, struct data_failure *f);
/* Puts every interface that is neither external nor ours into the LAN group; new ones appear at any
 * time. */
MUST_USE int kernel_adopt_lans(struct rtnl *n, const struct esp_vpn_config *vpns, size_t n_vpns);
/* Whether that interface leads to other members. */
bool kernel_is_external(const struct esp_vpn_config *vpns, size_t n, const char *name);
/* Routes and rules, those that are there included; not the rules of policies. */
MUST_USE int kernel_routes(struct rtnl *n, struct ip inside);
/* Forgets what an earlier member left on the TUN, path MTU routes above all. Meanwhile the black
 * hole takes what is protected. */
MUST_USE int kernel_refresh_tun(struct rtnl *n, struct ip inside);
MUST_USE int kernel_tun_mtu(struct rtnl *n, unsigned mtu);
/* Makes the rules of DATA_PREF_POLICY exactly these pairs: the new ones first, then, if `complete`,
 * the old ones go. */
MUST_USE int kernel_policy_rules(struct rtnl *n, const struct esp_selector *selectors, size_t count,
                                 bool complete);
