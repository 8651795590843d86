#pragma once
/* Words, marks and comments of the Junos text form, each with its place. The lexer knows no
 * statement. */
#include "base/arena.h"
#include "base/bytes.h"
#include "conf/diags.h"

enum { CONF_WORD_MAX = 1024 }; /* octets of one word, after its escapes are taken away */

enum conf_token_kind {
    CONF_TOK_WORD,
    CONF_TOK_MARK,    /* one of { } [ ] ; */
    CONF_TOK_COMMENT, /* a # line or a block, its text without the marks around it */
    CONF_TOK_BAD,     /* text says what is wrong; the lexer has skipped it */
    CONF_TOK_END
};

struct conf_token {
    enum conf_token_kind kind;
    char mark;        /* CONF_TOK_MARK; for a comment '#' or '*' */
    bool quoted;      /* a word in quotes is never a keyword prefix such as inactive: */
    const char *text; /* NUL-terminated, in the arena: word, comment, or what is wrong */
    struct conf_pos pos;
};

struct conf_lexer {
    struct arena *arena;
    struct bytes text; /* must outlive the lexer only */
    size_t at;
    struct conf_pos pos; /* of the octet at `at` */
};

struct conf_lexer conf_lexer_of(struct arena *arena, struct bytes text);
/* The next token; CONF_TOK_END again and again at the end. Always moves forward. */
struct conf_token conf_lexer_next(struct conf_lexer *lx) MUST_USE;

/* True when `word` needs no quotes to be read as one word. */
bool conf_word_is_bare(const char *word);
/* The word with its escapes; in quotes; in quotes only where it needs them. All can be read back.
 * The result is in the arena, or the word itself. */
const char *conf_word_escaped(struct arena *arena, const char *word) MUST_USE;
const char *conf_word_quoted(struct arena *arena, const char *word) MUST_USE;
const char *conf_word_printed(struct arena *arena, const char *word) MUST_USE;
