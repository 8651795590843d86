#include "ike1/sa.h"

static enum err check_doi(uint32_t doi, uint32_t situation)
{
    switch (doi) {
    case IKE1_DOI_GDOI: /* RFC 6407 2.1 */
        return situation == 0 ? ERR_OK : ERR_SITUATION;
    case IKE1_DOI_IPSEC: /* decisions M26 */
        return situation == IKE1_SITUATION_IDENTITY_ONLY ? ERR_OK : ERR_SITUATION;
    default:
        return ERR_DOI;
    }
}

/* Syntax only: what a transform means is read when it is considered. */
static enum err check_attributes(struct bytes attributes)
{
    struct rd r = rd_of(attributes);
    struct ike1_attribute a;

    while (rd_left(&r) > 0)
        ike1_attribute_read(&r, &a);
    return rd_end(&r);
}

/* RFC 2408 3.6; returns the type of what follows. */
static uint8_t read_transform(struct rd *r, struct ike1_sa *sa)
{
    uint8_t next = 0;
    struct rd body = chain_item(r, &next);

    if (sa->n_transforms == IKE1_TRANSFORMS_MAX)
        rd_fail(r, ERR_TOO_MANY);
    if (next != IKE1_PAYLOAD_NONE && next != IKE1_PAYLOAD_T)
        rd_fail(r, ERR_ORDER);
    struct ike1_transform t = {.number = rd_u8(&body)};
    t.id = rd_u8(&body);
    (void)rd_u16(&body);
    t.attributes = rd_rest(&body);
    rd_fail(r, body.err);
    rd_fail(r, check_attributes(t.attributes));
    if (r->err)
        return 0;
    sa->transforms[sa->n_transforms++] = t;
    return next;
}

/* RFC 2408 3.5. */
static void read_proposal(struct rd *r, struct ike1_sa *sa)
{
    uint8_t next = 0;
    struct rd body = chain_item(r, &next);

    if (next != IKE1_PAYLOAD_NONE)
        rd_fail(r, next == IKE1_PAYLOAD_P ? ERR_TOO_MANY : ERR_ORDER);
    sa->proposal_number = rd_u8(&body);
    uint8_t protocol = rd_u8(&body);
    size_t spi_size = rd_u8(&body);
    size_t n_transforms = rd_u8(&body);
    sa->spi = rd_take(&body, spi_size);
    if (body.err == ERR_OK && protocol != IKE1_PROTOCOL_ISAKMP)
        rd_fail(&body, ERR_TYPE);
    if (spi_size > IKE1_SPI_MAX)
        rd_fail(&body, ERR_LENGTH);
    if (n_transforms == 0)
        rd_fail(&body, ERR_MISSING);
    for (uint8_t more = IKE1_PAYLOAD_T; more != 0 && body.err == ERR_OK;)
        more = read_transform(&body, sa);
    if (n_transforms != sa->n_transforms)
        rd_fail(&body, ERR_LENGTH);
    rd_fail(r, rd_end(&body));
}

enum err ike1_sa_parse(struct bytes body, struct ike1_sa *ret)
{
    struct ike1_sa sa = {0};
    struct rd r = rd_of(body);

    sa.doi = rd_u32(&r);
    sa.situation = rd_u32(&r);
    if (r.err == ERR_OK)
        rd_fail(&r, check_doi(sa.doi, sa.situation));
    read_proposal(&r, &sa);
    enum err e = rd_end(&r);
    if (e == ERR_OK)
        *ret = sa;
    return e;
}

static void write_transform(struct wr *w, const struct ike1_transform *t, bool last)
{
    wr_u8(w, last ? IKE1_PAYLOAD_NONE : IKE1_PAYLOAD_T);
    wr_u8(w, 0);
    size_t length = wr_open16(w);
    wr_u8(w, t->number);
    wr_u8(w, t->id);
    wr_u16(w, 0);
    wr_put(w, t->attributes);
    wr_close16(w, length, CHAIN_HEADER);
}

void ike1_sa_write(struct chain_wr *c, const struct ike1_sa *sa)
{
    struct wr *w = c->w;

    assert(sa->n_transforms > 0 && sa->n_transforms <= IKE1_TRANSFORMS_MAX);
    assert(sa->spi.len <= IKE1_SPI_MAX);
    chain_open(c, IKE1_PAYLOAD_SA);
    wr_u32(w, sa->doi);
    wr_u32(w, sa->situation);
    wr_u8(w, IKE1_PAYLOAD_NONE);
    wr_u8(w, 0);
    size_t length = wr_open16(w);
    wr_u8(w, sa->proposal_number);
    wr_u8(w, IKE1_PROTOCOL_ISAKMP);
    wr_u8(w, (uint8_t)sa->spi.len);
    wr_u8(w, (uint8_t)sa->n_transforms);
    wr_put(w, sa->spi);
    for (size_t i = 0; i < sa->n_transforms; i++)
        write_transform(w, &sa->transforms[i], i + 1 == sa->n_transforms);
    wr_close16(w, length, CHAIN_HEADER);
    chain_close(c);
}

/* Without the attributes of private groups, which must not come with a group description (RFC 2409
 * 4), and without PRF, of which none is defined. */
static const struct ike1_attribute_rule phase1_rules[] = {
    {IKE1_ATTRIBUTE_ENCRYPTION, IKE1_FORM_B, false},
    {IKE1_ATTRIBUTE_HASH, IKE1_FORM_B, false},
    {IKE1_ATTRIBUTE_AUTH, IKE1_FORM_B, false},
    {IKE1_ATTRIBUTE_GROUP, IKE1_FORM_B, false},
    {IKE1_ATTRIBUTE_LIFE_TYPE, IKE1_FORM_B, true},
    {IKE1_ATTRIBUTE_LIFE_DURATION, IKE1_FORM_V, true},
    {IKE1_ATTRIBUTE_KEY_LENGTH, IKE1_FORM_B, false},
};

/* RFC 2409 appendix A forbids a key length with ciphers of fixed length; RFC 3602 5.3 wants it with
 * AES. */
static enum err check_key_length(uint16_t encryption, const struct ike1_attributes *all)
{
    bool present = ike1_attribute_find(all, IKE1_ATTRIBUTE_KEY_LENGTH) != NULL;

    switch (encryption) {
    case IKE1_ENCRYPTION_DES:
    case IKE1_ENCRYPTION_IDEA:
    case IKE1_ENCRYPTION_3DES:
        return present ? ERR_ATTRIBUTE : ERR_OK;
    case IKE1_ENCRYPTION_AES:
        return present ? ERR_OK : ERR_MISSING;
    default:
        return ERR_OK;
    }
}

enum err ike1_phase1_parse(struct bytes attributes, struct ike1_phase1 *ret)
{
    struct ike1_attributes all;
    enum err e = ike1_attributes_parse(attributes, phase1_rules, ARRAY_LEN(phase1_rules), &all);
    if (e)
        return e;

    static const uint16_t required[] = {IKE1_ATTRIBUTE_ENCRYPTION, IKE1_ATTRIBUTE_HASH,
                                        IKE1_ATTRIBUTE_AUTH, IKE1_ATTRIBUTE_GROUP};
    for (size_t i = 0; i < ARRAY_LEN(required); i++) {
        if (!ike1_attribute_find(&all, required[i]))
            return ERR_MISSING;
    }
    struct ike1_phase1 p = {
        .encryption = ike1_attribute_basic(&all, IKE1_ATTRIBUTE_ENCRYPTION),
        .hash = ike1_attribute_basic(&all, IKE1_ATTRIBUTE_HASH),
        .auth = ike1_attribute_basic(&all, IKE1_ATTRIBUTE_AUTH),
        .group = ike1_attribute_basic(&all, IKE1_ATTRIBUTE_GROUP),
        .key_length = ike1_attribute_basic(&all, IKE1_ATTRIBUTE_KEY_LENGTH),
    };
    e = check_key_length(p.encryption, &all);
    if (e == ERR_OK)
        e = ike1_life_parse(&all, IKE1_ATTRIBUTE_LIFE_TYPE, IKE1_ATTRIBUTE_LIFE_DURATION, &p.life);
    if (e == ERR_OK)
        *ret = p;
    return e;
}

void ike1_phase1_write(struct wr *w, const struct ike1_phase1 *p)
{
    ike1_attribute_tv(w, IKE1_ATTRIBUTE_ENCRYPTION, p->encryption);
    if (p->key_length)
        ike1_attribute_tv(w, IKE1_ATTRIBUTE_KEY_LENGTH, p->key_length);
    ike1_attribute_tv(w, IKE1_ATTRIBUTE_HASH, p->hash);
    ike1_attribute_tv(w, IKE1_ATTRIBUTE_AUTH, p->auth);
    ike1_attribute_tv(w, IKE1_ATTRIBUTE_GROUP, p->group);
    ike1_life_write(w, IKE1_ATTRIBUTE_LIFE_TYPE, IKE1_ATTRIBUTE_LIFE_DURATION, false, &p->life);
}

bool ike1_phase1_same_algorithms(const struct ike1_phase1 *a, const struct ike1_phase1 *b)
{
    return a->encryption == b->encryption && a->hash == b->hash && a->auth == b->auth &&
           a->group == b->group && a->key_length == b->key_length;
}
