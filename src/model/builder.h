#pragma once
/* What the builders of both sides share. Inside model/ only. The tree has been validated: what a
 * rule of conf/ guarantees is asserted here, not reported. */
#include "base/map.h"
#include "conf/tree.h"
#include "model/model.h"

struct builder {
    const struct conf_tree *tree;
    struct arena *arena;
    struct map proposals, policies, gateways, ipsec_proposals; /* of one side, by name */
};

struct model_ike {
    const struct model_ike_proposal *proposals;
    size_t n_proposals;
    const struct model_ike_policy *policies;
    size_t n_policies;
};

const char *build_text(struct builder *b, const char *text); /* a copy; NULL stays NULL */
struct model_where build_where(struct builder *b, const struct conf_node *n);
/* The address that a child states; IP_NONE when it is absent. */
struct ip build_ip(const struct conf_node *parent, const char *name);
struct prefix build_prefix(const struct conf_node *parent, const char *name);
/* From a container of conf_schema_identity, or `dynamic`; NULL gives MODEL_ID_NONE. */
struct model_identity build_identity(struct builder *b, const struct conf_node *container);
/* Proposals and policies of one side; they are found by name afterwards. */
struct model_ike build_ike(struct builder *b, const struct conf_node *ike);
/* What a reference names, from one of the builder's maps. */
void *build_referenced(const struct map *map, const struct conf_node *parent, const char *name);
void build_name(struct map *map, const char *name, void *object);

const struct model_server *build_server(struct builder *b, const struct conf_node *n);
const struct model_member *build_member(struct builder *b, const struct conf_node *n);
