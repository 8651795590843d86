#pragma once
/* The ike gateways of a configuration: the peers of phase 1, and which groups list each. */
#include "model/model.h"
#include "sa/phase1.h"

struct group;
struct server;

/* In the model's order, freed by the caller: peers, whose owners are the gateways; for each one the
 * groups that list it, bit i for groups[i] of the model. ERR_NOMEM. */
MUST_USE enum err server_gateways(const struct model_server *model, struct phase1_peer **ret_peers,
                                  uint64_t **ret_listed);
struct phase1_config server_phase1_config(const struct model_server *model,
                                          const struct phase1_peer *peers);
/* Whether the group's ike-gateway list has that gateway, whatever its length. */
bool server_lists(const struct server *s, const struct group *g,
                  const struct model_server_gateway *gateway);
