#include "store/clock.h"

struct store_shift store_shift(const struct store_clock *noted, const struct store_clock *now)
{
    bool same_boot = bytes_equal(BYTES_OF(noted->boot_id), BYTES_OF(now->boot_id));
    int64_t away = same_boot ? instant_since(now->boottime, noted->boottime).ns
                             : now->realtime_ns - noted->realtime_ns;
    bool lost = away < 0; /* the calendar was set back, or a machine came back from a snapshot */

    if (same_boot && !lost)
        return (struct store_shift){.shift = noted->shift};
    int64_t then = noted->boottime.ns - noted->shift.ns; /* in the store's time */
    return (struct store_shift){{now->boottime.ns - then - (lost ? 0 : away)}, lost};
}
