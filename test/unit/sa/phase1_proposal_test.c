/* Offers and choices. */
#include "unit/sa/duo.h"

#include "ike1/vendor.h"

static void responder_takes_its_own_first(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    struct duo_side *i = &d->side[I], *r = &d->side[R];
    i->proposals[0] = duo_proposal(MODEL_IKE_DES, 0, MODEL_IKE_MD5, 1, 600);
    i->proposals[1] = duo_proposal(MODEL_IKE_AES, 128, MODEL_IKE_SHA1, 2, 600);
    i->proposals[2] = duo_proposal(MODEL_IKE_AES, 256, MODEL_IKE_SHA256, 19, 600);
    i->policy.n_proposals = 3;
    r->proposals[0] = duo_proposal(MODEL_IKE_AES, 256, MODEL_IKE_SHA384, 19, 600); /* not offered */
    r->proposals[1] = i->proposals[2];
    r->proposals[2] = i->proposals[0];
    r->policy.n_proposals = 3;
    duo_open(d);
    duo_start(d);
    duo_settle(d);
    duo_assert_up(d);
    assert_ptr_equal(phase1_proposal(duo_only_sa(d, R)), &r->proposals[1]);
    assert_ptr_equal(phase1_proposal(duo_only_sa(d, I)), &i->proposals[2]);
    duo_free(d);
}

/* Each of cipher, key length, hash and group must be equal. */
static void one_difference_is_enough(void **state)
{
    (void)state;
    const struct model_ike_proposal others[] = {
        duo_proposal(MODEL_IKE_AES, 256, MODEL_IKE_SHA256, 19, 0),
        duo_proposal(MODEL_IKE_3DES, 0, MODEL_IKE_SHA256, 19, 0),
        duo_proposal(MODEL_IKE_AES, 128, MODEL_IKE_SHA1, 19, 0),
        duo_proposal(MODEL_IKE_AES, 128, MODEL_IKE_SHA256, 14, 0),
    };
    for (size_t n = 0; n < ARRAY_LEN(others); n++) {
        struct duo *d = duo_new();
        d->side[R].proposals[0] = others[n];
        duo_open(d);
        duo_start(d);
        duo_settle(d);
        assert_int_equal(phase1_count(d->side[R].table, false), 0);
        assert_int_equal(phase1_counters(d->side[R].table)->dropped[ERR_NO_PROPOSAL], 1);
        duo_says(duo_event(d, I, EV_NOTIFY_RECEIVED), "type", "NO-PROPOSAL-CHOSEN");
        duo_says(duo_event(d, I, EV_NOTIFY_RECEIVED), "protected", "no");
        assert_int_equal(phase1_count(d->side[I].table, false), 1); /* a hint never acts */
        duo_free(d);
    }
}

static void no_common_proposal_lists_both_sides(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    d->side[I].proposals[1] = duo_proposal(MODEL_IKE_DES, 0, MODEL_IKE_MD5, 1, 600);
    d->side[I].policy.n_proposals = 2;
    d->side[R].proposals[0] = duo_proposal(MODEL_IKE_3DES, 0, MODEL_IKE_SHA1, 2, 600);
    duo_open(d);
    duo_start(d);
    duo_pass(d, I);
    const struct event *e = duo_event(d, R, EV_PHASE1_FAILED);
    duo_says(e, "error", "ERR_NO_PROPOSAL");
    duo_says(e, "statement", "test policy");
    duo_says(e, "detail", "offered: aes-cbc-128/sha-256/group19, des-cbc/md5/group1; ");
    duo_says(e, "detail", "configured: 3des-cbc/sha1/group2");
    duo_free(d);
}

/* The offer is the peer's to make long: what it pushes out is itself, not the statement. */
static void a_long_offer_does_not_hide_the_statement(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    for (size_t i = 0; i < DUO_PROPOSALS; i++)
        d->side[I].proposals[i] = duo_proposal(MODEL_IKE_AES, 256, MODEL_IKE_SHA512, 16, 600);
    d->side[I].policy.n_proposals = DUO_PROPOSALS;
    d->side[R].proposals[0] = duo_proposal(MODEL_IKE_3DES, 0, MODEL_IKE_SHA1, 2, 600);
    d->side[R].policy.where = (struct model_where){
        "/etc/conclave/a-folder/of-this-length/is-nothing-special/ks.conf",
        "security group-vpn server ike policy a-name-of-thirty-two-characters", 4711};
    duo_open(d);
    duo_start(d);
    duo_pass(d, I);
    const struct event *e = duo_event(d, R, EV_PHASE1_FAILED);
    duo_says(e, "statement", "policy a-name-of-thirty-two-characters");
    duo_says(e, "at", "special/ks.conf:4711");
    duo_says(e, "detail", "offered: aes-cbc-256/sha-512/group16");
    duo_free(d);
}

static uint32_t lifetime_of(struct duo *d, int s)
{
    return (uint32_t)(instant_since(phase1_expiry(duo_only_sa(d, s)), d->now).ns / NS_PER_S);
}

static void lifetime_is_the_smaller(void **state)
{
    (void)state;
    static const struct {
        uint32_t i, r, up_i, up_r;
    } cases[] = {
        {600, 1200, 600, 600},
        {1200, 600, 1200, 600}, /* the responder's own is shorter: his Delete ends it */
        {777, 0, 777, 777},     /* none stated: the initiator's */
        {0, 333, PHASE1_LIFETIME_DEFAULT_S, 333},
        {0, 0, PHASE1_LIFETIME_DEFAULT_S, PHASE1_LIFETIME_DEFAULT_S},
        {86400, 86400, 86400, 86400},
    };
    for (size_t n = 0; n < ARRAY_LEN(cases); n++) {
        struct duo *d = duo_new();
        d->side[I].proposals[0].lifetime_s = cases[n].i;
        d->side[R].proposals[0].lifetime_s = cases[n].r;
        duo_open(d);
        duo_start(d);
        duo_settle(d);
        duo_assert_up(d);
        assert_int_equal(lifetime_of(d, I), cases[n].up_i);
        assert_int_equal(lifetime_of(d, R), cases[n].up_r);
        duo_free(d);
    }
}

/* RFC 2409 5: a responder must not change what was offered. Its answer is the offered transform,
 * octet by octet. */
static void answer_is_the_offer(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    d->side[R].proposals[0].lifetime_s = 200;
    duo_open(d);
    duo_start(d);
    struct packet one = duo_take(d, I);
    duo_deliver(d, R, &one);
    struct packet two = duo_take(d, R);
    size_t vendor_id = CHAIN_HEADER + IKE1_VENDOR_ID; /* one from the member, two from the server */
    assert_int_equal(one.len, two.len - vendor_id);
    assert_memory_equal(one.data + IKE1_HEADER, two.data + IKE1_HEADER,
                        one.len - vendor_id - IKE1_HEADER);
    duo_free(d);
}

/* An answer that was not offered is dropped; the real one still counts. */
static void answer_that_was_not_offered(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    duo_pass(d, I);
    struct packet real = duo_take(d, R), bad = real;
    /* SA body: DOI, situation, P header and 4 octets, T header and 4 octets, then attributes */
    size_t attributes = IKE1_HEADER + CHAIN_HEADER + 8 + 8 + 8;
    assert_int_equal(bad.data[attributes + 1], IKE1_ATTRIBUTE_ENCRYPTION);
    bad.data[attributes + 3] = IKE1_ENCRYPTION_CAST;
    duo_deliver(d, I, &bad);
    assert_int_equal(d->side[I].n_jobs, 0);
    assert_int_equal(phase1_counters(d->side[I].table)->dropped[ERR_NO_PROPOSAL], 1);
    duo_deliver(d, I, &real);
    duo_settle(d);
    duo_assert_up(d);
    duo_free(d);
}

/* Our own message 1 as an answer to itself: two transforms. */
static void answer_with_two_transforms(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    d->side[I].proposals[1] = d->side[I].proposals[0];
    d->side[I].policy.n_proposals = 2;
    duo_open(d);
    duo_start(d);
    struct packet one = duo_take(d, I);
    struct packet two = {.from = one.to, .to = one.from, .len = one.len};
    memcpy(two.data, one.data, one.len);
    two.data[IKE1_COOKIE] = 1;
    duo_deliver(d, I, &two);
    assert_int_equal(phase1_counters(d->side[I].table)->dropped[ERR_TOO_MANY], 1);
    duo_free(d);
}

static void a_life_of_nothing_is_skipped(void **state)
{
    (void)state;
    struct duo *d = duo_new();
    duo_open(d);
    duo_start(d);
    struct packet p = duo_take(d, I);
    static const uint8_t life[] = {0, 12, 0, 4, 0, 0, 14, 16}; /* 3600 s */
    size_t at = IKE1_HEADER;
    while (at + sizeof life <= p.len &&
           !bytes_equal(bytes(p.data + at, sizeof life), BYTES_OF(life)))
        at++;
    assert_true(at + sizeof life <= p.len);
    memset(p.data + at + 4, 0, 4);
    duo_deliver(d, R, &p);
    assert_int_equal(phase1_counters(d->side[R].table)->dropped[ERR_NO_PROPOSAL], 1);
    duo_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(responder_takes_its_own_first),
        cmocka_unit_test(one_difference_is_enough),
        cmocka_unit_test(no_common_proposal_lists_both_sides),
        cmocka_unit_test(a_long_offer_does_not_hide_the_statement),
        cmocka_unit_test(lifetime_is_the_smaller),
        cmocka_unit_test(answer_is_the_offer),
        cmocka_unit_test(answer_that_was_not_offered),
        cmocka_unit_test(answer_with_two_transforms),
        cmocka_unit_test(a_life_of_nothing_is_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
