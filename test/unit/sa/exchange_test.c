/* Messages under an SA: IV chains, HASH(n), message ids. */
#include "unit/sa/duo.h"

enum { PULL = IKE1_EXCHANGE_GROUPKEY_PULL };

static struct duo *new_up(void)
{
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    duo_settle(d);
    duo_assert_up(d);
    return d;
}

/* One message of an exchange: HASH over prefix and a nonce of `fill`s. */
static struct packet sealed(struct duo *d, int s, uint32_t id, struct exchange_iv *iv,
                            const struct bytes *prefix, size_t n_prefix, uint8_t fill)
{
    struct packet p = {.from = d->side[s].endpoint, .to = d->side[1 - s].endpoint};
    struct wr w = wr_of(p.data, sizeof p.data);
    uint8_t nonce[32];
    struct phase1_sa *sa = duo_only_sa(d, s);
    memset(nonce, fill, sizeof nonce);
    struct chain_wr c = exchange_build(sa, &w, PULL, id);
    ike1_data_write(&c, IKE1_PAYLOAD_NONCE, BYTES_OF(nonce));
    assert_int_equal(exchange_seal(sa, iv, &w, id, prefix, n_prefix), ERR_OK);
    p.len = w.len;
    return p;
}

static enum err opened(struct duo *d, int s, struct exchange_iv *iv, struct packet *p,
                       struct chain *ret)
{
    struct ike1_header h;
    assert_int_equal(ike1_header_parse(bytes(p->data, p->len), &h), ERR_OK);
    return exchange_open(duo_only_sa(d, s), iv, &h, p->data, p->len, ret);
}

/* Four messages to and fro: each side moves one chain. */
static void iv_chain_and_hashes(void **state)
{
    (void)state;
    struct duo *d = new_up();
    struct exchange_iv iv[SIDES];
    struct bytes prefix[] = {bytes_str("Ni_b"), bytes_str("Nr_b")};
    uint32_t id = exchange_new_id(duo_only_sa(d, I), &d->side[I].drbg);
    for (int s = 0; s < SIDES; s++)
        exchange_iv_start(duo_only_sa(d, s), id, &iv[s]);
    assert_memory_equal(&iv[I], &iv[R], sizeof iv[I]);
    for (size_t n = 0; n < 4; n++) {
        int from = n % 2 ? R : I;
        size_t n_prefix = n == 0 ? 0 : n == 1 ? 1 : 2;
        struct chain c;
        struct packet p = sealed(d, from, id, &iv[from], prefix, n_prefix, (uint8_t)n);
        assert_int_equal(opened(d, 1 - from, &iv[1 - from], &p, &c), ERR_OK);
        assert_int_equal(c.n, 2);
        struct phase1_sa *to = duo_only_sa(d, 1 - from);
        assert_int_equal(exchange_check_hash(to, id, prefix, n_prefix, &c), ERR_OK);
        assert_int_equal(exchange_check_hash(to, id + 1, prefix, n_prefix, &c), ERR_AUTH);
        assert_int_equal(exchange_check_hash(to, id, prefix, (n_prefix + 1) % 3, &c), ERR_AUTH);
        assert_memory_equal(&iv[I], &iv[R], sizeof iv[I]);
    }
    duo_free(d);
}

/* A message that does not open leaves the IV where it was, so that the right one still opens. */
static void a_bad_message_moves_nothing(void **state)
{
    (void)state;
    struct duo *d = new_up();
    struct exchange_iv out, in, before;
    struct chain c = {.n = 77};
    exchange_iv_start(duo_only_sa(d, I), 5, &out);
    exchange_iv_start(duo_only_sa(d, R), 5, &in);
    before = in;
    struct packet p = sealed(d, I, 5, &out, NULL, 0, 1), bad = p;
    uint32_t counted = phase1_traffic(duo_only_sa(d, R)).in_datagrams;
    bad.data[IKE1_HEADER + 3] ^= 0x40; /* the first block is noise now */
    assert_int_not_equal(opened(d, R, &in, &bad, &c), ERR_OK);
    assert_memory_equal(&in, &before, sizeof in);
    assert_int_equal(c.n, 77);
    assert_int_equal(phase1_traffic(duo_only_sa(d, R)).in_datagrams, counted);
    assert_int_equal(opened(d, R, &in, &p, &c), ERR_OK);
    duo_free(d);
}

static void what_does_not_open(void **state)
{
    (void)state;
    struct duo *d = new_up();
    struct exchange_iv out, in;
    struct chain c;
    exchange_iv_start(duo_only_sa(d, I), 5, &out);
    exchange_iv_start(duo_only_sa(d, R), 5, &in);
    struct packet p = sealed(d, I, 5, &out, NULL, 0, 1), q = p;
    q.data[19] = 0;
    assert_int_equal(opened(d, R, &in, &q, &c), ERR_UNEXPECTED); /* not encrypted */
    q = p;
    q.len -= 3;
    q.data[27] = (uint8_t)q.len;
    assert_int_equal(opened(d, R, &in, &q, &c), ERR_LENGTH); /* not whole blocks */
    q = p;
    q.len = IKE1_HEADER;
    q.data[27] = IKE1_HEADER;
    assert_int_equal(opened(d, R, &in, &q, &c), ERR_LENGTH); /* nothing at all */
    q = p;
    q.data[16] = IKE1_PAYLOAD_NONCE;
    assert_int_equal(opened(d, R, &in, &q, &c), ERR_ORDER); /* HASH is not first */
    q = p;
    q.data[16] = IKE1_PAYLOAD_NONE;
    assert_int_equal(opened(d, R, &in, &q, &c), ERR_PADDING); /* more than a block of padding */
    duo_free(d);
}

static void message_ids(void **state)
{
    (void)state;
    struct duo *d = new_up();
    struct phase1_sa *sa = duo_only_sa(d, I);
    assert_int_equal(exchange_claim_id(sa, 0), ERR_VALUE);
    assert_false(exchange_id_used(sa, 77));
    assert_int_equal(exchange_claim_id(sa, 77), ERR_OK);
    assert_true(exchange_id_used(sa, 77));
    assert_int_equal(exchange_claim_id(sa, 77), ERR_REPLAY);
    for (size_t i = 1; i < PHASE1_EXCHANGES_MAX; i++) {
        uint32_t id = exchange_new_id(sa, &d->side[I].drbg);
        assert_int_not_equal(id, 0);
        assert_int_equal(exchange_claim_id(sa, id), ERR_REPLAY);
    }
    assert_int_equal(exchange_new_id(sa, &d->side[I].drbg), 0);
    assert_int_equal(exchange_claim_id(sa, 78), ERR_LIMIT);
    /* Room is left for last words, which the peer hears; then nothing more is said, and nothing
     * breaks. */
    for (int i = 0; i < PHASE1_LAST_WORDS + 3; i++) {
        phase1_notify(d->side[I].table, sa, 36136, IKE1_DOI_GDOI, bytes(NULL, 0), &d->side[I].out);
        duo_collect(d, I);
    }
    assert_int_equal(d->side[I].n_packets, PHASE1_LAST_WORDS);
    duo_settle(d);
    assert_int_equal(d->side[R].n_outcomes[PHASE1_NOTIFIED], PHASE1_LAST_WORDS);
    duo_free(d);
}

static void too_long_to_seal(void **state)
{
    (void)state;
    struct duo *d = new_up();
    struct phase1_sa *sa = duo_only_sa(d, I);
    struct exchange_iv iv;
    uint8_t small[IKE1_HEADER + CHAIN_HEADER + 32 + CHAIN_HEADER + 8];
    exchange_iv_start(sa, 9, &iv);
    for (size_t short_by = 0; short_by < 3; short_by++) {
        struct wr w = wr_of(small, sizeof small - short_by * 12);
        struct chain_wr c = exchange_build(sa, &w, PULL, 9);
        ike1_data_write(&c, IKE1_PAYLOAD_NONCE, bytes_str("8 octets"));
        /* 48 octets fit without padding; less room is a full writer, found at the end */
        assert_int_equal(exchange_seal(sa, &iv, &w, 9, NULL, 0), short_by ? ERR_FULL : ERR_OK);
    }
    duo_free(d);
}

static void sending_counts(void **state)
{
    (void)state;
    struct duo *d = new_up();
    struct phase1_sa *sa = duo_only_sa(d, I);
    struct phase1_traffic before = phase1_traffic(sa);
    exchange_send(sa, bytes_str("twelve bytes"), &d->side[I].out);
    duo_collect(d, I);
    struct packet p = duo_take(d, I);
    assert_int_equal(p.len, 12);
    assert_true(endpoint_equal(p.from, d->side[I].endpoint));
    assert_true(endpoint_equal(p.to, d->side[R].endpoint));
    assert_int_equal(phase1_traffic(sa).out_datagrams, before.out_datagrams + 1);
    assert_int_equal(phase1_traffic(sa).out_octets, before.out_octets + 12);
    duo_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iv_chain_and_hashes), cmocka_unit_test(a_bad_message_moves_nothing),
        cmocka_unit_test(what_does_not_open),  cmocka_unit_test(message_ids),
        cmocka_unit_test(too_long_to_seal),    cmocka_unit_test(sending_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
