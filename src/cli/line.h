#pragma once
/* A line that the operator typed: words of a command, then pipes. Words are separated by blanks;
 * "quotes" keep blanks and bars inside a word, a backslash keeps the next octet. */
#include "base/arena.h"
#include "ctl/command.h"

enum { CLI_PIPES_MAX = 8, CLI_LINE_MAX = 4096 };

enum cli_format { CLI_TEXT, CLI_JSON, CLI_XML };
enum cli_filter_kind { CLI_MATCH, CLI_EXCEPT, CLI_LAST, CLI_COUNT };
struct cli_filter {
    enum cli_filter_kind kind;
    const char *pattern; /* CLI_MATCH, CLI_EXCEPT: an extended regular expression */
    uint32_t n;          /* CLI_LAST */
};
struct cli_line {
    const char *words[CTL_WORDS_MAX]; /* of the command */
    size_t n_words;
    enum cli_format format;
    bool no_more;
    struct cli_filter filters[CLI_PIPES_MAX];
    size_t n_filters;
};

/* All words of a text, "|" among them. An open quote ends with the text. ERR_SYNTAX: too many. */
MUST_USE enum err cli_split(struct arena *arena, const char *text, const char **words, size_t room,
                            size_t *ret_n);
/* Sorts words into command and pipes. ERR_SYNTAX and a sentence. */
MUST_USE enum err cli_line_parse(const char *const *words, size_t n_words,
                                 struct cli_line *ret_line, char sentence[CTL_SENTENCE_MAX]);
/* What may stand next, in the command or behind a bar. */
void cli_line_choices(const char *const *words, size_t n_words, const char *begun,
                      struct ctl_choices *ret_choices);
