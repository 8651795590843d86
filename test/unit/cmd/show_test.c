/* What the daemons tell their consoles: everything that is asked for, and no secret. */
#include "cmd/daemon.h"
#include "cmd/show.h"
#include "unit/member/duo.h"

#include <stdio.h>

enum { SECRETS_MAX = 64, LINE = 48, PIECE_MAX = 65536, CROWD = 5000, LONG_LINES = 700 };

struct secrets {
    size_t n;
    struct bytes at[SECRETS_MAX];
    char text[SECRETS_MAX][2 * 64 + 1]; /* the same in hexadecimal */
    uint8_t pem[8192];
};

static void add_secret(struct secrets *s, struct bytes octets)
{
    if (octets.len == 0)
        return;
    assert_true(s->n < SECRETS_MAX && octets.len <= 64);
    bytes_hex(octets, s->text[s->n], sizeof s->text[0]);
    s->at[s->n++] = octets;
}

static void add_tek(struct secrets *s, const struct generation *g)
{
    if (!g)
        return;
    add_secret(s, secret_bytes(&g->key));
    add_secret(s, secret_bytes(&g->auth_key));
}

/* Of the key pair some lines of its PEM form. */
static void add_signer(struct secrets *s, const struct signing_key *key)
{
    size_t len = 0;

    assert_int_equal(sign_key_to_pem(key->private, s->pem, sizeof s->pem, &len), ERR_OK);
    for (size_t at = 64; at + LINE < len && at < 512; at += 64)
        add_secret(s, bytes(s->pem + at, LINE));
}

static void add_all(struct secrets *s, const struct duo *w)
{
    const struct group *g = server_group(w->server, 0);

    for (size_t i = 0; i < g->n_sas; i++) {
        for (size_t slot = 0; slot < GROUP_SLOTS; slot++)
            add_tek(s, g->sas[i].slot[slot]);
    }
    for (size_t slot = 0; slot < GROUP_KEK_SLOTS; slot++) {
        if (g->kek[slot]) {
            add_secret(s, secret_bytes(&g->kek[slot]->key));
            add_secret(s, secret_bytes(&g->kek[slot]->iv));
        }
    }
    add_signer(s, g->kek[GROUP_KEK_CURRENT]->signer);
    add_secret(s, w->m.policy.psk);
}

static bool holds(struct bytes haystack, struct bytes needle)
{
    return haystack.len > 0 && memmem(haystack.data, haystack.len, needle.data, needle.len);
}

static void expect_no_secret(const struct secrets *s, struct bytes answer, const char *words)
{
    for (size_t i = 0; i < s->n; i++) {
        if (holds(answer, s->at[i]) || holds(answer, bytes_str(s->text[i])))
            fail_msg("'%s' shows secret %zu", words, i);
    }
}

/* The whole answer of a command, as octets of its tree; how many pieces. */
static unsigned ask(const struct ctl_service *service, enum ctl_command_id id, bool detail,
                    struct ctl_wr *ret)
{
    const struct ctl_handler *h = &service->handlers[id];
    struct ctl_request r = {.command = ctl_command_of(id)};
    char sentence[CTL_SENTENCE_MAX] = "";
    struct ctl_cursor at = {0};
    unsigned n = 0;

    if (detail)
        assert_int_equal(ctl_request_add(&r, "detail", NULL, sentence), ERR_OK);
    *ret = (struct ctl_wr){0};
    if (h->answer(service->ctx, &r, ret, sentence) != ERR_OK) {
        assert_int_equal(id, CTL_SHOW_MEMBER_STATISTICS); /* there is no data path */
        ctl_buf_free(&ret->buf);
        *ret = (struct ctl_wr){0};
        return 0;
    }
    for (bool last = !h->more; !last; n++) {
        size_t before = ret->buf.len;
        last = h->more(service->ctx, &r, &at, ret);
        assert_true(ret->buf.len - before < PIECE_MAX);
    }
    assert_int_equal(ctl_wr_end(ret), ERR_OK);
    return n;
}

static bool has_detail(const struct ctl_command *c)
{
    for (const struct ctl_arg *a = c->args; a->word; a++) {
        if (strcmp(a->word, "detail") == 0)
            return true;
    }
    return false;
}

struct stage {
    struct duo *duo;
    struct show show;
    struct ctl_service service;
};

static void open_stage(struct stage *s)
{
    const struct options options = {.program = "test", .config = "/test.conf", .workers = 1};

    s->duo = duo_new();
    s->duo->m.groups[0].communication = two_groups_communication();
    duo_open(s->duo);
    duo_until(s->duo, 30);
    assert_int_equal(duo_vpn(s->duo, 0).state, MEMBER_REGISTERED);
    s->show = (struct show){
        .server = s->duo->server, .member = s->duo->member, .statement = "server {\n}\n"};
    s->service = (struct ctl_service){.ctx = &s->show, .program = "test"};
    assert_int_equal(daemon_new(&options, &s->show.daemon), ERR_OK);
}

static void close_stage(struct stage *s)
{
    daemon_free(s->show.daemon);
    duo_close(s->duo);
}

static void no_answer_shows_a_secret(void **state)
{
    struct secrets *secrets = calloc(1, sizeof *secrets);
    void (*const handlers[])(struct ctl_service *) = {show_server_handlers, show_member_handlers};
    struct stage s;
    unsigned n_asked = 0, n_cookies = 0;

    (void)state;
    open_stage(&s);
    add_all(secrets, s.duo);
    assert_true(secrets->n > 8);
    const struct kek_generation *kek = server_group(s.duo->server, 0)->kek[GROUP_KEK_CURRENT];
    for (size_t side = 0; side < ARRAY_LEN(handlers); side++) {
        memset(s.service.handlers, 0, sizeof s.service.handlers);
        handlers[side](&s.service);
        for (unsigned i = 0; i < CTL_COMMAND_COUNT; i++) {
            const struct ctl_command *c = ctl_command_of((enum ctl_command_id)i);
            struct ctl_wr answer;
            if (!s.service.handlers[i].answer || c->class != CTL_VIEW)
                continue;
            ask(&s.service, c->id, has_detail(c), &answer);
            expect_no_secret(secrets, ctl_buf_bytes(&answer.buf), c->words);
            n_cookies += holds(ctl_buf_bytes(&answer.buf), bytes(kek->spi, KEK_SPI / 2));
            n_asked++;
            ctl_buf_free(&answer.buf);
        }
    }
    assert_true(n_asked >= 14);
    assert_true(n_cookies >= 2); /* what is no secret is found by the same search */
    close_stage(&s);
    free(secrets);
}

static void a_crowd_is_listed_in_pieces(void **state)
{
    struct stage s;
    struct ctl_wr answer;
    struct arena arena = {0};
    struct ctl_node *tree = NULL;

    (void)state;
    open_stage(&s);
    struct registry *r = (struct registry *)(uintptr_t)&server_group(s.duo->server, 0)->registry;
    for (uint32_t i = 0; i < CROWD; i++) {
        struct ip ip = ip_v4(0x0b000000 + i);
        struct registration one = {.gateway = &s.duo->m.gateways[0],
                                   .identity = {MODEL_ID_IPV4, bytes(ip.b, 4)},
                                   .remote = {ip, 848},
                                   .now = s.duo->now};
        assert_int_equal(registry_put(r, &one), ERR_OK);
    }
    registry_strike(r->members[7], REGISTRY_SILENT, s.duo->now);
    show_server_handlers(&s.service);
    assert_true(ask(&s.service, CTL_SHOW_SERVER_MEMBERS, true, &answer) > 10);
    assert_int_equal(ctl_tree_parse(&arena, ctl_buf_bytes(&answer.buf), &tree), ERR_OK);
    const struct ctl_node *blue = ctl_find(tree, "group")->first;
    assert_string_equal(ctl_find_text(blue, "group-name"), "blue");
    assert_int_equal(ctl_find_u64(blue, "registered-members"), CROWD);
    assert_int_equal(ctl_find_u64(blue, "struck-members"), 1);
    assert_int_equal(ctl_find(blue, "member")->n, CROWD + 1);
    unsigned n_struck = 0;
    for (const struct ctl_node *m = ctl_find(blue, "member")->first; m; m = m->next) {
        if (strcmp(ctl_find_text(m, "status"), "struck") != 0)
            continue;
        assert_string_equal(ctl_find_text(m, "reason"), registry_reason_text(REGISTRY_SILENT));
        n_struck++;
    }
    assert_int_equal(n_struck, 1);
    ctl_buf_free(&answer.buf);
    arena_free(&arena);
    close_stage(&s);
}

/* Asks for one piece, hands out what came so far; true when it was the last. */
static bool one_piece(const struct stage *s, struct ctl_cursor *at, struct ctl_wr *w)
{
    struct ctl_request r = {.command = ctl_command_of(CTL_SHOW_CONFIGURATION)};

    return s->service.handlers[CTL_SHOW_CONFIGURATION].more(s->service.ctx, &r, at, w);
}

static void the_configuration_in_force_is_shown(void **state)
{
    struct stage s;
    struct ctl_wr answer;
    struct arena arena = {0};
    struct ctl_node *tree = NULL;
    char text[LONG_LINES * 8 + 1];

    (void)state;
    for (size_t i = 0; i < LONG_LINES; i++)
        snprintf(text + 8 * i, 9, "x %4zu;\n", i);
    open_stage(&s);
    s.show.statement = text;
    show_server_handlers(&s.service);
    assert_true(ask(&s.service, CTL_SHOW_CONFIGURATION, false, &answer) > 2);
    assert_int_equal(ctl_tree_parse(&arena, ctl_buf_bytes(&answer.buf), &tree), ERR_OK);
    const struct ctl_node *lines = ctl_find(tree, "line");
    assert_int_equal(lines->n, LONG_LINES);
    assert_string_equal(ctl_find_text(lines->first, "text"), "x    0;");
    assert_string_equal(ctl_find_text(lines->first->next, "text"), "x    1;");
    ctl_buf_free(&answer.buf);
    arena_free(&arena);
    close_stage(&s);
}

/* A commit between two pieces: the rest would be another configuration's. */
static void a_configuration_that_is_replaced_ends(void **state)
{
    struct stage s;
    struct ctl_cursor at = {0};
    struct ctl_wr answer = {0};
    struct arena arena = {0};
    struct ctl_node *tree = NULL;
    char text[LONG_LINES * 2 + 1];

    (void)state;
    for (size_t i = 0; i < LONG_LINES; i++)
        snprintf(text + 2 * i, 3, "x\n");
    open_stage(&s);
    s.show.statement = text;
    show_server_handlers(&s.service);
    ctl_list(&answer, "line");
    assert_false(one_piece(&s, &at, &answer));
    s.show.statement = "";
    s.show.n_statements++;
    assert_true(one_piece(&s, &at, &answer));
    assert_int_equal(ctl_wr_end(&answer), ERR_OK);
    assert_int_equal(ctl_tree_parse(&arena, ctl_buf_bytes(&answer.buf), &tree), ERR_OK);
    const struct ctl_node *last = ctl_find(tree, "line")->first;
    while (last->next)
        last = last->next;
    assert_non_null(strstr(ctl_find_text(last, "text"), "ask again"));
    ctl_buf_free(&answer.buf);
    arena_free(&arena);
    close_stage(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_answer_shows_a_secret),
        cmocka_unit_test(a_crowd_is_listed_in_pieces),
        cmocka_unit_test(the_configuration_in_force_is_shown),
        cmocka_unit_test(a_configuration_that_is_replaced_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
