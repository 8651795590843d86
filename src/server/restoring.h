#pragma once
/* One restoring of a server: what its two halves, restore.c and restore_keys.c, share. */
#include "group/group.h"
#include "server/rows.h"
#include "server/server.h"

struct found_tek {
    struct group_sa *sa;
    struct generation *tek;
};
struct lost_tek {
    const struct group *group;
    uint32_t spi;
};
struct found_kek {
    struct group *group;
    struct kek_generation *kek;
    bool retires;
};
/* A key pair that KEKs were made with: the server's own, one that the configuration names, or one
 * that it named then (decisions M17: their pushes go on being signed with it). */
struct found_signer {
    struct bytes id;
    struct signing_key *key; /* held */
    bool is_used;            /* by a KEK, or for the next ones */
};
struct restore {
    struct server *s;
    const struct server_config *config;
    instant_t now;
    struct effects *out;
    struct arena arena;       /* what the rows say */
    struct store_tx *cleanup; /* rows that are of no use any more */
    struct found_tek *teks;
    struct lost_tek *lost; /* of ipsec-sas that the configuration has no more */
    size_t n_lost;
    struct found_kek *keks;
    struct found_signer *signers;
    struct map gateways; /* of the model, by name: there may be as many as members */
    uint64_t shut_out;   /* groups with members that may not be any more, as restore_bit_of() */
    uint64_t counted;    /* groups whose SEQ and numbers are known */
    size_t n_signers, n_teks, n_keks, n_keys, n_members, n_bans, n_unused[STORE_TABLE_COUNT];
};

/* From the store's time to the engine's. */
instant_t restore_at(const struct restore *r, instant_t kept);
/* That row is of no use any more: it is counted and deleted; give_up: also told. why: ERR_OK when
 * nothing is wrong with it. */
void restore_forget(struct restore *r, enum store_table table, struct bytes key);
void restore_give_up(struct restore *r, const struct store_row *row, enum err why,
                     const char *what);
/* Its bit in what is known of groups: bit i for groups[i]. */
uint64_t restore_bit_of(const struct restore *r, const struct group *g);

/* ---- restore_keys.c ---- */

/* One row each. Key pairs come first, then groups, then keys. */
void restore_signer(struct restore *r, const struct store_row *row);
void restore_tek(struct restore *r, const struct store_row *row);
void restore_kek(struct restore *r, const struct store_row *row);
/* All keys that were found, into the slots of their groups. */
void restore_slots(struct restore *r);
/* Members are told to drop what the configuration has no more. */
void restore_delete_lost(struct restore *r, struct group *g);
