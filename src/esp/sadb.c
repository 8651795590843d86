#include "esp/sadb.h"

#include "esp/view_build.h"

#include <assert.h>
#include <stdlib.h>

enum { SPI_MIN = 256, VPNS_MAX = 256 };

struct esp_sadb {
    struct arena arena; /* the configuration */
    struct packet_engine *seal, *open;
    struct esp_vpn *vpns;
    struct esp_clock *clocks; /* one per VPN: views come and go, these stay */
    size_t n_vpns;
    uint64_t serial;
};

/* --- SAs --- */

static bool same_key(const struct esp_sa *sa, const struct esp_sa_install *in)
{
    return sa->spi == in->spi && ip_equal(sa->server, in->server) && sa->cipher == in->cipher &&
           sa->auth == in->auth &&
           secret_equal(secret_bytes(&sa->cipher_key), secret_bytes(&in->key)) &&
           secret_equal(secret_bytes(&sa->auth_key), secret_bytes(&in->auth_key));
}

static struct esp_sa *sa_alloc(const struct esp_sa_install *in)
{
    struct esp_sa *sa = aligned_alloc(alignof(struct esp_sa), sizeof *sa);
    if (!sa)
        abort();
    size_t block = cipher_is_counter_mode(in->cipher) ? 1 : cipher_block(in->cipher);
    *sa = (struct esp_sa){
        .spi = in->spi,
        .iv_len = (uint8_t)cipher_iv_len(in->cipher),
        .icv_len = (uint8_t)packet_icv_len(in->cipher, in->auth),
        .align = (uint8_t)(block < 4 ? 4 : block), /* RFC 4303 2.4 */
        .stamp_len = in->window_ms ? ESP_STAMP : 0,
        .window_ms = in->window_ms,
        .counter_mode = cipher_is_counter_mode(in->cipher),
        .server = in->server,
        .cipher = in->cipher,
        .auth = in->auth,
        .cipher_key = in->key,
        .auth_key = in->auth_key,
    };
    return sa;
}

static void sa_free(struct esp_sa *sa)
{
    packet_key_free(sa->seal_key);
    packet_key_free(sa->open_key);
    secret_wipe(&sa->cipher_key);
    secret_wipe(&sa->auth_key);
    free(sa);
}

static enum err make_key(struct packet_engine *engine, const struct esp_sa_install *in,
                         struct packet_key **ret)
{
    return packet_key_new(engine, in->cipher, in->auth, secret_bytes(&in->key),
                          secret_bytes(&in->auth_key), ret);
}

static enum err sa_new(struct esp_sadb *db, const struct esp_sa_install *in, size_t vpn,
                       struct esp_sa **ret)
{
    struct esp_sa *sa = sa_alloc(in);
    sa->vpn = (uint16_t)vpn;
    sa->clock = in->window_ms ? &db->clocks[vpn] : NULL;
    sa->df = (uint8_t)db->vpns[vpn].config.df_bit;
    sa->inner_max = esp_sa_inner_max(sa, db->vpns[vpn].config.tunnel_mtu);
    enum err e = make_key(db->seal, in, &sa->seal_key);
    if (e == ERR_OK)
        e = make_key(db->open, in, &sa->open_key);
    if (e)
        sa_free(sa);
    else
        *ret = sa;
    return e;
}

void esp_sa_ref(struct esp_sa *sa) { sa->refs++; }

void esp_sa_unref(struct esp_sa *sa)
{
    if (sa && --sa->refs == 0)
        sa_free(sa);
}

/* --- checks of an install --- */

static enum err check_selectors(const struct esp_sa_install *in)
{
    if (in->n_selectors == 0)
        return ERR_VALUE;
    if (in->n_selectors > ESP_SELECTORS_MAX)
        return ERR_LIMIT;
    enum err e = ERR_OK;
    for (size_t i = 0; i < in->n_selectors && e == ERR_OK; i++) {
        struct esp_match m;
        e = esp_match_selector(&in->selectors[i], &m);
    }
    return e;
}

static enum err check_sa(const struct esp_sa_install *in)
{
    if (in->cipher >= CIPHER_COUNT || in->auth >= AUTH_COUNT)
        return ERR_TYPE;
    if (cipher_is_counter_mode(in->cipher) != (in->auth == AUTH_NONE))
        return ERR_TYPE; /* never encryption without integrity, nor integrity twice */
    if (in->transport_mode || (cipher_is_counter_mode(in->cipher) && !in->sole_sender))
        return ERR_POLICY;
    if (in->spi < SPI_MIN || in->key.len != cipher_key_len(in->cipher) ||
        in->auth_key.len != auth_key_len(in->auth))
        return ERR_VALUE;
    return check_selectors(in);
}

static enum err check_closed(const struct esp_vpn_install *in)
{
    enum err e = ERR_OK;
    for (size_t i = 0; i < in->n_closed && e == ERR_OK; i++) {
        struct esp_match m;
        e = esp_match_selector(&in->closed[i], &m);
    }
    return e;
}

static enum err check_install(const struct esp_vpn_install *in, const struct esp_clock *clock)
{
    if (in->n_sas > ESP_SAS_MAX)
        return ERR_LIMIT;
    enum err closed = check_closed(in);
    if (closed)
        return closed;
    for (size_t i = 0; i < in->n_sas; i++) {
        enum err e = check_sa(&in->sas[i]);
        if (e)
            return e;
        if (in->sas[i].window_ms && !esp_clock_is_set(clock))
            return ERR_VALUE;
        for (size_t j = 0; j < i; j++) {
            if (in->sas[j].spi == in->sas[i].spi && ip_equal(in->sas[j].server, in->sas[i].server))
                return ERR_CONFLICT;
        }
    }
    return ERR_OK;
}

/* --- installing --- */

static void keys_free(struct esp_keys *k)
{
    for (size_t i = 0; i < k->n_sas; i++)
        esp_sa_unref(k->sas[i].sa);
    arena_free(&k->arena);
    *k = (struct esp_keys){0};
}

/* The SA that has this key already, or a new one. A key has one window for all its life. */
static enum err get_sa(struct esp_sadb *db, size_t vpn, const struct esp_sa_install *in,
                       struct esp_sa **ret)
{
    const struct esp_keys *old = &db->vpns[vpn].keys;
    for (size_t i = 0; i < old->n_sas; i++) {
        if (!same_key(old->sas[i].sa, in))
            continue;
        *ret = old->sas[i].sa;
        return (*ret)->window_ms == in->window_ms ? ERR_OK : ERR_CONFLICT;
    }
    return sa_new(db, in, vpn, ret);
}

static void copy_selectors(struct arena *a, const struct esp_sa_install *in,
                           struct esp_installed *out)
{
    out->n_selectors = in->n_selectors;
    out->selectors = arena_copy(a, in->selectors, in->n_selectors * sizeof *in->selectors);
    out->matches = arena_alloc(a, in->n_selectors * sizeof *out->matches);
    for (size_t i = 0; i < in->n_selectors; i++) {
        enum err e = esp_match_selector(&in->selectors[i], &out->matches[i]);
        assert(e == ERR_OK); /* check_selectors() */
        (void)e;
    }
}

static void copy_closed(struct esp_keys *k, const struct esp_vpn_install *in)
{
    k->closed = arena_alloc(&k->arena, in->n_closed * sizeof *k->closed);
    for (size_t i = 0; i < in->n_closed; i++) {
        enum err e = esp_match_selector(&in->closed[i], &k->closed[k->n_closed++]);
        assert(e == ERR_OK); /* check_closed() */
        (void)e;
    }
}

/* The policies in force: of the SAs that send and what is closed, or what was in force before. */
static void set_policies(struct esp_keys *k, const struct esp_vpn_install *in,
                         const struct esp_keys *old)
{
    size_t n = in->n_closed;
    for (size_t i = 0; i < k->n_sas; i++)
        n += k->sas[i].slot == ESP_SLOT_CURRENT ? k->sas[i].n_selectors : 0;
    if (n == 0) {
        k->n_policies = old->n_policies;
        k->policies = arena_copy(&k->arena, old->policies, old->n_policies * sizeof *k->policies);
        return;
    }
    k->policies = arena_alloc(&k->arena, n * sizeof *k->policies);
    for (size_t i = 0; i < k->n_sas; i++) {
        const struct esp_installed *sa = &k->sas[i];
        for (size_t j = 0; sa->slot == ESP_SLOT_CURRENT && j < sa->n_selectors; j++)
            k->policies[k->n_policies++] = sa->selectors[j];
    }
    for (size_t i = 0; i < in->n_closed; i++)
        k->policies[k->n_policies++] = in->closed[i];
}

static enum err keys_build(struct esp_sadb *db, size_t vpn, const struct esp_vpn_install *in,
                           struct esp_keys *ret)
{
    const struct esp_keys *old = &db->vpns[vpn].keys;
    struct esp_keys k = {0};
    k.sas = arena_alloc(&k.arena, in->n_sas * sizeof *k.sas);
    for (size_t i = 0; i < in->n_sas; i++) {
        struct esp_sa *sa = NULL;
        enum err e = get_sa(db, vpn, &in->sas[i], &sa);
        if (e) {
            keys_free(&k);
            return e;
        }
        esp_sa_ref(sa);
        k.sas[i] = (struct esp_installed){.sa = sa, .slot = in->sas[i].slot};
        k.n_sas++;
        copy_selectors(&k.arena, &in->sas[i], &k.sas[i]);
    }
    copy_closed(&k, in);
    set_policies(&k, in, old);
    *ret = k;
    return ERR_OK;
}

size_t esp_sadb_vpn(const struct esp_sadb *db, const char *name)
{
    size_t i = 0;
    while (i < db->n_vpns && !bytes_equal(bytes_str(db->vpns[i].config.vpn), bytes_str(name)))
        i++;
    return i;
}

enum err esp_sadb_install(struct esp_sadb *db, const struct esp_vpn_install *in,
                          struct esp_view **ret_view)
{
    size_t vpn = esp_sadb_vpn(db, in->vpn);
    if (vpn == db->n_vpns)
        return ERR_NOT_FOUND;
    enum err e = check_install(in, &db->clocks[vpn]);
    if (e)
        return e;
    struct esp_keys keys;
    e = keys_build(db, vpn, in, &keys);
    if (e)
        return e;
    keys_free(&db->vpns[vpn].keys);
    db->vpns[vpn].keys = keys;
    *ret_view = esp_sadb_view(db);
    return ERR_OK;
}

void esp_sadb_set_clock(struct esp_sadb *db, size_t vpn, span_t offset)
{
    assert(vpn < db->n_vpns);
    esp_clock_set(&db->clocks[vpn], offset);
}

struct esp_view *esp_sadb_view(struct esp_sadb *db)
{
    return esp_view_build(db->vpns, db->n_vpns, ++db->serial);
}

/* --- configuration --- */

static enum err copy_excludes(struct arena *a, const struct esp_vpn_config *c, struct esp_vpn *out)
{
    out->excludes = arena_alloc(a, 2 * c->n_exclude * sizeof *out->excludes);
    for (size_t i = 0; i < c->n_exclude; i++) {
        struct esp_match m;
        enum err e = esp_match_rule(&c->exclude[i], &m);
        if (e)
            return e;
        out->excludes[out->n_excludes++] = m;
        out->excludes[out->n_excludes++] = esp_match_mirrored(&m);
    }
    return ERR_OK;
}

static enum err copy_config(struct esp_sadb *db, const struct esp_vpn_config *vpns, size_t n)
{
    db->vpns = arena_alloc(&db->arena, n * sizeof *db->vpns);
    db->clocks = arena_alloc(&db->arena, n * sizeof *db->clocks);
    for (size_t i = 0; i < n; i++) {
        struct esp_vpn *v = &db->vpns[i];
        v->config = vpns[i];
        v->config.vpn = arena_text(&db->arena, "%s", vpns[i].vpn);
        db->clocks[i] = ESP_CLOCK_UNSET;
        db->n_vpns++;
        enum err e = copy_excludes(&db->arena, &vpns[i], v);
        if (e)
            return e;
    }
    return ERR_OK;
}

enum err esp_sadb_new(const struct esp_vpn_config *vpns, size_t n, struct packet_engine *seal,
                      struct packet_engine *open, struct esp_sadb **ret)
{
    if (n > VPNS_MAX)
        return ERR_LIMIT;
    struct esp_sadb *db = calloc(1, sizeof *db);
    if (!db)
        return ERR_NOMEM;
    db->seal = seal;
    db->open = open;
    enum err e = copy_config(db, vpns, n);
    if (e) {
        esp_sadb_free(db);
        return e;
    }
    *ret = db;
    return ERR_OK;
}

void esp_sadb_free(struct esp_sadb *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < db->n_vpns; i++)
        keys_free(&db->vpns[i].keys);
    arena_free(&db->arena);
    free(db);
}

/* --- what others ask --- */

static struct esp_sa_report report_of(const struct esp_vpn *v, const struct esp_installed *in)
{
    const struct esp_sa *sa = in->sa;
    return (struct esp_sa_report){
        .vpn = v->config.vpn,
        .group = v->config.group,
        .spi = sa->spi,
        .server = sa->server,
        .slot = in->slot,
        .cipher = sa->cipher,
        .auth = sa->auth,
        .window_ms = sa->window_ms,
        .packets_out = __atomic_load_n(&sa->packets_out, __ATOMIC_RELAXED),
        .bytes_out = __atomic_load_n(&sa->bytes_out, __ATOMIC_RELAXED),
        .packets_in = __atomic_load_n(&sa->packets_in, __ATOMIC_RELAXED),
        .bytes_in = __atomic_load_n(&sa->bytes_in, __ATOMIC_RELAXED),
    };
}

size_t esp_sadb_report(const struct esp_sadb *db, struct esp_sa_report *out, size_t room)
{
    size_t n = 0;
    for (size_t i = 0; i < db->n_vpns; i++) {
        for (size_t j = 0; j < db->vpns[i].keys.n_sas; j++, n++) {
            if (n < room)
                out[n] = report_of(&db->vpns[i], &db->vpns[i].keys.sas[j]);
        }
    }
    return n;
}

/* The policies are those of the SAs that send, in their order, and then what is closed. */
size_t esp_sadb_policies(const struct esp_sadb *db, size_t vpn, struct esp_policy_report *out,
                         size_t room)
{
    assert(vpn < db->n_vpns);
    const struct esp_keys *k = &db->vpns[vpn].keys;
    size_t n = 0;
    for (size_t i = 0; i < k->n_sas; i++) {
        const struct esp_installed *in = &k->sas[i];
        for (size_t j = 0; in->slot == ESP_SLOT_CURRENT && j < in->n_selectors; j++, n++) {
            if (n < room)
                out[n] = (struct esp_policy_report){in->selectors[j], in->sa->spi, in->sa->server};
        }
    }
    for (; n < k->n_policies; n++) {
        if (n < room)
            out[n] = (struct esp_policy_report){.selector = k->policies[n]};
    }
    return n;
}

bool esp_sadb_can_send(const struct esp_sadb *db, size_t vpn)
{
    assert(vpn < db->n_vpns);
    return esp_keys_can_send(&db->vpns[vpn].keys);
}

size_t esp_sadb_selectors(const struct esp_sadb *db, size_t vpn, const struct esp_selector **ret)
{
    assert(vpn < db->n_vpns);
    *ret = db->vpns[vpn].keys.policies;
    return db->vpns[vpn].keys.n_policies;
}

static void take_least(uint16_t *least, uint16_t value)
{
    if (*least == 0 || value < *least)
        *least = value;
}

uint16_t esp_sadb_inner_max(const struct esp_sadb *db, size_t mtu)
{
    uint16_t least = 0;
    for (size_t i = 0; i < db->n_vpns; i++) {
        const struct esp_vpn *v = &db->vpns[i];
        size_t outer = mtu < v->config.tunnel_mtu ? mtu : v->config.tunnel_mtu;
        for (size_t j = 0; j < v->keys.n_sas; j++) {
            if (v->keys.sas[j].slot == ESP_SLOT_CURRENT)
                take_least(&least, esp_sa_inner_max(v->keys.sas[j].sa, outer));
        }
    }
    return least;
}
