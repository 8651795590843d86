/* What one registration costs the key server: phase 1 in main mode with a pre-shared key, group 14,
 * AES-128-CBC and SHA-256, then GROUPKEY-PULL of one TEK. All in this process, messages handed over
 * as buffers; only the server's share is timed, in processor time. Its limit is what OpenSSL takes
 * for the key pair and the agreement alone, measured in the same run, in turns with the server.
 *
 * Also: the octets that the server holds for each member once everybody has registered. */
#include "bench.h"
#include "cheap_member.h"
#include "crypto/crypto.h"
#include "raw_dh.h"
#include "server/server.h"
#include "unit/server/pull_client.h"

#include <malloc.h>
#include <stdlib.h>

enum { MEMBERS = 10000, RAW_EVERY = 10, PASS = 1000 };

struct config {
    struct model_ike_proposal ike;
    const struct model_ike_proposal *ike_list[1];
    struct model_ike_policy policy;
    struct model_server_gateway gateways[MEMBERS];
    const struct model_server_gateway *list[MEMBERS];
    char names[MEMBERS][16];
    struct model_ipsec_proposal ipsec;
    struct model_match_policy match;
    struct model_ipsec_sa sa;
    struct model_group group;
    struct model_server model;
};
static struct config config;
static const struct endpoint server_at = {{4, {10, 255, 0, 1}}, 848};

/* The server and its meter. */
static struct server *server;
static struct effects out;
static instant_t now = {1000 * NS_PER_S};
static double server_cpu_s;
static double server_octets;

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "registrations: %s failed\n", what);
    exit(1);
}

static struct endpoint member_at(size_t i)
{
    return (struct endpoint){ip_v4(0x0a000001u + (uint32_t)i), 848};
}

static void add_member(size_t i)
{
    snprintf(config.names[i], sizeof config.names[i], "gm%zu", i);
    config.gateways[i] = (struct model_server_gateway){
        .name = config.names[i], .policy = &config.policy, .address = member_at(i).ip};
    config.list[i] = &config.gateways[i];
}

static void configure(void)
{
    config.ike = (struct model_ike_proposal){.name = "ike",
                                             .auth = MODEL_AUTH_PSK,
                                             .hash = MODEL_IKE_SHA256,
                                             .dh_group = 14,
                                             .cipher = MODEL_IKE_AES,
                                             .key_bits = 128,
                                             .lifetime_s = 28800};
    config.ike_list[0] = &config.ike;
    config.policy = (struct model_ike_policy){.name = "policy",
                                              .proposals = config.ike_list,
                                              .n_proposals = 1,
                                              .psk = bytes_str("a pre-shared key")};
    config.ipsec = (struct model_ipsec_proposal){.name = "ipsec",
                                                 .cipher = MODEL_ESP_AES_CBC,
                                                 .key_bits = 128,
                                                 .auth = MODEL_ESP_HMAC_SHA256_128,
                                                 .lifetime_s = 3600};
    config.match = (struct model_match_policy){
        .name = "all", .source = prefix_of(ip_v4(0), 0), .destination = prefix_of(ip_v4(0), 0)};
    config.sa = (struct model_ipsec_sa){
        .name = "sa", .proposal = &config.ipsec, .policies = &config.match, .n_policies = 1};
    for (size_t i = 0; i < MEMBERS; i++)
        add_member(i);
    config.group = (struct model_group){.name = "group",
                                        .id = 1,
                                        .atd_s = 15,
                                        .server_address = server_at.ip,
                                        .gateways = config.list,
                                        .n_gateways = MEMBERS,
                                        .sas = &config.sa,
                                        .n_sas = 1};
    config.model = (struct model_server){
        .gateways = config.gateways, .n_gateways = MEMBERS, .groups = &config.group, .n_groups = 1};
}

static double held(void)
{
    struct mallinfo2 m = mallinfo2();
    return (double)m.uordblks + (double)m.hblkhd;
}

/* Runs the server on one input; what it wants done is left in `out`. */
struct meter {
    double cpu_s, octets;
};
/* held() walks the heap's free lists, so it stands outside what is timed. */
static struct meter meter_start(void)
{
    struct meter m = {.octets = held()};
    m.cpu_s = bench_cpu_s();
    return m;
}
static void meter_stop(struct meter m)
{
    server_cpu_s += bench_cpu_s() - m.cpu_s;
    server_octets += held() - m.octets;
}

static void serve_jobs(struct pull_client *gm, size_t *answers, uint8_t answer[DATAGRAM_MAX],
                       size_t *answer_len)
{
    struct job_result result;
    const struct job *job = NULL;

    for (const struct effect *e = out.first; e; e = e->next) {
        if (e->kind == EFFECT_SEND && endpoint_equal(e->send.to, gm->local)) {
            *answer_len = e->send.datagram.len;
            memcpy(answer, e->send.datagram.data, *answer_len);
            ++*answers;
        } else if (e->kind == EFFECT_JOB) {
            job = e->job;
        } else if (e->kind == EFFECT_PERSIST) {
            server_stored(server, now, e->persist->id, ERR_OK, &out);
        }
    }
    if (!job)
        return;
    struct meter m = meter_start();
    job_run(job, &result);
    effects_reset(&out);
    server_job_done(server, now, &result, &out);
    job_result_wipe(&result);
    meter_stop(m);
    serve_jobs(gm, answers, answer, answer_len);
}

/* One datagram to the server, and its answer. */
static size_t ask(struct pull_client *gm, struct bytes datagram, uint8_t answer[DATAGRAM_MAX])
{
    uint8_t copy[DATAGRAM_MAX];
    size_t answers = 0, len = 0;

    memcpy(copy, datagram.data, datagram.len);
    struct meter m = meter_start();
    server_datagram(server, now, gm->local, server_at, copy, datagram.len, &out);
    meter_stop(m);
    serve_jobs(gm, &answers, answer, &len);
    effects_reset(&out);
    must(answers <= 1, "one answer to a datagram");
    return len;
}

static void member_effects(struct pull_client *gm)
{
    struct effects todo = gm->out;
    uint8_t answer[DATAGRAM_MAX];

    gm->out = (struct effects){0};
    for (const struct effect *e = todo.first; e; e = e->next) {
        struct job_result result;
        if (e->kind == EFFECT_SEND) {
            size_t len = ask(gm, e->send.datagram, answer);
            if (len)
                pull_client_phase1(gm, now, server_at, answer, len);
        } else if (e->kind == EFFECT_JOB) {
            cheap_job(e->job, &result);
            pull_client_job(gm, now, &result);
        }
    }
    effects_free(&todo);
}

static void register_member(size_t i)
{
    static struct pull_client gm;
    uint8_t room[DATAGRAM_MAX], answer[DATAGRAM_MAX];
    struct pull_client_config c = {.proposal = config.ike_list,
                                   .psk = config.policy.psk,
                                   .local = member_at(i),
                                   .server = server_at,
                                   .seed = (uint8_t)i};

    pull_client_open(&gm, &c);
    pull_client_start(&gm, now);
    while (gm.out.n)
        member_effects(&gm);
    must(gm.sa != NULL, "phase 1");
    size_t len = ask(&gm, pull_client_1(&gm, 1, NULL, room), answer);
    must(pull_client_2(&gm, bytes(answer, len)) == ERR_OK, "message 2");
    len = ask(&gm, pull_client_3(&gm, NULL, room), answer);
    must(pull_client_4(&gm, bytes(answer, len)) == ERR_OK, "message 4");
    pull_client_close(&gm);
}

static void run_timers(span_t span)
{
    now = instant_add(now, span);
    struct meter m = meter_start();
    server_timer(server, now, &out);
    effects_reset(&out);
    meter_stop(m);
}

int main(void)
{
    const uint8_t seed[DRBG_SEED] = {1};
    const char *text = "";
    double raw_cpu_s = 0, n_raw = 0;

    must(crypto_start(CRYPTO_USE_ALL, &text) == ERR_OK, text);
    configure();
    must(server_new(&(struct server_config){.model = &config.model}, seed, now, &out, &server) ==
             ERR_OK,
         "server_new");
    for (const struct effect *e = out.first; e; e = e->next) {
        if (e->kind == EFFECT_PERSIST)
            server_stored(server, now, e->persist->id, ERR_OK, &out);
    }
    effects_reset(&out);
    struct raw_dh *raw = raw_dh_new(RAW_DH_GROUP14);
    for (size_t i = 0; i < MEMBERS; i++) {
        register_member(i);
        if (i % PASS == 0)
            run_timers(span_s(1));
        if (i % RAW_EVERY)
            continue;
        double begin = bench_cpu_s();
        raw_dh_once(raw, 0);
        raw_cpu_s += bench_cpu_s() - begin;
        n_raw++;
    }
    must(server_group(server, 0)->registry.n == MEMBERS, "everybody is registered");
    double rate = MEMBERS / server_cpu_s, raw_rate = n_raw / raw_cpu_s;
    bench_print("registrations, in process", rate, "/s per core", raw_rate,
                "OpenSSL keygen+agree alone");
    bench_print("OpenSSL group14 keygen+agree", raw_rate, "/s per core", 0, NULL);
    run_timers(span_s(60)); /* what exchanges in progress needed has gone */
    bench_print("memory per registered member", server_octets / MEMBERS, "octets", 512,
                "the aim of 512");
    server_free(server);
    effects_free(&out);
    raw_dh_free(raw);
    crypto_stop();
    return 0;
}
