/* Kills the server at every place of a story where it can be killed, one place a run:
 *
 *   sim_boundaries [--step N] FILE
 *
 * A place is before each commit to its disk, before each answer to one, before each datagram, and
 * after each step, between the story's `boundaries on BACK` and `boundaries off`. All that the
 * story demands must hold with the server killed there, and the laws of check.h anyway. Prints TAP:
 * one test for each place. --step N: each N-th place only. */
#include "crypto/crypto.h"
#include "sim/script.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static struct story story;

/* A law was broken, or an engine asserted: say where. */
static void on_abort(int signal_number)
{
    (void)signal_number;
    fprintf(stderr, "%s: with the server killed at boundary %" PRIu64 " (%s)\n", story.file,
            story.kill_at, story.world.boundary ? story.world.boundary : "not reached");
}

struct run {
    uint64_t boundaries; /* counted until the server was killed, or in all */
    const char *kind;    /* where it was killed; NULL: it was not */
    unsigned failed;
};

static struct run run(const struct script *script, uint64_t kill_at)
{
    unsigned failed = story.n_failed;

    story.kill_at = kill_at;
    script_run(script, 0, &story);
    struct run r = {story.world.n_boundaries, story.world.boundary, story.n_failed - failed};
    story_end(&story);
    return r;
}

static unsigned run_all(const struct script *script, uint64_t step)
{
    struct run whole = run(script, UINT64_MAX);
    unsigned bad = whole.failed > 0, n = 1;

    printf("%sok 1 - nobody is killed, %" PRIu64 " boundaries\n", bad ? "not " : "",
           whole.boundaries);
    for (uint64_t at = 1; at <= whole.boundaries; at += step) {
        struct run r = run(script, at);
        bool well = r.failed == 0 && r.kind;
        printf("%sok %u - killed at %" PRIu64 ", %s\n", well ? "" : "not ", ++n, at,
               r.kind ? r.kind : "never");
        bad += !well;
    }
    printf("1..%u\n", n);
    return bad + (whole.boundaries == 0);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"step", 1, 0, 's'}, {0}};
    uint64_t step = 1;
    const char *text;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c != 's' || (step = strtoul(optarg, NULL, 10)) == 0)
            return 2;
    }
    struct script *script = script_read(optind < argc ? argv[optind] : "");
    if (crypto_start(CRYPTO_USE_ALL, &text) != ERR_OK)
        return 1;
    signal(SIGABRT, on_abort);
    story.quiet = true;
    unsigned bad = run_all(script, step);
    free(script);
    crypto_stop();
    return bad > 0;
}
