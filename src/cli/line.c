#include "cli/line.h"

#include <regex.h>
#include <stdio.h>

/* ---- words ---- */

/* Takes one word from *at into the arena. */
static const char *take_word(struct arena *arena, const char **at)
{
    size_t len = 0;
    char *word = arena_alloc(arena, strlen(*at) + 1);
    bool quoted = false;
    const char *c = *at;

    for (; *c && (quoted || !strchr(" \t\r\n|", *c)); c++) {
        if (*c == '"') {
            quoted = !quoted;
            continue;
        }
        if (*c == '\\' && c[1])
            c++;
        word[len++] = *c;
    }
    *at = c;
    return word;
}

enum err cli_split(struct arena *arena, const char *text, const char **words, size_t room,
                   size_t *ret_n)
{
    size_t n = 0;

    for (;;) {
        text += strspn(text, " \t\r\n");
        if (*text == '\0')
            break;
        if (n == room)
            return ERR_SYNTAX;
        if (*text == '|') {
            words[n++] = "|";
            text++;
        } else {
            words[n++] = take_word(arena, &text);
        }
    }
    *ret_n = n;
    return ERR_OK;
}

/* ---- pipes ---- */

enum pipe { PIPE_MATCH, PIPE_EXCEPT, PIPE_COUNT, PIPE_LAST, PIPE_DISPLAY, PIPE_NO_MORE };
static const struct {
    const char *word, *value, *help;
} pipes[] = {
    [PIPE_MATCH] = {"match", "<pattern>", "Only lines that match the regular expression"},
    [PIPE_EXCEPT] = {"except", "<pattern>", "Only lines that do not match"},
    [PIPE_COUNT] = {"count", NULL, "The number of lines"},
    [PIPE_LAST] = {"last", "<number>", "Only the last lines"},
    [PIPE_DISPLAY] = {"display", "json, xml", "Another form of the output"},
    [PIPE_NO_MORE] = {"no-more", NULL, "Do not stop at the end of the screen"},
};
static const struct {
    const char *word, *help;
    enum cli_format format;
} formats[] = {
    {"json", "As JSON", CLI_JSON},
    {"xml", "As XML, with the element names of Junos", CLI_XML},
};

/* The pipe of a word that may be shortened, or -1. */
static int pipe_of(const char *word)
{
    int found = -1;

    for (size_t i = 0; i < ARRAY_LEN(pipes); i++) {
        if (strncmp(pipes[i].word, word, strlen(word)) != 0)
            continue;
        if (found >= 0)
            return -1;
        found = (int)i;
    }
    return found;
}

/* What the C library makes of a pattern grows with each repetition inside another: "a++++" takes
 * gigabytes. An estimate from above; each interval counts as its largest allowed. */
static bool is_cheap(const char *text)
{
    enum { COST_MAX = 200000, INTERVAL_MAX = 1000 };
    size_t cost = strlen(text), n_digits = 0;

    for (; *text && cost <= COST_MAX; text++) {
        n_digits = *text >= '0' && *text <= '9' ? n_digits + 1 : 0;
        if (*text == '+')
            cost *= 2;
        else if (*text == '{')
            cost *= INTERVAL_MAX;
        else if (n_digits > 3 && cost >= INTERVAL_MAX)
            return false;
    }
    return cost <= COST_MAX;
}

static bool is_pattern(const char *text)
{
    regex_t re;

    if (!is_cheap(text) || regcomp(&re, text, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    regfree(&re);
    return true;
}

static bool parse_count(const char *text, uint32_t *ret)
{
    uint32_t n = 0;

    for (; *text >= '0' && *text <= '9' && n < 100000000; text++)
        n = n * 10 + (uint32_t)(*text - '0');
    *ret = n;
    return *text == '\0' && n > 0;
}

static bool add_format(struct cli_line *l, const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        if (word[0] && strncmp(formats[i].word, word, strlen(word)) == 0) {
            l->format = formats[i].format;
            return true;
        }
    }
    return false;
}

static bool add_filter(struct cli_line *l, enum pipe pipe, const char *value)
{
    static const enum cli_filter_kind kind[] = {[PIPE_MATCH] = CLI_MATCH,
                                                [PIPE_EXCEPT] = CLI_EXCEPT,
                                                [PIPE_COUNT] = CLI_COUNT,
                                                [PIPE_LAST] = CLI_LAST};
    struct cli_filter f = {.kind = kind[pipe], .pattern = value};

    if (l->n_filters == CLI_PIPES_MAX)
        return false;
    if ((pipe == PIPE_MATCH || pipe == PIPE_EXCEPT) && !is_pattern(value))
        return false;
    if (pipe == PIPE_LAST && !parse_count(value, &f.n))
        return false;
    l->filters[l->n_filters++] = f;
    return true;
}

static bool add_pipe(struct cli_line *l, enum pipe pipe, const char *value)
{
    if (pipe == PIPE_NO_MORE) {
        l->no_more = true;
        return true;
    }
    return pipe == PIPE_DISPLAY ? add_format(l, value) : add_filter(l, pipe, value);
}

/* One pipe behind the bar at words[*at]; moves *at behind it. */
static enum err parse_pipe(const char *const *words, size_t n, size_t *at, struct cli_line *l,
                           char sentence[CTL_SENTENCE_MAX])
{
    const char *word = *at + 1 < n ? words[*at + 1] : "";
    int pipe = pipe_of(word);

    if (pipe < 0) {
        snprintf(sentence, CTL_SENTENCE_MAX,
                 "'| %.80s': expected one of: match, except, count, last, display, no-more", word);
        return ERR_SYNTAX;
    }
    bool wants_value = pipes[pipe].value != NULL;
    const char *value = wants_value && *at + 2 < n ? words[*at + 2] : "";
    if ((wants_value && value[0] == '\0') || !add_pipe(l, (enum pipe)pipe, value)) {
        snprintf(sentence, CTL_SENTENCE_MAX, "'| %s %.80s': expected %s", pipes[pipe].word, value,
                 wants_value ? pipes[pipe].value : "fewer pipes");
        return ERR_SYNTAX;
    }
    *at += wants_value ? 3 : 2;
    if (*at < n && strcmp(words[*at], "|") != 0) {
        snprintf(sentence, CTL_SENTENCE_MAX, "'%.80s' is one word too many", words[*at]);
        return ERR_SYNTAX;
    }
    return ERR_OK;
}

enum err cli_line_parse(const char *const *words, size_t n_words, struct cli_line *ret_line,
                        char sentence[CTL_SENTENCE_MAX])
{
    struct cli_line l = {0};
    size_t at = 0;

    while (at < n_words && strcmp(words[at], "|") != 0) {
        if (l.n_words == CTL_WORDS_MAX) {
            snprintf(sentence, CTL_SENTENCE_MAX, "too many words");
            return ERR_SYNTAX;
        }
        l.words[l.n_words++] = words[at++];
    }
    while (at < n_words) {
        enum err e = parse_pipe(words, n_words, &at, &l, sentence);
        if (e != ERR_OK)
            return e;
    }
    *ret_line = l;
    return ERR_OK;
}

/* ---- choices ---- */

static void offer(struct ctl_choices *c, const char *word, const char *help, const char *begun,
                  bool literal)
{
    if (c->n == CTL_CHOICES_MAX || (literal && strncmp(word, begun, strlen(begun)) != 0))
        return;
    struct ctl_choice *new = &c->choice[c->n++];
    *new = (struct ctl_choice){.help = help, .literal = literal};
    snprintf(new->word, sizeof new->word, "%s", word);
}

/* `after`: the finished words behind the last bar. */
static void offer_pipes(const char *const *after, size_t n_after, const char *begun,
                        struct ctl_choices *c)
{
    int pipe = n_after > 0 ? pipe_of(after[0]) : -1;

    *c = (struct ctl_choices){0};
    for (size_t i = 0; n_after == 0 && i < ARRAY_LEN(pipes); i++)
        offer(c, pipes[i].word, pipes[i].help, begun, true);
    if (pipe < 0)
        return;
    size_t n_whole = pipes[pipe].value ? 2 : 1;
    if (n_after == n_whole) {
        c->complete = true;
        offer(c, "|", "Another pipe", begun, true);
    } else if (n_after == 1 && pipe == PIPE_DISPLAY) {
        for (size_t i = 0; i < ARRAY_LEN(formats); i++)
            offer(c, formats[i].word, formats[i].help, begun, true);
    } else if (n_after == 1) {
        offer(c, pipes[pipe].value, pipes[pipe].help, begun, false);
    }
}

void cli_line_choices(const char *const *words, size_t n_words, const char *begun,
                      struct ctl_choices *ret_choices)
{
    for (size_t i = n_words; i-- > 0;) {
        if (strcmp(words[i], "|") == 0) {
            offer_pipes(words + i + 1, n_words - i - 1, begun, ret_choices);
            return;
        }
    }
    ctl_command_choices(words, n_words, begun, ret_choices);
    if (ret_choices->complete)
        offer(ret_choices, "|", "Pass the output through a pipe", begun, true);
}
