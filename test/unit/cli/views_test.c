/* Every view against its golden file: test/golden/cli/COMMAND.FORM. With CONCLAVE_GOLDEN=write the
 * files are written anew, to be read before they are kept. */
#include "canned.c"
#include "cli/monitor.h"
#include "cli/view.h"
#include "cli/views.h"
#include "cli/write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct golden {
    char *text;
    size_t len;
    FILE *out;
};

static void begin(struct golden *g)
{
    *g = (struct golden){0};
    g->out = open_memstream(&g->text, &g->len);
    assert_non_null(g->out);
}

static void end(struct golden *g, const char *name)
{
    char path[160];
    static char want[65536];

    fclose(g->out);
    snprintf(path, sizeof path, "test/golden/cli/%s", name);
    FILE *file = fopen(path, getenv("CONCLAVE_GOLDEN") ? "w+" : "r");
    if (!file)
        fail_msg("%s is missing", path);
    if (getenv("CONCLAVE_GOLDEN"))
        fwrite(g->text, 1, g->len, file);
    rewind(file);
    size_t n = fread(want, 1, sizeof want - 1, file);
    want[n] = '\0';
    fclose(file);
    assert_string_equal(g->text, want);
    free(g->text);
}

static struct ctl_node *parse(struct arena *arena, enum ctl_command_id id, bool detail)
{
    struct ctl_wr w = {0};
    struct ctl_node *tree = NULL;

    canned_answer(&w, id, detail);
    assert_int_equal(ctl_wr_end(&w), ERR_OK);
    assert_int_equal(ctl_tree_parse(arena, ctl_buf_bytes(&w.buf), &tree), ERR_OK);
    ctl_buf_free(&w.buf);
    return tree;
}

/* The command's words as a file name. */
static const char *file_of(enum ctl_command_id id, const char *form)
{
    static char name[128];

    snprintf(name, sizeof name, "%s.%s", ctl_command_of(id)->words, form);
    for (char *c = name; *c; c++) {
        if (*c == ' ')
            *c = '_';
    }
    return name;
}

static void check(enum ctl_command_id id, bool detail, const char *form)
{
    struct arena arena = {0};
    struct ctl_node *tree = parse(&arena, id, detail);
    struct golden g;

    begin(&g);
    if (strcmp(form, "json") == 0)
        cli_json_print(g.out, ctl_command_of(id)->answer, tree, false);
    else if (strcmp(form, "xml") == 0)
        cli_xml_print(g.out, ctl_command_of(id)->answer, tree);
    else if (id == CTL_MONITOR)
        cli_event_print(g.out, "conclaved", tree);
    else
        cli_view_print(g.out, cli_view_of(id, detail), tree);
    end(&g, file_of(id, form));
    arena_free(&arena);
}

static bool has_detail(enum ctl_command_id id)
{
    const struct ctl_command *c = ctl_command_of(id);

    for (const struct ctl_arg *a = c->args; a->word; a++) {
        if (strcmp(a->word, "detail") == 0)
            return true;
    }
    return false;
}

static void every_answer_looks_as_agreed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CTL_COMMAND_COUNT; i++) {
        enum ctl_command_id id = (enum ctl_command_id)i;
        check(id, false, "brief");
        if (has_detail(id))
            check(id, true, "detail");
        check(id, has_detail(id), "json");
        check(id, has_detail(id), "xml");
    }
}

static void a_lost_event_is_told(void **state)
{
    struct arena arena = {0};
    struct ctl_wr w = {0};
    struct ctl_node *tree = NULL;
    char *text = NULL;
    size_t len = 0;
    FILE *mem = open_memstream(&text, &len);

    (void)state;
    ctl_put_u64(&w, "lost", 3);
    assert_int_equal(ctl_tree_parse(&arena, ctl_buf_bytes(&w.buf), &tree), ERR_OK);
    cli_event_print(mem, "conclaved", tree);
    fclose(mem);
    assert_string_equal(text, "(conclaved: 3 events lost: this console was too slow)\n");
    free(text);
    ctl_buf_free(&w.buf);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_looks_as_agreed),
        cmocka_unit_test(a_lost_event_is_told),
    };
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
