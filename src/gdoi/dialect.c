#include "gdoi/dialect.h"

#include "gdoi/numbers.h"

const struct gdoi_dialect GDOI_RFC6407 = {0};
const struct gdoi_dialect GDOI_STAMPS = {.d3p_type_number = GDOI_D3P_TYPE_NUMBER,
                                         .d3p_window_number = GDOI_D3P_WINDOW_NUMBER};

void gdoi_tolerate(struct gdoi_tolerated *t, enum gdoi_tolerance what)
{
    if (t)
        t->count[what]++;
}

const char *gdoi_tolerance_name(enum gdoi_tolerance what)
{
    static const char *const names[TOLERATED_COUNT] = {
#define X(id, name) [id] = name,
        GDOI_TOLERATED_LIST(X)
#undef X
    };
    return names[what];
}
