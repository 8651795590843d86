/* One text file, one story, on virtual time:
 *
 *   seed 1
 *   each n 1..14                          the whole story for each n, $n is its value; "by 2" steps
 *   group atd 15 lifetime 3600 ike-lifetime 28800
 *   group kek-lifetime 1800               server-member-communication
 *   group window 100                      time stamps; 1: by default, 0 (as always): none
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
 * that was recorded, from its address or another); disk full | well | slow A..B (the server's),
 * power-cut WHO (kill, and what the system had not written is lost); backup, restore (the disk);
 * numbers GROUP N (so many rekey messages are left); rekey GROUP, clear GROUP [now], remove GROUP
 * WHO [now], lift GROUP WHO (the operator); set
 * server ..., delete server ... (the server's configuration) and commit, or commit refused (it has
 * to be); forge flip | truncate | lengthen | insider | ack | ack-flip | ack-cut | ack-name WHO
 * (sim/forge.h); wall +S | -S (the server's calendar); boundaries on BACK | power BACK | off
 * (sim/boundaries.c kills the server, or cuts its power, at each of them meanwhile, and it is back
 * so much later). Conditions: registered | unregistered | sends N | holds N | kek N | keyless |
 * agree | events NAME [KEY=VALUE ...] N | event-at NAME [KEY=VALUE ...] T (first, within that
 * second) | told [KIND] N, said KIND N (datagrams that were sent to it, by it; without a kind those
 * of PULLs) | learned G T, switched G T, dropped G T (generation G, within the second that begins
 * at T) | cipher NAME | kek-cipher NAME | sig-hash NAME | policy SOURCE DESTINATION PROTOCOL PORT
 * PORT | joined ADDRESS | out-of INTERFACE (the last multicast) | drops ERR N | window MS. N may be
 * "3+" (at least) or "3-" (at most); "in g2" before a condition: in that group. `by` waits for it,
 * `expect` wants it at that moment, `never` forbids an event in the whole story. The safety checks
 * of check.h run all the time. Prints TAP: one test for each line that demands something, and the
 * hash of the trace, which a change of the code that is none of behaviour leaves as it was. */
#include "crypto/crypto.h"
#include "sim/script.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *law_expected; /* NULL: none may be broken */

/* The story is one of somebody who breaks that law, and the checker has to see it. */
static void on_abort(int signal_number)
{
    const char *law = check_law_broken();

    (void)signal_number;
    if (law && strcmp(law, law_expected) == 0) {
        static const char ok[] = "ok 1 - the checker has seen it\n1..1\n";
        _exit(write(STDOUT_FILENO, ok, sizeof ok - 1) < 0);
    }
}

int main(int argc, char **argv)
{
    static struct story s;
    const char *text;

    if (argc == 4 && strcmp(argv[1], "--broken") == 0) {
        law_expected = argv[2];
        signal(SIGABRT, on_abort);
    }
    struct script *script = script_read(argv[argc - 1]);
    if (crypto_start(CRYPTO_USE_ALL, &text) != ERR_OK)
        story_stop(&s, "crypto:", text);
    for (long value = script->first; value <= script->last;
         value += script->step ? script->step : 1) {
        script_run(script, value, &s);
        story_end(&s);
    }
    if (law_expected)
        printf("not ok %u - nobody broke the law\n", ++s.n_tests);
    printf("1..%u\n", s.n_tests);
    free(script);
    crypto_stop();
    return s.n_failed == 0 && s.n_tests > 0 && !law_expected ? 0 : 1;
}
