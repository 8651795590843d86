#include "conf/tree.h"

#include "conf/lexer.h"
#include "conf/secret9.h"

#include <assert.h>
#include <string.h>

enum { BUCKETS_FIRST = 64 };

static const char *key_of(const struct conf_node *n)
{
    return n->schema->kind == CONF_LIST && n->n_values > 0 ? n->values[0].text : NULL;
}

/* ---- index ---- */

/* FNV-1a. The order of the index is never seen, so the addresses in it do no harm. */
static uint64_t mix(uint64_t h, const void *data, size_t len)
{
    const uint8_t *p = data;

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h;
}

static size_t bucket_of(const struct conf_tree *t, const struct conf_node *parent,
                        const struct conf_schema *schema, const char *key)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    h = mix(h, &parent, sizeof parent);
    h = mix(h, &schema, sizeof schema);
    if (key)
        h = mix(h, key, strlen(key));
    return (size_t)(h ^ h >> 32) % t->n_buckets;
}

static void index_put(struct conf_tree *t, struct conf_node *n)
{
    size_t b = bucket_of(t, n->parent, n->schema, key_of(n));
    n->chain = t->index[b];
    t->index[b] = n;
}

static void index_remove(struct conf_tree *t, const struct conf_node *n)
{
    struct conf_node **at = &t->index[bucket_of(t, n->parent, n->schema, key_of(n))];

    while (*at != n)
        at = &(*at)->chain;
    *at = n->chain;
}

/* The old table stays in the arena: all of them together are as large as the last one. */
static void index_grow(struct conf_tree *t)
{
    struct conf_node **old = t->index;
    size_t n_old = t->n_buckets;

    t->n_buckets = n_old * 2;
    t->index = arena_alloc(t->arena, t->n_buckets * sizeof(struct conf_node *));
    for (size_t i = 0; i < n_old; i++) {
        for (struct conf_node *n = old[i], *next; n; n = next) {
            next = n->chain;
            index_put(t, n);
        }
    }
}

/* ---- building ---- */

struct conf_tree *conf_tree_new(struct arena *arena, const char *file)
{
    struct conf_tree *t = arena_alloc(arena, sizeof *t);

    t->arena = arena;
    t->file = arena_text(arena, "%s", file);
    t->n_buckets = BUCKETS_FIRST;
    t->index = arena_alloc(arena, t->n_buckets * sizeof(struct conf_node *));
    t->root = arena_alloc(arena, sizeof *t->root);
    t->root->schema = conf_schema_root();
    return t;
}

struct conf_node *conf_node_find(const struct conf_tree *t, const struct conf_node *parent,
                                 const struct conf_schema *schema, const char *key)
{
    struct conf_node *n = t->index[bucket_of(t, parent, schema, key)];

    for (; n; n = n->chain) {
        if (n->parent == parent && n->schema == schema &&
            (!key || strcmp(n->values[0].text, key) == 0))
            return n;
    }
    return NULL;
}

/* Rows of one table have addresses in the order of the table. */
static void link_in_order(struct conf_node *parent, struct conf_node *n)
{
    struct conf_node *after = parent->last;

    while (after && after->schema > n->schema)
        after = after->prev;
    n->prev = after;
    n->next = after ? after->next : parent->first;
    *(n->prev ? &n->prev->next : &parent->first) = n;
    *(n->next ? &n->next->prev : &parent->last) = n;
}

struct conf_node *conf_node_get(struct conf_tree *t, struct conf_node *parent,
                                const struct conf_schema *schema, const struct conf_word *key,
                                struct conf_pos pos)
{
    struct conf_node *n = conf_node_find(t, parent, schema, key ? key->text : NULL);

    assert((key != NULL) == (schema->kind == CONF_LIST));
    if (n || t->n_nodes == CONF_NODES_MAX)
        return n;
    n = arena_alloc(t->arena, sizeof *n);
    n->schema = schema;
    n->parent = parent;
    n->pos = pos;
    if (key)
        conf_node_add_value(t, n, *key);
    if (++t->n_nodes > t->n_buckets)
        index_grow(t);
    index_put(t, n);
    link_in_order(parent, n);
    return n;
}

void conf_node_add_value(struct conf_tree *t, struct conf_node *node, struct conf_word value)
{
    if (node->n_values == node->room) {
        uint32_t room = node->room == 0 ? 1 : node->room * 2;
        struct conf_word *values = arena_alloc(t->arena, room * sizeof *values);
        if (node->n_values > 0)
            memcpy(values, node->values, node->n_values * sizeof *values);
        node->values = values;
        node->room = room;
    }
    node->values[node->n_values++] = value;
}

void conf_comments_move(struct conf_comments *to, struct conf_comments *from)
{
    if (!from->first)
        return;
    *(to->last ? &to->last->next : &to->first) = from->first;
    to->last = from->last;
    *from = (struct conf_comments){0};
}

void conf_node_remove(struct conf_tree *t, struct conf_node *node)
{
    while (node->first)
        conf_node_remove(t, node->first);
    index_remove(t, node);
    *(node->prev ? &node->prev->next : &node->parent->first) = node->next;
    *(node->next ? &node->next->prev : &node->parent->last) = node->prev;
    t->n_nodes--;
}

/* ---- reading ---- */

const struct conf_node *conf_child(const struct conf_node *parent, const char *name)
{
    for (const struct conf_node *n = parent ? parent->first : NULL; n; n = n->next) {
        if (!n->inactive && strcmp(n->schema->name, name) == 0)
            return n;
    }
    return NULL;
}

const struct conf_node *conf_next(const struct conf_node *node)
{
    for (const struct conf_node *n = node->next; n && n->schema == node->schema; n = n->next) {
        if (!n->inactive)
            return n;
    }
    return NULL;
}

size_t conf_count(const struct conf_node *parent, const char *name)
{
    size_t n = 0;

    for (const struct conf_node *at = conf_child(parent, name); at; at = conf_next(at))
        n++;
    return n;
}

const struct conf_node *conf_at(const struct conf_tree *t, const char *const *path)
{
    const struct conf_node *n = t->root;

    for (; n && *path; path++)
        n = conf_child(n, *path);
    return n;
}

const struct conf_node *conf_server(const struct conf_tree *t)
{
    static const char *const path[] = {"security", "group-vpn", "server", NULL};
    return conf_at(t, path);
}

const struct conf_node *conf_member(const struct conf_tree *t)
{
    static const char *const path[] = {"security", "group-vpn", "member", NULL};
    return conf_at(t, path);
}

const char *conf_text(const struct conf_node *node)
{
    return node && node->n_values > 0 ? node->values[0].text : "";
}

const char *conf_child_text(const struct conf_node *parent, const char *name)
{
    const struct conf_node *n = conf_child(parent, name);

    if (n)
        return conf_text(n);
    const struct conf_schema *s = parent ? conf_schema_child(parent->schema, name) : NULL;
    return s ? s->dflt : NULL;
}

uint32_t conf_child_number(const struct conf_node *parent, const char *name)
{
    const char *text = conf_child_text(parent, name);
    uint32_t n = 0;

    return text && conf_parse_number(text, &n) ? n : 0;
}

const struct conf_choice *conf_child_choice(const struct conf_node *parent, const char *name)
{
    const char *text = conf_child_text(parent, name);

    return text ? conf_schema_choice(conf_schema_child(parent->schema, name), text) : NULL;
}

const struct conf_node *conf_referenced(const struct conf_tree *t, const struct conf_node *node,
                                        const char *value)
{
    const struct conf_node *side = node;

    while (side->schema->children != conf_schema_server &&
           side->schema->children != conf_schema_member)
        side = side->parent;
    const struct conf_node *container = conf_child(side, node->schema->ref_container);
    if (!container)
        return NULL;
    const struct conf_node *entry = conf_node_find(
        t, container, conf_schema_child(container->schema, node->schema->ref_list), value);
    return entry && !entry->inactive ? entry : NULL;
}

const char *conf_path(struct arena *arena, const struct conf_node *node)
{
    if (!node->parent)
        return "";
    const char *above = conf_path(arena, node->parent);
    const char *key = key_of(node);
    return arena_text(arena, "%s%s%s%s%s", above, above[0] == '\0' ? "" : " ", node->schema->name,
                      key ? " " : "", key ? conf_word_printed(arena, key) : "");
}

/* ---- comparing ---- */

static bool value_equal(const struct conf_schema *s, const char *a, const char *b)
{
    if (!conf_schema_is_secret(s))
        return strcmp(a, b) == 0;

    struct arena scratch = {0};
    const char *clear_a = conf_secret9_decode(&scratch, a);
    const char *clear_b = conf_secret9_decode(&scratch, b);
    bool equal = strcmp(clear_a ? clear_a : a, clear_b ? clear_b : b) == 0;
    arena_free(&scratch);
    return equal;
}

static bool node_equal(const struct conf_node *a, const struct conf_node *b)
{
    if (a->schema != b->schema || a->inactive != b->inactive || a->n_values != b->n_values)
        return false;
    for (uint32_t i = 0; i < a->n_values; i++) {
        if (!value_equal(a->schema, a->values[i].text, b->values[i].text))
            return false;
    }
    const struct conf_node *x = a->first, *y = b->first;
    for (; x && y; x = x->next, y = y->next) {
        if (!node_equal(x, y))
            return false;
    }
    return !x && !y;
}

bool conf_tree_equal(const struct conf_tree *a, const struct conf_tree *b)
{
    return node_equal(a->root, b->root);
}

/* ---- values ---- */

MUST_USE static bool digits(const char *text, size_t len, uint32_t *ret)
{
    uint64_t n = 0;

    if (len == 0 || len > 10)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        n = n * 10 + (unsigned)(text[i] - '0');
    }
    if (n > UINT32_MAX)
        return false;
    *ret = (uint32_t)n;
    return true;
}

bool conf_parse_number(const char *text, uint32_t *ret) { return digits(text, strlen(text), ret); }

bool conf_parse_window(const char *text, uint32_t *ret_ms, bool *ret_in_ms)
{
    size_t len = strlen(text);
    bool in_ms = len > 2 && strcmp(text + len - 2, "ms") == 0;
    uint32_t n;

    if (!digits(text, in_ms ? len - 2 : len, &n) || (!in_ms && n > UINT32_MAX / 1000))
        return false;
    *ret_ms = in_ms ? n : n * 1000;
    *ret_in_ms = in_ms;
    return true;
}
