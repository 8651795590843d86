#pragma once
/* The safety checks of the simulation, run after every step (design: "Proof"; decisions M7):
 *
 *   same key    the same SPI of a server means the same key everywhere
 *   forward     no member goes back to an older generation of an SA
 *   not early   nobody sends under a generation before its switch_at
 *   not late    nobody who learned a generation in time sends under its predecessor afterwards
 *   ends        nobody holds a generation after its expiry, nor after the drop_at of a successor
 *               that it learned in time
 *   opens       what a member sends, every member opens that has learned the generation, or has
 *               registered since it was made
 *   learns      no key's octets are ever on the wire
 *   durable     no slot of the server from which keys are given away holds a key that its disk does
 *               not, and nobody installs such a key
 *   removed     a removed member never gets a later key
 *
 * A member is cut off for a generation when it did not learn it in [created, switch_at): that is
 * counted, with the longest time until it was back. A broken check prints the sentence, the time
 * and the nodes, and ends the program. */
#include "base/events.h"
#include "base/instant.h"
#include "esp/install.h"
#include "sim/check_push.h"
#include "store/tx.h"

/* A PULL takes its snapshot at message 2; message 3 may come 10 s later, and its repeats get the
 * same message 4 for 10 s more (decisions M9): what is made in between is not in it. */
#define CHECK_SNAPSHOT_AGE span_s(10 + 10 + 2)

struct check;
struct world;

/* A law is broken: says which, by whom and when, and ends the program. */
__attribute__((noreturn)) void check_broken(const struct world *w, const char *law,
                                            const char *who);
/* Which one; NULL: none. For a handler of SIGABRT. */
const char *check_law_broken(void);

struct check *check_new(void);
void check_free(struct check *c);
/* A datagram leaves; what kind it is. *ret_push is filled for one that check_pushes can judge. */
enum wire_kind check_datagram(struct check *c, struct world *w, size_t from, struct bytes datagram,
                              struct opened *ret_push);
void check_install(struct check *c, struct world *w, size_t node,
                   const struct esp_vpn_install *install);
void check_step(struct check *c, struct world *w, size_t node);
void check_kill(struct check *c, struct world *w, size_t node);

/* What the server says of a generation: told by truth.c after each step of the server. */
struct truth {
    uint32_t spi;
    uint32_t sa;      /* number of the ipsec-sa, over all groups */
    uint32_t lineage; /* the same for generations that protect the same traffic: they succeed one
                         another as far as members know */
    uint32_t group_id;
    instant_t created, switch_at, drop_at, expiry;
};
/* What became of a generation of a group's first ipsec-sa at a node, in its present life or the one
 * before: NEVER when it did not happen. */
struct check_moments {
    instant_t learned, sends, dropped;
};
struct check_moments check_moments(const struct check *c, size_t node, uint32_t group_id,
                                   unsigned number);
/* The window of time stamps that the node's newest install named, in milliseconds; 0: none. */
uint32_t check_window(const struct check *c, size_t node);
/* Which generation of its SA a SPI is, from 1; 0: unknown. */
unsigned check_number(const struct check *c, uint32_t spi);
/* The server is about to tell of all that it has: what it then does not tell of it has deleted
 * before its time, and members with it, one after another (decisions M8: the `now` variants). */
void check_ask(struct check *c);
/* The server starts after a reboot, and its calendar did not tell how long it was away, or told it
 * wrong: what it says of its keys now may have moved (decisions M12). */
void check_clock_lost(struct check *c, const struct world *w);
void check_truth(struct check *c, const struct world *w, const struct truth *t);
/* A number for that text, the same each time: of an ipsec-sa, of a lineage. */
uint32_t check_name(struct check *c, const char *text);
/* A key that may be given away from now on is on the server's disk. */
void check_durable(const struct world *w, struct disk *disk, enum store_table table,
                   struct bytes key);
struct check_keks *check_keks(struct check *c);
struct check_pushes *check_pushes(struct check *c);
/* Tells every generation of the server to check_truth(), every KEK to check_keks_truth(). */
void truth_tell(struct check *c, struct world *w, size_t server);

struct check_report {
    uint64_t generations, changeovers_followed; /* (member, generation) learned in time */
    uint64_t cut_off;                           /* (member, generation) not learned in time */
    span_t longest_cut_off;
    uint64_t pairs_checked;
    size_t cut_off_now;
    struct check_keks_report keks;
    struct check_pushes_report pushes;
};
struct check_report check_report(const struct check *c);
