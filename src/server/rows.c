#include "server/rows.h"

#include "server/limits.h"
#include "server/rows_wire.h"

/* ---- keys ---- */

struct bytes row_key_u32(uint32_t n, uint8_t *out)
{
    struct wr w = wr_of(out, ROW_KEY_MAX);

    wr_u32(&w, n);
    return wr_bytes(&w);
}

struct bytes row_key_who(const struct row_who *who, uint8_t *out)
{
    struct wr w = wr_of(out, ROW_KEY_MAX);

    wr_u32(&w, who->group);
    wr_u8(&w, (uint8_t)who->identity.type);
    wr_put(&w, who->identity.value);
    assert(wr_end(&w) == ERR_OK); /* identities have at most REGISTRY_ID_MAX octets */
    return wr_bytes(&w);
}

static bool id_is_known(uint8_t type)
{
    return type == MODEL_ID_IPV4 || type == MODEL_ID_FQDN || type == MODEL_ID_USER_FQDN ||
           type == MODEL_ID_KEY_ID;
}

static enum err who_of(struct bytes key, struct row_who *ret)
{
    struct rd r = rd_of(key);
    struct row_who who = {.group = row_get_group_id(&r)};
    uint8_t type = rd_u8(&r);

    row_demand(&r, id_is_known(type));
    who.identity.type = (enum model_id_type)type;
    who.identity.value = rd_rest(&r);
    if (who.identity.value.len == 0 || who.identity.value.len > REGISTRY_ID_MAX)
        rd_fail(&r, ERR_LENGTH);
    if (rd_end(&r) == ERR_OK)
        *ret = who;
    return r.err;
}

/* ---- groups ---- */

static void put_wishes(struct wr *w, const struct group_wishes *wishes)
{
    wr_u8(w, wishes->kek);
    wr_u8(w, wishes->exclusion);
    wr_u64(w, (uint64_t)wishes->spread.ns);
}

static struct group_wishes get_wishes(struct rd *r)
{
    struct group_wishes wishes = {.kek = row_get_bool(r)};

    wishes.exclusion = row_get_bool(r);
    wishes.spread.ns = (int64_t)rd_u64(r);
    row_demand(r, wishes.spread.ns >= 0 && wishes.spread.ns <= GROUP_SPREAD_MAX.ns);
    row_demand(r, wishes.exclusion || wishes.spread.ns == 0);
    return wishes;
}

void row_group_write(struct wr *w, const struct row_group *row)
{
    row_put_head(w);
    wr_u32(w, row->push_seq);
    wr_u32(w, row->version);
    wr_u32(w, row->kek_numbers);
    wr_u32(w, row->atd_s);
    put_wishes(w, &row->wishes);
    wr_u16(w, (uint16_t)row->n_sas);
    for (size_t i = 0; i < row->n_sas; i++) {
        row_put_name(w, row->sas[i].name);
        wr_u32(w, row->sas[i].numbers);
        wr_u8(w, (uint8_t)row->sas[i].wish);
    }
}

static enum group_sa_wish get_wish(struct rd *r)
{
    uint8_t wish = rd_u8(r);

    row_demand(r, wish < GROUP_SA_WISH_COUNT);
    return wish < GROUP_SA_WISH_COUNT ? (enum group_sa_wish)wish : GROUP_SA_NO_WISH;
}

static const struct row_group_sa *get_sas(struct rd *r, struct arena *a, size_t n)
{
    if (n > ROW_SAS_MAX)
        rd_fail(r, ERR_LENGTH);
    struct row_group_sa *sas = arena_alloc(a, (r->err ? 0 : n) * sizeof *sas);
    for (size_t i = 0; i < n && !r->err; i++) {
        sas[i].name = row_get_name(r, a);
        sas[i].numbers = rd_u32(r);
        sas[i].wish = get_wish(r);
    }
    return sas;
}

enum err row_group_read(const struct store_row *row, struct arena *a, struct row_group *ret)
{
    struct rd key = rd_of(row->key), r = rd_of(row->value);
    struct row_group g = {.id = row_get_group_id(&key)};
    enum err e = rd_end(&key);

    row_get_head(&r);
    g.push_seq = rd_u32(&r);
    g.version = rd_u32(&r);
    g.kek_numbers = rd_u32(&r);
    g.atd_s = rd_u32(&r);
    g.wishes = get_wishes(&r);
    if (g.push_seq > SERVER_SEQ_LAST)
        rd_fail(&r, ERR_LIMIT);
    row_demand(&r, g.atd_s > 0 && g.atd_s <= ROW_ATD_MAX);
    g.n_sas = rd_u16(&r);
    g.sas = get_sas(&r, a, g.n_sas);
    if (!e)
        e = rd_end(&r);
    if (!e)
        *ret = g;
    return e;
}

/* ---- key pairs ---- */

void row_signer_write(struct wr *w, const struct row_signer *row)
{
    row_put_head(w);
    row_put_name(w, row->certificate);
    row_put_bytes(w, row->pem);
}

enum err row_signer_read(const struct store_row *row, struct arena *a, struct row_signer *ret)
{
    struct rd r = rd_of(row->value);

    row_get_head(&r);
    const char *certificate = row_get_name_or_null(&r, a);
    struct bytes pem = row_get_bytes(&r, 1, ROW_PEM_MAX);
    if (row->key.len != ROW_SIGNER_KEY)
        rd_fail(&r, ERR_LENGTH);
    if (rd_end(&r) == ERR_OK)
        *ret = (struct row_signer){row->key, certificate, pem};
    return r.err;
}

/* ---- members, and those who must not be ---- */

void row_member_write(struct wr *w, const struct row_member *row)
{
    row_put_head(w);
    row_put_name(w, row->gateway);
    row_put_ip(w, row->remote.ip);
    wr_u16(w, row->remote.port);
    row_put_instant(w, row->registered);
    row_put_instant(w, row->updated);
    wr_u16(w, row->pulls_succeeded);
    wr_u16(w, row->pulls_failed);
    wr_u16(w, row->version);
    wr_u8(w, row->native);
    wr_u8(w, row->proven);
    wr_u8(w, (uint8_t)row->status);
    wr_u8(w, (uint8_t)row->reason);
    row_put_instant(w, row->struck);
}

enum err row_member_read(const struct store_row *row, struct arena *a, struct row_member *ret)
{
    struct rd r = rd_of(row->value);
    struct row_member m = {0};
    enum err e = who_of(row->key, &m.who);

    row_get_head(&r);
    m.gateway = row_get_name(&r, a);
    m.remote.ip = row_get_ip(&r);
    row_demand(&r, m.remote.ip.version != 0);
    m.remote.port = rd_u16(&r);
    m.registered = row_get_instant(&r);
    m.updated = row_get_instant(&r);
    m.pulls_succeeded = rd_u16(&r);
    m.pulls_failed = rd_u16(&r);
    m.version = rd_u16(&r);
    m.native = row_get_bool(&r);
    m.proven = row_get_bool(&r);
    m.status = row_get_bool(&r) ? REGISTRY_STRUCK : REGISTRY_ACTIVE;
    uint8_t reason = rd_u8(&r);
    row_demand(&r, reason < REGISTRY_REASON_COUNT);
    m.reason = reason < REGISTRY_REASON_COUNT ? (enum registry_reason)reason : REGISTRY_NO_REASON;
    m.struck = row_get_instant(&r);
    row_demand(&r, m.registered.ns <= m.updated.ns);
    if (!e)
        e = rd_end(&r);
    if (!e)
        *ret = m;
    return e;
}

void row_ban_write(struct wr *w, const struct row_ban *row)
{
    row_put_head(w);
    row_put_instant(w, row->since);
    row_put_ip(w, row->address);
}

enum err row_ban_read(const struct store_row *row, struct row_ban *ret)
{
    struct rd r = rd_of(row->value);
    struct row_ban b = {0};
    enum err e = who_of(row->key, &b.who);

    row_get_head(&r);
    b.since = row_get_instant(&r);
    b.address = row_get_ip(&r);
    if (!e)
        e = rd_end(&r);
    if (!e)
        *ret = b;
    return e;
}

/* ---- the group clock ---- */

void row_clock_write(struct wr *w, const struct row_clock *row)
{
    row_put_head(w);
    row_put_instant(w, row->at);
    wr_u64(w, (uint64_t)row->time.ns);
}

enum err row_clock_read(const struct store_row *row, struct row_clock *ret)
{
    struct rd r = rd_of(row->value);
    struct row_clock c = {0};

    row_get_head(&r);
    c.at = row_get_instant(&r);
    c.time = (span_t){(int64_t)rd_u64(&r)};
    row_demand(&r, c.time.ns > 0 && c.time.ns < INT64_MAX / 2);
    row_demand(&r, bytes_equal(row->key, bytes_str(ROW_CLOCK_KEY)));
    if (rd_end(&r) == ERR_OK)
        *ret = c;
    return r.err;
}
