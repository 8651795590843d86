/* doc/live-changes.md holds the table that the engine acts by, word for word. With
 * CONCLAVE_GOLDEN=write it is written anew. */
#include "server/change.h"
#include "test/check.h"

#include <stdlib.h>

static const char file[] = "doc/live-changes.md";
static const char first[] = "<!-- the table begins: made from src/server/change.h -->\n";
static const char last[] = "<!-- the table ends -->\n";

static const char *table(struct arena *a)
{
    const char *text = "| statement | change | with pushes | without pushes | why |\n"
                       "|---|---|---|---|---|\n";

    for (unsigned i = 0; i < MODEL_CHANGE_COUNT; i++) {
        enum model_change_kind kind = (enum model_change_kind)i;
        const struct change_row *row = change_row_of(kind);
        bool same = row->with_pushes == row->without;
        text = arena_text(a, "%s| %s | %s | %s | %s | %s |\n", text, model_change_statement(kind),
                          model_change_what(kind), change_effect_text(row->with_pushes),
                          same ? "the same" : change_effect_text(row->without), row->why);
    }
    return text;
}

static const char *read_all(struct arena *a)
{
    static char text[65536];
    FILE *f = fopen(file, "r");

    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    return arena_text(a, "%s", text);
}

static void the_document_has_the_table(void **state)
{
    struct arena a = {0};
    const char *text = read_all(&a);
    const char *begin = strstr(text, first), *end = strstr(text, last);

    (void)state;
    assert_true(begin && end && begin < end);
    begin += strlen(first);
    const char *should = arena_text(&a, "%.*s%s%s", (int)(begin - text), text, table(&a), end);
    if (getenv("CONCLAVE_GOLDEN")) {
        FILE *f = fopen(file, "w");
        assert_non_null(f);
        fputs(should, f);
        fclose(f);
    } else {
        assert_string_equal(text, should);
    }
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_document_has_the_table)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
