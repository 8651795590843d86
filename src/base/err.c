#include "base/err.h"

#include <assert.h>

static const struct {
    const char *name, *text;
    enum err_class class;
} table[ERR_COUNT] = {
#define X(id, cls, txt) [id] = {#id, txt, ERR_CLASS_##cls},
    ERR_LIST(X)
#undef X
        [ERR_OK] = {"ERR_OK", "ok", ERR_CLASS_OK},
};

const char *err_text(enum err e)
{
    assert((unsigned)e < ERR_COUNT);
    return table[e].text;
}

const char *err_name(enum err e)
{
    assert((unsigned)e < ERR_COUNT);
    return table[e].name;
}

enum err_class err_class(enum err e)
{
    assert((unsigned)e < ERR_COUNT);
    return table[e].class;
}
