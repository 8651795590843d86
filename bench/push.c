/* A unicast push to 100,000 registered members, by the key server's engine and the daemon's sending
 * code, over UDP on the loopback interface: how long until the last acknowledgement (RFC 8263) has
 * been processed; how fast the datagrams leave when nobody answers, beside a bare sendmmsg() loop
 * of the same size in the same run; what a member costs while a push is under way.
 *
 * The members are one thread with one socket for all addresses of 127/8, and answer in the name of
 * each. They know the KEK from this process; what they do costs another processor, if there is one.
 */
#include "gdoi/push.h"
#include "bare_send.h"
#include "crypto/crypto.h"
#include "host/clock.h"
#include "host/loop.h"
#include "host/udp.h"
#include "sa/job.h"
#include "server/server.h"
#include "server/state.h"
#include "store/tx.h"

#include <malloc.h>
#include <pthread.h>
#include <stdalign.h>

enum {
    MEMBERS = 100000,
    PORT = 18483,
    SERVER_PORT = 18484,
    LIFETIME_S = 3600,
    ATD_S = 15,
    RENEW_S = LIFETIME_S - 4 * ATD_S,
    MEMBER_BATCH = 64,
    MEMBER_BUFFER = 256 << 20, /* a hundred thousand members have one each */
    BARE_TURNS = 3,
};

static struct {
    struct model_ike_policy policy;
    struct model_server_gateway gateways[MEMBERS];
    const struct model_server_gateway *list[MEMBERS];
    char names[MEMBERS][16];
    struct model_ipsec_proposal ipsec;
    struct model_match_policy match;
    struct model_ipsec_sa sa;
    struct model_group group;
    struct model_server model;
} config;
static uint8_t room_of_zeros[8192];
static const struct ip server_ip = {4, {127, 0, 0, 1}};

static struct ip member_ip(size_t i) { return ip_v4(0x7f010001u + (uint32_t)i); }

static void configure(void)
{
    config.policy = (struct model_ike_policy){.name = "policy", .psk = bytes_str("a key")};
    config.ipsec = (struct model_ipsec_proposal){.name = "ipsec",
                                                 .cipher = MODEL_ESP_AES_CBC,
                                                 .key_bits = 128,
                                                 .auth = MODEL_ESP_HMAC_SHA256_128,
                                                 .lifetime_s = LIFETIME_S};
    config.match = (struct model_match_policy){
        .name = "all", .source = prefix_of(ip_v4(0), 0), .destination = prefix_of(ip_v4(0), 0)};
    config.sa = (struct model_ipsec_sa){
        .name = "sa", .proposal = &config.ipsec, .policies = &config.match, .n_policies = 1};
    for (size_t i = 0; i < MEMBERS; i++) {
        snprintf(config.names[i], sizeof config.names[i], "gm%zu", i);
        config.gateways[i] = (struct model_server_gateway){
            .name = config.names[i], .policy = &config.policy, .address = member_ip(i)};
        config.list[i] = &config.gateways[i];
    }
    config.group = (struct model_group){
        .name = "group",
        .id = 1,
        .atd_s = ATD_S,
        .server_address = server_ip,
        .gateways = config.list,
        .n_gateways = MEMBERS,
        .sas = &config.sa,
        .n_sas = 1,
        .communication = {.present = true,
                          .type = MODEL_PUSH_UNICAST,
                          .cipher = MODEL_KEK_AES,
                          .key_bits = 128,
                          .sig_hash = MODEL_SIG_SHA256,
                          .lifetime_s = 86400,
                          .heartbeat_s = 3600,
                          .n_retransmission = 2,
                          .retransmission_period_s = 4,
                          .certificate = "bench"},
    };
    config.model = (struct model_server){
        .gateways = config.gateways, .n_gateways = MEMBERS, .groups = &config.group, .n_groups = 1};
}

/* ---- the members ---- */

static struct {
    pthread_t thread;
    int fd;
    volatile bool stop;
    volatile bool answers;
    uint32_t seq; /* of the push; set before it leaves */
    struct ike1_cookies kek;
    struct secret ack_key;
} members;

/* One datagram in or out, with the member's address beside it. */
struct parcel {
    struct sockaddr_in server;
    struct iovec iov;
    alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in_pktinfo))];
    uint8_t data[2048];
};

static void prepare(struct parcel *p, size_t len, struct msghdr *m)
{
    p->iov = (struct iovec){p->data, len};
    *m = (struct msghdr){.msg_name = &p->server,
                         .msg_namelen = sizeof p->server,
                         .msg_iov = &p->iov,
                         .msg_iovlen = 1,
                         .msg_control = p->control,
                         .msg_controllen = sizeof p->control};
}

/* RFC 8263 3.2: the key of all answers under this KEK. */
static void know_kek(const struct kek_generation *k)
{
    uint8_t input[GDOI_ACK_KEY_INPUT];

    memcpy(&members.kek, k->spi, sizeof members.kek);
    gdoi_ack_key_input(&members.kek, GDOI_ACK_L_SHA256, input);
    members.ack_key = prf(HASH_SHA256, secret_bytes(&k->key), PARTS(BYTES_OF(input)));
}

/* The answer of whoever the datagram was for, in its place. */
static void answer(struct parcel *p, struct msghdr *m)
{
    struct in_pktinfo info;
    struct wr w = wr_of(p->data, sizeof p->data);
    uint8_t *hash;
    struct bytes covered;

    memcpy(&info, CMSG_DATA(CMSG_FIRSTHDR(m)), sizeof info);
    info.ipi_spec_dst = info.ipi_addr;
    info.ipi_ifindex = 0;
    memcpy(CMSG_DATA(CMSG_FIRSTHDR(m)), &info, sizeof info);
    bare_must(gdoi_ack_write(&w, &members.kek, members.seq, ip_v4(ntohl(info.ipi_addr.s_addr)),
                             hash_len(HASH_SHA256), &hash, &covered) == ERR_OK,
              "an acknowledgement");
    hmac_parts(HASH_SHA256, secret_bytes(&members.ack_key), &covered, 1, hash);
    p->iov.iov_len = w.len;
}

static void *be_members(void *unused)
{
    static struct parcel parcels[MEMBER_BATCH];
    struct mmsghdr m[MEMBER_BATCH];

    (void)unused;
    while (!members.stop) {
        for (size_t i = 0; i < MEMBER_BATCH; i++)
            prepare(&parcels[i], sizeof parcels[i].data, &m[i].msg_hdr);
        int n = recvmmsg(members.fd, m, MEMBER_BATCH, MSG_WAITFORONE, NULL);
        for (int i = 0; i < n && members.answers; i++)
            answer(&parcels[i], &m[i].msg_hdr);
        if (n > 0 && members.answers)
            (void)sendmmsg(members.fd, m, (unsigned)n, 0); /* what is lost is asked for again */
    }
    return NULL;
}

static void start_members(void)
{
    const struct timeval tick = {.tv_usec = 200000};
    int on = 1, room = MEMBER_BUFFER;

    members.fd = bare_socket((struct endpoint){ip_v4(INADDR_ANY), PORT});
    (void)setsockopt(members.fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    bare_must(setsockopt(members.fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) == 0 &&
                  setsockopt(members.fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof tick) == 0 &&
                  pthread_create(&members.thread, NULL, be_members, NULL) == 0,
              "members");
}

/* ---- the server ---- */

static double held(void)
{
    struct mallinfo2 m = mallinfo2();
    return (double)m.uordblks + (double)m.hblkhd;
}

static struct server *server;
static struct group *group;
static struct host *host;
static struct host_udp *udp;
static struct effects out;
static span_t ahead; /* the server's clock before the machine's */
static struct {
    size_t octets;      /* 0: not yet */
    double cpu_s;       /* of this thread, from the fan-out to its end */
    instant_t begin;    /* of the machine's clock */
    double octets_held; /* by the heap, while it was under way */
    uint32_t version;   /* of the group, before the new keys */
    unsigned n_before;  /* fan-outs that are on their way before the push */
    bool over;
} push;

static instant_t now(void) { return instant_add(host_now(), ahead); }

static void carry_out(void);

static void run_job(const struct job *job)
{
    struct job_result result;

    job_run(job, &result);
    server_job_done(server, now(), &result, &out);
    job_result_wipe(&result);
}

/* From here on, or from the end of what is sent before it. */
static void start_watch(void)
{
    push.begin = host_now();
    push.cpu_s = -bench_cpu_s();
}

/* What was sent is told next. */
static bool brings_keys(const struct effect *e)
{
    while (e && !(e->kind == EFFECT_TELL && e->event->id == EV_PUSH_SENT))
        e = e->next;
    return e && bytes_equal(event_find_text(e->event, "what"), bytes_str("keys"));
}

static void fan_out(const struct effect *e)
{
    const struct host_udp_fanout what = {e->fanout.to, e->fanout.n, e->fanout.datagram, NULL};

    if (!brings_keys(e)) { /* a sign of life */
        push.n_before += push.octets == 0;
    } else if (push.octets == 0) {
        bare_must(e->fanout.n == MEMBERS, "a push to everybody");
        push.octets = e->fanout.datagram.len;
        start_watch();
    }
    members.seq = group->push_seq;
    host_udp_fanout(udp, &what);
}

/* As the daemon does; the store answers at once. */
static void carry_out(void)
{
    for (const struct effect *e = out.first; e; e = e->next) {
        if (e->kind == EFFECT_PERSIST && e->persist->id)
            server_stored(server, now(), e->persist->id, ERR_OK, &out);
        else if (e->kind == EFFECT_SEND)
            host_udp_send(udp, e->send.to, e->send.datagram);
        else if (e->kind == EFFECT_FANOUT)
            fan_out(e);
        else if (e->kind == EFFECT_JOB)
            run_job(e->job);
    }
    effects_reset(&out);
    if (udp)
        host_udp_flush(udp);
    instant_t due = server_due(server);
    host_arm(host, instant_is_never(due) ? due : instant_add(due, span_times(ahead, -1)));
}

static void received(void *ctx, struct endpoint from, struct endpoint to, uint8_t *data, size_t len)
{
    (void)ctx;
    server_datagram(server, now(), from, to, data, len, &out);
}

static bool everybody_answered(void)
{
    if (host_udp_counters(udp).received < MEMBERS)
        return false;
    for (size_t i = 0; i < group->registry.n; i++) {
        if (!group->registry.members[i]->proven)
            return false;
    }
    return true;
}

static void batch_end(void *ctx)
{
    (void)ctx;
    carry_out();
    if (members.answers && everybody_answered())
        host_quit(host);
}

static void failed(void *ctx, struct endpoint to, int error)
{
    (void)ctx;
    (void)to;
    errno = error;
    bare_must(false, "send");
}

static void fanned_out(void *ctx, const struct host_udp_fanned_out *result)
{
    (void)ctx;
    errno = result->error;
    bare_must(result->n_failed == 0, "the fan-out");
    if (push.n_before > 0) {
        push.n_before--;
        start_watch();
        return;
    }
    if (push.over)
        return;
    push.over = true;
    push.cpu_s += bench_cpu_s();
    push.octets_held = held();
    if (!members.answers)
        host_quit(host);
}

static void due(void *ctx, instant_t at)
{
    (void)ctx;
    (void)at;
    server_timer(server, now(), &out);
    carry_out();
}

static void stop(void *ctx) { (void)ctx; }

static void start_server(void)
{
    const uint8_t seed[DRBG_SEED] = {1}, entropy[SIGN_ENTROPY] = {1};
    struct server_certificate certificate = {.name = "bench"};
    const struct server_config with = {
        .model = &config.model, .certificates = &certificate, .n_certificates = 1};
    const struct host_hooks host_hooks = {NULL, due, stop};
    const struct host_udp_hooks hooks = {NULL, received, batch_end, failed, fanned_out};

    bare_must(host_new(&host_hooks, 1, &host) == ERR_OK, "event loop");
    bare_must(host_udp_open(host, (struct endpoint){server_ip, SERVER_PORT}, 0, &hooks, &udp) ==
                  ERR_OK,
              "socket");
    bare_must(sign_key_generate_rsa(2048, entropy, &certificate.key) == ERR_OK, "key pair");
    bare_must(server_new(&with, seed, now(), &out, &server) == ERR_OK, "server_new");
    group = server->groups[0];
    carry_out();
}

/* Octets for each of them. */
static double register_members(void)
{
    double before = held();

    for (size_t i = 0; i < MEMBERS; i++) {
        struct ip ip = member_ip(i);
        const struct registration r = {
            .gateway = &config.gateways[i],
            .identity = {MODEL_ID_IPV4, bytes(ip.b, 4)},
            .remote = {ip, PORT},
            .now = now(),
            .version = group->version,
            .native = true,
        };
        bare_must(registry_put(&group->registry, &r) == ERR_OK, "a registration");
    }
    return (held() - before) / MEMBERS;
}

/* From the moment when the keys fall due until host_quit(). */
static void run_push(bool answered)
{
    memset(&push, 0, sizeof push);
    members.answers = answered;
    ahead = (span_t){ahead.ns + span_s(RENEW_S).ns};
    host_arm(host, host_now());
    host_run(host);
}

int main(void)
{
    const char *text = "";
    static struct endpoint to[MEMBERS];

    bare_must(crypto_start(CRYPTO_USE_ALL, &text) == ERR_OK, text);
    configure();
    start_server();
    double per_member = register_members();
    double before = held();
    know_kek(group->kek[GROUP_KEK_CURRENT]);
    start_members();
    run_push(true);
    double answered_s = (double)instant_since(host_now(), push.begin).ns / 1e9;
    double extra = (push.octets_held - before) / MEMBERS;
    run_push(false);
    for (size_t i = 0; i < MEMBERS; i++)
        to[i] = (struct endpoint){member_ip(i), PORT};
    double bare_s = 0;
    for (int turn = 0; turn < BARE_TURNS; turn++)
        bare_s += bare_send(server_ip, to, MEMBERS, bytes(room_of_zeros, push.octets)) / BARE_TURNS;
    bench_print("push to 100,000 members, sending", MEMBERS / push.cpu_s, "/s per core",
                MEMBERS / bare_s, "a bare sendmmsg loop");
    bench_print("... one datagram of it", (double)push.octets, "octets", 0, NULL);
    bench_print("push to 100,000 members, all answered", answered_s, "s", 0, NULL);
    bench_print("memory per member in the registry", per_member, "octets", 512, "the aim of 512");
    bench_print("... and while a push is under way", extra, "octets more", 0, NULL);
    members.stop = true;
    (void)pthread_join(members.thread, NULL);
    host_udp_close(udp);
    host_free(host);
    server_free(server);
    effects_free(&out);
    crypto_stop();
    return 0;
}
