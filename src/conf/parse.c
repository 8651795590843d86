#include "conf/parse.h"

#include "conf/lexer.h"
#include "conf/place.h"

#include <string.h>

struct parser {
    struct conf_lexer lx;
    struct conf_token tok; /* the next one that is neither comment nor broken */
    struct conf_placer place;
    struct conf_diags *diags;
    struct arena *arena;
    struct conf_comments pending; /* read and not yet given to a statement */
    bool ended_in_block;
    struct conf_pos broken; /* the first broken token since this was cleared, line 0: none */
};

/* ---- tokens ---- */

/* Junos's own marks are not the operator's comments: "## SECRET-DATA", "## Last changed", a masked
 * secret. */
static bool is_mark_of_junos(const struct conf_token *t)
{
    return (t->mark == '#' && t->text[0] == '#') ||
           (t->mark == '*' && strcmp(t->text, " SECRET-DATA ") == 0);
}

static void keep_comment(struct parser *p, const struct conf_token *t)
{
    if (is_mark_of_junos(t))
        return;
    struct conf_comment *c = arena_alloc(p->arena, sizeof *c);
    *c = (struct conf_comment){.text = t->text, .mark = t->mark};
    conf_comments_move(&p->pending, &(struct conf_comments){c, c});
}

static void advance(struct parser *p)
{
    for (;;) {
        p->tok = conf_lexer_next(&p->lx);
        if (p->tok.kind == CONF_TOK_COMMENT) {
            keep_comment(p, &p->tok);
        } else if (p->tok.kind == CONF_TOK_BAD) {
            conf_diag(p->diags, CONF_ERROR, p->tok.pos, "", "%s", p->tok.text);
            if (p->broken.line == 0)
                p->broken = p->tok.pos;
        } else {
            return;
        }
    }
}

static struct conf_comments take_comments(struct parser *p)
{
    struct conf_comments taken = {0};

    conf_comments_move(&taken, &p->pending);
    return taken;
}

static bool at_word(const struct parser *p) { return p->tok.kind == CONF_TOK_WORD; }
static bool at_end(const struct parser *p) { return p->tok.kind == CONF_TOK_END; }
static bool at_mark(const struct parser *p, char mark)
{
    return p->tok.kind == CONF_TOK_MARK && p->tok.mark == mark;
}

static void syntax_error(struct parser *p, const struct conf_node *at, struct conf_stmt *s,
                         const char *text)
{
    conf_diag(p->diags, CONF_ERROR, p->tok.pos, at ? conf_path(p->arena, at) : "", "%s", text);
    s->broken = true;
}

/* ---- the words of one statement ---- */

static bool statement_ends(const struct parser *p, const struct conf_stmt *s)
{
    if (at_end(p))
        return true;
    if (s->set_form)
        return p->tok.pos.line != s->pos.line;
    return at_mark(p, ';') || at_mark(p, '{') || at_mark(p, '}');
}

static void add_word(struct parser *p, struct conf_stmt *s)
{
    if (s->n == CONF_WORDS_MAX) {
        if (!s->broken)
            syntax_error(p, NULL, s, "too many words in one statement, expected at most 64");
        return;
    }
    s->words[s->n++] = (struct conf_word){.text = p->tok.text, .pos = p->tok.pos};
}

static void collect_list(struct parser *p, struct conf_stmt *s)
{
    struct conf_pos open = p->tok.pos;

    if (s->list_n > 0)
        syntax_error(p, NULL, s, "second list in one statement, expected ';'");
    s->list_at = s->n;
    advance(p);
    while (at_word(p) && !statement_ends(p, s)) {
        add_word(p, s);
        advance(p);
    }
    s->list_n = s->n - s->list_at;
    if (!at_mark(p, ']') || statement_ends(p, s)) {
        conf_diag(p->diags, CONF_ERROR, open, "",
                  "list is never closed, expected ] after its last word");
        s->broken = true;
        return;
    }
    if (s->list_n == 0)
        syntax_error(p, NULL, s, "empty list, expected at least one word in [ ]");
    advance(p);
}

static void collect(struct parser *p, struct conf_stmt *s)
{
    p->broken = (struct conf_pos){0};
    while (!statement_ends(p, s)) {
        if (at_mark(p, '[')) {
            collect_list(p, s);
        } else if (at_word(p)) {
            add_word(p, s);
            advance(p);
        } else {
            const char *text = arena_text(p->arena, "unexpected '%c'%s", p->tok.mark,
                                          s->set_form ? " in a line of the set form" : "");
            syntax_error(p, NULL, s, text);
            advance(p);
        }
    }
    if (s->list_n == 0)
        s->list_at = s->n;
    if (p->broken.line > 0 && (!s->set_form || p->broken.line == s->pos.line))
        s->broken = true;
}

/* ---- lines: set, delete, activate, deactivate ---- */

static bool word_is_one_of(const struct parser *p, const char *const *words)
{
    for (; at_word(p) && !p->tok.quoted && *words; words++) {
        if (strcmp(p->tok.text, *words) == 0)
            return true;
    }
    return false;
}

static const char *const line_commands[] = {"set", "delete", "activate", "deactivate", NULL};
static const char *const other_commands[] = {
    "edit",   "top",       "up",       "exit",   "quit",     "annotate", "insert",
    "rename", "copy",      "replace",  "load",   "show",     "commit",   "protect",
    "run",    "unprotect", "rollback", "status", "wildcard", NULL};

static void carry_out_line(struct parser *p, struct conf_stmt *s, struct conf_comments *comments)
{
    const char *command = s->words[0].text;

    if (s->broken)
        return;
    if (s->n == 1) {
        conf_diag(p->diags, CONF_ERROR, s->pos, "", "'%s' names no statement, expected its path",
                  command);
        return;
    }
    if (strcmp(command, "set") == 0) {
        struct conf_placed placed = conf_place(&p->place, p->place.tree->root, s);
        if (placed.how == CONF_PLACED)
            conf_comments_move(&placed.inner->comments, comments);
        return;
    }
    if (strcmp(command, "delete") == 0) {
        conf_delete(&p->place, s);
        return;
    }
    struct conf_node *n = conf_locate(&p->place, s);
    if (n)
        n->inactive = strcmp(command, "deactivate") == 0;
}

static void parse_line(struct parser *p)
{
    struct conf_stmt s = {.pos = p->tok.pos, .set_form = true};
    struct conf_comments comments = take_comments(p);
    bool known = word_is_one_of(p, line_commands);

    if (!known)
        syntax_error(
            p, NULL, &s,
            arena_text(p->arena,
                       "'%s' has no place in a file, expected set, delete, activate or deactivate",
                       p->tok.text));
    collect(p, &s);
    carry_out_line(p, &s, &comments);
}

/* ---- statements in braces ---- */

/* Of blocks within each other that are all open at the end, the innermost is named. */
static void never_closed(struct parser *p, struct conf_node *at, struct conf_pos open)
{
    if (at)
        at->damaged = true;
    if (p->ended_in_block)
        return;
    p->ended_in_block = true;
    conf_diag(p->diags, CONF_ERROR, open, at ? conf_path(p->arena, at) : "",
              "'{' is never closed, expected a '}' for it");
}

static void skip_block(struct parser *p, struct conf_pos open)
{
    size_t depth = 0;

    do {
        depth += at_mark(p, '{');
        depth -= at_mark(p, '}');
        if (at_end(p)) {
            never_closed(p, NULL, open);
            return;
        }
        advance(p);
    } while (depth > 0);
}

/* Prefixes that Junos puts in front of a statement. replace: and delete: belong to `load`. */
static bool parse_prefixes(struct parser *p, struct conf_stmt *s)
{
    static const char *const prefixes[] = {"inactive:", "protect:", "replace:", "delete:", NULL};
    bool inactive = false;

    while (word_is_one_of(p, prefixes)) {
        if (strcmp(p->tok.text, "inactive:") == 0)
            inactive = true;
        else if (strcmp(p->tok.text, "protect:") == 0)
            conf_diag(p->diags, CONF_WARNING, p->tok.pos, "", "'protect:' has no effect here");
        else
            syntax_error(p, NULL, s,
                         arena_text(p->arena,
                                    "'%s' belongs to the command load, expected a statement",
                                    p->tok.text));
        advance(p);
    }
    return inactive;
}

static void parse_block(struct parser *p, struct conf_node *at);

static void end_statement(struct parser *p, const struct conf_node *at, struct conf_stmt *s)
{
    if (at_mark(p, ';')) {
        advance(p);
        return;
    }
    if (s->broken)
        return;
    syntax_error(p, at, s,
                 at_end(p) ? "the file ends inside a statement, expected ';'"
                           : "expected ';' or '{' before '}'");
}

static bool takes_block(struct parser *p, const struct conf_node *n)
{
    if (n->schema->children)
        return true;
    conf_diag(p->diags, CONF_ERROR, p->tok.pos, conf_path(p->arena, n),
              "takes no '{', expected ';'");
    return false;
}

static void parse_statement(struct parser *p, struct conf_node *at)
{
    struct conf_stmt s = {.pos = p->tok.pos};
    struct conf_comments comments = take_comments(p);
    bool inactive = parse_prefixes(p, &s);

    collect(p, &s);
    if (s.n == 0 && !s.broken)
        syntax_error(p, at, &s, "expected a statement");
    struct conf_placed placed = conf_place(&p->place, at, &s);
    if (placed.how == CONF_PLACED) {
        conf_comments_move(&placed.outer->comments, &comments);
        placed.outer->inactive = placed.outer->inactive || inactive;
    }
    if (!at_mark(p, '{'))
        end_statement(p, placed.inner ? placed.inner : at, &s);
    else if (placed.how == CONF_PLACED && takes_block(p, placed.inner))
        parse_block(p, placed.inner);
    else
        skip_block(p, p->tok.pos);
}

/* From '{' to behind its '}'. It calls itself once for each level of the schema, not of the file.
 */
static void parse_block(struct parser *p, struct conf_node *at)
{
    struct conf_pos open = p->tok.pos;

    advance(p);
    while (!at_mark(p, '}')) {
        if (at_end(p)) {
            never_closed(p, at, open);
            return;
        }
        parse_statement(p, at);
    }
    conf_comments_move(&at->tail, &p->pending);
    advance(p);
}

static void parse_top(struct parser *p)
{
    while (!at_end(p)) {
        if (word_is_one_of(p, line_commands) || word_is_one_of(p, other_commands)) {
            parse_line(p);
        } else if (at_mark(p, '}')) {
            conf_diag(p->diags, CONF_ERROR, p->tok.pos, "", "unexpected '}', expected a statement");
            advance(p);
        } else {
            parse_statement(p, p->place.tree->root);
        }
    }
    conf_comments_move(&p->place.tree->root->tail, &p->pending);
}

struct conf_tree *conf_parse(struct arena *arena, const char *file_name, struct bytes text,
                             struct conf_diags *diags)
{
    struct conf_tree *tree = conf_tree_new(arena, file_name);
    struct parser p = {
        .lx = conf_lexer_of(arena, text),
        .place = {.tree = tree, .diags = diags, .arena = arena},
        .diags = diags,
        .arena = arena,
    };

    if (text.len > CONF_TEXT_MAX) {
        conf_diag(diags, CONF_ERROR, (struct conf_pos){1, 1}, "",
                  "file is too long, expected at most %d octets", CONF_TEXT_MAX);
        return tree;
    }
    advance(&p);
    parse_top(&p);
    return tree;
}
