#pragma once
/* The member's data path on Linux: clear packets come out of a TUN device, ESP goes through raw
 * sockets, and the kernel keeps routing, fragmentation and reassembly.
 *
 *   LAN host -> nft marks or ip rule -> TUN -> seal -> raw socket -> WAN
 *   WAN -> nft mark -> local delivery -> raw socket -> open -> TUN -> LAN host
 *
 * The guard (an nft table and a black hole route) belongs to nobody's lifetime: data_setup() makes
 * it, before the network comes up if the machine's boot calls it then, and only data_teardown()
 * removes it. So a member that was killed leaves protected traffic dropped. Needs CAP_NET_ADMIN,
 * CAP_NET_RAW and the nft program. */
#include "esp/install.h"
#include "esp/open.h"
#include "esp/sadb.h"
#include "esp/stats.h"

struct data_config {
    const struct esp_vpn_config *vpns; /* in order of precedence; read during the call only */
    size_t n_vpns;
    enum packet_backend backend;
    /* The gateway's address inside the protected range, source of its ICMP errors. IP_NONE: the
     * first address of a LAN interface. */
    struct ip inside_address;
    /* Send ESP through the routing tables only, where nft's output hooks and accounting see it, and
     * never straight to a known neighbour: slower. */
    bool routed_only;
};

/* Why something failed, for the operator. */
struct data_failure {
    enum err err;
    char text[400];
};

struct data_path;

/* Makes the TUN device, tables, rules, sysctls and the guard; what is there already stays and keeps
 * guarding, so it may be called at any time. Until keys come nothing but exclude and fail-open
 * traffic leaves the external interfaces from the inside. ERR_SYSTEM, ERR_DENIED, ERR_NOT_FOUND
 * (nft). */
MUST_USE enum err data_setup(const struct data_config *config, struct data_failure *ret_failure);
/* Removes all of it, the guard last. From then on traffic goes in clear. */
MUST_USE enum err data_teardown(struct data_failure *ret_failure);

/* data_setup(), then the sockets and the threads. No keys: everything fails closed. ERR_BUSY:
 * another member holds the TUN. */
MUST_USE enum err data_open(const struct data_config *config, struct data_path **ret,
                            struct data_failure *ret_failure);
/* Ends the threads, wipes the keys and withdraws fail-open; the guard stays. NULL allowed. */
void data_close(struct data_path *path);

/* The whole truth for that VPN (esp/install.h). Blocks for the time of an nft transaction when
 * policies change, for some netlink messages when only keys do. The errors of esp_sadb_install():
 * nothing has changed. ERR_SYSTEM: the keys are in place, the guard or the rules are as they were;
 * the next install tries again. */
MUST_USE enum err data_install(struct data_path *path, const struct esp_vpn_install *install,
                               struct data_failure *ret_failure);

/* The group clock of a VPN, in front of the first install with time stamps and whenever it is set
 * anew: `offset` is what the time since 1970 is ahead of CLOCK_BOOTTIME. Cheap; takes no lock.
 * ERR_NOT_FOUND: no such VPN. */
MUST_USE enum err data_set_clock(struct data_path *path, const char *vpn, span_t offset);

/*    id                       name                     meaning */
#define DATA_STAT_LIST(X)                                                                          \
    X(DATA_TUN_READ, "tun-reads", "packets and super-packets read from the TUN")                   \
    X(DATA_TUN_BAD, "tun-bad-frames", "TUN frames that could not be cut")                          \
    X(DATA_TUN_WRITTEN, "tun-writes", "packets and super-packets written to the TUN")              \
    X(DATA_TUN_FAILED, "tun-write-errors", "packets that the TUN refused")                         \
    X(DATA_SENT, "esp-sent", "ESP packets sent")                                                   \
    X(DATA_SEND_FAILED, "esp-send-errors", "ESP packets that the kernel refused")                  \
    X(DATA_SEND_TOO_BIG, "esp-send-too-big", "ESP packets above the external interface's MTU")     \
    X(DATA_RECEIVED, "esp-received", "ESP packets received")                                       \
    X(DATA_RECEIVED_LONG, "esp-received-too-long", "ESP packets larger than any tunnel MTU")       \
    X(DATA_MULTICAST_OUT, "multicast-delivered", "multicast packets delivered to LAN interfaces")  \
    X(DATA_MULTICAST_TTL, "multicast-ttl-exceeded", "multicast packets at the end of their TTL")   \
    X(DATA_PMTU_LEARNED, "path-mtu-learned", "path MTU messages about our ESP obeyed")             \
    X(DATA_PMTU_IGNORED, "path-mtu-ignored", "path MTU messages that quote no ESP of ours")

enum data_stat {
#define X(id, name, meaning) id,
    DATA_STAT_LIST(X)
#undef X
        DATA_STAT_COUNT
};
const char *data_stat_name(enum data_stat s);
const char *data_stat_meaning(enum data_stat s);

/* Packets that nft decided about; they never reached the member. */
struct data_guard_stats {
    uint64_t excluded, fail_open; /* passed in clear by rule */
    uint64_t policy_dropped;      /* in clear, in or out, although a policy protects it */
    uint64_t fail_closed;         /* no key: nothing leaves */
};

struct data_stats {
    struct esp_stats esp;
    uint64_t n[DATA_STAT_COUNT];
    struct data_guard_stats guard; /* zero when nft could not be asked */
    struct esp_unknown unknown;    /* a reason to register again (decisions M6) */
};
/* with_guard runs the nft program (some milliseconds). */
void data_stats(struct data_path *path, bool with_guard, struct data_stats *ret);
/* As esp_sadb_report(). */
size_t data_sa_report(struct data_path *path, struct esp_sa_report *out, size_t room);
/* What decides about the clear packets of a VPN now, behind its excludes. */
struct data_policies {
    bool can_send; /* else fail-open rules hold, and all else from the inside is dropped */
    size_t n;      /* which may be more than there was room for */
};
MUST_USE enum err data_policies(struct data_path *path, const char *vpn,
                                struct esp_policy_report *out, size_t room,
                                struct data_policies *ret);
/* Puts back what others have taken away: the guard, with which a firewall that is loaded anew and
 * begins with "flush ruleset" does away, and routes and rules, which a TUN that was down has lost.
 * Runs nft: some milliseconds. On failure (the TUN is down, or gone) protected traffic is dropped;
 * a guard that was made again before is told all the same. */
MUST_USE enum err data_check(struct data_path *path, bool *ret_guard_was_gone,
                             struct data_failure *ret_failure);
/* Cheap: for a member that watches for unknown SPIs. */
struct esp_unknown data_unknown(struct data_path *path);
