/* Reads one configuration file as the programs do with -n, for the golden tests.
 *   conf_check [server|member|any] FILE [print]
 * prints the report and exits as -n does. With `print`, a file without errors is also printed in
 * each form, and each printed form is read again: the two trees must be equal. */
#include "conf/check.h"
#include "conf/parse.h"
#include "conf/print.h"
#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USAGE = 2, LAW_BROKEN = 3 };

static struct bytes read_file(struct arena *arena, const char *name)
{
    FILE *f = fopen(name, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0) {
        fprintf(stderr, "%s: cannot be read\n", name);
        exit(USAGE);
    }
    size_t len = (size_t)ftell(f);
    char *text = arena_alloc(arena, len);
    rewind(f);
    if (fread(text, 1, len, f) != len)
        exit(USAGE);
    (void)fclose(f);
    return bytes(text, len);
}

static bool law_holds(struct arena *arena, const struct conf_tree *tree, const char *printed)
{
    struct conf_diags diags;

    conf_diags_init(&diags, arena, "printed");
    struct conf_tree *again = conf_parse(arena, "printed", bytes_str(printed), &diags);
    return conf_diags_count(&diags, CONF_ERROR) == 0 && conf_tree_equal(tree, again);
}

static int print_forms(struct arena *arena, const struct conf_tree *tree)
{
    const char *curly = conf_print_curly(tree, CONF_SECRETS_9, arena);
    const char *set = conf_print_set(tree, CONF_SECRETS_9, arena);

    printf("--- curly\n%s--- set\n%s--- masked\n%s", curly, set,
           conf_print_curly(tree, CONF_SECRETS_MASKED, arena));
    return law_holds(arena, tree, curly) && law_holds(arena, tree, set) ? 0 : LAW_BROKEN;
}

static enum conf_role role_of(const char *word)
{
    if (strcmp(word, "server") == 0)
        return CONF_ROLE_SERVER;
    return strcmp(word, "member") == 0 ? CONF_ROLE_MEMBER : CONF_ROLE_ANY;
}

int main(int argc, char **argv)
{
    struct arena arena = {0};
    struct conf_check check;
    const struct model *model;

    if (argc < 3)
        return USAGE;
    conf_check(&arena, role_of(argv[1]), argv[2], read_file(&arena, argv[2]), &check);
    fputs(conf_check_report(&check), stdout);
    int code = conf_check_exit_code(&check);
    if (code == 0 && model_build(check.tree, &check.diags, &arena, &model) != ERR_OK)
        code = LAW_BROKEN;
    if (code == 0 && argc > 3)
        code = print_forms(&arena, check.tree);
    arena_free(&arena);
    return code;
}
