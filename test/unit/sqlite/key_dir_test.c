#include "sqlite/key_dir.h"

#include "crypto/crypto.h"
#include "unit/sqlite/folder.h"

struct world {
    struct folder folder;
    int fd;
    struct why why;
    struct secret master;
};

static struct world world_new(void)
{
    struct world w = {.folder = folder_new(), .master = {.len = SEAL_MASTER, .b = {1}}};

    assert_int_equal(folder_open(w.folder.path, &w.why, &w.fd), ERR_OK);
    return w;
}
static void world_end(struct world *w)
{
    close(w->fd);
    folder_free(&w->folder);
}

/* ---- the master key ---- */

static enum err read_master(struct world *w, struct secret *ret)
{
    return master_read(w->fd, w->folder.path, &w->why, ret);
}

static void a_new_key_is_read_back_by_its_owner_only(void **state)
{
    struct world w = world_new();
    struct secret made, read;
    struct stat st;

    (void)state;
    assert_int_equal(read_master(&w, &read), ERR_NOT_FOUND);
    assert_int_equal(master_make(w.fd, w.folder.path, &w.why, &made), ERR_OK);
    assert_int_equal(read_master(&w, &read), ERR_OK);
    assert_true(secret_equal(secret_bytes(&made), secret_bytes(&read)));
    assert_int_equal(read.len, SEAL_MASTER);
    assert_int_equal(stat(folder_file(&w.folder, "store.key"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    world_end(&w);
}

static void no_key_is_made_over_another(void **state)
{
    struct world w = world_new();
    struct secret key;

    (void)state;
    assert_int_equal(master_make(w.fd, w.folder.path, &w.why, &key), ERR_OK);
    assert_int_not_equal(master_make(w.fd, w.folder.path, &w.why, &key), ERR_OK);
    world_end(&w);
}

static void a_key_that_others_can_read_is_refused(void **state)
{
    struct world w = world_new();
    struct secret key;

    (void)state;
    assert_int_equal(master_make(w.fd, w.folder.path, &w.why, &key), ERR_OK);
    assert_int_equal(chmod(folder_file(&w.folder, "store.key"), 0640), 0);
    assert_int_equal(read_master(&w, &key), ERR_DENIED);
    assert_non_null(strstr(w.why.text, "chmod 600"));
    world_end(&w);
}

static void what_is_no_key_is_refused(void **state)
{
    struct world w = world_new();
    struct secret key;
    char text[256];

    (void)state;
    assert_int_equal(master_make(w.fd, w.folder.path, &w.why, &key), ERR_OK);
    size_t len = folder_read(&w.folder, "store.key", text, sizeof text);
    for (size_t cut = 0; cut < len; cut++) {
        folder_write(&w.folder, "store.key", text, cut);
        assert_int_equal(read_master(&w, &key), ERR_DAMAGED);
    }
    text[0] ^= 1;
    folder_write(&w.folder, "store.key", text, len);
    assert_int_equal(read_master(&w, &key), ERR_DAMAGED);
    text[0] ^= 1;
    text[len - 2] = 'x';
    folder_write(&w.folder, "store.key", text, len);
    assert_int_equal(read_master(&w, &key), ERR_DAMAGED);
    assert_non_null(strstr(w.why.text, "not a key"));
    world_end(&w);
}

static void a_folder_that_cannot_be_is_told(void **state)
{
    struct why why;
    int fd;

    (void)state;
    assert_int_equal(folder_open("/nowhere/at/all", &why, &fd), ERR_SYSTEM);
    assert_non_null(strstr(why.text, "/nowhere/at/all"));
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
        cmocka_unit_test(a_new_key_is_read_back_by_its_owner_only),
        cmocka_unit_test(no_key_is_made_over_another),
        cmocka_unit_test(a_key_that_others_can_read_is_refused),
        cmocka_unit_test(what_is_no_key_is_refused),
        cmocka_unit_test(a_folder_that_cannot_be_is_told),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
