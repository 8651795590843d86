/* A server ends, another one goes on with what the store has. */
#include "unit/server/world.h"

#include "server/operator.h"
#include "server/persist.h"
#include "server/push.h"
#include "server/state.h"
#include "store/memory.h"

struct life {
    struct world *w;
    struct store_memory *disk;
    struct arena rows;
    struct server_config config; /* of the next server */
};

static void commit(struct life *l, const struct effects *out)
{
    for (const struct effect *e = out->first; e; e = e->next) {
        if (e->kind == EFFECT_PERSIST)
            assert_int_equal(store_memory_commit(l->disk, e->persist), ERR_OK);
    }
}

/* All that the server has. */
static void keep(struct life *l)
{
    struct server *s = l->w->server;
    struct effects out = {0};

    for (size_t i = 0; i < s->n_groups; i++) {
        const struct registry *r = &s->groups[i]->registry;
        persist_changeover(s, s->groups[i], 1 + i, &out);
        for (size_t k = 0; k < r->n; k++)
            persist_member(s, s->groups[i], r->members[k], &out);
    }
    commit(l, &out);
    effects_free(&out);
}

static struct life begin(struct world *w)
{
    world_open(w);
    return (struct life){.w = w, .disk = store_memory_new(), .config = {.model = &w->m.model}};
}

/* Before a server: blue with two ipsec-sas and a KEK. */
static struct life begin_with_everything(void)
{
    struct world *w = world_new();

    w->m.groups[0].communication = two_groups_communication();
    w->m.groups[0].n_sas = 2;
    return begin(w);
}

static void restart(struct life *l)
{
    uint8_t seed[DRBG_SEED] = {6}; /* another one: nothing comes back by luck */

    server_free(l->w->server);
    l->w->n_events = 0;
    store_memory_kill(l->disk);
    l->config.rows = store_memory_rows(l->disk, &l->rows, &l->config.n_rows);
    assert_int_equal(server_new(&l->config, seed, l->w->now, &l->w->out, &l->w->server), ERR_OK);
    commit(l, &l->w->out);
    world_collect(l->w);
}

/* A number of the line about the restart. */
static uint64_t told(const struct world *w, const char *key)
{
    const struct event *e = world_event(w, EV_RESTORED);

    assert_non_null(e);
    for (size_t i = 0; e && i < e->n_fields; i++) {
        if (strcmp(e->fields[i].key, key) == 0)
            return e->fields[i].u64;
    }
    fail_msg("restored: no %s", key);
    return 0;
}

static void end(struct life *l)
{
    store_memory_free(l->disk);
    arena_free(&l->rows);
    world_close(l->w);
}

/* ---- what a peer or an operator could notice ---- */

struct seen {
    uint32_t spi[2][GROUP_SLOTS], number[2][GROUP_SLOTS];
    struct timeline time[2][GROUP_SLOTS];
    struct secret key[2][GROUP_SLOTS], auth_key[2][GROUP_SLOTS];
    uint8_t kek[GROUP_KEK_SLOTS][KEK_SPI];
    struct secret kek_key[GROUP_KEK_SLOTS], iv[GROUP_KEK_SLOTS];
    size_t spki_len;
    uint8_t spki[SPKI_MAX];
    uint32_t push_seq, version;
    instant_t due;
};

static void look_at_keks(const struct group *g, struct seen *ret)
{
    for (size_t slot = 0; slot < GROUP_KEK_SLOTS; slot++) {
        const struct kek_generation *k = g->kek[slot];
        if (!k)
            continue;
        memcpy(ret->kek[slot], k->spi, KEK_SPI);
        ret->kek_key[slot] = k->key;
        ret->iv[slot] = k->iv;
        ret->spki_len = k->signer->spki_len;
        memcpy(ret->spki, k->signer->spki, k->signer->spki_len);
    }
}

static struct seen *look(const struct world *w)
{
    const struct group *g = world_blue(w);
    struct seen *s = calloc(1, sizeof *s);

    assert_non_null(s);
    for (size_t i = 0; i < g->n_sas; i++) {
        for (size_t slot = 0; slot < GROUP_SLOTS; slot++) {
            const struct generation *t = g->sas[i].slot[slot];
            if (!t)
                continue;
            s->spi[i][slot] = t->spi;
            s->number[i][slot] = t->number;
            s->time[i][slot] = t->time;
            s->key[i][slot] = t->key;
            s->auth_key[i][slot] = t->auth_key;
        }
    }
    look_at_keks(g, s);
    s->push_seq = g->push_seq_given; /* what is not used yet counts as used */
    s->version = g->version;
    s->due = group_due(g);
    return s;
}

/* Nothing that anybody could notice is another after a restart now. */
static void expect_no_difference(struct life *l)
{
    keep(l);
    struct seen *before = look(l->w);
    restart(l);
    struct seen *after = look(l->w);
    assert_memory_equal(before, after, sizeof *before);
    free(before);
    free(after);
}

static void keys_and_numbers_go_on_at_any_time(void **state)
{
    /* the first generation; KEK2; next keys; switched; over (lifetimes 3600 and 1800, ATD 15) */
    static const double moments[] = {1, 1745, 3545, 3571, 3586, 5000};
    struct life l = begin_with_everything();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
        world_until(l.w, moments[i]);
        expect_no_difference(&l);
        assert_null(world_event(l.w, EV_GENERATION_CREATED));
        assert_null(world_event(l.w, EV_KEK_CREATED));
    }
    end(&l);
}

static void the_slots_of_a_changeover_come_back(void **state)
{
    struct life l = begin_with_everything();

    (void)state;
    world_until(l.w, 3545);
    keep(&l);
    restart(&l);
    assert_non_null(world_key(l.w, 0, GROUP_NEXT));
    assert_null(world_key(l.w, 0, GROUP_PREVIOUS));
    world_until(l.w, 3571);
    keep(&l);
    restart(&l);
    assert_null(world_key(l.w, 0, GROUP_NEXT));
    assert_non_null(world_key(l.w, 0, GROUP_PREVIOUS));
    world_until(l.w, 3585);
    assert_null(world_key(l.w, 0, GROUP_PREVIOUS));
    end(&l);
}

static void sequence_numbers_go_on(void **state)
{
    struct life l = begin_with_everything();

    (void)state;
    l.w->server->groups[0]->push_seq_given = 41;
    keep(&l);
    restart(&l);
    assert_int_equal(world_blue(l.w)->push_seq, 41);
    end(&l);
}

static void a_removal_that_waits_for_its_keys_is_not_forgotten(void **state)
{
    struct life l = begin_with_everything();
    struct group *g = l.w->server->groups[0];
    struct effects out = {0};
    const struct row_ban ban = {.who = {BLUE, {MODEL_ID_FQDN, bytes_str("eve")}}};

    (void)state;
    world_until(l.w, 3545); /* a changeover runs */
    keep(&l);
    group_exclude(g, span_s(60));
    persist_ban(l.w->server, &ban, 9, &out);
    commit(&l, &out);
    effects_free(&out);
    restart(&l);
    g = l.w->server->groups[0];
    assert_true(g->wishes.exclusion);
    assert_int_equal(g->wishes.spread.ns, span_s(60).ns);
    uint32_t next = world_key(l.w, 0, GROUP_NEXT)->spi;
    world_until(l.w, 3600); /* it is over, and the removal's own one runs */
    assert_false(g->wishes.exclusion);
    assert_int_equal(world_key(l.w, 0, GROUP_CURRENT)->spi, next);
    assert_non_null(world_key(l.w, 0, GROUP_NEXT));
    assert_true(g->kek[GROUP_KEK_PREVIOUS]->retired);
    keep(&l);
    restart(&l);
    assert_true(l.w->server->groups[0]->kek[GROUP_KEK_PREVIOUS]->retired);
    end(&l);
}

static void what_was_asked_for_is_not_forgotten(void **state)
{
    struct life l = begin_with_everything();

    (void)state;
    world_until(l.w, 3545);
    group_rekey(l.w->server->groups[0], &l.w->server->groups[0]->sas[1]);
    group_rekey_kek(l.w->server->groups[0]);
    l.w->server->groups[0]->atd_s = 20;
    uint32_t kek = world_blue(l.w)->kek[GROUP_KEK_CURRENT]->number;
    keep(&l);
    restart(&l);
    const struct group *g = world_blue(l.w);
    assert_int_equal(g->sas[1].wish, GROUP_SA_REKEY);
    assert_int_equal(g->sas[0].wish, GROUP_SA_JOINS); /* another activation-time-delay */
    assert_int_equal(g->kek[GROUP_KEK_CURRENT]->number, kek + 1); /* nothing was in its way */
    assert_int_equal(g->atd_s, 20);
    end(&l);
}

static void rekey_wide(struct life *l, bool stored)
{
    struct operator_answer a;
    const struct operator_rekey wide = {.sa = "wide"};
    struct world *w = l->w;

    assert_int_equal(server_rekey(w->server, w->now, w->server->groups[0], &wide, &w->out, &a),
                     ERR_OK);
    if (stored)
        commit(l, &w->out);
    world_collect(w);
}

/* What was stored behind keys says that they fulfil their wish: when they could not be stored, it
 * says so no longer. */
static void a_wish_whose_keys_could_not_be_stored_is_not_forgotten(void **state)
{
    struct life l = begin_with_everything();

    (void)state;
    keep(&l);
    l.w->hold_store = true;
    rekey_wide(&l, false);
    rekey_wide(&l, true);
    server_stored(l.w->server, l.w->now, l.w->waiting[0], ERR_SYSTEM, &l.w->out);
    commit(&l, &l.w->out);
    world_collect(l.w);
    l.w->hold_store = false;
    restart(&l);
    assert_non_null(world_key(l.w, 1, GROUP_NEXT));
    assert_null(world_key(l.w, 0, GROUP_NEXT));
    end(&l);
}

static void generations_are_numbered_on_when_all_are_gone(void **state)
{
    struct life l = begin_with_everything();

    (void)state;
    keep(&l);
    l.w->now = instant_add(l.w->now, span_s(100000)); /* away for more than a day */
    restart(&l);
    assert_int_equal(world_key(l.w, 0, GROUP_CURRENT)->number, 2);
    world_says(l.w, EV_NOT_RESTORED, "what", "time is over");
    store_memory_kill(l.disk);
    size_t n;
    const struct store_row *rows = store_memory_rows(l.disk, &l.rows, &n);
    for (size_t i = 0; i < n; i++) { /* those of the new keys, and no others */
        struct rd r = rd_of(rows[i].key);
        if (rows[i].table == STORE_TEK)
            assert_non_null(mint_find(&l.w->server->mint, rd_u32(&r)));
        if (rows[i].table == STORE_KEK)
            assert_non_null(group_kek(world_blue(l.w), rows[i].key.data));
    }
    end(&l);
}

/* What was to come with the next key change comes at once when no key is left to change. */
static void nothing_waits_for_keys_that_are_gone(void **state)
{
    struct life l = begin_with_everything();

    (void)state;
    group_rekey_later(l.w->server->groups[0], NULL);
    keep(&l);
    l.w->now = instant_add(l.w->now, span_s(100000));
    restart(&l);
    assert_int_equal(world_key(l.w, 0, GROUP_CURRENT)->number, 2);
    assert_int_equal(world_blue(l.w)->sas[0].wish, GROUP_SA_NO_WISH);
    end(&l);
}

static void a_switch_that_was_due_meanwhile_has_happened(void **state)
{
    struct life l = begin_with_everything();

    (void)state;
    world_until(l.w, 3545);
    keep(&l);
    uint32_t next = world_key(l.w, 0, GROUP_NEXT)->spi;
    l.w->now = instant_add(l.w->now, span_s(30));
    restart(&l);
    assert_int_equal(world_key(l.w, 0, GROUP_CURRENT)->spi, next);
    assert_non_null(world_key(l.w, 0, GROUP_PREVIOUS));
    l.w->now = instant_add(l.w->now, span_s(30));
    restart(&l);
    assert_int_equal(world_key(l.w, 0, GROUP_CURRENT)->spi, next);
    assert_null(world_key(l.w, 0, GROUP_PREVIOUS));
    end(&l);
}

static void after_a_reboot_the_same_time_is_left(void **state)
{
    struct life l = begin_with_everything();

    (void)state;
    world_until(l.w, 1000);
    keep(&l);
    uint32_t spi = world_key(l.w, 0, GROUP_CURRENT)->spi;
    /* 60 s later the new boot's clock shows 20 s */
    l.config.shift = span_s(20 - (WORLD_START + 1060));
    l.w->now = (instant_t){20 * NS_PER_S};
    restart(&l);
    assert_int_equal(world_key(l.w, 0, GROUP_CURRENT)->spi, spi);
    assert_int_equal(timeline_life_s(&world_key(l.w, 0, GROUP_CURRENT)->time, l.w->now),
                     3600 - 1060);
    keep(&l); /* and once more, in the same boot */
    restart(&l);
    assert_int_equal(timeline_life_s(&world_key(l.w, 0, GROUP_CURRENT)->time, l.w->now),
                     3600 - 1060);
    end(&l);
}

/* ---- members ---- */

static struct life begin_with_a_member(void)
{
    struct life l = begin(world_new());

    world_phase1(l.w, &l.w->gm[0]);
    world_pull(l.w, &l.w->gm[0], BLUE);
    return l;
}

static const struct registry_member *only_member(const struct world *w)
{
    assert_int_equal(world_blue(w)->registry.n, 1);
    return world_blue(w)->registry.members[0];
}

static void a_member_is_still_registered(void **state)
{
    struct life l = begin_with_a_member();

    (void)state;
    struct registry_member before = *only_member(l.w);
    instant_t since = registry_since(only_member(l.w));
    keep(&l);
    world_wait(l.w, 10);
    restart(&l);
    const struct registry_member *m = only_member(l.w);
    assert_ptr_equal(m->gateway, &l.w->m.gateways[0]);
    assert_true(endpoint_equal(m->remote, before.remote));
    assert_int_equal(m->updated.ns, before.updated.ns);
    assert_int_equal(m->version, before.version);
    assert_int_equal(m->native, before.native);
    assert_int_equal(m->pulls_succeeded, 1);
    assert_int_equal(registry_since(m).ns, since.ns);
    assert_non_null(registry_at_address(&world_blue(l.w)->registry, before.remote.ip));
    assert_int_equal(told(l.w, "members"), 1);
    end(&l);
}

static void since_when_a_member_is_registered_survives_a_reboot(void **state)
{
    struct life l = begin_with_a_member();

    (void)state;
    keep(&l);
    l.config.shift = span_s(20 - (WORLD_START + 60));
    l.w->now = (instant_t){20 * NS_PER_S};
    restart(&l);
    assert_int_equal(registry_since(only_member(l.w)).ns / NS_PER_S, -40);
    end(&l);
}

static void expect_no_member(struct life *l)
{
    restart(l);
    assert_int_equal(world_blue(l->w)->registry.n, 0);
    world_says(l->w, EV_NOT_RESTORED, "table", "member");
    restart(l); /* and its row is gone, too */
    assert_null(world_event(l->w, EV_NOT_RESTORED));
}

static void a_member_whose_gateway_is_gone_is_forgotten(void **state)
{
    struct life l = begin_with_a_member();

    (void)state;
    keep(&l);
    l.w->m.gateways[0].name = "another";
    expect_no_member(&l);
    end(&l);
}

static void a_member_that_may_no_longer_join_is_forgotten(void **state)
{
    struct life l = begin_with_a_member();

    (void)state;
    keep(&l);
    l.w->m.blue_list[0] = &l.w->m.gateways[2];
    expect_no_member(&l);
    end(&l);
}

static void a_ban_holds(void **state)
{
    static const uint8_t address[] = {10, 0, 0, 1};
    const struct row_ban ban = {
        {BLUE, {MODEL_ID_IPV4, BYTES_OF(address)}}, {77 * NS_PER_S}, ip_v4(0x0a000001)};
    struct life l = begin(world_new());
    struct effects out = {0};

    (void)state;
    persist_ban(l.w->server, &ban, 9, &out);
    commit(&l, &out);
    restart(&l);
    const struct ban *b = ban_find(server_bans(l.w->server), BLUE, ban.who.identity);
    assert_non_null(b);
    assert_int_equal(b->since.ns, ban.since.ns);
    assert_true(ip_equal(b->address, ban.address));
    effects_reset(&out);
    persist_lift_ban(&ban.who, 10, &out);
    commit(&l, &out);
    restart(&l);
    assert_null(ban_find(server_bans(l.w->server), BLUE, ban.who.identity));
    end(&l);
    effects_free(&out);
}

/* ---- who signs ---- */

/* Blue's pushes are signed with the key pair of that name from the next start on; NULL: with the
 * server's own. The key pairs of two names differ, those of one are the same. */
static void name_certificate(struct life *l, const char *name)
{
    static uint8_t pem[2][8192];
    static size_t len[2];
    static struct server_certificate list[1];
    struct model_communication *c = &l->w->m.groups[0].communication;
    size_t which = name && name[0] == 'b';
    uint8_t entropy[SIGN_ENTROPY] = {(uint8_t)which};

    *c = two_groups_communication();
    c->certificate = name;
    l->config.n_certificates = name ? 1 : 0;
    l->config.certificates = list;
    if (!name)
        return;
    list[0].name = name;
    if (len[which]) {
        assert_int_equal(sign_key_from_pem(bytes(pem[which], len[which]), &list[0].key), ERR_OK);
        return;
    }
    assert_int_equal(sign_key_generate_rsa(RSA_BITS_MIN, entropy, &list[0].key), ERR_OK);
    assert_int_equal(sign_key_to_pem(list[0].key, pem[which], sizeof pem[which], &len[which]),
                     ERR_OK);
}

static const struct kek_generation *blue_kek(const struct life *l, enum group_kek_slot slot)
{
    return world_blue(l->w)->kek[slot];
}

static void a_kek_stays_with_its_certificate(void **state)
{
    struct life l = {.w = world_new(), .disk = store_memory_new()};

    (void)state;
    l.config.model = &l.w->m.model;
    name_certificate(&l, "a");
    restart(&l);
    assert_int_equal(blue_kek(&l, GROUP_KEK_CURRENT)->signer->bits, RSA_BITS_MIN);
    keep(&l);
    struct seen *before = look(l.w);
    name_certificate(&l, "a");
    restart(&l);
    struct seen *after = look(l.w);
    assert_memory_equal(before, after, sizeof *before);
    world_until(l.w, 60);
    assert_int_equal(blue_kek(&l, GROUP_KEK_CURRENT)->number, 1); /* the same key: no new KEK */
    assert_null(world_event(l.w, EV_SIGNING_KEY));
    free(before);
    free(after);
    end(&l);
}

/* Decisions M17: what members have was signed with the old one. */
static void another_certificate_makes_another_kek(void **state)
{
    static const char *const names[] = {"b", NULL, "a"};
    struct life l = {.w = world_new(), .disk = store_memory_new()};

    (void)state;
    l.config.model = &l.w->m.model;
    name_certificate(&l, "a");
    restart(&l);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        uint8_t old[SIGNING_KEY_ID], id[SIGNING_KEY_ID], spi[KEK_SPI];
        signing_key_id(blue_kek(&l, GROUP_KEK_CURRENT)->signer, old);
        memcpy(spi, blue_kek(&l, GROUP_KEK_CURRENT)->spi, sizeof spi);
        keep(&l);
        name_certificate(&l, names[i]);
        restart(&l);
        world_until(l.w, 200 * (1 + (double)i));
        const struct kek_generation *previous = blue_kek(&l, GROUP_KEK_PREVIOUS);
        assert_non_null(previous);
        assert_memory_equal(previous->spi, spi, sizeof spi);
        signing_key_id(previous->signer, id);
        assert_memory_equal(id, old, sizeof id);
        signing_key_id(blue_kek(&l, GROUP_KEK_CURRENT)->signer, id);
        assert_memory_not_equal(id, old, sizeof id);
    }
    end(&l);
}

static size_t rows_of(struct life *l, enum store_table table)
{
    size_t n, sum = 0;

    store_memory_kill(l->disk);
    const struct store_row *rows = store_memory_rows(l->disk, &l->rows, &n);
    for (size_t i = 0; i < n; i++)
        sum += rows[i].table == table;
    return sum;
}

static void drop(struct life *l, const struct kek_generation *kek)
{
    struct effects out = {0};

    persist_drop_kek(l->w->server, kek, &out);
    commit(l, &out);
    effects_free(&out);
}

/* Who is excluded gets no keys by a push while the server's own key pair is still being made. */
static void who_is_shut_out_learns_nothing_before_there_is_a_signer(void **state)
{
    struct life l = {.w = world_new(), .disk = store_memory_new()};

    (void)state;
    l.config.model = &l.w->m.model;
    world_open(l.w);
    name_certificate(&l, "a");
    restart(&l);
    world_phase1(l.w, &l.w->gm[0]);
    world_pull(l.w, &l.w->gm[0], BLUE);
    keep(&l);
    name_certificate(&l, NULL);
    l.w->m.blue_list[0] = l.w->m.gateways + 1; /* not site-1 */
    l.w->m.groups[0].n_gateways = 1;
    l.w->hold_sign_keys = true;
    restart(&l);
    world_until(l.w, 10);
    assert_int_equal(l.w->n_held, 1);
    assert_true(world_blue(l.w)->wishes.exclusion);
    assert_null(world_key(l.w, 0, GROUP_NEXT));
    l.w->hold_sign_keys = false;
    world_job(l.w, &l.w->held);
    assert_int_equal(world_key(l.w, 0, GROUP_NEXT)->number, 2);
    assert_int_equal(blue_kek(&l, GROUP_KEK_CURRENT)->number, 2);
    assert_true(blue_kek(&l, GROUP_KEK_PREVIOUS)->retired);
    end(&l);
}

/* A private key that signs nothing any more is not kept, but for the server's own. */
static void a_key_pair_goes_with_its_last_kek(void **state)
{
    struct life l = {.w = world_new(), .disk = store_memory_new()};

    (void)state;
    l.config.model = &l.w->m.model;
    name_certificate(&l, "a");
    restart(&l);
    keep(&l);
    name_certificate(&l, NULL);
    restart(&l);
    world_until(l.w, 200);
    keep(&l);
    assert_int_equal(rows_of(&l, STORE_SIGNER), 2);
    drop(&l, blue_kek(&l, GROUP_KEK_PREVIOUS));
    assert_int_equal(rows_of(&l, STORE_SIGNER), 1);
    drop(&l, blue_kek(&l, GROUP_KEK_CURRENT));
    assert_int_equal(rows_of(&l, STORE_SIGNER), 1);
    assert_int_equal(rows_of(&l, STORE_KEK), 0);
    end(&l);
}

/* ---- what is not used ---- */

static void a_key_whose_ipsec_sa_is_gone_is_told_and_forgotten(void **state)
{
    struct life l = begin_with_everything();

    (void)state;
    keep(&l);
    l.w->m.blue_sas[1].name = "another";
    uint32_t first = world_key(l.w, 0, GROUP_CURRENT)->spi;
    restart(&l);
    world_says(l.w, EV_NOT_RESTORED, "table", "tek");
    assert_int_equal(world_key(l.w, 0, GROUP_CURRENT)->spi, first);
    assert_int_equal(world_key(l.w, 1, GROUP_CURRENT)->number, 1);
    end(&l);
}

/* Lifetimes were shortened: the newest keys have ended, and those before them would still live.
 * They are nobody's any more; a member that was removed in between has them. */
static void what_was_replaced_does_not_come_back(void **state)
{
    struct life l = begin_with_everything();
    struct group *g = l.w->server->groups[0];

    (void)state;
    uint32_t spi = world_key(l.w, 0, GROUP_CURRENT)->spi;
    uint8_t kek[KEK_SPI];
    memcpy(kek, g->kek[GROUP_KEK_CURRENT]->spi, sizeof kek);
    world_until(l.w, 100);
    group_rekey(g, NULL);
    group_rekey_kek(g);
    world_until(l.w, 135); /* switched, and not dropped */
    assert_int_equal(world_key(l.w, 0, GROUP_PREVIOUS)->spi, spi);
    g->sas[0].slot[GROUP_CURRENT]->time.expiry = instant_add(l.w->now, span_s(50));
    g->kek[GROUP_KEK_CURRENT]->expiry = instant_add(l.w->now, span_s(50));
    keep(&l);
    l.w->now = instant_add(l.w->now, span_s(60));
    restart(&l);
    assert_null(mint_find(world_blue(l.w)->mint, spi));
    assert_null(group_kek(world_blue(l.w), kek));
    assert_int_equal(group_newest(&world_blue(l.w)->sas[0])->number, 3);
    assert_int_equal(world_blue(l.w)->kek[GROUP_KEK_CURRENT]->number, 3);
    end(&l);
}

/* No number comes twice under one KEK; what needs none goes on. */
static void numbers_that_ended_begin_under_a_new_kek(void **state)
{
    struct life l = begin_with_everything();
    struct group *g = l.w->server->groups[0];
    uint8_t kek[KEK_SPI];

    (void)state;
    memcpy(kek, g->kek[GROUP_KEK_CURRENT]->spi, sizeof kek);
    uint32_t spi = world_key(l.w, 0, GROUP_CURRENT)->spi;
    g->push_seq = g->push_seq_given = g->push_seq_durable = SERVER_SEQ_LAST;
    keep(&l);
    restart(&l);
    world_says(l.w, EV_NOT_RESTORED, "what", "key for pushes");
    g = l.w->server->groups[0];
    assert_null(group_kek(g, kek));
    assert_int_equal(g->kek[GROUP_KEK_CURRENT]->number, 2);
    assert_true(g->push_seq_given <= 1);
    assert_int_equal(world_key(l.w, 0, GROUP_CURRENT)->spi, spi);
    end(&l);
}

static void keys_of_a_group_whose_numbers_are_unknown_are_not_used(void **state)
{
    struct life l = begin_with_everything();
    struct arena a = {0};
    uint8_t key[ROW_KEY_MAX];

    (void)state;
    keep(&l);
    uint32_t spi = world_key(l.w, 0, GROUP_CURRENT)->spi;
    struct store_tx *tx = store_tx_new(&a, 1, true);
    store_delete(&a, tx, STORE_GROUP, row_key_u32(BLUE, key));
    assert_int_equal(store_memory_commit(l.disk, tx), ERR_OK);
    restart(&l);
    assert_int_not_equal(world_key(l.w, 0, GROUP_CURRENT)->spi, spi);
    end(&l);
    arena_free(&a);
}

static void an_older_copy_gives_no_keys_and_no_members(void **state)
{
    struct life l = begin_with_a_member();

    (void)state;
    keep(&l);
    uint32_t spi = world_key(l.w, 0, GROUP_CURRENT)->spi;
    l.config.keys_lost = true;
    restart(&l);
    assert_non_null(world_event(l.w, EV_STORE_OLD));
    assert_int_not_equal(world_key(l.w, 0, GROUP_CURRENT)->spi, spi);
    assert_int_equal(world_key(l.w, 0, GROUP_CURRENT)->number, 2); /* numbers are believed */
    assert_int_equal(world_blue(l.w)->registry.n, 0);
    end(&l);
}

static void without_a_clock_all_keys_are_changed_at_once(void **state)
{
    struct life l = begin_with_everything();

    (void)state;
    world_until(l.w, 100);
    keep(&l);
    uint32_t spi = world_key(l.w, 0, GROUP_CURRENT)->spi;
    l.config.clock_lost = true;
    restart(&l);
    assert_non_null(world_event(l.w, EV_CLOCK_LOST));
    assert_non_null(world_event(l.w, EV_GENERATION_CREATED));
    world_wait(l.w, 60);
    assert_int_not_equal(world_key(l.w, 0, GROUP_CURRENT)->spi, spi);
    assert_int_not_equal(world_key(l.w, 1, GROUP_CURRENT)->number, 1);
    end(&l);
}

/* The group clock goes on, whatever the calendar shows by now; a key keeps its window. */
static void the_group_clock_and_windows_go_on(void **state)
{
    static const span_t utc = {INT64_C(1790000000) * NS_PER_S};
    struct world *w = world_new();
    (void)state;
    w->m.groups[0].anti_replay_window_ms = 1000;
    struct life l = begin(w);
    server_wall(w->server, w->now, utc, &w->out);
    commit(&l, &w->out);
    world_collect(w);
    keep(&l);
    world_until(w, 100);
    w->m.groups[0].anti_replay_window_ms = 2000;
    restart(&l);
    server_wall(w->server, w->now, span_s(1000), &w->out);
    world_collect(w);
    assert_int_equal(group_clock_read(server_clock(w->server), w->now).ns, utc.ns + 100 * NS_PER_S);
    assert_int_equal(group_window_ms(world_blue(w)), 1000);

    l.config.clock_lost = true;
    restart(&l);
    span_t least = {utc.ns + (100 + GROUP_CLOCK_KEEP_S) * NS_PER_S};
    assert_true(group_clock_read(server_clock(w->server), w->now).ns >= least.ns);
    end(&l);
}

static void put_row(struct life *l, enum store_table table, struct bytes key, struct bytes value)
{
    struct arena a = {0};
    struct store_tx *tx = store_tx_new(&a, 1, true);

    store_put(&a, tx, table, key, value);
    assert_int_equal(store_memory_commit(l->disk, tx), ERR_OK);
    arena_free(&a);
}

static void a_row_that_cannot_be_read_is_told_and_forgotten(void **state)
{
    static const enum store_table tables[] = {STORE_GROUP, STORE_TEK,    STORE_KEK,
                                              STORE_BAN,   STORE_MEMBER, STORE_SIGNER};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        struct life l = begin(world_new());
        put_row(&l, tables[i], bytes("\1\2\3\4\1\2", 6), bytes("\x7f", 1));
        restart(&l);
        world_says(l.w, EV_NOT_RESTORED, "table", store_table_name(tables[i]));
        assert_int_equal(told(l.w, "unused"), 1);
        restart(&l);
        assert_null(world_event(l.w, EV_NOT_RESTORED));
        end(&l);
    }
}

static void a_key_of_the_wrong_length_is_not_used(void **state)
{
    struct life l = begin(world_new());
    const struct generation *t = world_key(l.w, 0, GROUP_CURRENT);
    const struct row_tek row = {.spi = t->spi + 1,
                                .group = BLUE,
                                .number = 2,
                                .time = t->time,
                                .policy = t->policy,
                                .key = bytes(t->key.b, t->key.len - 1),
                                .auth_key = secret_bytes(&t->auth_key)};
    uint8_t value[ROW_MAX], key[ROW_KEY_MAX];
    struct wr w = wr_of(value, sizeof value);

    (void)state;
    keep(&l);
    row_tek_write(&w, &row);
    put_row(&l, STORE_TEK, row_key_u32(row.spi, key), wr_bytes(&w));
    restart(&l);
    world_says(l.w, EV_NOT_RESTORED, "error", "ERR_LENGTH");
    assert_int_equal(world_key(l.w, 0, GROUP_CURRENT)->number, 1);
    end(&l);
}

/* The configuration was edited while nobody was there to see it: what the keys were made under is
 * compared with it, by the table that a commit follows. */
static void another_configuration_is_followed(void **state)
{
    struct life l = begin_with_everything();
    struct two_groups *m = &l.w->m;

    (void)state;
    world_phase1(l.w, &l.w->gm[0]);
    world_pull(l.w, &l.w->gm[0], BLUE);
    keep(&l);
    m->policies[2].protocol = 6;                   /* of "wide": new key now */
    m->hour.key_bits = 256;                        /* of "main": with its next key */
    m->groups[0].communication.lifetime_s = 86400; /* of the KEK: with its next one */
    restart(&l);
    assert_null(world_key(l.w, 0, GROUP_NEXT));
    assert_int_equal(world_key(l.w, 1, GROUP_NEXT)->policy->policies[0].protocol, 6);
    assert_int_equal(world_blue(l.w)->kek[GROUP_KEK_CURRENT]->number, 1);
    assert_int_equal(world_blue(l.w)->registry.n, 1);
    world_says(l.w, EV_COMMIT, "what", "has other algorithms"); /* told last: of red */
    keep(&l);
    restart(&l); /* once is enough */
    world_until(l.w, 100);
    assert_int_equal(world_key(l.w, 1, GROUP_CURRENT)->number, 2);

    m->groups[0].communication.type = MODEL_PUSH_MULTICAST;
    m->groups[0].communication.multicast_group = ip_v4(0xe2010101);
    keep(&l);
    restart(&l);
    assert_int_equal(world_blue(l.w)->kek[GROUP_KEK_CURRENT]->number, 2);
    end(&l);
}

/* Without the statement the model has nothing of it, no interval of heartbeats either. */
static void server_member_communication_that_is_gone_takes_the_kek_along(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) { /* nobody who could be told; somebody */
        struct life l = begin_with_everything();
        if (i) {
            world_phase1(l.w, &l.w->gm[0]);
            world_pull(l.w, &l.w->gm[0], BLUE);
        }
        keep(&l);
        l.w->m.groups[0].communication = (struct model_communication){0};
        restart(&l);
        assert_null(world_blue(l.w)->kek[GROUP_KEK_CURRENT]);
        assert_int_equal(world_blue(l.w)->push->counters.deletes, i);
        world_until(l.w, 60);
        assert_int_equal(l.w->n_fans, 3 * i); /* the delete, and its repeats */
        end(&l);
    }
}

/* A KEK that outlived all keys is compared as well. */
static void a_kek_without_keys_follows_the_configuration(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) { /* another type; none */
        struct world *w = world_new();
        w->m.groups[0].communication = two_groups_communication();
        w->m.groups[0].communication.lifetime_s = 86400;
        struct life l = begin(w);
        struct model_communication *c = &w->m.groups[0].communication;
        keep(&l);
        w->now = instant_add(w->now, span_s(10000));
        *c = i ? (struct model_communication){0} : *c;
        c->type = MODEL_PUSH_MULTICAST;
        c->multicast_group = ip_v4(0xe2010101);
        restart(&l);
        assert_int_equal(world_key(w, 0, GROUP_CURRENT)->number, 2);
        const struct kek_generation *kek = world_blue(w)->kek[GROUP_KEK_CURRENT];
        assert_int_equal(kek ? kek->number : 0, i ? 0 : 2);
        end(&l);
    }
}

static void members_drop_what_the_configuration_has_no_more(void **state)
{
    struct life l = begin_with_everything();
    uint32_t wide = world_key(l.w, 1, GROUP_CURRENT)->spi;

    (void)state;
    world_phase1(l.w, &l.w->gm[0]);
    world_pull(l.w, &l.w->gm[0], BLUE);
    keep(&l);
    l.w->m.groups[0].n_sas = 1;
    restart(&l);
    assert_null(mint_find(&l.w->server->mint, wide));
    assert_int_equal(world_blue(l.w)->push->counters.deletes, 1);
    l.w->n_packets = 0;
    end(&l);
}

static void who_is_not_listed_any_more_is_shut_out(void **state)
{
    struct life l = begin_with_everything();

    (void)state;
    world_phase1(l.w, &l.w->gm[0]);
    world_pull(l.w, &l.w->gm[0], BLUE);
    keep(&l);
    l.w->m.blue_list[0] = l.w->m.gateways + 1; /* not site-1 */
    l.w->m.groups[0].n_gateways = 1;
    restart(&l);
    assert_int_equal(world_blue(l.w)->registry.n, 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(world_key(l.w, i, GROUP_NEXT)->number, 2);
    assert_int_equal(world_blue(l.w)->kek[GROUP_KEK_CURRENT]->number, 2);
    assert_true(world_blue(l.w)->kek[GROUP_KEK_PREVIOUS]->retired);
    end(&l);
}

/* ... also when the server is killed again before the changeover that runs is over. */
static void who_is_to_be_shut_out_is_not_forgotten(void **state)
{
    struct life l = begin_with_everything();

    (void)state;
    world_phase1(l.w, &l.w->gm[0]);
    world_pull(l.w, &l.w->gm[0], BLUE);
    world_until(l.w, 3541);
    assert_non_null(world_key(l.w, 0, GROUP_NEXT));
    keep(&l);
    l.w->m.blue_list[0] = l.w->m.gateways + 1; /* not site-1 */
    l.w->m.groups[0].n_gateways = 1;
    restart(&l);
    assert_true(world_blue(l.w)->wishes.exclusion);
    restart(&l);
    assert_int_equal(world_blue(l.w)->registry.n, 0);
    assert_true(world_blue(l.w)->wishes.exclusion);
    end(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_configuration_is_followed),
        cmocka_unit_test(server_member_communication_that_is_gone_takes_the_kek_along),
        cmocka_unit_test(a_kek_without_keys_follows_the_configuration),
        cmocka_unit_test(members_drop_what_the_configuration_has_no_more),
        cmocka_unit_test(who_is_not_listed_any_more_is_shut_out),
        cmocka_unit_test(who_is_shut_out_learns_nothing_before_there_is_a_signer),
        cmocka_unit_test(who_is_to_be_shut_out_is_not_forgotten),
        cmocka_unit_test(keys_and_numbers_go_on_at_any_time),
        cmocka_unit_test(the_slots_of_a_changeover_come_back),
        cmocka_unit_test(sequence_numbers_go_on),
        cmocka_unit_test(a_removal_that_waits_for_its_keys_is_not_forgotten),
        cmocka_unit_test(what_was_asked_for_is_not_forgotten),
        cmocka_unit_test(a_wish_whose_keys_could_not_be_stored_is_not_forgotten),
        cmocka_unit_test(generations_are_numbered_on_when_all_are_gone),
        cmocka_unit_test(nothing_waits_for_keys_that_are_gone),
        cmocka_unit_test(a_switch_that_was_due_meanwhile_has_happened),
        cmocka_unit_test(after_a_reboot_the_same_time_is_left),
        cmocka_unit_test(a_member_is_still_registered),
        cmocka_unit_test(since_when_a_member_is_registered_survives_a_reboot),
        cmocka_unit_test(a_member_whose_gateway_is_gone_is_forgotten),
        cmocka_unit_test(a_member_that_may_no_longer_join_is_forgotten),
        cmocka_unit_test(a_ban_holds),
        cmocka_unit_test(a_kek_stays_with_its_certificate),
        cmocka_unit_test(another_certificate_makes_another_kek),
        cmocka_unit_test(a_key_pair_goes_with_its_last_kek),
        cmocka_unit_test(a_key_whose_ipsec_sa_is_gone_is_told_and_forgotten),
        cmocka_unit_test(what_was_replaced_does_not_come_back),
        cmocka_unit_test(numbers_that_ended_begin_under_a_new_kek),
        cmocka_unit_test(keys_of_a_group_whose_numbers_are_unknown_are_not_used),
        cmocka_unit_test(an_older_copy_gives_no_keys_and_no_members),
        cmocka_unit_test(without_a_clock_all_keys_are_changed_at_once),
        cmocka_unit_test(the_group_clock_and_windows_go_on),
        cmocka_unit_test(a_row_that_cannot_be_read_is_told_and_forgotten),
        cmocka_unit_test(a_key_of_the_wrong_length_is_not_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
