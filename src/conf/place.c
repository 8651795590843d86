#include "conf/place.h"

#include "conf/lexer.h"

#include <string.h>

enum { FOREIGN_MAX = 64 };

struct conf_foreign {
    const struct conf_foreign *next;
    const char *path;
};

/* The way through one statement. */
struct walk {
    struct conf_placer *p;
    const struct conf_stmt *s;
    size_t i;             /* the next word */
    struct conf_node *at; /* the container we are in */
    struct conf_placed result;
};

static const char *shown(struct conf_placer *p, const struct conf_word *w)
{
    return conf_word_escaped(p->arena, w->text);
}

static const char *path_of(struct conf_placer *p, const struct conf_node *n)
{
    return conf_path(p->arena, n);
}

static const char *path_with(struct conf_placer *p, const struct conf_node *n, const char *more)
{
    const char *path = path_of(p, n);
    return arena_text(p->arena, "%s%s%s", path, path[0] == '\0' ? "" : " ", more);
}

const char *conf_expected_children(struct arena *arena, const struct conf_schema *s)
{
    const char *text = "";

    for (const struct conf_schema *c = s->children; c && c->name; c++)
        text = arena_text(arena, "%s%s%s", text,
                          c == s->children ? ""
                          : c[1].name      ? ", "
                                           : " or ",
                          c->name);
    return text;
}

/* ---- statements that are not in the schema ---- */

static bool reported_before(struct conf_placer *p, const char *path)
{
    for (const struct conf_foreign *f = p->foreign; f; f = f->next) {
        if (strcmp(f->path, path) == 0)
            return true;
    }
    if (p->n_foreign == FOREIGN_MAX)
        return true;
    struct conf_foreign *f = arena_alloc(p->arena, sizeof *f);
    f->path = path;
    f->next = p->foreign;
    p->foreign = f;
    p->n_foreign++;
    return false;
}

static enum conf_placing foreign(struct walk *w, const struct conf_word *word)
{
    const char *near = conf_schema_nearest_child(w->at->schema, word->text);
    const char *path = path_with(w->p, w->at, conf_word_printed(w->p->arena, word->text));

    if (reported_before(w->p, path))
        return CONF_FOREIGN;
    conf_diag(w->p->diags, near ? CONF_WARNING : CONF_NOTE, word->pos, path,
              "not a hierarchy of Conclave, skipped%s%s%s", near ? "; did you mean '" : "",
              near ? near : "", near ? "'?" : "");
    return CONF_FOREIGN;
}

/* Everything outside `security group-vpn` belongs to other programs. */
static bool is_outside(const struct conf_schema *s)
{
    return s == conf_schema_root() || s == conf_schema_root()->children;
}

static enum conf_placing unknown(struct walk *w, const struct conf_word *word)
{
    struct conf_placer *p = w->p;
    const struct conf_schema *s = w->at->schema;
    const char *expected = conf_expected_children(p->arena, s);

    if (is_outside(s))
        return foreign(w, word);
    if (conf_schema_hides(s)) {
        conf_diag(p->diags, CONF_ERROR, word->pos, path_of(p, w->at),
                  "unknown statement (not shown), expected %s", expected);
        return CONF_REFUSED;
    }
    const char *near = conf_schema_nearest_child(s, word->text);
    const char *path = path_with(p, w->at, conf_word_printed(p->arena, word->text));
    if (near)
        conf_diag(p->diags, CONF_ERROR, word->pos, path, "unknown statement, did you mean '%s'?",
                  near);
    else
        conf_diag(p->diags, CONF_ERROR, word->pos, path, "unknown statement, expected %s",
                  expected);
    return CONF_REFUSED;
}

/* ---- one step for each kind ---- */

static bool in_list(const struct conf_stmt *s, size_t i)
{
    return i >= s->list_at && i < s->list_at + s->list_n;
}

static struct conf_node *get(struct walk *w, const struct conf_schema *schema,
                             const struct conf_word *key, struct conf_pos pos)
{
    struct conf_node *n = conf_node_get(w->p->tree, w->at, schema, key, pos);

    if (!n) {
        conf_diag(w->p->diags, CONF_ERROR, pos, path_with(w->p, w->at, schema->name),
                  "too many statements, expected at most %d", CONF_NODES_MAX);
        return NULL;
    }
    if (!w->result.outer)
        w->result.outer = n;
    w->result.inner = n;
    return n;
}

/* The place behind the last word of the statement is unknown here; the statement's name must do. */
static enum conf_placing no_value(struct walk *w, const struct conf_schema *schema)
{
    const struct conf_word *name = &w->s->words[w->i - 1];

    conf_diag(w->p->diags, CONF_ERROR, name->pos, path_with(w->p, w->at, schema->name),
              "has no %s, expected one: %s", schema->kind == CONF_LIST ? "name" : "value",
              schema->help);
    return CONF_REFUSED;
}

static enum conf_placing not_a_list(struct walk *w, const struct conf_schema *schema)
{
    conf_diag(w->p->diags, CONF_ERROR, w->s->words[w->i].pos, path_with(w->p, w->at, schema->name),
              "takes one value, not a list in [ ]");
    return CONF_REFUSED;
}

/* An entry with children becomes the container of what follows. One without may be given as a list
 * in [ ]. */
static enum conf_placing step_list(struct walk *w, const struct conf_schema *schema)
{
    struct conf_pos pos = w->s->words[w->i - 1].pos;
    bool many = in_list(w->s, w->i);

    if (w->i == w->s->n)
        return no_value(w, schema);
    if (many && schema->children)
        return not_a_list(w, schema);
    do {
        const struct conf_word *key = &w->s->words[w->i++];
        struct conf_node *n = get(w, schema, key, many ? key->pos : pos);
        if (!n)
            return CONF_REFUSED;
        if (schema->children)
            w->at = n;
    } while (many && in_list(w->s, w->i));
    return CONF_PLACED;
}

static enum conf_placing step_leaf(struct walk *w, const struct conf_schema *schema)
{
    struct conf_pos pos = w->s->words[w->i - 1].pos;

    if (w->i == w->s->n)
        return no_value(w, schema);
    if (in_list(w->s, w->i))
        return not_a_list(w, schema);
    const struct conf_word *value = &w->s->words[w->i++];
    struct conf_node *n = get(w, schema, NULL, pos);
    if (!n)
        return CONF_REFUSED;
    if (n->n_values == 0) {
        conf_node_add_value(w->p->tree, n, *value);
        return CONF_PLACED;
    }
    if (strcmp(n->values[0].text, value->text) != 0)
        conf_diag(w->p->diags, CONF_WARNING, pos, path_of(w->p, n),
                  "stated before in line %u; this value replaces that one", n->pos.line);
    n->pos = pos;
    n->values[0] = *value;
    return CONF_PLACED;
}

static bool has_value(const struct conf_node *n, const char *text)
{
    for (uint32_t i = 0; i < n->n_values; i++) {
        if (strcmp(n->values[i].text, text) == 0)
            return true;
    }
    return false;
}

static enum conf_placing step_leaf_list(struct walk *w, const struct conf_schema *schema)
{
    struct conf_pos pos = w->s->words[w->i - 1].pos;
    bool many = in_list(w->s, w->i);

    if (w->i == w->s->n)
        return no_value(w, schema);
    struct conf_node *n = get(w, schema, NULL, pos);
    if (!n)
        return CONF_REFUSED;
    do {
        const struct conf_word *value = &w->s->words[w->i++];
        if (!has_value(n, value->text))
            conf_node_add_value(w->p->tree, n, *value);
    } while (many && in_list(w->s, w->i));
    return CONF_PLACED;
}

static enum conf_placing step(struct walk *w)
{
    const struct conf_word *word = &w->s->words[w->i];
    const struct conf_schema *schema = conf_schema_child(w->at->schema, word->text);

    if (in_list(w->s, w->i)) {
        conf_diag(w->p->diags, CONF_ERROR, word->pos, path_of(w->p, w->at),
                  "unexpected list in [ ], expected a statement");
        return CONF_REFUSED;
    }
    if (!schema)
        return unknown(w, word);
    w->i++;
    switch (schema->kind) {
    case CONF_LIST:
        return step_list(w, schema);
    case CONF_LEAF:
        return step_leaf(w, schema);
    case CONF_LEAF_LIST:
        return step_leaf_list(w, schema);
    case CONF_CONTAINER:
    case CONF_FLAG:
        break;
    }
    struct conf_node *n = get(w, schema, NULL, word->pos);
    if (!n)
        return CONF_REFUSED;
    if (schema->kind == CONF_CONTAINER)
        w->at = n;
    return CONF_PLACED;
}

/* In braces a leaf ends its statement; a second word there is most often a forgotten semicolon. */
static bool may_follow(struct walk *w)
{
    const struct conf_node *last = w->result.inner;

    if (w->i == 0 || !last || last == w->at || w->s->set_form || w->at->schema->one_line)
        return true;
    const struct conf_word *word = &w->s->words[w->i];
    bool hide = conf_schema_hides(last->schema);
    conf_diag(w->p->diags, CONF_ERROR, word->pos, path_of(w->p, last),
              "unexpected %s%s%s, expected ';' before it", hide ? "word (not shown)" : "'",
              hide ? "" : shown(w->p, word), hide ? "" : "'");
    return false;
}

/* ---- finding what is there ---- */

static struct conf_node *locate_step(struct conf_placer *p, const struct conf_stmt *s, size_t *i,
                                     const struct conf_node *at)
{
    const struct conf_schema *schema = conf_schema_child(at->schema, s->words[*i].text);

    if (!schema)
        return NULL;
    ++*i;
    if (schema->kind != CONF_LIST)
        return conf_node_find(p->tree, at, schema, NULL);
    if (*i == s->n)
        return NULL;
    return conf_node_find(p->tree, at, schema, s->words[(*i)++].text);
}

/* What a broken statement would have said is unknown; where it belongs is remembered. */
static struct conf_placed broken(struct conf_placer *p, struct conf_node *at,
                                 const struct conf_stmt *s)
{
    struct conf_node *next = at;

    for (size_t i = s->set_form ? 1 : 0; next && i < s->n && next->schema->children;) {
        at = next;
        next = locate_step(p, s, &i, at);
    }
    (next && next->schema->children ? next : at)->damaged = true;
    return (struct conf_placed){.how = CONF_REFUSED};
}

struct conf_placed conf_place(struct conf_placer *p, struct conf_node *at,
                              const struct conf_stmt *s)
{
    struct walk w = {.p = p, .s = s, .at = at, .i = s->set_form ? 1 : 0};

    if (s->broken)
        return broken(p, at, s);
    while (w.result.how == CONF_PLACED && w.i < s->n)
        w.result.how = may_follow(&w) ? step(&w) : CONF_REFUSED;
    w.at->damaged = w.at->damaged || w.result.how == CONF_REFUSED;
    return w.result;
}

static struct conf_node *locate(struct conf_placer *p, const struct conf_stmt *s, size_t *ret_i)
{
    struct conf_node *at = p->tree->root;
    size_t i = 1;

    while (i < s->n && at->schema->children) {
        struct conf_node *next = locate_step(p, s, &i, at);
        if (!next && i < s->n && is_outside(at->schema))
            return NULL;
        if (!next) {
            conf_diag(p->diags, CONF_WARNING, s->pos, "",
                      "there is no such statement, nothing to %s", s->words[0].text);
            return NULL;
        }
        at = next;
    }
    *ret_i = i;
    return at;
}

struct conf_node *conf_locate(struct conf_placer *p, const struct conf_stmt *s)
{
    size_t i;
    return locate(p, s, &i);
}

static void remove_value(struct conf_node *n, const char *text)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n->n_values; i++) {
        if (strcmp(n->values[i].text, text) != 0)
            n->values[kept++] = n->values[i];
    }
    n->n_values = kept;
}

void conf_delete(struct conf_placer *p, const struct conf_stmt *s)
{
    size_t i;
    struct conf_node *n = locate(p, s, &i);

    if (!n)
        return;
    if (n->schema->kind == CONF_LEAF_LIST && i < s->n)
        remove_value(n, s->words[i].text);
    if (n->schema->kind != CONF_LEAF_LIST || i == s->n || n->n_values == 0)
        conf_node_remove(p->tree, n);
}
