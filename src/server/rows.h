#pragma once
/* What the key server keeps over its own death, as rows of store/tx.h: one codec per table. A value
 * begins with the version of its form; octets left over, an unknown version or a value that no
 * server writes make the row unreadable, and the reader says why.
 *
 *   table    key                          value
 *   grp      group-id                     SEQ of the last push, numbers given out, what is wanted
 *   tek      SPI                          one generation of one ipsec-sa: instants, policy, keys
 *   kek      SPI (a cookie pair)          one KEK: instants, policy, key, IV, who signs
 *   signer   SHA-256 of the public half   a key pair that signs pushes
 *   member   group-id, identity           gateway, address, what it has
 *   ban      group-id, identity           since when, and where it was
 *   server   "clock"                      what the group clock showed, and when
 *
 * Groups are named by their id, which is what members ask for; gateways and ipsec-sas by name.
 * Instants are in the store's own time (store/clock.h), which goes on over reboots. Numbers are in
 * network order. */
#include "group/group.h"
#include "store/tx.h"
#include "wire/rd.h"
#include "wire/wr.h"

enum {
    ROW_VERSION = 1,
    ROW_NAME_MAX = 1024, /* octets of a name of the configuration */
    ROW_MAX = 40000,     /* octets of a value: a group of 32 ipsec-sas with the longest names */
    ROW_MEMBER_MAX = 2048,
    ROW_KEY_MAX = 4 + 1 + REGISTRY_ID_MAX,
    ROW_SIGNER_KEY = 32,
    ROW_PEM_MAX = 16384,
    ROW_SAS_MAX = 256, /* ipsec-sas remembered of one group */
    ROW_ATD_MAX = 900, /* activation-time-delay, in seconds */
};

struct row_group_sa {
    const char *name;
    uint32_t numbers; /* given out to its generations */
    enum group_sa_wish wish;
};
struct row_group {
    uint32_t id;
    uint32_t push_seq, version, kek_numbers;
    uint32_t atd_s; /* in force */
    struct group_wishes wishes;
    size_t n_sas;
    const struct row_group_sa *sas;
};
struct row_tek {
    uint32_t spi, group, number;
    struct timeline time;
    uint32_t window_ms;
    const struct model_ipsec_sa *policy; /* its `where`s are not kept */
    struct bytes key, auth_key;
};
struct row_clock {
    instant_t at;
    span_t time; /* since 1970 */
};
#define ROW_CLOCK_KEY "clock"
struct row_kek {
    struct bytes spi; /* KEK_SPI octets */
    uint32_t group, number;
    instant_t created, expiry;
    const struct model_communication *policy; /* its `where` is not kept */
    struct bytes iv, key;
    struct bytes signer; /* ROW_SIGNER_KEY octets */
    bool retires;        /* made for a removal: under the one before it goes no key any more */
};
struct row_signer {
    struct bytes id;         /* ROW_SIGNER_KEY octets */
    const char *certificate; /* of the statement; NULL: the server's own key */
    struct bytes pem;
};
/* Whom a row of `member` or `ban` is about. */
struct row_who {
    uint32_t group;
    struct model_identity identity;
};
struct row_member {
    struct row_who who;
    const char *gateway;
    struct endpoint remote;
    instant_t registered, updated; /* first and last completed PULL */
    uint16_t pulls_succeeded, pulls_failed;
    uint16_t version;
    bool native, proven;
    enum registry_status status;
    enum registry_reason reason;
    instant_t struck; /* REGISTRY_STRUCK: since when */
};
struct row_ban {
    struct row_who who;
    instant_t since;
    struct ip address; /* where the member was last seen; IP_NONE: never */
};

/* Keys, into `out` (ROW_KEY_MAX octets); views of it. */
struct bytes row_key_u32(uint32_t n, uint8_t *out); /* grp, tek */
struct bytes row_key_who(const struct row_who *who, uint8_t *out);

/* Values. What a writer is given is what a reader gives back. */
void row_group_write(struct wr *w, const struct row_group *row);
void row_tek_write(struct wr *w, const struct row_tek *row);
void row_kek_write(struct wr *w, const struct row_kek *row);
void row_signer_write(struct wr *w, const struct row_signer *row);
void row_member_write(struct wr *w, const struct row_member *row);
void row_ban_write(struct wr *w, const struct row_ban *row);
void row_clock_write(struct wr *w, const struct row_clock *row);

/* Rows back, into `ret`, whose views are of the row's octets or in `a`. ERR_VERSION: a form that
 * this program does not know; ERR_SHORT, ERR_TRAILING, ERR_LENGTH, ERR_VALUE, ERR_TYPE: damaged. */
MUST_USE enum err row_group_read(const struct store_row *row, struct arena *a,
                                 struct row_group *ret);
MUST_USE enum err row_tek_read(const struct store_row *row, struct arena *a, struct row_tek *ret);
MUST_USE enum err row_kek_read(const struct store_row *row, struct arena *a, struct row_kek *ret);
MUST_USE enum err row_signer_read(const struct store_row *row, struct arena *a,
                                  struct row_signer *ret);
MUST_USE enum err row_member_read(const struct store_row *row, struct arena *a,
                                  struct row_member *ret);
MUST_USE enum err row_ban_read(const struct store_row *row, struct row_ban *ret);
MUST_USE enum err row_clock_read(const struct store_row *row, struct row_clock *ret);
