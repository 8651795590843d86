#pragma once
/* The configuration as a tree of statements, each tied to its row of the schema. Siblings stand in
 * the order of the schema, entries of one list in the order in which they were first named: two
 * files with the same meaning give equal trees, and print alike. The tree lives in one arena. */
#include "base/arena.h"
#include "conf/diags.h"
#include "conf/schema.h"

enum { CONF_NODES_MAX = 4000000 };

struct conf_word {
    const char *text;
    struct conf_pos pos;
};

struct conf_comment {
    struct conf_comment *next;
    const char *text; /* without the marks around it */
    char mark;        /* '#' or '*' */
};

struct conf_comments {
    struct conf_comment *first, *last;
};

struct conf_node {
    const struct conf_schema *schema;
    struct conf_node *parent, *first, *last, *prev, *next;
    struct conf_node *chain;  /* within the tree's index */
    struct conf_pos pos;      /* where the statement's name stood first */
    struct conf_word *values; /* a list entry's key, a leaf's value, a leaf-list's values */
    uint32_t n_values, room;
    struct conf_comments comments; /* in front of the statement */
    struct conf_comments tail;     /* in front of the closing brace */
    bool inactive;
    bool damaged; /* something below it was refused: say nothing of what is missing here */
};

struct conf_tree {
    struct arena *arena;
    const char *file;
    struct conf_node *root;
    struct conf_node **index; /* by parent, schema and key */
    size_t n_buckets, n_nodes;
};

/* An empty tree in the arena; it ends with the arena. */
struct conf_tree *conf_tree_new(struct arena *arena, const char *file) MUST_USE;
/* The child with that schema and key (key NULL unless a list), active or not; or NULL. */
struct conf_node *conf_node_find(const struct conf_tree *t, const struct conf_node *parent,
                                 const struct conf_schema *schema, const char *key);
/* The same, made when absent; NULL when CONF_NODES_MAX is reached. */
struct conf_node *conf_node_get(struct conf_tree *t, struct conf_node *parent,
                                const struct conf_schema *schema, const struct conf_word *key,
                                struct conf_pos pos);
/* Appends a value to the list of values (text is not copied). */
void conf_node_add_value(struct conf_tree *t, struct conf_node *node, struct conf_word value);
/* Moves comments behind those that are there already. */
void conf_comments_move(struct conf_comments *to, struct conf_comments *from);
/* Takes a node and all below it out of the tree. */
void conf_node_remove(struct conf_tree *t, struct conf_node *node);

/* Reading. These pass over what is inactive, and take NULL as an empty node. */
const struct conf_node *conf_child(const struct conf_node *parent, const char *name);
const struct conf_node *conf_next(const struct conf_node *node); /* next entry of the same list */
size_t conf_count(const struct conf_node *parent, const char *name);
/* From the top; `path` names, without list keys: {"security", "group-vpn", "server", NULL}. */
const struct conf_node *conf_at(const struct conf_tree *t, const char *const *path);
/* The `server` or `member` statement; NULL when absent or inactive. */
const struct conf_node *conf_server(const struct conf_tree *t);
const struct conf_node *conf_member(const struct conf_tree *t);
/* The first value as text ("" without one); of a child, its default when it is absent (NULL without
 * one). */
const char *conf_text(const struct conf_node *node);
const char *conf_child_text(const struct conf_node *parent, const char *name);
/* A number child, or its default, or 0. Only of trees without errors. */
uint32_t conf_child_number(const struct conf_node *parent, const char *name);
/* The row of a choice child or of its default; NULL when neither is valid. */
const struct conf_choice *conf_child_choice(const struct conf_node *parent, const char *name);
/* The entry of a reference's list that a value names (active only), or NULL. */
const struct conf_node *conf_referenced(const struct conf_tree *t, const struct conf_node *node,
                                        const char *value);

/* "security group-vpn server group grp1 group-id", in the arena. */
const char *conf_path(struct arena *arena, const struct conf_node *node) MUST_USE;
/* Same statements, values and activity; secrets are compared as they read in clear; comments are
 * not. */
bool conf_tree_equal(const struct conf_tree *a, const struct conf_tree *b);

/* The strict forms of values. False leaves *ret alone. */
MUST_USE bool conf_parse_number(const char *text, uint32_t *ret);
/* In milliseconds; of the two forms, seconds and "NNNms"; no range is checked but that of the type.
 */
MUST_USE bool conf_parse_window(const char *text, uint32_t *ret_ms, bool *ret_in_ms);
