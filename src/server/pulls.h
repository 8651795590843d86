#pragma once
/* The GROUPKEY-PULLs that a server remembers: those that wait for message 3, and completed ones for
 * their repeats. Each ends SERVER_PULL_LIFE after its last answer, or with its phase 1 SA, or with
 * its group. */
#include "base/heap.h"
#include "base/map.h"
#include "gdoi/numbers.h"
#include "ike1/header.h"
#include "sa/effects.h"
#include "sa/exchange.h"
#include "sa/phase1.h"
#include "server/limits.h"
#include "server/offer.h"

struct group;
struct server;

/* What message 3 needs, given back once it was there. */
struct pull_open {
    struct exchange_iv iv;
    uint8_t ni[GDOI_NONCE_MAX], nr[SERVER_NONCE];
    size_t ni_len;
    struct offer offer;
};
/* The key of the index: cookies and message id. */
struct pull_key {
    struct ike1_cookies cookies;
    uint32_t message_id;
};
enum pull_state { PULL_OFFERED, PULL_DONE };
struct pull {
    struct heap_node due;
    struct pull_key key;
    struct pull *next; /* of the same SA */
    struct group *group;
    enum pull_state state;
    struct pull_open *open; /* PULL_OFFERED */
    uint64_t taken;         /* fingerprint of the datagram that was answered last */
    uint8_t repeats;
    uint8_t *answer; /* to that datagram */
    size_t answer_len;
};
/* By cookies and message id. Those of one SA also hang on its phase1_user(). */
struct pulls {
    struct map index;
    struct heap due;
};

/* NULL: none. */
struct pull *pulls_find(const struct pulls *pulls, const struct ike1_header *header);
/* How many are of that SA. */
size_t pulls_count(const struct phase1_sa *sa);
/* A new one, PULL_OFFERED, due once it has been answered; NULL: no memory. */
struct pull *pulls_add(struct pulls *pulls, struct phase1_sa *sa, const struct ike1_header *header,
                       struct group *g);
/* It is PULL_DONE: only its answer is remembered. */
void pulls_complete(struct pull *p);
/* sa: its own; NULL: that is gone. */
void pulls_forget(struct pulls *pulls, struct pull *p, struct phase1_sa *sa);
void pulls_free(struct pulls *pulls); /* wipes */

/* Forgets it; told, and counted for the member, when it was not completed. */
void pull_abandon(struct server *s, struct pull *p, struct phase1_sa *sa, enum err why,
                  struct effects *out);
/* The SA ends: so do its exchanges. */
void pull_end_all(struct server *s, struct phase1_sa *sa, struct effects *out);
/* The group ends: so do its exchanges. */
void pull_end_group(struct server *s, const struct group *g, struct effects *out);
/* Abandons what is too old. */
void pull_timer(struct server *s, instant_t now, struct effects *out);
instant_t pull_due(const struct server *s);
