#include "conf/validate.h"

#include "conf/rules.h"
#include "conf/value.h"

#include <string.h>

static void check_values(const struct conf_rules *r, const struct conf_node *n)
{
    if (n->schema->type == CONF_T_NONE)
        return;
    for (uint32_t i = 0; i < n->n_values; i++)
        conf_check_value(r->diags, n, i);
}

/* "a, b or c": the names that a reference might have meant. */
static const char *names_to_refer_to(const struct conf_rules *r, const struct conf_node *n)
{
    enum { NAMES_MAX = 8 };
    const struct conf_node *side = n;
    const char *text = "";
    size_t count = 0;

    while (side->schema->children != conf_schema_server &&
           side->schema->children != conf_schema_member)
        side = side->parent;
    const struct conf_node *container = conf_child(side, n->schema->ref_container);
    for (const struct conf_node *e = conf_child(container, n->schema->ref_list); e;
         e = conf_next(e)) {
        if (++count > NAMES_MAX)
            return arena_text(r->arena, "%s ...", text);
        text = arena_text(r->arena, "%s%s%s", text, count == 1 ? "" : ", ", conf_text(e));
    }
    return count == 0 ? arena_text(r->arena, "%s %s NAME to exist", n->schema->ref_container,
                                   n->schema->ref_list)
                      : text;
}

static void check_references(const struct conf_rules *r, const struct conf_node *n)
{
    for (uint32_t i = 0; n->schema->ref_list && i < n->n_values; i++) {
        if (conf_referenced(r->tree, n, n->values[i].text))
            continue;
        conf_diag(r->diags, CONF_ERROR, n->values[i].pos, conf_path(r->arena, n),
                  "%s: '%s', expected %s", n->schema->ref_text, n->values[i].text,
                  names_to_refer_to(r, n));
    }
}

static void check_mandatory(const struct conf_rules *r, const struct conf_node *n)
{
    for (const struct conf_schema *s = n->schema->children; s && s->name && !n->damaged; s++) {
        if (!s->mandatory || conf_child(n, s->name))
            continue;
        CONF_RULE(r, CONF_ERROR, n, "'%s' is missing, expected %s%s", s->name,
                  s->kind == CONF_LIST ? "at least one: " : "", conf_expected(r->arena, s));
    }
}

static void too_many(const struct conf_rules *r, const struct conf_node *n, struct conf_pos pos)
{
    const struct conf_schema *s = n->schema;
    const char *text = s->max_elements_text
                           ? s->max_elements_text
                           : arena_text(r->arena, "too many %s statements", s->name);

    conf_diag(r->diags, CONF_ERROR, pos, conf_path(r->arena, n), "%s, expected at most %u", text,
              s->max_elements);
}

static void check_values_count(const struct conf_rules *r, const struct conf_node *n)
{
    uint32_t max = n->schema->max_elements;

    if (n->schema->kind == CONF_LEAF_LIST && max > 0 && n->n_values > max)
        too_many(r, n, n->values[max].pos);
}

/* Reports the first entry of a list that is one too many. */
static void check_entries_count(const struct conf_rules *r, const struct conf_node *parent)
{
    const struct conf_schema *list = NULL;
    uint32_t count = 0;

    for (const struct conf_node *n = parent->first; n; n = n->next) {
        if (n->schema != list)
            count = 0;
        list = n->schema;
        if (n->schema->kind != CONF_LIST || n->schema->max_elements == 0 || n->inactive)
            continue;
        if (++count == n->schema->max_elements + 1)
            too_many(r, n, n->pos);
    }
}

/* Below a statement that is not built, its parts are checked, but it is the one that is named. */
static bool check_unbuilt(const struct conf_rules *r, const struct conf_node *n, bool below)
{
    const char *text = n->schema->unbuilt;

    if (!text || below)
        return below;
    CONF_RULE(r, CONF_UNBUILT, n, "not supported yet%s%s", text[0] == '\0' ? "" : ", ", text);
    return true;
}

static void check_node(const struct conf_rules *r, const struct conf_node *n, bool unbuilt)
{
    unbuilt = check_unbuilt(r, n, unbuilt);
    check_values(r, n);
    check_values_count(r, n);
    check_references(r, n);
    check_mandatory(r, n);
    check_entries_count(r, n);
    for (const struct conf_node *c = n->first; c; c = c->next) {
        if (!c->inactive)
            check_node(r, c, unbuilt);
    }
}

/* The one socket at an address and port cannot be the server's and the member's. */
static void check_distinct_addresses(const struct conf_rules *r, const struct conf_node *server,
                                     const struct conf_node *member)
{
    for (const struct conf_node *m = conf_child(conf_child(member, "ike"), "gateway"); m;
         m = conf_next(m)) {
        const struct conf_node *local = conf_child(m, "local-address");
        for (const struct conf_node *g = conf_child(server, "group"); local && g;
             g = conf_next(g)) {
            const char *address = conf_child_text(g, "server-address");
            if (address && strcmp(address, conf_text(local)) == 0)
                CONF_RULE(r, CONF_ERROR, local,
                          "Member can not have the same local address as server: %s is the "
                          "server-address of group %s, expected another",
                          address, conf_text(g));
        }
    }
}

static void check_both_sides(const struct conf_rules *r)
{
    const struct conf_node *server = conf_server(r->tree), *member = conf_member(r->tree);
    const struct conf_node *one = server ? server : member;
    const struct conf_node *co_location = one ? conf_child(one->parent, "co-location") : NULL;

    if (server && member && !co_location)
        CONF_RULE(r, CONF_ERROR, member,
                  "Configuring both group-vpn server and group-vpn member is not supported, "
                  "expected one of them, or co-location beside them");
    if (server && member)
        check_distinct_addresses(r, server, member);
    else if (co_location)
        CONF_RULE(r, CONF_WARNING, co_location, "has no effect, expected server and member");
}

void conf_validate(const struct conf_tree *tree, struct conf_diags *diags)
{
    struct conf_rules r = {.tree = tree, .diags = diags, .arena = diags->arena};

    check_node(&r, tree->root, false);
    check_both_sides(&r);
    if (conf_server(tree))
        conf_rules_server(&r, conf_server(tree));
    if (conf_member(tree))
        conf_rules_member(&r, conf_member(tree));
}
