#pragma once
/* The running data path: three threads and what they share.
 *
 *   out    TUN -> seal -> raw socket            under seal_lock while it seals
 *   in     raw socket -> open -> TUN, LAN       under open_lock while it opens
 *   slow   path MTU, multicast routing, links   under slow_lock while it looks at the view
 *
 * An install takes all three locks, makes keys with the two engines and exchanges the view. The
 * locks are held for one batch, never across a system call that waits, so an install waits for
 * microseconds. */
#include "data/data.h"
#include "data/names.h"
#include "data/nexthop.h"
#include "esp/open.h"
#include "esp/seal.h"

#include <pthread.h>

struct rtnl;
struct multicast;

struct data_external {
    const char *name;
    unsigned index; /* 0: not there now. Written by slow, read by out */
};

struct data_path {
    struct arena arena;
    struct esp_vpn_config *vpns;
    size_t n_vpns;
    struct ip inside_address;
    struct data_external external[DATA_EXTERNALS_MAX];
    size_t n_external;
    size_t *external_of_vpn;

    struct packet_engine *seal_engine, *open_engine;
    struct esp_sealer *sealer;
    struct esp_opener *opener;
    struct esp_sadb *sadb;
    struct esp_view *view;
    pthread_mutex_t seal_lock, open_lock, slow_lock;

    int tun, esp, icmp;
    bool tun_takes_udp;
    int raw;      /* sends through routes and guard, headers included */
    int link;     /* sends to a known neighbour; -1: not wanted */
    int link_in;  /* receives ESP before the kernel routes it; -1: not wanted, esp has it all */
    int stop;     /* eventfd: readable for ever once the path closes */
    int wake;     /* eventfd: something for the slow thread */
    bool changed; /* namely new policies */
    pthread_t threads[3];
    size_t n_threads;

    struct rtnl *rtnl;      /* the control thread's */
    struct rtnl *slow_rtnl; /* the slow thread's */
    struct multicast *multicast;
    struct nexthops nexthops;     /* under seal_lock */
    unsigned lans[DATA_LANS_MAX]; /* link indices; 0 ends the list. Written by slow, read by in */
    bool *known;                  /* per VPN: installed by this process */
    char *guard_text;             /* what was loaded last */
    uint64_t n[DATA_STAT_COUNT];  /* one writer each */
};

void *data_out_main(void *path);
void *data_in_main(void *path);
void *data_slow_main(void *path);

static inline void data_count(struct data_path *p, enum data_stat s, uint64_t n)
{
    __atomic_store_n(&p->n[s], p->n[s] + n, __ATOMIC_RELAXED);
}
instant_t data_now(void);
void data_hurry(void); /* raises the priority of the calling thread */
void data_wake_slow(struct data_path *p);
/* The least MTU of the external interfaces that are up; 1500 when there is none. */
size_t data_external_mtu(struct data_path *p, struct rtnl *n);
