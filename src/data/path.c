#include "data/path.h"

#include "data/failure.h"
#include "data/kernel.h"
#include "data/multicast.h"
#include "data/nft.h"
#include "data/rtnl.h"
#include "data/sockets.h"
#include "data/tun.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { LINKS_MAX = 256, MTU_ETHERNET = 1500 };

static const struct {
    const char *name, *meaning;
} stat_text[] = {
#define X(id, name, meaning) [id] = {name, meaning},
    DATA_STAT_LIST(X)
#undef X
};

const char *data_stat_name(enum data_stat s) { return stat_text[s].name; }
const char *data_stat_meaning(enum data_stat s) { return stat_text[s].meaning; }

/* A kernel forwards before any process runs. Two threads that do its work come before other
 * processes; where the rights for that are missing they take their turn. */
void data_hurry(void) { (void)!setpriority(PRIO_PROCESS, (id_t)gettid(), DATA_NICE); }

/* The clock of the member's engine, on which it has built the group clock. */
instant_t data_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (instant_t){t.tv_sec * NS_PER_S + t.tv_nsec};
}

/* --- setup and teardown --- */

static enum err open_rtnl(struct rtnl **ret, struct data_failure *f)
{
    int error = rtnl_open(ret);
    return error ? data_fail_errno(f, error, "netlink") : ERR_OK;
}

enum err data_setup(const struct data_config *config, struct data_failure *ret_failure)
{
    struct rtnl *n = NULL;
    enum err e = open_rtnl(&n, ret_failure);
    if (e == ERR_OK)
        e = kernel_setup(n, config, ret_failure);
    rtnl_close(n);
    return e;
}

enum err data_teardown(struct data_failure *ret_failure)
{
    struct rtnl *n = NULL;
    enum err e = open_rtnl(&n, ret_failure);
    if (e == ERR_OK)
        e = kernel_teardown(n, ret_failure);
    rtnl_close(n);
    return e;
}

/* --- configuration --- */

static void copy_vpn(struct arena *a, const struct esp_vpn_config *in, struct esp_vpn_config *out)
{
    *out = *in;
    out->vpn = arena_text(a, "%s", in->vpn);
    out->external_interface = arena_text(a, "%s", in->external_interface);
    out->exclude = arena_copy(a, in->exclude, in->n_exclude * sizeof *in->exclude);
    out->fail_open = arena_copy(a, in->fail_open, in->n_fail_open * sizeof *in->fail_open);
}

static size_t find_external(struct data_path *p, const char *name)
{
    size_t i = 0;
    while (i < p->n_external && !bytes_equal(bytes_str(p->external[i].name), bytes_str(name)))
        i++;
    return i;
}

static enum err copy_config(struct data_path *p, const struct data_config *c,
                            struct data_failure *f)
{
    p->n_vpns = c->n_vpns;
    p->vpns = arena_alloc(&p->arena, c->n_vpns * sizeof *p->vpns);
    p->known = arena_alloc(&p->arena, c->n_vpns * sizeof *p->known);
    p->external_of_vpn = arena_alloc(&p->arena, c->n_vpns * sizeof *p->external_of_vpn);
    for (size_t i = 0; i < c->n_vpns; i++) {
        copy_vpn(&p->arena, &c->vpns[i], &p->vpns[i]);
        size_t e = find_external(p, p->vpns[i].external_interface);
        if (e == DATA_EXTERNALS_MAX)
            return data_fail(f, ERR_LIMIT, "more than %d external interfaces", DATA_EXTERNALS_MAX);
        if (e == p->n_external)
            p->external[p->n_external++].name = p->vpns[i].external_interface;
        p->external_of_vpn[i] = e;
    }
    return ERR_OK;
}

size_t data_external_mtu(struct data_path *p, struct rtnl *n)
{
    struct rtnl_link links[LINKS_MAX];
    size_t n_links = 0, least = SIZE_MAX;
    if (rtnl_links(n, links, LINKS_MAX, &n_links))
        return MTU_ETHERNET;
    for (size_t i = 0; i < n_links; i++) {
        if (kernel_is_external(p->vpns, p->n_vpns, links[i].name) && links[i].mtu < least)
            least = links[i].mtu;
    }
    return least == SIZE_MAX ? MTU_ETHERNET : least;
}

/* --- opening --- */

static enum err open_engines(struct data_path *p, const struct data_config *c,
                             struct data_failure *f)
{
    uint8_t seed[ESP_SEED];
    if (getrandom(seed, sizeof seed, 0) != sizeof seed)
        return data_fail_errno(f, errno, "randomness");
    enum err e = packet_engine_new(c->backend, &p->seal_engine);
    if (e == ERR_OK)
        e = packet_engine_new(c->backend, &p->open_engine);
    if (e == ERR_OK)
        e = esp_sealer_new(p->seal_engine, seed, &p->sealer);
    if (e == ERR_OK)
        e = esp_opener_new(p->open_engine, &p->opener);
    if (e == ERR_OK)
        e = esp_sadb_new(c->vpns, c->n_vpns, p->seal_engine, p->open_engine, &p->sadb);
    explicit_bzero(seed, sizeof seed);
    if (e)
        return data_fail(f, e, "packet ciphers: %s", err_text(e));
    p->view = esp_sadb_view(p->sadb);
    return ERR_OK;
}

static enum err open_multicast(struct data_path *p, struct data_failure *f)
{
    int error = multicast_open(&p->multicast);
    if (error == EADDRINUSE || error == ENOPROTOOPT)
        return ERR_OK; /* another multicast router, or none in this kernel: unicast works */
    return error ? data_fail_errno(f, error, "multicast routing") : ERR_OK;
}

static enum err opened(int fd, int *ret, const char *what, struct data_failure *f)
{
    *ret = fd;
    return fd < 0 ? data_fail_errno(f, errno, "%s", what) : ERR_OK;
}

static enum err open_sockets(struct data_path *p, bool routed_only, struct data_failure *f)
{
    enum err e =
        opened(tun_open(&p->tun_takes_udp), &p->tun, DATA_TUN " (does another member run?)", f);
    if (e == ERR_OK)
        e = opened(socket_esp_in(), &p->esp, "raw socket for ESP", f);
    if (e == ERR_OK)
        e = opened(socket_raw_out(), &p->raw, "raw socket for sending", f);
    if (e == ERR_OK && !routed_only)
        e = opened(socket_link_out(), &p->link, "packet socket for sending", f);
    if (e == ERR_OK && !routed_only)
        e = opened(socket_link_in(), &p->link_in, "packet socket for ESP", f);
    if (e == ERR_OK)
        e = opened(socket_icmp_errors(), &p->icmp, "raw socket for ICMP", f);
    if (e == ERR_OK)
        e = opened(eventfd(0, EFD_CLOEXEC), &p->stop, "eventfd", f);
    if (e == ERR_OK)
        e = opened(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), &p->wake, "eventfd", f);
    if (e)
        return e;
    int error = rtnl_open(&p->rtnl);
    if (!error)
        error = rtnl_open(&p->slow_rtnl);
    return error ? data_fail_errno(f, error, "netlink") : open_multicast(p, f);
}

static int start_threads(struct data_path *p)
{
    static void *(*const mains[])(void *) = {data_out_main, data_in_main, data_slow_main};
    static const char *const names[] = {"data-out", "data-in", "data-slow"};
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the control thread's */
    int error = 0;
    for (size_t i = 0; i < ARRAY_LEN(mains) && !error; i++) {
        error = pthread_create(&p->threads[i], NULL, mains[i], p);
        if (!error) {
            pthread_setname_np(p->threads[i], names[i]);
            p->n_threads++;
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

/* --- the guard --- */

static char *render(struct data_path *p, bool alive)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    struct nft_vpn *vpns = calloc(p->n_vpns + 1, sizeof *vpns);
    if (!out || !vpns)
        abort();
    for (size_t i = 0; i < p->n_vpns; i++) {
        vpns[i] = (struct nft_vpn){.config = &p->vpns[i],
                                   .known = p->known[i],
                                   .can_send = alive && esp_sadb_can_send(p->sadb, i),
                                   .alive = alive};
        vpns[i].n_selectors = esp_sadb_selectors(p->sadb, i, &vpns[i].selectors);
    }
    nft_render_policy(out, vpns, p->n_vpns);
    nft_render_early(out, p->vpns, p->link_in < 0 ? 0 : p->n_vpns);
    fclose(out);
    free(vpns);
    return text;
}

/* Loads the guard when it differs from what is loaded. */
static enum err load_guard(struct data_path *p, bool alive, struct data_failure *f)
{
    char *text = render(p, alive);
    if (p->guard_text && bytes_equal(bytes_str(text), bytes_str(p->guard_text))) {
        free(text);
        return ERR_OK;
    }
    enum err e = nft_load(text, f);
    if (e) {
        free(text);
        return e;
    }
    free(p->guard_text);
    p->guard_text = text;
    return ERR_OK;
}

static bool has_pair(const struct esp_selector *list, size_t n, const struct esp_selector *s)
{
    for (size_t i = 0; i < n; i++) {
        if (prefix_equal(list[i].source, s->source) &&
            prefix_equal(list[i].destination, s->destination))
            return true;
    }
    return false;
}

/* One rule per address pair; complete once every VPN has said what it protects. */
static int load_rules(struct data_path *p)
{
    struct esp_selector pairs[DATA_POLICY_RULES];
    size_t n = 0;
    bool complete = true;
    for (size_t i = 0; i < p->n_vpns; i++) {
        const struct esp_selector *s;
        size_t n_vpn = esp_sadb_selectors(p->sadb, i, &s);
        complete = complete && p->known[i];
        for (size_t j = 0; j < n_vpn && n < DATA_POLICY_RULES; j++) {
            if (!has_pair(pairs, n, &s[j]))
                pairs[n++] = s[j];
        }
    }
    return kernel_policy_rules(p->rtnl, pairs, n, complete);
}

static enum err start(struct data_path *p, struct data_failure *f)
{
    int error = kernel_refresh_tun(p->rtnl, p->inside_address);
    if (error)
        return data_fail_errno(f, error, "routes of %s", DATA_TUN);
    error = start_threads(p);
    return error ? data_fail_errno(f, error, "threads") : ERR_OK;
}

enum err data_open(const struct data_config *config, struct data_path **ret,
                   struct data_failure *ret_failure)
{
    enum err e = data_setup(config, ret_failure);
    if (e)
        return e;
    struct data_path *p = calloc(1, sizeof *p);
    if (!p)
        return data_fail(ret_failure, ERR_NOMEM, "memory");
    p->tun = p->esp = p->raw = p->link = p->link_in = p->icmp = p->stop = p->wake = -1;
    pthread_mutex_init(&p->seal_lock, NULL);
    pthread_mutex_init(&p->open_lock, NULL);
    pthread_mutex_init(&p->slow_lock, NULL);
    e = copy_config(p, config, ret_failure);
    if (e == ERR_OK)
        e = open_engines(p, config, ret_failure);
    if (e == ERR_OK)
        e = open_sockets(p, config->routed_only, ret_failure);
    if (e == ERR_OK) {
        p->inside_address = config->inside_address.version
                                ? config->inside_address
                                : rtnl_address_of_group(p->rtnl, DATA_LAN_GROUP);
        e = load_guard(p, true, ret_failure);
    }
    if (e == ERR_OK)
        e = start(p, ret_failure);
    if (e) {
        data_close(p);
        return e;
    }
    *ret = p;
    return ERR_OK;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void stop_threads(struct data_path *p)
{
    uint64_t one = 1;
    if (p->n_threads == 0)
        return;
    if (write(p->stop, &one, sizeof one) != sizeof one)
        abort(); /* an eventfd takes eight octets */
    for (size_t i = 0; i < p->n_threads; i++)
        pthread_join(p->threads[i], NULL);
}

void data_close(struct data_path *p)
{
    if (!p)
        return;
    struct data_failure failure;
    stop_threads(p);
    enum err e = p->guard_text ? load_guard(p, false, &failure) : ERR_OK;
    (void)e; /* fail-open then stays as it was; the next start withdraws it */
    multicast_close(p->multicast);
    rtnl_close(p->rtnl);
    rtnl_close(p->slow_rtnl);
    const int fds[] = {p->tun, p->esp, p->raw, p->link, p->link_in, p->icmp, p->stop, p->wake};
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close_fd(fds[i]);
    esp_view_free(p->view);
    esp_sadb_free(p->sadb);
    esp_sealer_free(p->sealer);
    esp_opener_free(p->opener);
    packet_engine_free(p->seal_engine);
    packet_engine_free(p->open_engine);
    free(p->guard_text);
    arena_free(&p->arena);
    free(p);
}

/* --- installing --- */

static void lock_all(struct data_path *p)
{
    pthread_mutex_lock(&p->seal_lock);
    pthread_mutex_lock(&p->open_lock);
    pthread_mutex_lock(&p->slow_lock);
}

static void unlock_all(struct data_path *p)
{
    pthread_mutex_unlock(&p->slow_lock);
    pthread_mutex_unlock(&p->open_lock);
    pthread_mutex_unlock(&p->seal_lock);
}

static enum err install_keys(struct data_path *p, const struct esp_vpn_install *in)
{
    struct esp_view *view = NULL;
    lock_all(p);
    enum err e = esp_sadb_install(p->sadb, in, &view);
    if (e == ERR_OK) {
        esp_view_free(p->view);
        p->view = view;
    }
    unlock_all(p);
    return e;
}

void data_wake_slow(struct data_path *p)
{
    uint64_t one = 1;
    (void)!write(p->wake, &one, sizeof one); /* full: it is awake already */
}

/* Keys first: what is steered to us from then on finds them; what is no longer covered is dropped
 * until the tables say the same. */
enum err data_install(struct data_path *p, const struct esp_vpn_install *in,
                      struct data_failure *ret_failure)
{
    enum err e = install_keys(p, in);
    if (e)
        return data_fail(ret_failure, e, "VPN %s: %s", in->vpn, err_text(e));
    size_t vpn = esp_sadb_vpn(p->sadb, in->vpn);
    p->known[vpn] = p->known[vpn] || esp_sadb_can_send(p->sadb, vpn);
    e = load_guard(p, true, ret_failure);
    if (e)
        return e;
    int error = load_rules(p);
    __atomic_store_n(&p->changed, true, __ATOMIC_RELEASE);
    data_wake_slow(p);
    return error ? data_fail_errno(ret_failure, error, "ip rules") : ERR_OK;
}

/* Tables, hooks and what they hold in one transaction: nothing passes in between. */
static enum err make_guard_again(struct data_path *p, struct data_failure *f)
{
    char *policy = render(p, true), *script = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&script, &len);
    if (!out)
        abort();
    nft_render_setup(out, p->vpns, p->n_vpns);
    fputs(policy, out);
    fclose(out);
    enum err e = nft_load(script, f);
    free(script);
    free(p->guard_text);
    p->guard_text = policy;
    return e;
}

enum err data_check(struct data_path *p, bool *ret_guard_was_gone, struct data_failure *ret_failure)
{
    bool gone = !nft_guard_stands();
    enum err e = gone ? make_guard_again(p, ret_failure) : ERR_OK;
    if (e)
        return e;
    *ret_guard_was_gone = gone;
    int error = kernel_routes(p->rtnl, p->inside_address);
    if (!error)
        error = load_rules(p);
    return error ? data_fail_errno(ret_failure, error, "routes of %s", DATA_TUN) : ERR_OK;
}

enum err data_set_clock(struct data_path *p, const char *vpn, span_t offset)
{
    size_t i = esp_sadb_vpn(p->sadb, vpn);
    if (i == p->n_vpns)
        return ERR_NOT_FOUND;
    esp_sadb_set_clock(p->sadb, i, offset);
    return ERR_OK;
}

/* --- what others ask --- */

static void add_esp(struct esp_stats *sum, struct esp_stats more)
{
    for (int i = 0; i < ESP_STAT_COUNT; i++)
        sum->n[i] += more.n[i];
}

void data_stats(struct data_path *p, bool with_guard, struct data_stats *ret)
{
    *ret = (struct data_stats){.unknown = esp_opener_unknown(p->opener)};
    add_esp(&ret->esp, esp_sealer_stats(p->sealer));
    add_esp(&ret->esp, esp_opener_stats(p->opener));
    for (int i = 0; i < DATA_STAT_COUNT; i++)
        ret->n[i] = __atomic_load_n(&p->n[i], __ATOMIC_RELAXED);
    if (with_guard && nft_read_counters(&ret->guard) != ERR_OK)
        ret->guard = (struct data_guard_stats){0};
}

size_t data_sa_report(struct data_path *p, struct esp_sa_report *out, size_t room)
{
    return esp_sadb_report(p->sadb, out, room);
}

enum err data_policies(struct data_path *p, const char *vpn, struct esp_policy_report *out,
                       size_t room, struct data_policies *ret)
{
    size_t i = esp_sadb_vpn(p->sadb, vpn);
    if (i == p->n_vpns)
        return ERR_NOT_FOUND;
    *ret = (struct data_policies){.can_send = esp_sadb_can_send(p->sadb, i),
                                  .n = esp_sadb_policies(p->sadb, i, out, room)};
    return ERR_OK;
}

struct esp_unknown data_unknown(struct data_path *p) { return esp_opener_unknown(p->opener); }
