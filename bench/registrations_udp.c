/* Registrations a second of conclaved itself, over UDP on the loopback interface: main mode with a
 * pre-shared key, group 14, AES-128-CBC, SHA-256, then GROUPKEY-PULL of one TEK. Each member is
 * another address of 127/8. One worker on one processor, then two on two; beside them, in the same
 * run and on the same processors, OpenSSL's key pair and agreement and nothing else.
 *
 * Two figures each: by the clock on the wall, which whatever else runs on the machine spoils, and
 * by the processor time of the daemon, which it does not.
 *
 *     registrations_udp [CONCLAVED]     (default: ../src/cmd/conclaved beside this program) */
#include "bench.h"
#include "cheap_member.h"
#include "crypto/crypto.h"
#include "host/clock.h"
#include "raw_dh.h"
#include "unit/server/pull_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MEMBERS = 6000, AT_ONCE = 48, PORT = 18480, RAW_S = 1, STALL_S = 60 };
#define RESEND span_ms(500)

static const char *const head[] = {
    "ike proposal p authentication-method pre-shared-keys",
    "ike proposal p dh-group group14",
    "ike proposal p authentication-algorithm sha-256",
    "ike proposal p encryption-algorithm aes-128-cbc",
    "ike policy pol mode main",
    "ike policy pol proposals p",
    "ike policy pol pre-shared-key ascii-text \"a pre-shared key\"",
    "ipsec proposal esp authentication-algorithm hmac-sha-256-128",
    "ipsec proposal esp encryption-algorithm aes-128-cbc",
    "group g group-id 1",
    "group g server-address 127.0.0.1",
    "group g no-anti-replay",
    "group g ipsec-sa sa proposal esp",
    "group g ipsec-sa sa match-policy m source 10.0.0.0/8",
    "group g ipsec-sa sa match-policy m destination 10.0.0.0/8",
    "group g ipsec-sa sa match-policy m source-port 0",
    "group g ipsec-sa sa match-policy m destination-port 0",
    "group g ipsec-sa sa match-policy m protocol 0",
};
static const struct model_ike_proposal ike = {.name = "p",
                                              .auth = MODEL_AUTH_PSK,
                                              .hash = MODEL_IKE_SHA256,
                                              .dh_group = 14,
                                              .cipher = MODEL_IKE_AES,
                                              .key_bits = 128,
                                              .lifetime_s = 28800};
static const struct model_ike_proposal *const ike_list[] = {&ike};
static const struct endpoint server_at = {{4, {127, 0, 0, 1}}, PORT};

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "registrations_udp: %s: %s\n", what, strerror(errno));
    exit(1);
}

static struct ip member_ip(size_t i) { return ip_v4(0x7f010001u + (uint32_t)i); }

/* ---- the daemon ---- */

static char folder[] = "/tmp/conclave-bench-XXXXXX";
static char config_path[sizeof folder + 16], state[sizeof folder + 16];

static void write_config(void)
{
    must(mkdtemp(folder) != NULL, "folder");
    snprintf(config_path, sizeof config_path, "%s/bench.conf", folder);
    snprintf(state, sizeof state, "%s/state", folder);
    FILE *f = fopen(config_path, "w");
    must(f != NULL, config_path);
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
        fprintf(f, "set security group-vpn server %s\n", head[i]);
    for (size_t i = 0; i < MEMBERS; i++) {
        char text[IP_TEXT_MAX];
        const char *prefix = "set security group-vpn server";
        fprintf(f, "%s ike gateway gm%zu ike-policy pol\n", prefix, i);
        fprintf(f, "%s ike gateway gm%zu address %s\n", prefix, i,
                ip_text(member_ip(i), text, sizeof text));
        fprintf(f, "%s group g ike-gateway gm%zu\n", prefix, i);
    }
    must(fclose(f) == 0, config_path);
}

/* The daemon's store: both of its folders are this one. */
static void remove_state(void)
{
    static const char *const names[] = {"conclave.db", "conclave.db-wal", "conclave.lock",
                                        "store.key", "store.mark"};
    char path[sizeof state + 32];

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", state, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(state);
}

static void remove_folder(void)
{
    remove_state();
    (void)unlink(config_path);
    (void)rmdir(folder);
}

static void pin(pid_t pid, int first, int n)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    for (int i = first; i < first + n; i++)
        CPU_SET((size_t)i, &set);
    (void)sched_setaffinity(pid, sizeof set, &set); /* a machine of one processor goes without */
}

/* Inherits this process's processors. */
static pid_t start_daemon(const char *program, int processors)
{
    char port[8], workers[8];
    pid_t pid;
    posix_spawn_file_actions_t files;

    snprintf(port, sizeof port, "%d", PORT);
    snprintf(workers, sizeof workers, "%d", processors);
    const char *const argv[] = {
        program, "-f",     config_path, "--run-dir", folder,  "--state-dir", state,   "--key-dir",
        state,   "--port", port,        "--workers", workers, "--log-level", "error", NULL};
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pin(0, 0, processors);
    must(posix_spawn(&pid, program, &files, NULL, (char *const *)(uintptr_t)argv, environ) == 0,
         program);
    posix_spawn_file_actions_destroy(&files);
    return pid;
}

static double cpu_s_of(pid_t pid)
{
    clockid_t clock;
    struct timespec t = {0};

    must(clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &t) == 0,
         "the daemon's processor time");
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- members ---- */

struct member {
    struct pull_client gm;
    int fd;
    bool busy;
    enum { ASKED_1, ASKED_3 } asked;
    struct bytes sent; /* the last message of the PULL */
    instant_t sent_at;
    uint8_t room[DATAGRAM_MAX];
};
static struct member *members; /* AT_ONCE of them, used again and again */
static size_t n_started, n_done;

static void transmit(struct member *m, struct bytes datagram)
{
    (void)send(m->fd, datagram.data, datagram.len, 0); /* what is lost is sent again */
}

static void carry_out(struct member *m, instant_t now)
{
    while (m->gm.out.n) {
        struct effects todo = m->gm.out;
        m->gm.out = (struct effects){0};
        for (const struct effect *e = todo.first; e; e = e->next) {
            struct job_result result;
            if (e->kind == EFFECT_SEND)
                transmit(m, e->send.datagram);
            if (e->kind != EFFECT_JOB)
                continue;
            cheap_job(e->job, &result);
            pull_client_job(&m->gm, now, &result);
        }
        effects_free(&todo);
    }
}

static struct sockaddr_in socket_address(struct ip ip, uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(ip_v4_u32(ip))};
}

static void start(struct member *m, instant_t now)
{
    struct ip ip = member_ip(n_started++);
    struct sockaddr_in local = socket_address(ip, PORT),
                       remote = socket_address(server_at.ip, PORT);
    struct pull_client_config c = {.proposal = ike_list,
                                   .psk = bytes_str("a pre-shared key"),
                                   .local = {ip, PORT},
                                   .server = server_at,
                                   .seed = (uint8_t)n_started};

    m->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(m->fd >= 0 && bind(m->fd, (struct sockaddr *)&local, sizeof local) == 0 &&
             connect(m->fd, (struct sockaddr *)&remote, sizeof remote) == 0,
         "a member's socket");
    pull_client_open(&m->gm, &c);
    m->busy = true;
    m->asked = ASKED_1;
    m->sent = bytes(NULL, 0);
    pull_client_start(&m->gm, now);
    carry_out(m, now);
}

static void finish(struct member *m)
{
    pull_client_close(&m->gm);
    (void)close(m->fd);
    m->busy = false;
    n_done++;
}

static void ask(struct member *m, instant_t now, struct bytes message)
{
    m->sent = message;
    m->sent_at = now;
    transmit(m, message);
}

static void receive(struct member *m, instant_t now, uint8_t *data, size_t len)
{
    if (data[18] != IKE1_EXCHANGE_GROUPKEY_PULL) {
        pull_client_phase1(&m->gm, now, server_at, data, len);
        carry_out(m, now);
        if (m->gm.sa && !m->sent.len)
            ask(m, now, pull_client_1(&m->gm, 1, NULL, m->room));
    } else if (m->asked == ASKED_1 && pull_client_2(&m->gm, bytes(data, len)) == ERR_OK) {
        m->asked = ASKED_3;
        ask(m, now, pull_client_3(&m->gm, NULL, m->room));
    } else if (m->asked == ASKED_3 && pull_client_4(&m->gm, bytes(data, len)) == ERR_OK) {
        finish(m);
    }
}

static void drain(struct member *m, instant_t now)
{
    uint8_t data[DATAGRAM_MAX];
    ssize_t n;

    while (m->busy && (n = recv(m->fd, data, sizeof data, 0)) >= IKE1_HEADER)
        receive(m, now, data, (size_t)n);
}

static void timers(struct member *m, instant_t now)
{
    pull_client_timer(&m->gm, now);
    carry_out(m, now);
    if (m->sent.len && instant_reached(instant_add(m->sent_at, RESEND), now))
        ask(m, now, m->sent);
}

/* Registers members until `n` are done in all. */
static void storm(size_t n)
{
    struct pollfd fds[AT_ONCE];
    instant_t begin = host_now();

    while (n_done < n) {
        instant_t now = host_now();
        must(instant_since(now, begin).ns < span_s(STALL_S).ns, "the daemon does not answer");
        for (size_t i = 0; i < AT_ONCE; i++) {
            if (!members[i].busy && n_started < n)
                start(&members[i], now);
            fds[i] = (struct pollfd){.fd = members[i].busy ? members[i].fd : -1, .events = POLLIN};
        }
        int ready = poll(fds, AT_ONCE, 100);
        now = host_now();
        for (size_t i = 0; i < AT_ONCE; i++) {
            if (fds[i].revents)
                drain(&members[i], now);
            else if (ready == 0 && members[i].busy)
                timers(&members[i], now);
        }
    }
}

/* ---- OpenSSL alone ---- */

static double raw_rate[2]; /* by the wall and by processor time, of all threads together */
static volatile bool raw_stop;
struct raw_thread {
    const struct raw_dh *dh;
    double n, cpu_s;
};

static void *raw_run(void *arg)
{
    struct raw_thread *t = arg;
    double begin = bench_cpu_s();

    for (; !raw_stop; t->n++)
        raw_dh_once(t->dh, 0);
    t->cpu_s = bench_cpu_s() - begin;
    return NULL;
}

static void measure_raw(const struct raw_dh *dh, int threads)
{
    struct raw_thread t[2] = {{.dh = dh}, {.dh = dh}};
    pthread_t ids[2];
    double n = 0, cpu_s = 0;
    instant_t begin = host_now();

    pin(0, 0, threads);
    raw_stop = false;
    for (int i = 0; i < threads; i++)
        must(pthread_create(&ids[i], NULL, raw_run, &t[i]) == 0, "thread");
    (void)sleep(RAW_S);
    raw_stop = true;
    for (int i = 0; i < threads; i++) {
        (void)pthread_join(ids[i], NULL);
        n += t[i].n;
        cpu_s += t[i].cpu_s;
    }
    raw_rate[0] = n / ((double)instant_since(host_now(), begin).ns / 1e9);
    raw_rate[1] = n / cpu_s;
}

/* ---- */

static void measure(const char *program, const struct raw_dh *dh, int processors)
{
    enum { WARM = 200 };
    char name[64];
    pid_t pid = start_daemon(program, processors);

    n_started = n_done = 0;
    pin(0, processors == 1 ? 1 : 0, processors == 1 ? 1 : 2);
    storm(WARM); /* waits until it is up */
    double cpu_s = cpu_s_of(pid);
    instant_t begin = host_now();
    storm(MEMBERS);
    double wall_s = (double)instant_since(host_now(), begin).ns / 1e9;
    cpu_s = cpu_s_of(pid) - cpu_s;
    (void)kill(pid, SIGTERM);
    int status;
    must(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0,
         "the daemon's end");
    measure_raw(dh, processors);
    snprintf(name, sizeof name, "registrations over UDP, %d core%s", processors,
             processors == 1 ? "" : "s");
    bench_print(name, (MEMBERS - WARM) / wall_s, "/s", raw_rate[0], "OpenSSL keygen+agree alone");
    snprintf(name, sizeof name, "registrations over UDP, %d core%s, CPU", processors,
             processors == 1 ? "" : "s");
    bench_print(name, (MEMBERS - WARM) / cpu_s, "/s of CPU", raw_rate[1],
                "OpenSSL keygen+agree alone");
}

int main(int argc, char **argv)
{
    const char *text = "";
    char program[4096];

    if (argc > 1)
        snprintf(program, sizeof program, "%s", argv[1]);
    else
        snprintf(program, sizeof program, "%s/../src/cmd/conclaved", dirname(argv[0]));
    must(crypto_start(CRYPTO_USE_ALL, &text) == ERR_OK, text);
    members = calloc(AT_ONCE, sizeof *members);
    must(members != NULL, "memory");
    write_config();
    (void)atexit(remove_folder);
    struct raw_dh *dh = raw_dh_new(RAW_DH_GROUP14);
    measure(program, dh, 1);
    if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
        measure(program, dh, 2);
    raw_dh_free(dh);
    free(members);
    crypto_stop();
    return 0;
}
