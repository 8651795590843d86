#include "sim/story.h"

#include <stdio.h>
#include <stdlib.h>

void story_stop(const struct story *s, const char *what, const char *word)
{
    fprintf(stderr, "%s:%u: %s '%s'\n", s->file, s->line, what, word);
    exit(2);
}

const char *story_word(const struct story *s, size_t i)
{
    if (i >= s->n_words)
        story_stop(s, "a word is missing after", s->words[s->n_words - 1]);
    return s->words[i];
}

bool story_is(const struct story *s, size_t i, const char *word)
{
    return i < s->n_words && strcmp(s->words[i], word) == 0;
}

long story_number(const struct story *s, size_t i, const char *unit)
{
    char *end;
    long n = strtol(story_word(s, i), &end, 10);
    if (end == s->words[i] || strcmp(end, unit) != 0 || n < 0)
        story_stop(s, "expected a number with the right unit, not", s->words[i]);
    return n;
}

span_t story_span(const struct story *s, const char *text)
{
    span_t sum = {0};
    const char *at = text;

    for (;; at++) {
        char *end;
        long n = strtol(at, &end, 10);
        bool is_ms = strncmp(end, "ms", 2) == 0;
        if (end == at || n < 0 || (!is_ms && *end != 's'))
            story_stop(s, "expected a time as 90s or 1500ms, not", text);
        sum.ns += is_ms ? span_ms(n).ns : span_s(n).ns;
        at = end + (is_ms ? 2 : 1);
        if (*at == '\0')
            return sum;
        if (*at != '+')
            story_stop(s, "expected a time as 90s or 1500ms, not", text);
    }
}

void story_spans(struct story *s, size_t i, span_t *ret_min, span_t *ret_max)
{
    char first[64];
    const char *text = story_word(s, i), *dots = strstr(text, "..");

    if (!dots || (size_t)(dots - text) >= sizeof first)
        story_stop(s, "expected A..B, not", text);
    snprintf(first, sizeof first, "%.*s", (int)(dots - text), text);
    *ret_min = story_span(s, first);
    *ret_max = story_span(s, dots + 2);
}

instant_t story_instant(const struct story *s, size_t i)
{
    return instant_add((instant_t){span_s(WORLD_START_S).ns}, story_span(s, story_word(s, i)));
}

static bool matches(const char *pattern, const char *name)
{
    size_t n = strlen(pattern);
    if (n > 0 && pattern[n - 1] == '*')
        return strncmp(pattern, name, n - 1) == 0;
    return strcmp(pattern, name) == 0;
}

size_t story_who(const struct story *s, size_t from, bool *ret_who)
{
    size_t i = from;

    memset(ret_who, 0, WORLD_NODES_MAX * sizeof *ret_who);
    for (; i < s->n_words; i++) {
        bool any = false;
        for (size_t n = 0; n < s->world.n_nodes; n++) {
            if (matches(s->words[i], s->world.nodes[n].name))
                any = ret_who[n] = true;
        }
        if (!any)
            break;
    }
    if (i == from)
        story_stop(s, "nobody is called", story_word(s, from));
    return i;
}

bool story_is_kind(const struct story *s, size_t i)
{
    for (unsigned k = 0; k < WIRE_COUNT; k++) {
        if (story_is(s, i, wire_kind_name((enum wire_kind)k)))
            return true;
    }
    return story_is(s, i, "any");
}

enum wire_kind story_kind(const struct story *s, size_t i)
{
    for (unsigned k = 0; k < WIRE_COUNT; k++) {
        if (story_is(s, i, wire_kind_name((enum wire_kind)k)))
            return (enum wire_kind)k;
    }
    if (!story_is(s, i, "any"))
        story_stop(s, "no kind of datagram is called", story_word(s, i));
    return WIRE_COUNT;
}

enum event_id story_event(const struct story *s, size_t i)
{
    const char *name = story_word(s, i);

    for (unsigned e = 0; e < EVENT_COUNT; e++) {
        if (strcmp(event_name((enum event_id)e), name) == 0)
            return (enum event_id)e;
    }
    story_stop(s, "no event is called", name);
}

size_t story_group(const struct story *s, const char *name)
{
    const struct model_server *server = s->world.nodes[0].model->server;

    for (size_t i = 0; i < server->n_groups; i++) {
        if (strcmp(server->groups[i].name, name) == 0)
            return i;
    }
    story_stop(s, "no group is called", name);
}

bool story_count_is(const struct story *s, size_t i, uint64_t n)
{
    char *end;
    uint64_t want = strtoul(story_word(s, i), &end, 10);

    if (end == s->words[i] || (*end && strcmp(end, "+") != 0 && strcmp(end, "-") != 0))
        story_stop(s, "expected N, N+ or N-, not", s->words[i]);
    return *end == '+' ? n >= want : *end == '-' ? n <= want : n == want;
}
