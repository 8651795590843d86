/* How far the database was: what the side file says after a write that was cut short. */
#include "sqlite/mark.h"

#include "crypto/crypto.h"
#include "unit/sqlite/folder.h"

#include <unistd.h>

enum { FILE_MAX = 8192 };

struct world {
    struct folder folder;
    int at;
    struct secret master;
    struct mark_file file;
};

static struct world world_new(void)
{
    struct world w = {.folder = folder_new(), .master = {.len = 32, .b = {7}}};

    w.at = open(w.folder.path, O_RDONLY | O_DIRECTORY);
    assert_true(w.at >= 0);
    assert_int_equal(mark_open(w.at, w.folder.path, NULL, &w.file), ERR_OK);
    return w;
}

static void world_end(struct world *w)
{
    mark_close(&w->file);
    close(w->at);
    folder_free(&w->folder);
}

static void note(struct world *w, uint64_t revision)
{
    const struct mark m = {.instance = {1, 2, 3}, .revision = revision};

    assert_int_equal(mark_write(&w->file, &w->master, &m, NULL), ERR_OK);
}

static void expect(struct world *w, uint64_t revision)
{
    struct mark m;

    mark_close(&w->file);
    assert_int_equal(mark_open(w->at, w->folder.path, NULL, &w->file), ERR_OK);
    assert_int_equal(mark_read(&w->file, &w->master, &m), ERR_OK);
    assert_int_equal(m.revision, revision);
    assert_int_equal(m.instance[2], 3);
}

/* The first half of what the write has changed is there, the rest is not. */
static void note_and_cut(struct world *w, uint64_t revision)
{
    uint8_t before[FILE_MAX] = {0}, after[FILE_MAX] = {0};
    size_t len = folder_read(&w->folder, "store.mark", before, sizeof before);
    size_t first = 0, last = FILE_MAX;

    note(w, revision);
    size_t now = folder_read(&w->folder, "store.mark", after, sizeof after);
    assert_true(now >= len);
    while (before[first] == after[first])
        first++;
    while (before[last - 1] == after[last - 1])
        last--;
    memcpy(after + (first + last) / 2, before + (first + last) / 2, last - (first + last) / 2);
    folder_write(&w->folder, "store.mark", after, now);
}

/* Whatever the numbers are: commits that are not durable have one, too, and no mark. */
static void a_write_that_is_cut_short_leaves_the_one_before_it(void **state)
{
    static const uint64_t steps[][3] = {{1, 2, 3}, {1, 3, 5}, {2, 4, 6}, {1, 2, 4}, {2, 3, 5}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct world w = world_new();
        note(&w, steps[i][0]);
        note(&w, steps[i][1]);
        expect(&w, steps[i][1]);
        note_and_cut(&w, steps[i][2]);
        expect(&w, steps[i][1]);
        note(&w, steps[i][2] + 1); /* and it goes on */
        expect(&w, steps[i][2] + 1);
        world_end(&w);
    }
}

static void another_key_reads_nothing(void **state)
{
    struct world w = world_new();
    struct mark m;

    (void)state;
    assert_int_equal(mark_read(&w.file, &w.master, &m), ERR_NOT_FOUND);
    note(&w, 9);
    expect(&w, 9);
    w.master.b[0] ^= 1;
    assert_int_equal(mark_read(&w.file, &w.master, &m), ERR_NOT_FOUND);
    world_end(&w);
}

static void the_newest_one_counts(void **state)
{
    struct world w = world_new();

    (void)state;
    for (uint64_t revision = 1; revision < 5; revision++) {
        note(&w, revision);
        expect(&w, revision);
    }
    world_end(&w);
}

static void what_cannot_be_written_is_told(void **state)
{
    struct world w = world_new();
    struct mark_file folder = {.fd = w.at};
    const struct mark m = {.revision = 1};
    struct why why;

    (void)state;
    assert_int_equal(mark_write(&folder, &w.master, &m, &why), ERR_SYSTEM);
    assert_non_null(strstr(why.text, "store.mark"));
    world_end(&w);
}

static int start(void **state)
{
    const char *what;

    (void)state;
    return crypto_start(CRYPTO_USE_ALL, &what) == ERR_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_that_is_cut_short_leaves_the_one_before_it),
        cmocka_unit_test(another_key_reads_nothing),
        cmocka_unit_test(the_newest_one_counts),
        cmocka_unit_test(what_cannot_be_written_is_told),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
