/* The rows of keys: whole policies as they were when the key was made, and the key itself. */
#include "server/rows_wire.h"

enum { POLICIES_MAX = MODEL_MATCH_POLICIES_MAX };

/* ---- policies of a TEK ---- */

static void put_prefix(struct wr *w, struct prefix p)
{
    row_put_ip(w, p.ip);
    wr_u8(w, p.len);
}

static struct prefix get_prefix(struct rd *r)
{
    struct prefix p = {.ip = row_get_ip(r)};

    p.len = rd_u8(r);
    row_demand(r, p.ip.version != 0 && p.len <= (p.ip.version == 4 ? 32 : 128));
    if (!r->err)
        row_demand(r, ip_equal(prefix_of(p.ip, p.len).ip, p.ip));
    return p;
}

static void put_policy(struct wr *w, const struct model_match_policy *p)
{
    row_put_name(w, p->name);
    put_prefix(w, p->source);
    put_prefix(w, p->destination);
    wr_u16(w, p->source_port);
    wr_u16(w, p->destination_port);
    wr_u8(w, p->protocol);
}

static struct model_match_policy get_policy(struct rd *r, struct arena *a)
{
    struct model_match_policy p = {.name = row_get_name(r, a)};

    p.source = get_prefix(r);
    p.destination = get_prefix(r);
    p.source_port = rd_u16(r);
    p.destination_port = rd_u16(r);
    p.protocol = rd_u8(r);
    return p;
}

static void put_proposal(struct wr *w, const struct model_ipsec_proposal *p)
{
    row_put_name(w, p->name);
    wr_u16(w, (uint16_t)p->cipher);
    wr_u16(w, p->key_bits);
    wr_u16(w, (uint16_t)p->auth);
    wr_u32(w, p->lifetime_s);
}

static const struct model_ipsec_proposal *get_proposal(struct rd *r, struct arena *a)
{
    struct model_ipsec_proposal *p = arena_alloc(a, sizeof *p);

    p->name = row_get_name(r, a);
    p->cipher = (enum model_esp_cipher)rd_u16(r);
    p->key_bits = rd_u16(r);
    p->auth = (enum model_esp_auth)rd_u16(r);
    p->lifetime_s = rd_u32(r);
    enum err e = mint_check(p);
    if (e)
        rd_fail(r, e);
    return p;
}

static void put_ipsec_sa(struct wr *w, const struct model_ipsec_sa *sa)
{
    row_put_name(w, sa->name);
    put_proposal(w, sa->proposal);
    wr_u16(w, (uint16_t)sa->n_policies);
    for (size_t i = 0; i < sa->n_policies; i++)
        put_policy(w, &sa->policies[i]);
}

static const struct model_ipsec_sa *get_ipsec_sa(struct rd *r, struct arena *a)
{
    struct model_ipsec_sa *sa = arena_alloc(a, sizeof *sa);
    struct model_match_policy *policies = arena_alloc(a, POLICIES_MAX * sizeof *policies);

    sa->name = row_get_name(r, a);
    sa->proposal = get_proposal(r, a);
    sa->policies = policies;
    sa->n_policies = rd_u16(r);
    if (sa->n_policies == 0 || sa->n_policies > POLICIES_MAX)
        rd_fail(r, ERR_LENGTH);
    for (size_t i = 0; i < sa->n_policies && !r->err; i++)
        policies[i] = get_policy(r, a);
    return sa;
}

/* ---- TEKs ---- */

static void put_timeline(struct wr *w, const struct timeline *t)
{
    row_put_instant(w, t->created);
    row_put_instant(w, t->switch_at);
    row_put_instant(w, t->drop_at);
    row_put_instant(w, t->expiry);
}

static struct timeline get_timeline(struct rd *r)
{
    struct timeline t = {.created = row_get_instant(r)};

    t.switch_at = row_get_instant(r);
    t.drop_at = row_get_instant(r);
    t.expiry = row_get_instant(r);
    row_demand(r, t.created.ns <= t.switch_at.ns && t.switch_at.ns <= t.drop_at.ns &&
                      instant_before(t.created, t.expiry));
    return t;
}

void row_tek_write(struct wr *w, const struct row_tek *row)
{
    row_put_head(w);
    wr_u32(w, row->group);
    wr_u32(w, row->number);
    put_timeline(w, &row->time);
    wr_u32(w, row->window_ms);
    put_ipsec_sa(w, row->policy);
    row_put_bytes(w, row->key);
    row_put_bytes(w, row->auth_key);
}

enum err row_tek_read(const struct store_row *row, struct arena *a, struct row_tek *ret)
{
    struct rd key = rd_of(row->key), r = rd_of(row->value);
    struct row_tek t = {.spi = rd_u32(&key)};
    enum err e = rd_end(&key);

    row_get_head(&r);
    t.group = row_get_group_id(&r);
    t.number = rd_u32(&r);
    row_demand(&r, t.number > 0);
    t.time = get_timeline(&r);
    t.window_ms = rd_u32(&r);
    t.policy = get_ipsec_sa(&r, a);
    t.key = row_get_bytes(&r, 1, SECRET_MAX);
    t.auth_key = row_get_bytes(&r, 0, SECRET_MAX);
    if (!e)
        e = rd_end(&r);
    if (!e)
        *ret = t;
    return e;
}

/* ---- KEKs ---- */

static void put_communication(struct wr *w, const struct model_communication *c)
{
    wr_u8(w, (uint8_t)c->type);
    wr_u16(w, (uint16_t)c->cipher);
    wr_u16(w, c->key_bits);
    wr_u16(w, (uint16_t)c->sig_hash);
    wr_u32(w, c->lifetime_s);
    wr_u32(w, c->heartbeat_s);
    wr_u32(w, c->n_retransmission);
    wr_u32(w, c->retransmission_period_s);
    row_put_ip(w, c->multicast_group);
    row_put_name(w, c->multicast_interface);
    row_put_name(w, c->certificate);
}

static const struct model_communication *get_communication(struct rd *r, struct arena *a)
{
    struct model_communication *c = arena_alloc(a, sizeof *c);

    c->present = true;
    c->type = row_get_bool(r) ? MODEL_PUSH_MULTICAST : MODEL_PUSH_UNICAST;
    c->cipher = (enum model_kek_cipher)rd_u16(r);
    c->key_bits = rd_u16(r);
    c->sig_hash = (enum model_sig_hash)rd_u16(r);
    c->lifetime_s = rd_u32(r);
    c->heartbeat_s = rd_u32(r);
    c->n_retransmission = rd_u32(r);
    c->retransmission_period_s = rd_u32(r);
    c->multicast_group = row_get_ip(r);
    c->multicast_interface = row_get_name_or_null(r, a);
    c->certificate = row_get_name_or_null(r, a);
    enum err e = kek_check(c);
    if (e)
        rd_fail(r, e);
    row_demand(r, ip_is_multicast(c->multicast_group) == (c->type == MODEL_PUSH_MULTICAST));
    return c;
}

void row_kek_write(struct wr *w, const struct row_kek *row)
{
    row_put_head(w);
    wr_u32(w, row->group);
    wr_u32(w, row->number);
    row_put_instant(w, row->created);
    row_put_instant(w, row->expiry);
    put_communication(w, row->policy);
    row_put_bytes(w, row->iv);
    row_put_bytes(w, row->key);
    wr_put(w, row->signer);
    wr_u8(w, row->retires);
}

enum err row_kek_read(const struct store_row *row, struct arena *a, struct row_kek *ret)
{
    struct rd r = rd_of(row->value);
    struct row_kek k = {.spi = row->key};

    row_get_head(&r);
    k.group = row_get_group_id(&r);
    k.number = rd_u32(&r);
    k.created = row_get_instant(&r);
    k.expiry = row_get_instant(&r);
    row_demand(&r, k.number > 0 && instant_before(k.created, k.expiry));
    k.policy = get_communication(&r, a);
    k.iv = row_get_bytes(&r, 1, SECRET_MAX);
    k.key = row_get_bytes(&r, 1, SECRET_MAX);
    k.signer = rd_take(&r, ROW_SIGNER_KEY);
    k.retires = row_get_bool(&r);
    if (k.spi.len != KEK_SPI)
        rd_fail(&r, ERR_LENGTH);
    if (rd_end(&r) == ERR_OK)
        *ret = k;
    return r.err;
}
