#include "ctl/command.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* ---- the tables ---- */

// clang-format off
#define BRIEF  {"brief",  CTL_ARG_FLAG, 1, 0, 0, "Short output (default)"}
#define DETAIL {"detail", CTL_ARG_FLAG, 1, 0, 0, "Everything that is known"}
#define GROUP    {"group",    CTL_ARG_TEXT, 2, 0, 0, "Only the group of this name"}
#define GROUP_ID {"group-id", CTL_ARG_U32, 2, 1, UINT32_MAX, "Only the group of this number"}
#define INDEX    {"index",    CTL_ARG_U32, 2, 0, UINT32_MAX, "Only the SA of this index"}
#define PEER     {"peer-address", CTL_ARG_IP, 2, 0, 0, "Only the peer of this address"}
#define VPN      {"vpn",      CTL_ARG_TEXT, 2, 0, 0, "Only the VPN of this name"}
#define GATEWAY  {"member-gateway", CTL_ARG_TEXT, 3, 0, 0, "The member of this ike-gateway"}
#define ADDRESS  {"member-address", CTL_ARG_IP, 3, 0, 0, "The member at this address"}
#define IDENTITY {"member-identity", CTL_ARG_TEXT, 3, 0, 0, "The member that says it is this"}
#define SA       {"ipsec-sa", CTL_ARG_TEXT, 3, 0, 0, "Only the key of this ipsec-sa"}
#define KEK      {"kek", CTL_ARG_FLAG, 3, 0, 0, "Only the key that protects pushes"}
#define NOW      {"now", CTL_ARG_FLAG, 4, 0, 0, "Delete all keys: no traffic until members come"}
#define LAST     {NULL, CTL_ARG_FLAG, 0, 0, 0, NULL}

static const struct ctl_arg none[] = {LAST};
static const struct ctl_arg commit[] = {
    {"check", CTL_ARG_FLAG, 1, 0, 0, "Only say what it would change"}, LAST};
static const struct ctl_arg by_group[] = {BRIEF, DETAIL, GROUP, GROUP_ID, LAST};
static const struct ctl_arg by_group_only[] = {GROUP, GROUP_ID, LAST};
#define WHO GATEWAY, ADDRESS, IDENTITY
static const struct ctl_arg member_of_server[] = {GROUP, GROUP_ID, WHO, LAST};
static const struct ctl_arg member_or_now[] = {GROUP, GROUP_ID, WHO, NOW, LAST};
static const struct ctl_arg rekey_of_server[] = {GROUP, GROUP_ID, SA, KEK, LAST};
static const struct ctl_arg by_group_id[] = {BRIEF, DETAIL, GROUP_ID, VPN, LAST};
static const struct ctl_arg by_vpn[] = {GROUP_ID, VPN, LAST};
static const struct ctl_arg by_peer[] = {BRIEF, DETAIL, INDEX, PEER, LAST};
static const struct ctl_arg ike_of_server[] = {BRIEF, DETAIL, GROUP, GROUP_ID, INDEX, PEER, LAST};
static const struct ctl_arg kek_of_server[] = {BRIEF, DETAIL, GROUP, GROUP_ID, INDEX, LAST};
// clang-format on

static const struct ctl_command commands[CTL_COMMAND_COUNT] = {
#define X(id, target, class, args, answer, words, help)                                            \
    [id] = {id, CTL_##target, CTL_##class, args, answer, words, help},
    CTL_COMMAND_LIST(X)
#undef X
};

static const struct {
    const char *words, *help;
} word_help[] = {
#define X(words, help) {words, help},
    CTL_WORD_LIST(X)
#undef X
};

const char *ctl_class_name(enum ctl_class c)
{
    static const char *const names[] = {
        [CTL_NONE] = "none", [CTL_VIEW] = "security", [CTL_CONTROL] = "security-control"};

    assert((unsigned)c < ARRAY_LEN(names));
    return names[c];
}

const struct ctl_command *ctl_command_of(enum ctl_command_id id)
{
    assert((unsigned)id < CTL_COMMAND_COUNT);
    return &commands[id];
}

const struct ctl_command *ctl_command_by_words(const char *words)
{
    for (size_t i = 0; i < CTL_COMMAND_COUNT; i++) {
        if (strcmp(commands[i].words, words) == 0)
            return &commands[i];
    }
    return NULL;
}

/* ---- words ---- */

struct word {
    const char *at;
    size_t len;
};

/* The i-th word of a command; empty when it has fewer. */
static struct word word_at(const char *words, size_t i)
{
    while (i-- > 0) {
        words = strchr(words, ' ');
        if (!words)
            return (struct word){"", 0};
        words++;
    }
    return (struct word){words, strcspn(words, " ")};
}

static bool word_is(struct word w, const char *text)
{
    return w.len == strlen(text) && strncmp(w.at, text, w.len) == 0;
}

static bool word_begins(struct word w, const char *prefix)
{
    size_t n = strlen(prefix);
    return w.len >= n && strncmp(w.at, prefix, n) == 0;
}

static bool word_same(struct word a, struct word b)
{
    return a.len == b.len && strncmp(a.at, b.at, a.len) == 0;
}

/* The help of a command's first n words. */
static const char *help_of(const struct ctl_command *c, size_t n)
{
    struct word end = word_at(c->words, n - 1);
    size_t len = (size_t)(end.at - c->words) + end.len;

    if (c->words[len] == '\0')
        return c->help;
    for (size_t i = 0; i < ARRAY_LEN(word_help); i++) {
        if (strlen(word_help[i].words) == len && strncmp(word_help[i].words, c->words, len) == 0)
            return word_help[i].help;
    }
    return "";
}

/* ---- sentences ---- */

struct sentence {
    char *at;
    size_t room, len;
};

static void say(struct sentence *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void say(struct sentence *s, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(s->at + s->len, s->room - s->len, fmt, args);
    va_end(args);
    assert(n >= 0);
    s->len = s->len + (size_t)n < s->room ? s->len + (size_t)n : s->room - 1;
}

static void say_list(struct sentence *s, const struct ctl_choices *c)
{
    for (size_t i = 0; i < c->n; i++)
        say(s, "%s%s", i ? ", " : "", c->choice[i].word);
}

/* ---- the walk along a line ---- */

/* How far the words lead: the commands that still fit, then the arguments of the one left. */
struct walk {
    bool fits[CTL_COMMAND_COUNT];
    size_t depth;                      /* words of the command that are consumed */
    const struct ctl_command *command; /* set once its words are complete */
    struct ctl_request request;
    const struct ctl_arg *wants_value; /* its word was the last one */
};

static struct walk walk_start(void)
{
    struct walk w = {0};
    for (size_t i = 0; i < CTL_COMMAND_COUNT; i++)
        w.fits[i] = true;
    return w;
}

static void offer(struct ctl_choices *c, struct word w, const char *help, bool literal)
{
    for (size_t i = 0; i < c->n; i++) {
        if (word_is(w, c->choice[i].word))
            return;
    }
    if (c->n == CTL_CHOICES_MAX || w.len >= sizeof c->choice[0].word)
        return;
    struct ctl_choice *new = &c->choice[c->n++];
    memcpy(new->word, w.at, w.len);
    new->word[w.len] = '\0';
    new->help = help;
    new->literal = literal;
}

static struct word word_of(const char *text) { return (struct word){text, strlen(text)}; }

static void offer_command_words(const struct walk *w, const char *begun, struct ctl_choices *c)
{
    for (size_t i = 0; i < CTL_COMMAND_COUNT; i++) {
        struct word next = word_at(commands[i].words, w->depth);
        if (w->fits[i] && next.len > 0 && word_begins(next, begun))
            offer(c, next, help_of(&commands[i], w->depth + 1), true);
    }
}

static bool is_excluded(const struct ctl_request *r, const struct ctl_arg *arg)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->args[i].arg == arg || r->args[i].arg->choice == arg->choice)
            return true;
    }
    return false;
}

static void offer_args(const struct walk *w, const char *begun, struct ctl_choices *c)
{
    for (const struct ctl_arg *a = w->command->args; a->word; a++) {
        if (!is_excluded(&w->request, a) && word_begins(word_of(a->word), begun))
            offer(c, word_of(a->word), a->help, true);
    }
}

static void offer_value(const struct ctl_arg *arg, struct ctl_choices *c)
{
    static const char *const shape[] = {[CTL_ARG_FLAG] = "",
                                        [CTL_ARG_TEXT] = "<name>",
                                        [CTL_ARG_U32] = "<number>",
                                        [CTL_ARG_IP] = "<address>"};
    offer(c, word_of(shape[arg->kind]), arg->help, false);
}

static void offer_next(const struct walk *w, const char *begun, struct ctl_choices *c)
{
    *c = (struct ctl_choices){.complete = w->command && !w->wants_value};
    if (w->wants_value)
        offer_value(w->wants_value, c);
    else if (w->command)
        offer_args(w, begun, c);
    else
        offer_command_words(w, begun, c);
}

/* What a word means among the choices: the index of the exact or only one, or c->n. */
static size_t pick(const struct ctl_choices *c, const char *word)
{
    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->choice[i].word, word) == 0)
            return i;
    }
    return c->n == 1 ? 0 : c->n;
}

static void say_no_fit(const struct walk *w, const struct ctl_choices *c, const char *word,
                       struct sentence *s)
{
    struct ctl_choices all;

    if (c->n > 1) {
        say(s, "'%s' is ambiguous: ", word);
        say_list(s, c);
        return;
    }
    offer_next(w, "", &all);
    if (all.n == 0) {
        say(s, "'%s' is one word too many", word);
        return;
    }
    say(s, "'%s' is not known here, expected one of: ", word);
    say_list(s, &all);
}

static void step_command(struct walk *w, const char *word)
{
    struct word chosen = word_of(word);

    for (size_t i = 0; i < CTL_COMMAND_COUNT; i++) {
        if (!w->fits[i])
            continue;
        w->fits[i] = word_same(word_at(commands[i].words, w->depth), chosen);
        if (w->fits[i] && word_at(commands[i].words, w->depth + 1).len == 0)
            w->command = &commands[i];
    }
    w->depth++;
    w->request.command = w->command;
}

static enum err step(struct walk *w, const char *word, struct sentence *s)
{
    struct ctl_choices c;

    if (w->wants_value) {
        const char *name = w->wants_value->word;
        w->wants_value = NULL;
        return ctl_request_add(&w->request, name, word, s->at);
    }
    offer_next(w, word, &c);
    size_t i = pick(&c, word);
    if (i == c.n) {
        say_no_fit(w, &c, word, s);
        return ERR_SYNTAX;
    }
    if (!w->command) {
        step_command(w, c.choice[i].word);
        return ERR_OK;
    }
    for (const struct ctl_arg *a = w->command->args; a->word; a++) {
        if (strcmp(a->word, c.choice[i].word) == 0 && a->kind != CTL_ARG_FLAG) {
            w->wants_value = a;
            return ERR_OK;
        }
    }
    return ctl_request_add(&w->request, c.choice[i].word, NULL, s->at);
}

static enum err walk_end(const struct walk *w, struct sentence *s)
{
    struct ctl_choices c;

    if (w->command && !w->wants_value)
        return ERR_OK;
    offer_next(w, "", &c);
    say(s, "the command is not complete, expected one of: ");
    say_list(s, &c);
    return ERR_SYNTAX;
}

enum err ctl_command_parse(const char *const *words, size_t n_words,
                           struct ctl_request *ret_request, struct ctl_complaint *ret_complaint)
{
    struct walk w = walk_start();
    struct ctl_complaint complaint = {0};
    struct sentence s = {complaint.sentence, sizeof complaint.sentence, 0};
    enum err e = ERR_OK;

    assert(n_words <= CTL_WORDS_MAX);
    for (size_t i = 0; i < n_words && e == ERR_OK; i++) {
        complaint.word = i;
        e = step(&w, words[i], &s);
    }
    if (e == ERR_OK) {
        complaint.word = n_words;
        e = walk_end(&w, &s);
    }
    if (e == ERR_OK)
        *ret_request = w.request;
    else
        *ret_complaint = complaint;
    return e;
}

void ctl_command_choices(const char *const *words, size_t n_words, const char *begun,
                         struct ctl_choices *ret_choices)
{
    struct walk w = walk_start();
    char sentence[CTL_SENTENCE_MAX] = "";
    struct sentence s = {sentence, sizeof sentence, 0};

    for (size_t i = 0; i < n_words; i++) {
        if (step(&w, words[i], &s) != ERR_OK) {
            *ret_choices = (struct ctl_choices){0};
            return;
        }
    }
    offer_next(&w, begun, ret_choices);
}

/* ---- arguments ---- */

static bool parse_u32(const char *text, uint32_t *ret)
{
    uint64_t v = 0;

    if (*text == '\0')
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        v = v * 10 + (uint64_t)(*text - '0');
        if (v > UINT32_MAX)
            return false;
    }
    *ret = (uint32_t)v;
    return true;
}

static bool parse_value(struct ctl_argument *a, struct sentence *s)
{
    switch (a->arg->kind) {
    case CTL_ARG_FLAG:
        return true;
    case CTL_ARG_TEXT:
        if (a->text[0] != '\0')
            return true;
        say(s, "%s wants a name", a->arg->word);
        return false;
    case CTL_ARG_U32:
        if (parse_u32(a->text, &a->u32) && a->u32 >= a->arg->min && a->u32 <= a->arg->max)
            return true;
        say(s, "%s '%s': expected a number from %u to %u", a->arg->word, a->text, a->arg->min,
            a->arg->max);
        return false;
    case CTL_ARG_IP:
        if (ip_parse(a->text, &a->ip))
            return true;
        say(s, "%s '%s': expected an address", a->arg->word, a->text);
        return false;
    }
    return false;
}

enum err ctl_request_add(struct ctl_request *request, const char *word, const char *value,
                         char sentence[CTL_SENTENCE_MAX])
{
    struct sentence s = {sentence, CTL_SENTENCE_MAX, 0};
    struct ctl_argument new = {.text = value};

    for (const struct ctl_arg *a = request->command->args; a->word; a++) {
        if (strcmp(a->word, word) == 0)
            new.arg = a;
    }
    if (!new.arg || (new.arg->kind == CTL_ARG_FLAG) != (value == NULL)) {
        say(&s, "%s is not an argument of '%s'", word, request->command->words);
        return ERR_SYNTAX;
    }
    if (is_excluded(request, new.arg) || request->n == CTL_ARGS_MAX) {
        say(&s, "%s and another argument exclude each other", word);
        return ERR_SYNTAX;
    }
    if (!parse_value(&new, &s))
        return ERR_SYNTAX;
    request->args[request->n++] = new;
    return ERR_OK;
}

const struct ctl_argument *ctl_request_arg(const struct ctl_request *r, const char *word)
{
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->args[i].arg->word, word) == 0)
            return &r->args[i];
    }
    return NULL;
}

bool ctl_request_has(const struct ctl_request *r, const char *word)
{
    return ctl_request_arg(r, word) != NULL;
}

const char *ctl_request_text(const struct ctl_request *r, const char *word)
{
    const struct ctl_argument *a = ctl_request_arg(r, word);
    return a ? a->text : NULL;
}

uint32_t ctl_request_u32(const struct ctl_request *r, const char *word)
{
    const struct ctl_argument *a = ctl_request_arg(r, word);
    return a ? a->u32 : 0;
}
