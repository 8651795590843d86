#pragma once
/* The security association database and the policies that lead to it (RFC 4301 4.4).
 *
 * The sadb belongs to the control thread. Every install makes a new *view*: immutable, complete,
 * read by the pipelines without a lock. A view that no pipeline uses any more is given to
 * esp_view_free(). SAs live as long as a view or the sadb names them, so that sequence numbers and
 * counters survive an install. */
#include "base/arena.h"
#include "esp/install.h"
#include "esp/selector.h"
#include "esp/stamp.h"
#include "esp/stats.h"

#include <stdalign.h>

struct packet_key;

struct esp_sa {
    /* what each packet needs */
    struct packet_key *seal_key, *open_key; /* of the two engines */
    const struct esp_clock *clock;          /* NULL: no time stamps */
    uint32_t window_ms;
    uint32_t spi;
    uint8_t iv_len, icv_len, align, stamp_len;
    bool counter_mode;
    uint8_t df;         /* enum esp_df */
    uint16_t vpn;       /* index in the configuration */
    uint16_t inner_max; /* the largest inner packet whose outer one fits tunnel-mtu */
    uint32_t sequence;  /* last one sent; only the sending pipeline touches this, and the nonce */
    /* written by one pipeline each, read by the control thread */
    uint64_t packets_out, bytes_out;
    uint64_t nonce; /* counter modes */
    /* another cache line: the receiving pipeline runs on another core */
    alignas(64) uint64_t packets_in;
    uint64_t bytes_in;
    /* the control thread's */
    uint32_t refs;
    struct ip server;
    enum cipher cipher;
    enum auth auth;
    struct secret cipher_key, auth_key;
};

struct esp_sadb;
struct esp_view;

/* `vpns` in order of precedence; copied. The engines are borrowed: of the thread that seals and of
 * the thread that opens (they may be one). An install makes keys with them, so those threads must
 * then leave them alone. ERR_TYPE for an IPv6 rule, ERR_LIMIT. */
MUST_USE enum err esp_sadb_new(const struct esp_vpn_config *vpns, size_t n,
                               struct packet_engine *seal, struct packet_engine *open,
                               struct esp_sadb **ret);
/* Every view must have been freed. NULL allowed. */
void esp_sadb_free(struct esp_sadb *db);

/* All or nothing; on success *ret_view describes all VPNs. ERR_NOT_FOUND: no such VPN. ERR_VALUE:
 * an SPI below 256, a key of the wrong length, an SA without selectors, or with time stamps while
 * the VPN has no group clock. ERR_TYPE: IPv6, or algorithms that do not go together. ERR_POLICY: a
 * counter mode that others may send under too (decisions M22). ERR_CONFLICT: one SPI of one server
 * twice, or a key that is held with another window. ERR_LIMIT. */
MUST_USE enum err esp_sadb_install(struct esp_sadb *db, const struct esp_vpn_install *in,
                                   struct esp_view **ret_view);
/* Sets the group clock of a VPN: `offset` is what it is ahead of the clock that the pipelines are
 * told. They use it from their next packet on; no lock is needed. */
void esp_sadb_set_clock(struct esp_sadb *db, size_t vpn, span_t offset);
/* A view of what is installed now. */
struct esp_view *esp_sadb_view(struct esp_sadb *db);
void esp_view_free(struct esp_view *v); /* NULL allowed */

/* What the operator sees of an SA. */
struct esp_sa_report {
    const char *vpn;
    uint32_t group, spi;
    struct ip server;
    enum esp_slot slot;
    enum cipher cipher;
    enum auth auth;
    uint32_t window_ms; /* 0: no time stamps */
    uint64_t packets_out, bytes_out, packets_in, bytes_in;
};
/* Fills up to room reports and returns how many SAs there are. */
size_t esp_sadb_report(const struct esp_sadb *db, struct esp_sa_report *out, size_t room);
/* A policy in force, in the order in which they decide. */
struct esp_policy_report {
    struct esp_selector selector;
    uint32_t spi; /* what sends under it; 0: nothing, it is dropped */
    struct ip server;
};
/* As esp_sadb_report(), of one VPN. */
size_t esp_sadb_policies(const struct esp_sadb *db, size_t vpn, struct esp_policy_report *out,
                         size_t room);
/* Whether that VPN has an SA to send with. */
bool esp_sadb_can_send(const struct esp_sadb *db, size_t vpn);
/* The selectors that decide for that VPN: those of its sending SAs, or the last known while there
 * are none. */
size_t esp_sadb_selectors(const struct esp_sadb *db, size_t vpn, const struct esp_selector **ret);
/* The index of a VPN of that name, or the number of VPNs. */
size_t esp_sadb_vpn(const struct esp_sadb *db, const char *name);
/* The largest inner packet that every sending SA can carry when the external interface takes mtu
 * octets; 0 when there is no such SA. */
uint16_t esp_sadb_inner_max(const struct esp_sadb *db, size_t mtu);

/* --- what the pipelines ask --- */

struct esp_held {
    struct esp_sa *sa;
    size_t first_match, n_matches; /* in esp_view.matches */
};
struct esp_policy {
    struct esp_match match;
    struct esp_sa *sa; /* NULL: protected, but there is no key */
};
struct esp_view {
    uint64_t serial; /* a later view has a higher one */
    struct esp_held *held;
    size_t n_held;
    uint16_t *by_spi; /* open addressing: index of held + 1 */
    uint32_t spi_mask;
    struct esp_match *matches;
    struct esp_policy *policies; /* outbound, first match decides */
    size_t n_policies;
    struct esp_match *excludes;
    size_t n_excludes;
    bool keyless; /* a VPN has nothing to send with: what no policy matches fails closed */
    struct arena arena;
};

/* Where the search for an SPI begins in by_spi. */
static inline uint32_t esp_view_slot(const struct esp_view *v, uint32_t spi)
{
    return spi * 0x9e3779b1u >> 7 & v->spi_mask;
}
/* The SA of that SPI whose selectors cover the outer addresses, or NULL. Two servers may use one
 * SPI. */
const struct esp_held *esp_view_find(const struct esp_view *v, uint32_t spi, uint32_t source,
                                     uint32_t destination);
/* What becomes of an outgoing flow: ESP_ENCRYPTED with *ret_sa set, or the reason for the drop. */
enum esp_stat esp_view_decide(const struct esp_view *v, const struct esp_flow *f,
                              struct esp_sa **ret_sa);
/* Whether some installed selector covers these addresses. */
bool esp_view_covers(const struct esp_view *v, uint32_t source, uint32_t destination);
/* The inbound check of RFC 4301 5.2 step 4: the flow is within the policies of its SA. */
bool esp_view_allows(const struct esp_view *v, const struct esp_held *h, const struct esp_flow *f);
/* The largest inner packet whose outer one is at most mtu octets, with this SA's overhead. */
uint16_t esp_sa_inner_max(const struct esp_sa *sa, size_t mtu);
