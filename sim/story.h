#pragma once
/* The parts of a scenario: words, the world they speak of, what is done and what is demanded. The
 * language stands at the top of sim/scenario.c. */
#include "sim/check.h"
#include "sim/models.h"
#include "sim/world.h"

enum { STORY_LINE_MAX = 1024, STORY_WORDS_MAX = 48 };

/* An event as it was told, for conditions about its fields and its time. */
struct told {
    struct told *next;
    size_t node;
    instant_t at;
    enum event_id id;
    const char *line;
};

struct story {
    const char *file;
    unsigned line;
    unsigned n_tests, n_failed;
    struct arena arena;
    struct world world;
    struct models_plan plan;
    struct link link;
    bool built;
    unsigned long seed;
    char *server_text; /* what the server's configuration is being edited to */
    struct told *told; /* newest first */
    unsigned counts[WORLD_NODES_MAX][EVENT_COUNT];
    uint32_t group_id; /* that the condition at hand is about; 0: the first */
    size_t n_words;
    char *words[STORY_WORDS_MAX];
    uint64_t kill_at;                  /* a boundary between `boundaries on` and `off`; 0: none */
    bool quiet;                        /* no TAP for what holds */
    void (*on_built)(struct story *s); /* for a tool that watches; NULL: nobody */
};

/* ---- words (story_words.c): what does not fit ends the program with the file's line ---- */

__attribute__((noreturn)) void story_stop(const struct story *s, const char *what,
                                          const char *word);
const char *story_word(const struct story *s, size_t i);
bool story_is(const struct story *s, size_t i, const char *word); /* false when there is none */
long story_number(const struct story *s, size_t i, const char *unit);
/* "90s" or "1500ms", or a sum of such: "90s+500ms". */
span_t story_span(const struct story *s, const char *text);
/* "A..B" */
void story_spans(struct story *s, size_t i, span_t *ret_min, span_t *ret_max);
instant_t story_instant(const struct story *s, size_t i);
/* Marks the nodes that words[from..] name, up to the first word that names none; that word's
 * index. */
size_t story_who(const struct story *s, size_t from, bool *ret_who);
enum wire_kind story_kind(const struct story *s, size_t i); /* "any" is WIRE_COUNT */
bool story_is_kind(const struct story *s, size_t i);
enum event_id story_event(const struct story *s, size_t i);
/* A number of the server's groups. */
size_t story_group(const struct story *s, const char *name);
/* words[i] is "3", "3+" (at least) or "3-" (at most). */
bool story_count_is(const struct story *s, size_t i, uint64_t n);

/* ---- story.c ---- */

/* One line of a story. */
void story_line(struct story *s, const char *line);
void story_begin(struct story *s, const char *file);
void story_end(struct story *s);

/* ---- story_act.c: `at T ACTION` ---- */

void story_act(struct story *s, size_t at);
void story_set_link(struct story *s, size_t at);

/* ---- story_expect.c: conditions ---- */

bool story_holds(struct story *s, size_t at, const bool *nodes);
