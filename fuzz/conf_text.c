/* Configuration text. Every finding has a place; what was understood prints, in both forms, to a
 * text that is read without a finding and gives an equal tree; validation and the model hold. */
#include "conf/check.h"
#include "conf/parse.h"
#include "conf/print.h"
#include "fuzz/fuzz.h"
#include "model/model.h"

#include <stdlib.h>

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_places(const struct conf_diags *d)
{
    for (size_t i = 0; i < d->n; i++) {
        must(d->list[i].pos.line > 0 && d->list[i].pos.column > 0);
        must(d->list[i].text[0] != '\0');
    }
}

static struct conf_tree *reread(struct arena *arena, const char *printed)
{
    struct conf_diags d;

    conf_diags_init(&d, arena, "printed");
    struct conf_tree *t = conf_parse(arena, "printed", bytes_str(printed), &d);
    must(d.n == 0);
    return t;
}

static void check_laws(struct arena *arena, const struct conf_tree *t)
{
    const char *curly = conf_print_curly(t, CONF_SECRETS_9, arena);
    const char *set = conf_print_set(t, CONF_SECRETS_9, arena);
    struct conf_tree *from_curly = reread(arena, curly);

    must(conf_tree_equal(t, from_curly));
    must(conf_tree_equal(t, reread(arena, set)));
    must(bytes_equal(bytes_str(conf_print_curly(from_curly, CONF_SECRETS_9, arena)),
                     bytes_str(curly)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct conf_check check;
    const struct model *model = NULL;

    conf_check(&arena, CONF_ROLE_ANY, "fuzz", bytes(data, size), &check);
    check_places(&check.diags);
    check_laws(&arena, check.tree);
    enum err verdict = conf_check_verdict(&check);
    enum err built = model_build(check.tree, &check.diags, &arena, &model);
    must((verdict == ERR_CONFIG) == (built == ERR_CONFIG));
    must((built == ERR_OK) == (model != NULL));
    arena_free(&arena);
    return 0;
}
