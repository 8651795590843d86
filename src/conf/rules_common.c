#include "conf/place.h"
#include "conf/rules.h"

#include <string.h>

uint32_t conf_rule_number(const struct conf_node *parent, const char *name)
{
    const struct conf_schema *s = conf_schema_child(parent->schema, name);
    uint32_t n = conf_child_number(parent, name);

    return n >= s->min && n <= s->max ? n : 0;
}

void conf_rule_one_of(const struct conf_rules *r, const struct conf_node *container)
{
    const struct conf_node *first = NULL;

    for (const struct conf_node *n = container->first; n; n = n->next) {
        if (n->inactive)
            continue;
        if (first)
            CONF_RULE(r, CONF_ERROR, n, "stands beside %s in line %u, expected one of them",
                      first->schema->name, first->pos.line);
        else
            first = n;
    }
    if (!first && !container->damaged)
        CONF_RULE(r, CONF_ERROR, container, "says nothing, expected %s",
                  conf_expected_children(r->arena, container->schema));
}

/* ---- policies ---- */

static void check_proposals(const struct conf_rules *r, const struct conf_node *policy)
{
    const struct conf_node *proposals = conf_child(policy, "proposals");
    const struct conf_node *set = conf_child(policy, "proposal-set");

    if (proposals && set)
        CONF_RULE(r, CONF_ERROR, set,
                  "IKE policy must not have both proposals and proposal-set configured, expected "
                  "one of them");
    if (!proposals && !set)
        CONF_RULE(r, CONF_ERROR, policy,
                  "IKE policy must have either proposals or proposal-set configured, expected one "
                  "of them");
}

static void check_credentials(const struct conf_rules *r, const struct conf_node *policy)
{
    const struct conf_node *key = conf_child(policy, "pre-shared-key");
    const struct conf_node *certificate =
        conf_child(conf_child(policy, "certificate"), "local-certificate");

    if (key)
        conf_rule_one_of(r, key);
    if ((key != NULL) == (certificate != NULL))
        CONF_RULE(r, CONF_ERROR, key ? certificate : policy,
                  "IKE policy must have either local certificate or pre-shared key configured, "
                  "expected one of them");
}

/* The first message of aggressive mode carries the public value already (RFC 2409 section 5.4). */
static void check_aggressive(const struct conf_rules *r, const struct conf_node *policy)
{
    const struct conf_node *proposals = conf_child(policy, "proposals");
    const char *first = NULL;

    if (!proposals || strcmp(conf_child_text(policy, "mode"), "aggressive") != 0)
        return;
    for (uint32_t i = 0; i < proposals->n_values; i++) {
        const struct conf_node *proposal =
            conf_referenced(r->tree, proposals, proposals->values[i].text);
        const char *group = conf_child_text(proposal, "dh-group");
        if (!group)
            continue;
        if (first && strcmp(first, group) != 0) {
            CONF_RULE(r, CONF_ERROR, proposals,
                      "aggressive mode cannot negotiate between %s and %s, expected proposals of "
                      "one dh-group",
                      first, group);
            return;
        }
        first = group;
    }
}

void conf_rules_ike_policies(const struct conf_rules *r, const struct conf_node *ike)
{
    for (const struct conf_node *p = conf_child(ike, "policy"); p; p = conf_next(p)) {
        if (!p->damaged) {
            check_proposals(r, p);
            check_credentials(r, p);
        }
        check_aggressive(r, p);
    }
}

/* ---- gateways ---- */

void conf_rules_gateway(const struct conf_rules *r, const struct conf_node *gateway)
{
    static const char *const identities[] = {"local-identity", "remote-identity"};
    const struct conf_node *instance = conf_child(gateway, "routing-instance");

    for (size_t i = 0; i < ARRAY_LEN(identities); i++) {
        const struct conf_node *identity = conf_child(gateway, identities[i]);
        if (identity)
            conf_rule_one_of(r, identity);
    }
    if (instance && strcmp(conf_text(instance), "default") != 0)
        CONF_RULE(r, CONF_UNBUILT, instance, "'%s' is not supported yet, expected default",
                  conf_text(instance));
}

/* ---- traces ---- */

void conf_rules_traceoptions(const struct conf_rules *r, const struct conf_node *traceoptions)
{
    const struct conf_node *file = conf_child(traceoptions, "file");
    const struct conf_node *open = conf_child(file, "world-readable");
    const struct conf_node *closed = conf_child(file, "no-world-readable");

    if (open && closed)
        CONF_RULE(r, CONF_ERROR, closed,
                  "stands beside world-readable in line %u, expected one of them", open->pos.line);
}
