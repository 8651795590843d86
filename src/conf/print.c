#include "conf/print.h"

#include "conf/lexer.h"
#include "conf/secret9.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct printer {
    struct arena *arena; /* of the result */
    struct arena words;  /* of single words, freed at the end */
    enum conf_secrets secrets;
    char *text;
    size_t len, room;
};

/* ---- text that grows ---- */

static void put(struct printer *p, const char *text)
{
    size_t len = strlen(text);

    if (p->len + len + 1 > p->room) {
        p->room = 2 * (p->len + len + 1);
        char *more = arena_alloc(p->arena, p->room);
        if (p->len > 0)
            memcpy(more, p->text, p->len);
        p->text = more;
    }
    memcpy(p->text + p->len, text, len + 1);
    p->len += len;
}

static void indent(struct printer *p, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        put(p, "    ");
}

static struct printer begin(enum conf_secrets secrets, struct arena *arena)
{
    struct printer p = {.arena = arena, .secrets = secrets};
    put(&p, "");
    return p;
}

static const char *finish(struct printer *p)
{
    arena_free(&p->words);
    return p->text;
}

/* ---- words ---- */

/* A secret that is $9$ already keeps its letters. */
static const char *secret_word(struct printer *p, const char *text)
{
    if (p->secrets == CONF_SECRETS_MASKED)
        return "/* SECRET-DATA */";
    if (!conf_secret9_decode(&p->words, text))
        text = conf_secret9_encode(&p->words, text);
    return conf_word_quoted(&p->words, text);
}

static void put_word(struct printer *p, const struct conf_schema *s, const char *text)
{
    put(p, " ");
    if (conf_schema_is_secret(s))
        put(p, secret_word(p, text));
    else if (s->type == CONF_T_TEXT)
        put(p, conf_word_quoted(&p->words, text));
    else
        put(p, conf_word_printed(&p->words, text));
}

/* ---- curly ---- */

/* An old key in a comment cannot be told from other words. */
static bool shows(const struct printer *p, const struct conf_comments *comments)
{
    return comments->first && p->secrets != CONF_SECRETS_MASKED;
}

static bool is_entry_of_leaves(const struct printer *p, const struct conf_node *n)
{
    for (const struct conf_node *c = n->first; c; c = c->next) {
        if (c->inactive || c->first || shows(p, &c->comments) || c->schema->kind == CONF_CONTAINER)
            return false;
    }
    return n->first && !shows(p, &n->tail);
}

static void put_comments(struct printer *p, const struct conf_comments *comments, unsigned depth)
{
    if (!shows(p, comments))
        return;
    for (const struct conf_comment *c = comments->first; c; c = c->next) {
        indent(p, depth);
        put(p, c->mark == '#' ? "#" : "/*");
        put(p, c->text);
        put(p, c->mark == '#' ? "\n" : "*/\n");
    }
}

static void put_name_and_values(struct printer *p, const struct conf_node *n)
{
    bool brackets = n->schema->kind == CONF_LEAF_LIST && n->n_values > 1;

    put(p, n->schema->name);
    put(p, brackets ? " [" : "");
    for (uint32_t i = 0; i < n->n_values; i++)
        put_word(p, n->schema, n->values[i].text);
    put(p, brackets ? " ]" : "");
}

static bool ends_with_secret(const struct conf_node *n)
{
    return conf_schema_is_secret(n->schema) || (n->last && conf_schema_is_secret(n->last->schema));
}

static void put_end(struct printer *p, const struct conf_node *n)
{
    bool mark = p->secrets == CONF_SECRETS_9 && ends_with_secret(n);
    put(p, mark ? "; ## SECRET-DATA\n" : ";\n");
}

static void put_one_line(struct printer *p, const struct conf_node *n)
{
    for (const struct conf_node *c = n->first; c; c = c->next) {
        put(p, " ");
        put_name_and_values(p, c);
    }
    put_end(p, n);
}

static void put_statement(struct printer *p, const struct conf_node *n, unsigned depth)
{
    put_comments(p, &n->comments, depth);
    indent(p, depth);
    put(p, n->inactive ? "inactive: " : "");
    put_name_and_values(p, n);
    if (n->schema->one_line && is_entry_of_leaves(p, n)) {
        put_one_line(p, n);
        return;
    }
    if (!n->first && !shows(p, &n->tail)) {
        put_end(p, n);
        return;
    }
    put(p, " {\n");
    for (const struct conf_node *c = n->first; c; c = c->next)
        put_statement(p, c, depth + 1);
    put_comments(p, &n->tail, depth + 1);
    indent(p, depth);
    put(p, "}\n");
}

const char *conf_print_curly(const struct conf_tree *t, enum conf_secrets secrets,
                             struct arena *arena)
{
    struct printer p = begin(secrets, arena);

    for (const struct conf_node *n = t->root->first; n; n = n->next)
        put_statement(&p, n, 0);
    put_comments(&p, &t->root->tail, 0);
    return finish(&p);
}

const char *conf_print_statement(const struct conf_node *n, enum conf_secrets secrets,
                                 struct arena *arena)
{
    struct printer p = begin(secrets, arena);

    put_statement(&p, n, 0);
    return finish(&p);
}

/* ---- set lines ---- */

static void put_path(struct printer *p, const struct conf_node *n)
{
    if (n->parent->parent)
        put_path(p, n->parent);
    put(p, " ");
    put(p, n->schema->name);
    if (n->schema->kind == CONF_LIST)
        put_word(p, n->schema, n->values[0].text);
}

static void put_line(struct printer *p, const char *command, const struct conf_node *n,
                     const char *value)
{
    put(p, command);
    put_path(p, n);
    if (value)
        put_word(p, n->schema, value);
    put(p, value && p->secrets == CONF_SECRETS_9 && conf_schema_is_secret(n->schema)
               ? " ## SECRET-DATA\n"
               : "\n");
}

/* A statement with others below it is set by them; it needs a line of its own only to be
 * deactivated. */
static void put_lines(struct printer *p, const struct conf_node *n)
{
    bool values = n->schema->kind == CONF_LEAF || n->schema->kind == CONF_LEAF_LIST;

    for (uint32_t i = 0; values && i < n->n_values; i++)
        put_line(p, "set", n, n->values[i].text);
    if (!values && !n->first)
        put_line(p, "set", n, NULL);
    for (const struct conf_node *c = n->first; c; c = c->next)
        put_lines(p, c);
    if (n->inactive)
        put_line(p, "deactivate", n, NULL);
}

const char *conf_print_set(const struct conf_tree *t, enum conf_secrets secrets,
                           struct arena *arena)
{
    struct printer p = begin(secrets, arena);

    for (const struct conf_node *n = t->root->first; n; n = n->next)
        put_lines(&p, n);
    return finish(&p);
}
