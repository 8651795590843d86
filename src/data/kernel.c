#include "data/kernel.h"

#include "data/failure.h"
#include "data/names.h"
#include "data/nft.h"
#include "data/rtnl.h"
#include "data/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINKS_MAX = 256, RULES_MAX = 4096 };

/* --- sysctls --- */

static int sysctl_write(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int error = write(fd, value, strlen(value)) < 0 ? errno : 0;
    close(fd);
    return error;
}

static char sysctl_first(const char *path)
{
    char c = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (read(fd, &c, 1) != 1)
        c = 0;
    close(fd);
    return c;
}

/* Strict reverse path filtering would look for the way back of ESP packets, which carry host
 * addresses, through the policy rules, and find the TUN. Loose stays loose, off stays off. */
static int loosen_reverse_path(const char *interface)
{
    char path[128];
    snprintf(path, sizeof path, "/proc/sys/net/ipv4/conf/%s/rp_filter", interface);
    return sysctl_first(path) == '1' ? sysctl_write(path, "2") : 0;
}

static enum err set_sysctls(const struct data_config *c, struct data_failure *f)
{
    static const char *const values[][2] = {
        {"/proc/sys/net/ipv4/ip_forward", "1"},
        /* ICMP errors about what we decrypted get the inside address, so that they are protected on
         * their way back: with the external one they would quote clear text on the WAN */
        {"/proc/sys/net/ipv4/icmp_errors_use_inbound_ifaddr", "1"},
        {"/proc/sys/net/ipv4/conf/" DATA_TUN "/rp_filter", "0"},
    };
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        int error = sysctl_write(values[i][0], values[i][1]);
        if (error)
            return data_fail_errno(f, error, "%s", values[i][0]);
    }
    /* missing where IPv6 is off */
    int error = sysctl_write("/proc/sys/net/ipv6/conf/" DATA_TUN "/disable_ipv6", "1");
    if (error && error != ENOENT)
        return data_fail_errno(f, error, "disable_ipv6 of %s", DATA_TUN);
    error = loosen_reverse_path("all");
    for (size_t i = 0; i < c->n_vpns && !error; i++) {
        error = loosen_reverse_path(c->vpns[i].external_interface);
    }
    return error ? data_fail_errno(f, error, "rp_filter") : ERR_OK;
}

/* --- links --- */

bool kernel_is_external(const struct esp_vpn_config *vpns, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes_equal(bytes_str(vpns[i].external_interface), bytes_str(name)))
            return true;
    }
    return false;
}

int kernel_adopt_lans(struct rtnl *n, const struct esp_vpn_config *vpns, size_t n_vpns)
{
    struct rtnl_link links[LINKS_MAX];
    size_t n_links = 0;
    int error = rtnl_links(n, links, LINKS_MAX, &n_links);
    for (size_t i = 0; i < n_links && !error; i++) {
        const struct rtnl_link *l = &links[i];
        bool ours = bytes_equal(bytes_str(l->name), bytes_str(DATA_TUN));
        bool external = kernel_is_external(vpns, n_vpns, l->name);
        if (l->loopback || ours)
            continue;
        if (!external && l->group == 0)
            error = rtnl_link_group(n, l->index, DATA_LAN_GROUP);
        else if (external && l->group == DATA_LAN_GROUP)
            error = rtnl_link_group(n, l->index, 0); /* it was a LAN interface before a commit */
        if (error == ENODEV)
            error = 0; /* gone meanwhile */
    }
    return error;
}

int kernel_tun_mtu(struct rtnl *n, unsigned mtu)
{
    unsigned index = if_nametoindex(DATA_TUN);
    return index ? rtnl_link_up(n, index, mtu) : ENODEV;
}

/* --- routes and rules --- */

/* The default route into the TUN with the inside address (found anew if none was configured). */
static int route_tun(struct rtnl *n, struct ip inside)
{
    unsigned index = if_nametoindex(DATA_TUN);
    if (!index)
        return ENODEV;
    if (!inside.version)
        inside = rtnl_address_of_group(n, DATA_LAN_GROUP);
    if (inside.version) {
        int error = rtnl_address_add(n, index, inside);
        if (error)
            return error;
    }
    return rtnl_route_replace(
        n, &(struct rtnl_route){
               .type = RTNL_UNICAST, .table = DATA_TABLE_TUN, .index = index, .source = inside});
}

int kernel_refresh_tun(struct rtnl *n, struct ip inside)
{
    int error = rtnl_link_down(n, if_nametoindex(DATA_TUN)); /* takes its routes away */
    if (!error)
        error = kernel_tun_mtu(n, DATA_MTU_DEFAULT);
    return error ? error : route_tun(n, inside);
}

static const struct rtnl_route black_hole = {
    .type = RTNL_BLACKHOLE, .table = DATA_TABLE_TUN, .metric = DATA_BLACKHOLE_METRIC};

static int add_routes(struct rtnl *n, struct ip inside)
{
    /* the black hole first: from here on the table never falls through */
    int error = rtnl_route_replace(n, &black_hole);
    if (!error)
        error = rtnl_route_replace(n, &(struct rtnl_route){.type = RTNL_LOCAL,
                                                           .table = DATA_TABLE_ESP,
                                                           .index = if_nametoindex("lo")});
    return error ? error : route_tun(n, inside);
}

enum { MAIN = 254 };
static const struct rtnl_rule fixed_rules[] = {
    {.pref = DATA_PREF_OWN, .table = MAIN, .mark = DATA_MARK_OWN, .mask = DATA_MARK_OWN_MASK},
    {.pref = DATA_PREF_ESP, .table = DATA_TABLE_ESP, .mark = DATA_MARK_ESP, .mask = DATA_MARK_MASK},
    {.pref = DATA_PREF_OPENED, .table = MAIN, .iif = DATA_TUN},
    {.pref = DATA_PREF_LAN, .table = MAIN, .suppress_group = true, .suppressed = 0},
    {.pref = DATA_PREF_CLEAR, .table = MAIN, .mark = DATA_MARK_CLEAR, .mask = DATA_MARK_MASK},
    {.pref = DATA_PREF_PROTECT,
     .table = DATA_TABLE_TUN,
     .mark = DATA_MARK_PROTECT,
     .mask = DATA_MARK_MASK},
};

static int add_rules(struct rtnl *n)
{
    int error = 0;
    for (size_t i = 0; i < ARRAY_LEN(fixed_rules) && !error; i++)
        error = rtnl_rule_add(n, &fixed_rules[i]);
    return error;
}

int kernel_routes(struct rtnl *n, struct ip inside)
{
    int error = add_routes(n, inside);
    return error ? error : add_rules(n);
}

/* The kernel does not say which version a prefix of length 0 has. */
static bool same_prefix(struct prefix a, struct prefix b)
{
    return a.len == b.len && (a.len == 0 || prefix_equal(a, b));
}

static bool same_pair(const struct rtnl_rule *r, const struct esp_selector *s)
{
    return same_prefix(r->source, s->source) && same_prefix(r->destination, s->destination);
}

static bool is_wanted(const struct rtnl_rule *r, const struct esp_selector *selectors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (same_pair(r, &selectors[i]))
            return true;
    }
    return false;
}

static struct rtnl_rule policy_rule(struct prefix source, struct prefix destination)
{
    return (struct rtnl_rule){.pref = DATA_PREF_POLICY,
                              .table = DATA_TABLE_TUN,
                              .source = source,
                              .destination = destination};
}

static int sweep_policy_rules(struct rtnl *n, const struct esp_selector *selectors, size_t count)
{
    struct rtnl_rule *old = calloc(RULES_MAX, sizeof *old);
    if (!old)
        return ENOMEM;
    size_t n_old = 0;
    int error = rtnl_rules(n, DATA_PREF_POLICY, old, RULES_MAX, &n_old);
    for (size_t i = 0; i < n_old && !error; i++) {
        struct rtnl_rule r = policy_rule(old[i].source, old[i].destination);
        if (!is_wanted(&old[i], selectors, count))
            error = rtnl_rule_delete(n, &r);
    }
    free(old);
    return error;
}

int kernel_policy_rules(struct rtnl *n, const struct esp_selector *selectors, size_t count,
                        bool complete)
{
    int error = 0;
    for (size_t i = 0; i < count && !error; i++) {
        struct rtnl_rule r = policy_rule(selectors[i].source, selectors[i].destination);
        error = rtnl_rule_add(n, &r);
    }
    return error || !complete ? error : sweep_policy_rules(n, selectors, count);
}

/* --- all of it --- */

/* The guard first. A guard that is made now starts closed; one that stands keeps what it holds. */
static enum err load_guard(const struct data_config *c, struct data_failure *f)
{
    char *script = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&script, &len);
    if (!out)
        return data_fail_errno(f, errno, "memory for nft rules");
    struct nft_vpn *closed = calloc(c->n_vpns + 1, sizeof *closed);
    for (size_t i = 0; closed && i < c->n_vpns; i++)
        closed[i].config = &c->vpns[i];
    nft_render_setup(out, c->vpns, c->n_vpns);
    if (closed && !nft_guard_stands())
        nft_render_policy(out, closed, c->n_vpns);
    fclose(out);
    enum err e = closed ? nft_load(script, f) : data_fail(f, ERR_NOMEM, "memory for nft rules");
    free(closed);
    free(script);
    return e;
}

enum err kernel_setup(struct rtnl *n, const struct data_config *c, struct data_failure *f)
{
    enum err e = load_guard(c, f);
    if (e)
        return e;
    int error = tun_create();
    if (error)
        return data_fail_errno(f, error, "TUN device %s", DATA_TUN);
    e = set_sysctls(c, f);
    if (e)
        return e;
    error = rtnl_link_up(n, if_nametoindex(DATA_TUN), 0);
    if (!error)
        error = kernel_adopt_lans(n, c->vpns, c->n_vpns);
    if (error)
        return data_fail_errno(f, error, "interfaces");
    error = kernel_routes(n, c->inside_address);
    return error ? data_fail_errno(f, error, "routes and rules of table %d", DATA_TABLE_TUN)
                 : ERR_OK;
}

static int release_lans(struct rtnl *n)
{
    struct rtnl_link links[LINKS_MAX];
    size_t n_links = 0;
    int error = rtnl_links(n, links, LINKS_MAX, &n_links);
    for (size_t i = 0; i < n_links && !error; i++) {
        if (links[i].group == DATA_LAN_GROUP)
            error = rtnl_link_group(n, links[i].index, 0);
    }
    return error;
}

/* The guard last: until then nothing goes in clear that was protected. The sysctls stay: who else
 * relies on them by now is not known here. */
enum err kernel_teardown(struct rtnl *n, struct data_failure *f)
{
    int error = kernel_policy_rules(n, NULL, 0, true);
    if (!error)
        error = release_lans(n);
    for (size_t i = ARRAY_LEN(fixed_rules); i-- > 0 && !error;)
        error = rtnl_rule_delete(n, &fixed_rules[i]);
    if (!error)
        error = rtnl_route_delete(n, &black_hole);
    if (!error)
        error = rtnl_route_delete(
            n, &(struct rtnl_route){.type = RTNL_LOCAL, .table = DATA_TABLE_ESP, .index = 1});
    if (!error)
        error = tun_delete();
    if (error)
        return data_fail_errno(f, error, "removing routes, rules and %s", DATA_TUN);
    char *script = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&script, &len);
    if (!out)
        return data_fail_errno(f, errno, "memory for nft rules");
    nft_render_teardown(out);
    fclose(out);
    enum err e = nft_load(script, f);
    free(script);
    return e;
}
