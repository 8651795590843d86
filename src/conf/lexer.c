/* Lexical form, as Junos writes it: a word is a run of printable characters other than white space
 * and { } [ ] ; " or it stands in quotes, where \" \\ \n \t are escapes. A comment is # to the end
 * of the line, or a block between slash-star and star-slash. A # inside a word does not begin a
 * comment. */
#include "conf/lexer.h"

#include <string.h>

enum { AT_END = -1 };

struct conf_lexer conf_lexer_of(struct arena *arena, struct bytes text)
{
    return (struct conf_lexer){.arena = arena, .text = text, .pos = {.line = 1, .column = 1}};
}

static int peek(const struct conf_lexer *lx, size_t ahead)
{
    return lx->at + ahead < lx->text.len ? lx->text.data[lx->at + ahead] : AT_END;
}

/* Columns count characters: the continuation octets of UTF-8 (10xxxxxx) take no column of their
 * own. */
static int take(struct conf_lexer *lx)
{
    int c = peek(lx, 0);

    if (c == AT_END)
        return c;
    lx->at++;
    if (c == '\n') {
        lx->pos.line++;
        lx->pos.column = 1;
    } else if (peek(lx, 0) == AT_END || (peek(lx, 0) & 0xc0) != 0x80) {
        lx->pos.column++;
    }
    return c;
}

static bool is_space(int c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }
static bool is_mark(int c) { return c == '{' || c == '}' || c == '[' || c == ']' || c == ';'; }
static bool is_control(int c) { return c != AT_END && (c < 0x20 || c == 0x7f) && !is_space(c); }
static bool is_bare(int c)
{
    return c != AT_END && !is_space(c) && !is_mark(c) && c != '"' && !is_control(c);
}

bool conf_word_is_bare(const char *word)
{
    size_t len = strlen(word);

    if (len == 0 || word[0] == '#' || (word[0] == '/' && word[1] == '*') || word[len - 1] == ':')
        return false;
    for (const char *c = word; *c != '\0'; c++) {
        if (!is_bare((unsigned char)*c))
            return false;
    }
    return true;
}

static char escape_of(char c)
{
    switch (c) {
    case '"':
    case '\\':
        return c;
    case '\n':
        return 'n';
    case '\t':
        return 't';
    default:
        return '\0';
    }
}

const char *conf_word_escaped(struct arena *arena, const char *word)
{
    char *out = arena_alloc(arena, 2 * strlen(word) + 1);
    size_t len = 0;

    for (; *word != '\0'; word++) {
        if (escape_of(*word) != '\0')
            out[len++] = '\\';
        out[len++] = escape_of(*word) != '\0' ? escape_of(*word) : *word;
    }
    return out;
}

const char *conf_word_quoted(struct arena *arena, const char *word)
{
    return arena_text(arena, "\"%s\"", conf_word_escaped(arena, word));
}

const char *conf_word_printed(struct arena *arena, const char *word)
{
    return conf_word_is_bare(word) ? word : conf_word_quoted(arena, word);
}

static struct conf_token bad(struct conf_pos pos, const char *text)
{
    return (struct conf_token){.kind = CONF_TOK_BAD, .pos = pos, .text = text};
}

/* A view of the input from `from` to here, as a string of its own. */
static const char *text_from(struct conf_lexer *lx, size_t from, size_t to)
{
    char *text = arena_alloc(lx->arena, to - from + 1);
    memcpy(text, lx->text.data + from, to - from);
    return text;
}

static struct conf_token line_comment(struct conf_lexer *lx)
{
    struct conf_token t = {.kind = CONF_TOK_COMMENT, .mark = '#', .pos = lx->pos};
    size_t from = lx->at + 1;
    bool clean = true;

    for (int c = peek(lx, 0); c != AT_END && c != '\n'; c = peek(lx, 0)) {
        clean = clean && !is_control(c) && (c != '\r' || peek(lx, 1) == '\n');
        (void)take(lx);
    }
    if (!clean)
        return bad(t.pos, "control character in a comment");
    size_t to = lx->at;
    if (to > from && lx->text.data[to - 1] == '\r')
        to--;
    t.text = text_from(lx, from, to);
    return t;
}

static struct conf_token block_comment(struct conf_lexer *lx)
{
    struct conf_token t = {.kind = CONF_TOK_COMMENT, .mark = '*', .pos = lx->pos};
    bool clean = true;

    (void)take(lx);
    (void)take(lx);
    size_t from = lx->at;
    while (!(peek(lx, 0) == '*' && peek(lx, 1) == '/')) {
        int c = take(lx);
        if (c == AT_END)
            return bad(t.pos, "comment is never closed, expected */");
        clean = clean && !is_control(c);
    }
    size_t to = lx->at;
    (void)take(lx);
    (void)take(lx);
    if (!clean)
        return bad(t.pos, "control character in a comment");
    t.text = text_from(lx, from, to);
    return t;
}

static int unescape(int c)
{
    switch (c) {
    case '"':
    case '\\':
        return c;
    case 'n':
        return '\n';
    case 't':
        return '\t';
    default:
        return AT_END;
    }
}

/* One character inside quotes; the backslash of an unknown escape stands for itself. */
static char quoted_char(struct conf_lexer *lx)
{
    int c = take(lx);

    if (c == '\\' && unescape(peek(lx, 0)) != AT_END)
        c = unescape(take(lx));
    return (char)c;
}

static struct conf_token quoted_word(struct conf_lexer *lx)
{
    struct conf_token t = {.kind = CONF_TOK_WORD, .quoted = true, .pos = lx->pos};
    char word[CONF_WORD_MAX + 1];
    size_t len = 0;
    const char *wrong = NULL;

    (void)take(lx);
    for (int c = peek(lx, 0); c != '"'; c = peek(lx, 0)) {
        if (c == AT_END || c == '\n')
            return bad(t.pos,
                       "text in quotes is never closed, expected \" before the end of the line");
        if (is_control(c) || c == '\r')
            wrong = "control character in quotes";
        word[len++] = quoted_char(lx);
        if (len > CONF_WORD_MAX) {
            wrong = "word is too long, expected at most 1024 octets";
            len = 0;
        }
    }
    (void)take(lx);
    if (wrong)
        return bad(t.pos, wrong);
    t.text = arena_text(lx->arena, "%.*s", (int)len, word);
    explicit_bzero(word, sizeof word);
    return t;
}

static struct conf_token bare_word(struct conf_lexer *lx)
{
    struct conf_token t = {.kind = CONF_TOK_WORD, .pos = lx->pos};
    size_t from = lx->at;

    while (is_bare(peek(lx, 0)))
        (void)take(lx);
    if (lx->at - from > CONF_WORD_MAX)
        return bad(t.pos, "word is too long, expected at most 1024 octets");
    t.text = text_from(lx, from, lx->at);
    return t;
}

struct conf_token conf_lexer_next(struct conf_lexer *lx)
{
    while (is_space(peek(lx, 0)))
        (void)take(lx);

    struct conf_token t = {.kind = CONF_TOK_END, .pos = lx->pos, .text = ""};
    int c = peek(lx, 0);
    if (c == AT_END)
        return t;
    if (c == '#')
        return line_comment(lx);
    if (c == '/' && peek(lx, 1) == '*')
        return block_comment(lx);
    if (c == '"')
        return quoted_word(lx);
    if (!is_mark(c) && is_bare(c))
        return bare_word(lx);
    (void)take(lx);
    if (!is_mark(c))
        return bad(t.pos, "control character, expected text");
    t.kind = CONF_TOK_MARK;
    t.mark = (char)c;
    return t;
}
