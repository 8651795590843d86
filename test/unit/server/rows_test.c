/* Rows: what is written is read back, and nothing else is read. */
#include "server/limits.h"
#include "server/rows.h"

#include "check.h"

#include <stdlib.h>

enum { GROUP = 7 };

struct fixture {
    struct arena a;
    uint8_t octets[ROW_MAX], key[ROW_KEY_MAX];
    struct wr w;
    struct store_row row; /* what fixture_close() gives to a reader */
};

static struct fixture *fixture_new(void)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    f->w = wr_of(f->octets, sizeof f->octets);
    return f;
}
static void fixture_free(struct fixture *f)
{
    arena_free(&f->a);
    free(f);
}

static void written(struct fixture *f, enum store_table table, struct bytes key)
{
    assert_int_equal(wr_end(&f->w), ERR_OK);
    f->row = (struct store_row){table, key, wr_bytes(&f->w)};
}

static const struct row_who ann = {GROUP, {MODEL_ID_FQDN, {(const uint8_t *)"ann.example", 11}}};

/* ---- examples ---- */

static const struct model_ipsec_proposal strong = {.name = "strong",
                                                   .cipher = MODEL_ESP_AES_CBC,
                                                   .key_bits = 128,
                                                   .auth = MODEL_ESP_HMAC_SHA256_128,
                                                   .lifetime_s = 3600};
#define LONGEST_INTERFACE "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
static_assert(sizeof LONGEST_INTERFACE == INTERFACE_NAME_MAX + 1, "as a statement may have it");
static const struct model_communication talk = {.present = true,
                                                .type = MODEL_PUSH_MULTICAST,
                                                .cipher = MODEL_KEK_AES,
                                                .key_bits = 256,
                                                .sig_hash = MODEL_SIG_SHA256,
                                                .lifetime_s = 7200,
                                                .heartbeat_s = 60,
                                                .n_retransmission = 3,
                                                .retransmission_period_s = 5,
                                                .multicast_group = {4, {239, 1, 2, 3}},
                                                .multicast_interface = LONGEST_INTERFACE};
static const uint8_t key16[16] = {1, 2, 3}, key32[32] = {4, 5, 6}, spi16[KEK_SPI] = {7, 8, 9};

static void write_group(struct fixture *f)
{
    static const struct row_group_sa sas[] = {{"a", 4, GROUP_SA_REKEY},
                                              {"b", UINT32_MAX, GROUP_SA_JOINS}};
    const struct row_group row = {.id = GROUP,
                                  .push_seq = 99,
                                  .version = 3,
                                  .kek_numbers = 2,
                                  .atd_s = 15,
                                  .wishes = {.kek = true, .exclusion = true, .spread = {77}},
                                  .n_sas = 2,
                                  .sas = sas};

    row_group_write(&f->w, &row);
    written(f, STORE_GROUP, row_key_u32(GROUP, f->key));
}

static struct row_tek a_tek(struct fixture *f)
{
    struct model_match_policy *p = arena_alloc(&f->a, 2 * sizeof *p);
    struct model_ipsec_sa *sa = arena_alloc(&f->a, sizeof *sa);

    p[0] = (struct model_match_policy){
        .name = "all", .source = {{4, {0}}, 0}, .destination = {{4, {10, 1}}, 16}};
    p[1] = (struct model_match_policy){.name = "web",
                                       .source = {{4, {10, 0, 0, 1}}, 32},
                                       .destination = {{4, {0}}, 0},
                                       .source_port = 80,
                                       .destination_port = 65535,
                                       .protocol = 6};
    *sa =
        (struct model_ipsec_sa){.name = "sa1", .proposal = &strong, .policies = p, .n_policies = 2};
    return (struct row_tek){.spi = 0x01020304,
                            .group = GROUP,
                            .number = 5,
                            .time = {{-10}, {20}, {30}, {4000}},
                            .window_ms = 100000,
                            .policy = sa,
                            .key = BYTES_OF(key16),
                            .auth_key = BYTES_OF(key32)};
}

static void write_tek(struct fixture *f)
{
    struct row_tek row = a_tek(f);

    row_tek_write(&f->w, &row);
    written(f, STORE_TEK, row_key_u32(row.spi, f->key));
}

static void write_kek(struct fixture *f)
{
    const struct row_kek row = {.spi = BYTES_OF(spi16),
                                .group = GROUP,
                                .number = 2,
                                .created = {5},
                                .expiry = {50},
                                .policy = &talk,
                                .iv = BYTES_OF(key16),
                                .key = BYTES_OF(key32),
                                .signer = BYTES_OF(key32),
                                .retires = true};

    row_kek_write(&f->w, &row);
    written(f, STORE_KEK, row.spi);
}

static void write_signer(struct fixture *f)
{
    const struct row_signer row = {BYTES_OF(key32), "cert1", bytes_str("-----BEGIN")};

    row_signer_write(&f->w, &row);
    written(f, STORE_SIGNER, row.id);
}

static void write_member(struct fixture *f)
{
    const struct row_member row = {.who = ann,
                                   .gateway = "gw",
                                   .remote = {ip_v4(0x0a000001), 848},
                                   .registered = {1},
                                   .updated = {2},
                                   .pulls_succeeded = 3,
                                   .pulls_failed = 4,
                                   .version = 5,
                                   .native = true};

    row_member_write(&f->w, &row);
    written(f, STORE_MEMBER, row_key_who(&ann, f->key));
}

static void write_ban(struct fixture *f)
{
    const struct row_ban row = {ann, {77}, ip_v4(0x0a000002)};

    row_ban_write(&f->w, &row);
    written(f, STORE_BAN, row_key_who(&ann, f->key));
}

static void write_clock(struct fixture *f)
{
    const struct row_clock row = {{-3}, {INT64_C(1790000000123456789)}};

    row_clock_write(&f->w, &row);
    written(f, STORE_SERVER, bytes_str(ROW_CLOCK_KEY));
}

/* Reads with the table's reader and throws the result away. */
static enum err read_any(const struct store_row *row, struct arena *a)
{
    union {
        struct row_group group;
        struct row_tek tek;
        struct row_kek kek;
        struct row_signer signer;
        struct row_member member;
        struct row_ban ban;
        struct row_clock clock;
    } any;

    switch (row->table) {
    case STORE_GROUP:
        return row_group_read(row, a, &any.group);
    case STORE_TEK:
        return row_tek_read(row, a, &any.tek);
    case STORE_KEK:
        return row_kek_read(row, a, &any.kek);
    case STORE_SIGNER:
        return row_signer_read(row, a, &any.signer);
    case STORE_MEMBER:
        return row_member_read(row, a, &any.member);
    case STORE_BAN:
        return row_ban_read(row, &any.ban);
    case STORE_SERVER:
        return row_clock_read(row, &any.clock);
    case STORE_TABLE_COUNT:
        break;
    }
    return ERR_TYPE;
}

static void (*const writers[])(struct fixture *) = {
    write_group, write_tek, write_kek, write_signer, write_member, write_ban, write_clock};

/* ---- round trips ---- */

static void a_group_comes_back(void **state)
{
    struct fixture *f = fixture_new();
    struct row_group g;

    (void)state;
    write_group(f);
    assert_int_equal(row_group_read(&f->row, &f->a, &g), ERR_OK);
    assert_int_equal(g.id, GROUP);
    assert_int_equal(g.push_seq, 99);
    assert_int_equal(g.version, 3);
    assert_int_equal(g.kek_numbers, 2);
    assert_int_equal(g.atd_s, 15);
    assert_true(g.wishes.kek && g.wishes.exclusion);
    assert_int_equal(g.wishes.spread.ns, 77);
    assert_int_equal(g.sas[0].wish, GROUP_SA_REKEY);
    assert_int_equal(g.sas[1].wish, GROUP_SA_JOINS);
    assert_int_equal(g.n_sas, 2);
    assert_string_equal(g.sas[1].name, "b");
    assert_int_equal(g.sas[1].numbers, UINT32_MAX);
    fixture_free(f);
}

static void a_tek_comes_back_with_its_policies(void **state)
{
    struct fixture *f = fixture_new();
    struct row_tek t;

    (void)state;
    write_tek(f);
    assert_int_equal(row_tek_read(&f->row, &f->a, &t), ERR_OK);
    assert_int_equal(t.spi, 0x01020304);
    assert_int_equal(t.group, GROUP);
    assert_int_equal(t.number, 5);
    assert_int_equal(t.time.created.ns, -10);
    assert_int_equal(t.time.switch_at.ns, 20);
    assert_int_equal(t.time.drop_at.ns, 30);
    assert_int_equal(t.time.expiry.ns, 4000);
    assert_int_equal(t.window_ms, 100000);
    assert_true(bytes_equal(t.key, BYTES_OF(key16)));
    assert_true(bytes_equal(t.auth_key, BYTES_OF(key32)));
    assert_string_equal(t.policy->name, "sa1");
    assert_string_equal(t.policy->proposal->name, "strong");
    assert_int_equal(t.policy->proposal->cipher, MODEL_ESP_AES_CBC);
    assert_int_equal(t.policy->proposal->lifetime_s, 3600);
    const struct model_match_policy *web = &t.policy->policies[1];
    assert_string_equal(web->name, "web");
    assert_true(prefix_equal(web->source, prefix_of(ip_v4(0x0a000001), 32)));
    assert_true(prefix_equal(t.policy->policies[0].destination, prefix_of(ip_v4(0x0a010000), 16)));
    assert_int_equal(web->source_port, 80);
    assert_int_equal(web->destination_port, 65535);
    assert_int_equal(web->protocol, 6);
    fixture_free(f);
}

static void a_kek_comes_back_with_its_policy(void **state)
{
    struct fixture *f = fixture_new();
    struct row_kek k;

    (void)state;
    write_kek(f);
    assert_int_equal(row_kek_read(&f->row, &f->a, &k), ERR_OK);
    assert_int_equal(k.number, 2);
    assert_int_equal(k.created.ns, 5);
    assert_int_equal(k.expiry.ns, 50);
    assert_true(bytes_equal(k.spi, BYTES_OF(spi16)));
    assert_true(bytes_equal(k.iv, BYTES_OF(key16)));
    assert_true(bytes_equal(k.key, BYTES_OF(key32)));
    assert_true(bytes_equal(k.signer, BYTES_OF(key32)));
    assert_int_equal(k.policy->type, MODEL_PUSH_MULTICAST);
    assert_int_equal(k.policy->sig_hash, MODEL_SIG_SHA256);
    assert_int_equal(k.policy->retransmission_period_s, 5);
    assert_true(ip_equal(k.policy->multicast_group, talk.multicast_group));
    assert_string_equal(k.policy->multicast_interface, LONGEST_INTERFACE);
    assert_null(k.policy->certificate);
    assert_true(k.retires);
    assert_true(k.policy->present);
    fixture_free(f);
}

static void a_key_pair_comes_back(void **state)
{
    struct fixture *f = fixture_new();
    struct row_signer s;

    (void)state;
    write_signer(f);
    assert_int_equal(row_signer_read(&f->row, &f->a, &s), ERR_OK);
    assert_string_equal(s.certificate, "cert1");
    assert_true(bytes_equal(s.id, BYTES_OF(key32)));
    assert_true(bytes_equal(s.pem, bytes_str("-----BEGIN")));
    fixture_free(f);
}

static void a_member_and_a_ban_come_back(void **state)
{
    struct fixture *f = fixture_new(), *g = fixture_new();
    struct row_member m;
    struct row_ban b;

    (void)state;
    write_member(f);
    write_ban(g);
    assert_int_equal(row_member_read(&f->row, &f->a, &m), ERR_OK);
    assert_int_equal(row_ban_read(&g->row, &b), ERR_OK);
    assert_int_equal(m.who.group, GROUP);
    assert_int_equal(m.who.identity.type, MODEL_ID_FQDN);
    assert_true(bytes_equal(m.who.identity.value, ann.identity.value));
    assert_string_equal(m.gateway, "gw");
    assert_true(endpoint_equal(m.remote, (struct endpoint){ip_v4(0x0a000001), 848}));
    assert_int_equal(m.registered.ns, 1);
    assert_int_equal(m.updated.ns, 2);
    assert_int_equal(m.pulls_failed, 4);
    assert_true(m.native);
    assert_int_equal(b.since.ns, 77);
    assert_true(ip_equal(b.address, ip_v4(0x0a000002)));
    assert_true(bytes_equal(b.who.identity.value, ann.identity.value));
    fixture_free(f);
    fixture_free(g);
}

static void the_group_clock_comes_back(void **state)
{
    struct fixture *f = fixture_new();
    struct row_clock c;

    (void)state;
    write_clock(f);
    assert_int_equal(row_clock_read(&f->row, &c), ERR_OK);
    assert_int_equal(c.at.ns, -3);
    assert_int_equal(c.time.ns, INT64_C(1790000000123456789));
    f->row.key = bytes_str("click");
    assert_int_equal(row_clock_read(&f->row, &c), ERR_VALUE);
    f->row.key = bytes_str(ROW_CLOCK_KEY);
    f->octets[9] = 0x80; /* long before 1970 */
    assert_int_equal(row_clock_read(&f->row, &c), ERR_VALUE);
    fixture_free(f);
}

/* ---- refusals ---- */

static enum err read_group_with(struct row_group row)
{
    struct fixture *f = fixture_new();

    row_group_write(&f->w, &row);
    written(f, STORE_GROUP, row_key_u32(GROUP, f->key));
    enum err e = read_any(&f->row, &f->a);
    fixture_free(f);
    return e;
}

static void no_group_is_read_that_no_server_writes(void **state)
{
    (void)state;
    assert_int_equal(read_group_with((struct row_group){.atd_s = 900}), ERR_OK);
    assert_int_equal(read_group_with((struct row_group){.atd_s = 0}), ERR_VALUE);
    assert_int_equal(read_group_with((struct row_group){.atd_s = 15, .push_seq = SERVER_SEQ_LAST}),
                     ERR_OK);
    assert_int_equal(
        read_group_with((struct row_group){.atd_s = 15, .push_seq = SERVER_SEQ_LAST + 1}),
        ERR_LIMIT);
    assert_int_equal(read_group_with((struct row_group){.atd_s = 901}), ERR_VALUE);
}

static enum err read_group_that_wishes(struct group_wishes wishes, enum group_sa_wish of_an_sa)
{
    const struct row_group_sa sa = {"a", 1, of_an_sa};

    return read_group_with(
        (struct row_group){.atd_s = 15, .wishes = wishes, .n_sas = 1, .sas = &sa});
}

static void wishes_are_those_that_a_server_has(void **state)
{
    const struct group_wishes none = {0}, longest = {.exclusion = true, .spread = GROUP_SPREAD_MAX},
                              longer = {.exclusion = true, .spread = {GROUP_SPREAD_MAX.ns + 1}},
                              negative = {.exclusion = true, .spread = {-1}},
                              of_nothing = {.spread = {1}};

    (void)state;
    assert_int_equal(read_group_that_wishes(none, GROUP_SA_NO_WISH), ERR_OK);
    assert_int_equal(read_group_that_wishes(longest, GROUP_SA_REKEY), ERR_OK);
    assert_int_equal(read_group_that_wishes(longer, GROUP_SA_REKEY), ERR_VALUE);
    assert_int_equal(read_group_that_wishes(negative, GROUP_SA_REKEY), ERR_VALUE);
    assert_int_equal(read_group_that_wishes(of_nothing, GROUP_SA_REKEY), ERR_VALUE);
    assert_int_equal(read_group_that_wishes(none, GROUP_SA_WISH_COUNT), ERR_VALUE);
}

static void no_row_is_read_that_is_cut_or_has_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
        struct fixture *f = fixture_new();
        writers[i](f);
        size_t len = f->row.value.len;
        for (size_t cut = 0; cut < len; cut++) {
            f->row.value.len = cut;
            assert_int_not_equal(read_any(&f->row, &f->a), ERR_OK);
        }
        f->row.value.len = len + 1;
        assert_int_equal(read_any(&f->row, &f->a), ERR_TRAILING);
        f->row.value.len = len;
        assert_int_equal(read_any(&f->row, &f->a), ERR_OK);
        fixture_free(f);
    }
}

static void no_row_of_another_version_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
        struct fixture *f = fixture_new();
        writers[i](f);
        f->octets[0] = ROW_VERSION + 1;
        assert_int_equal(read_any(&f->row, &f->a), ERR_VERSION);
        fixture_free(f);
    }
}

static void no_row_with_a_wrong_key_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
        struct fixture *f = fixture_new();
        writers[i](f);
        f->row.key.len -= 1;
        if (f->row.table == STORE_MEMBER || f->row.table == STORE_BAN)
            f->row.key.len = 5; /* group and type, and no identity */
        assert_int_not_equal(read_any(&f->row, &f->a), ERR_OK);
        fixture_free(f);
    }
}

static enum err read_tek_with(struct row_tek (*change)(struct fixture *))
{
    struct fixture *f = fixture_new();
    struct row_tek row = change(f);

    row_tek_write(&f->w, &row);
    written(f, STORE_TEK, row_key_u32(row.spi, f->key));
    enum err e = read_any(&f->row, &f->a);
    fixture_free(f);
    return e;
}
static struct row_tek switched_before_it_was_made(struct fixture *f)
{
    struct row_tek t = a_tek(f);
    t.time.switch_at.ns = t.time.created.ns - 1;
    return t;
}
static struct row_tek dropped_before_the_switch(struct fixture *f)
{
    struct row_tek t = a_tek(f);
    t.time.drop_at.ns = t.time.switch_at.ns - 1;
    return t;
}
static struct row_tek never_alive(struct fixture *f)
{
    struct row_tek t = a_tek(f);
    t.time.expiry = t.time.created;
    return t;
}
static struct row_tek in_another_age(struct fixture *f)
{
    struct row_tek t = a_tek(f);
    t.time.expiry.ns = INT64_MAX;
    return t;
}
static struct row_tek of_no_group(struct fixture *f)
{
    struct row_tek t = a_tek(f);
    t.group = 0;
    return t;
}
static struct row_tek without_a_number(struct fixture *f)
{
    struct row_tek t = a_tek(f);
    t.number = 0;
    return t;
}
static struct row_tek with_policy(struct fixture *f, struct model_ipsec_sa sa)
{
    struct row_tek t = a_tek(f);
    t.policy = arena_copy(&f->a, &sa, sizeof sa);
    return t;
}
static struct row_tek of_no_cipher(struct fixture *f)
{
    struct model_ipsec_sa sa = *a_tek(f).policy;
    struct model_ipsec_proposal *p = arena_copy(&f->a, sa.proposal, sizeof *p);
    p->key_bits = 100;
    sa.proposal = p;
    return with_policy(f, sa);
}
static struct row_tek without_policies(struct fixture *f)
{
    struct model_ipsec_sa sa = *a_tek(f).policy;
    sa.n_policies = 0;
    return with_policy(f, sa);
}
static struct row_tek with_too_many_policies(struct fixture *f)
{
    struct model_ipsec_sa sa = *a_tek(f).policy;
    size_t n = MODEL_MATCH_POLICIES_MAX + 1;
    struct model_match_policy *many = arena_alloc(&f->a, n * sizeof *many);
    for (size_t i = 0; i < n; i++)
        many[i] = sa.policies[0];
    sa.policies = many;
    sa.n_policies = n;
    return with_policy(f, sa);
}
static struct row_tek with_host_bits(struct fixture *f)
{
    struct model_ipsec_sa sa = *a_tek(f).policy;
    struct model_match_policy *p = arena_copy(&f->a, sa.policies, 2 * sizeof *p);
    p[0].destination.len = 4;
    sa.policies = p;
    return with_policy(f, sa);
}
static struct row_tek with_a_long_mask(struct fixture *f)
{
    struct model_ipsec_sa sa = *a_tek(f).policy;
    struct model_match_policy *p = arena_copy(&f->a, sa.policies, 2 * sizeof *p);
    p[0].destination.len = 33;
    sa.policies = p;
    return with_policy(f, sa);
}
static struct row_tek with_a_nameless_sa(struct fixture *f)
{
    struct model_ipsec_sa sa = *a_tek(f).policy;
    sa.name = "";
    return with_policy(f, sa);
}
static struct row_tek without_a_key(struct fixture *f)
{
    struct row_tek t = a_tek(f);
    t.key.len = 0;
    return t;
}

static void no_tek_is_read_that_no_server_writes(void **state)
{
    (void)state;
    assert_int_equal(read_tek_with(a_tek), ERR_OK);
    assert_int_equal(read_tek_with(switched_before_it_was_made), ERR_VALUE);
    assert_int_equal(read_tek_with(dropped_before_the_switch), ERR_VALUE);
    assert_int_equal(read_tek_with(never_alive), ERR_VALUE);
    assert_int_equal(read_tek_with(in_another_age), ERR_VALUE);
    assert_int_equal(read_tek_with(of_no_group), ERR_VALUE);
    assert_int_equal(read_tek_with(without_a_number), ERR_VALUE);
    assert_int_equal(read_tek_with(of_no_cipher), ERR_TYPE);
    assert_int_equal(read_tek_with(without_policies), ERR_LENGTH);
    assert_int_equal(read_tek_with(with_too_many_policies), ERR_LENGTH);
    assert_int_equal(read_tek_with(with_host_bits), ERR_VALUE);
    assert_int_equal(read_tek_with(with_a_long_mask), ERR_VALUE);
    assert_int_equal(read_tek_with(with_a_nameless_sa), ERR_VALUE);
    assert_int_equal(read_tek_with(without_a_key), ERR_LENGTH);
}

static enum err read_kek_with(const struct model_communication *c, instant_t expiry)
{
    struct fixture *f = fixture_new();
    const struct row_kek row = {.spi = BYTES_OF(spi16),
                                .group = GROUP,
                                .number = 1,
                                .created = {5},
                                .expiry = expiry,
                                .policy = c,
                                .iv = BYTES_OF(key16),
                                .key = BYTES_OF(key32),
                                .signer = BYTES_OF(key32)};

    row_kek_write(&f->w, &row);
    written(f, STORE_KEK, row.spi);
    enum err e = read_any(&f->row, &f->a);
    fixture_free(f);
    return e;
}

static void no_kek_is_read_that_no_server_writes(void **state)
{
    struct model_communication weak = talk, unicast = talk, homeless = talk;

    (void)state;
    weak.key_bits = 1;
    unicast.type = MODEL_PUSH_UNICAST; /* and yet it has a multicast group */
    homeless.multicast_group = IP_NONE;
    assert_int_equal(read_kek_with(&talk, (instant_t){6}), ERR_OK);
    assert_int_equal(read_kek_with(&talk, (instant_t){5}), ERR_VALUE);
    assert_int_equal(read_kek_with(&weak, (instant_t){6}), ERR_TYPE);
    assert_int_equal(read_kek_with(&unicast, (instant_t){6}), ERR_VALUE);
    assert_int_equal(read_kek_with(&homeless, (instant_t){6}), ERR_VALUE);
}

static enum err read_member_with(struct row_member row)
{
    struct fixture *f = fixture_new();

    row.who = ann;
    row_member_write(&f->w, &row);
    written(f, STORE_MEMBER, row_key_who(&ann, f->key));
    enum err e = read_any(&f->row, &f->a);
    fixture_free(f);
    return e;
}

static void no_member_is_read_that_no_server_writes(void **state)
{
    struct endpoint there = {ip_v4(0x0a000001), 848};

    (void)state;
    assert_int_equal(read_member_with((struct row_member){.gateway = "g", .remote = there}),
                     ERR_OK);
    assert_int_equal(read_member_with((struct row_member){.gateway = "", .remote = there}),
                     ERR_VALUE);
    assert_int_equal(read_member_with((struct row_member){.gateway = "g"}), ERR_VALUE);
    assert_int_equal(
        read_member_with((struct row_member){.gateway = "g", .remote = there, .registered = {1}}),
        ERR_VALUE); /* updated before it registered */
}

static void a_name_has_no_nul_and_an_end(void **state)
{
    struct endpoint there = {ip_v4(0x0a000001), 848};
    char name[ROW_NAME_MAX + 2] = "";
    struct fixture *f = fixture_new();

    (void)state;
    write_member(f);
    f->octets[3] = '\0'; /* version, length (2), "gw" */
    assert_int_equal(read_any(&f->row, &f->a), ERR_VALUE);
    fixture_free(f);
    memset(name, 'x', sizeof name - 1);
    assert_int_equal(read_member_with((struct row_member){.gateway = name, .remote = there}),
                     ERR_LENGTH);
    name[ROW_NAME_MAX] = '\0';
    assert_int_equal(read_member_with((struct row_member){.gateway = name, .remote = there}),
                     ERR_OK);
}

static void an_identity_has_a_known_type(void **state)
{
    struct fixture *f = fixture_new();

    (void)state;
    write_ban(f);
    f->key[4] = 99;
    assert_int_equal(read_any(&f->row, &f->a), ERR_VALUE);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_comes_back),
        cmocka_unit_test(a_tek_comes_back_with_its_policies),
        cmocka_unit_test(a_kek_comes_back_with_its_policy),
        cmocka_unit_test(a_key_pair_comes_back),
        cmocka_unit_test(a_member_and_a_ban_come_back),
        cmocka_unit_test(the_group_clock_comes_back),
        cmocka_unit_test(no_row_is_read_that_is_cut_or_has_more),
        cmocka_unit_test(no_row_of_another_version_is_read),
        cmocka_unit_test(no_row_with_a_wrong_key_is_read),
        cmocka_unit_test(no_group_is_read_that_no_server_writes),
        cmocka_unit_test(wishes_are_those_that_a_server_has),
        cmocka_unit_test(no_tek_is_read_that_no_server_writes),
        cmocka_unit_test(no_kek_is_read_that_no_server_writes),
        cmocka_unit_test(no_member_is_read_that_no_server_writes),
        cmocka_unit_test(a_name_has_no_nul_and_an_end),
        cmocka_unit_test(an_identity_has_a_known_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
