/* One text file, one story, on virtual time:
 *
 *   seed 1
 *   each n 1..14                          the whole story for each n, $n is its value; "by 2" steps
 *   group atd 15 lifetime 3600 ike-lifetime 28800
 *   group kek-lifetime 1800               server-member-communication
 *   server group g1 ipsec-sa s2 ...       a further line of the server's configuration
 *   members 3                             gm1, gm2, gm3 and the server ks
 *   member 2 ipsec vpn v1 recovery-probe  a further line of gm2's configuration
 *   odd 3 secret wrong                    gm3 has another key; also: group N, unlisted,
 *                                         both (in group 2 too), servers ADDRESS[,ADDRESS],
 *                                         foreign (nobody hears its vendor id, nor it theirs)
 *   link delay 20ms..80ms loss 0%
 *   at 0s start *
 *   by 5s gm* registered
 *   at 3500s cut gm2
 *   at 3569s expect gm1 sends 1
 *   by 3571s gm1 gm3 sends 2
 *   at 3600s expect gm1 switched 2 3570s
 *   at 3700s heal gm2
 *   by 3700s+10s * agree
 *   never gm1 event keys-expired
 *
 * Kinds of datagrams: phase1 pull push delete heartbeat ack other, or any.
 * Actions: start, kill, restart, cut, heal, register, freeze WHO (its timer stops: it answers and
 * does nothing of its own); link delay A..B loss P%; drop N [KIND] (the N-th datagram from now);
 * loss KIND P% [WHO], block KIND [WHO], pass KIND [WHO]; replay recorded | stranger [KIND] (all
 * that was recorded, from its address or another); disk full | well | slow A..B (the server's).
 * Conditions: registered | unregistered | sends N | holds N | kek N | keyless | agree | events NAME
 * [KEY=VALUE ...] N | told [KIND] N, said KIND N (datagrams that were sent to it, by it; without a
 * kind those of PULLs) | learned G T, switched G T, dropped G T (generation G, within the second
 * that begins at T) | cipher NAME | kek-cipher NAME | sig-hash NAME | policy SOURCE DESTINATION
 * PROTOCOL PORT PORT | joined ADDRESS | drops ERR N. N may be "3+" (at least) or "3-" (at most);
 * "in g2" before a condition: in that group. `by` waits for it, `expect` wants it at that moment,
 * `never` forbids an event in the whole story. The safety checks of check.h run all the time.
 * Prints TAP: one test for each line that demands something. */
#include "crypto/crypto.h"
#include "sim/story.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINES_MAX = 200 };

/* The lines of the file, and the `each` among them. */
struct script {
    size_t n;
    char lines[LINES_MAX][STORY_LINE_MAX];
    char variable[16];
    long first, last, step;
};

static void read_each(struct script *script, const char *line)
{
    long step = 1;
    int n = sscanf(line, "each %15s %ld..%ld by %ld", script->variable, &script->first,
                   &script->last, &step);
    if (n < 3 || step < 1) {
        fprintf(stderr, "expected each NAME A..B [by STEP], not '%s'\n", line);
        exit(2);
    }
    script->step = step;
}

static struct script *script_read(const char *file)
{
    struct script *script = calloc(1, sizeof *script);
    FILE *f = fopen(file, "r");

    if (!script || !f) {
        fprintf(stderr, "usage: sim_scenario FILE\n");
        exit(2);
    }
    while (script->n < LINES_MAX && fgets(script->lines[script->n], STORY_LINE_MAX, f)) {
        char *line = script->lines[script->n++];
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "each ", 5) == 0) {
            read_each(script, line);
            line[0] = '\0';
        }
    }
    fclose(f);
    return script;
}

/* The line with the variable's value for "$variable". */
static void substitute(const struct script *script, const char *line, long value,
                       char out[STORY_LINE_MAX])
{
    size_t n = 0, len = strlen(script->variable);

    for (; *line && n + 24 < STORY_LINE_MAX; line++) {
        if (*line == '$' && len > 0 && strncmp(line + 1, script->variable, len) == 0) {
            n += (size_t)snprintf(out + n, 24, "%ld", value);
            line += len;
        } else {
            out[n++] = *line;
        }
    }
    out[n] = '\0';
}

/* The whole story once. */
static void tell_story(struct story *s, const struct script *script, const char *file, long value)
{
    char line[STORY_LINE_MAX];

    story_begin(s, file);
    for (size_t i = 0; i < script->n; i++) {
        s->line = (unsigned)i + 1;
        substitute(script, script->lines[i], value, line);
        story_line(s, line);
    }
    story_end(s);
}

int main(int argc, char **argv)
{
    static struct story s;
    struct script *script = script_read(argc == 2 ? argv[1] : "");
    const char *text;

    if (crypto_start(CRYPTO_USE_ALL, &text) != ERR_OK)
        story_stop(&s, "crypto:", text);
    for (long value = script->first; value <= script->last;
         value += script->step ? script->step : 1)
        tell_story(&s, script, argv[1], value);
    printf("1..%u\n", s.n_tests);
    free(script);
    crypto_stop();
    return s.n_failed == 0 && s.n_tests > 0 ? 0 : 1;
}
