#pragma once
/* What the measurements share: a clock, and one line per figure, "bench: NAME  VALUE UNIT  (ratio R
 * to PEER)". */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

/* Seconds of processor time of this thread: unlike wall time, untouched by what else the machine
 * does. */
static inline double bench_cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* peer NULL: a figure that stands alone. */
static inline void bench_print(const char *name, double value, const char *unit, double peer_value,
                               const char *peer)
{
    printf("bench: %-44s %12.1f %s", name, value, unit);
    if (peer)
        printf("  (ratio %.2f to %s)", value / peer_value, peer);
    printf("\n");
    (void)fflush(stdout);
}
