#pragma once
/* Rules that concern several statements. Each reports what it finds; a value that is wrong by
 * itself has been reported already and is passed over here. */
#include "conf/tree.h"

struct conf_rules {
    const struct conf_tree *tree;
    struct conf_diags *diags;
    struct arena *arena;
};

void conf_rules_server(const struct conf_rules *r, const struct conf_node *server);
void conf_rules_member(const struct conf_rules *r, const struct conf_node *member);

/* Shared by both sides. */
void conf_rules_ike_policies(const struct conf_rules *r, const struct conf_node *ike);
void conf_rules_traceoptions(const struct conf_rules *r, const struct conf_node *traceoptions);
/* What one gateway of either side says of identities and routing instance. */
void conf_rules_gateway(const struct conf_rules *r, const struct conf_node *gateway);
/* Exactly one of a container's children must stand. */
void conf_rule_one_of(const struct conf_rules *r, const struct conf_node *container);

/* Reports at a node. */
#define CONF_RULE(r, severity, node, ...)                                                          \
    conf_diag((r)->diags, severity, (node)->pos, conf_path((r)->arena, node), __VA_ARGS__)
/* The number of a child or its default; 0 when it is not in its range. */
uint32_t conf_rule_number(const struct conf_node *parent, const char *name);
