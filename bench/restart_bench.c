/* What keeping costs: the commit of a generation, against a write and fdatasync of the same size on
 * the same disk in the same run; and a restart with 100,000 members, from the start of the program
 * to its first reply, against the check of its configuration alone (conclaved -n), which has as
 * many gateways.
 *
 *     restart_bench [CONCLAVED]     (default: ../src/cmd/conclaved beside this program) */
#include "bench.h"
#include "cheap_member.h"
#include "conf/check.h"
#include "crypto/crypto.h"
#include "host/clock.h"
#include "host/system.h"
#include "server/persist.h"
#include "server/state.h"
#include "sqlite/database.h"
#include "unit/server/pull_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MEMBERS = 100000, AT_ONCE = 1000, COMMITS = 200, PORT = 18481, ASK_MS = 20, WAIT_S = 60 };
enum { CONFIG_MAX = 64 << 20 };

static const char head[] =
    "security { group-vpn { server {\n"
    "ipsec { proposal esp { authentication-algorithm hmac-sha-256-128;\n"
    "    encryption-algorithm aes-128-cbc; } }\n"
    "ike { proposal p { authentication-method pre-shared-keys; dh-group group14;\n"
    "    authentication-algorithm sha-256; encryption-algorithm aes-128-cbc; }\n"
    "policy pol { mode main; proposals p; pre-shared-key ascii-text \"a pre-shared key\"; }\n";
static const char middle[] =
    "}\ngroup g { group-id 1; server-address 127.0.0.1; no-anti-replay;\n"
    "ipsec-sa sa { proposal esp; match-policy m { source 10.0.0.0/8; destination 10.0.0.0/8; } }\n";
static const struct model_ike_proposal ike = {.name = "p",
                                              .auth = MODEL_AUTH_PSK,
                                              .hash = MODEL_IKE_SHA256,
                                              .dh_group = 14,
                                              .cipher = MODEL_IKE_AES,
                                              .key_bits = 128,
                                              .lifetime_s = 28800};
static const struct model_ike_proposal *const ike_list[] = {&ike};

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "restart_bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double wall_s(void) { return (double)host_now().ns / 1e9; }
static struct ip member_ip(size_t i) { return ip_v4(0x7f010001u + (uint32_t)i); }

/* ---- files ---- */

static char folder[] = "/tmp/conclave-bench-XXXXXX";
static char config_path[sizeof folder + 16], state[sizeof folder + 16],
    raw_path[sizeof folder + 16];

static void write_config(void)
{
    must(mkdtemp(folder) != NULL, "folder");
    snprintf(config_path, sizeof config_path, "%s/bench.conf", folder);
    snprintf(state, sizeof state, "%s/state", folder);
    snprintf(raw_path, sizeof raw_path, "%s/raw", folder);
    FILE *f = fopen(config_path, "w");
    must(f != NULL, config_path);
    fputs(head, f);
    for (size_t i = 0; i < MEMBERS; i++) {
        char text[IP_TEXT_MAX];
        fprintf(f, "gateway gm%zu { ike-policy pol; address %s; }\n", i,
                ip_text(member_ip(i), text, sizeof text));
    }
    fputs(middle, f);
    for (size_t i = 0; i < MEMBERS; i++)
        fprintf(f, "ike-gateway gm%zu;\n", i);
    fputs("} } } }\n", f);
    must(fclose(f) == 0, config_path);
}

static void remove_folder(void)
{
    static const char *const names[] = {"state/conclave.db",
                                        "state/conclave.db-wal",
                                        "state/conclave.lock",
                                        "state/store.key",
                                        "state/store.mark",
                                        "bench.conf",
                                        "raw",
                                        "conclaved.sock"};
    char path[sizeof folder + 32];

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(state);
    (void)rmdir(folder);
}

static const struct model *read_model(struct arena *arena)
{
    struct arena tree = {0};
    struct conf_check check;
    const struct model *model = NULL;
    char *text = NULL;
    size_t len = 0;

    must(host_read_file(config_path, CONFIG_MAX, &text, &len) == ERR_OK, config_path);
    conf_check(&tree, CONF_ROLE_SERVER, config_path, bytes(text, len), &check);
    must(conf_check_verdict(&check) == ERR_OK, "configuration");
    must(model_build(check.tree, &check.diags, arena, &model) == ERR_OK, "model");
    free(text);
    arena_free(&tree);
    return model;
}

/* ---- a server with members, and its store ---- */

static struct store_clock clock_now(span_t shift)
{
    struct timespec wall;
    struct store_clock c = {.boottime = host_now(), .shift = shift};

    host_wall_exact(&wall);
    c.realtime_ns = (int64_t)wall.tv_sec * NS_PER_S + wall.tv_nsec;
    host_boot_id(c.boot_id);
    return c;
}

static struct database *open_store(struct arena *a, struct database_contents *ret)
{
    const struct database_config config = {state, state, clock_now((span_t){0})};
    struct database *d = NULL;
    struct why why;

    if (database_open(&config, a, &why, &d, ret) == ERR_OK)
        return d;
    fprintf(stderr, "restart_bench: %s\n", why.text);
    exit(1);
}

static struct server *open_server(const struct model *model, const struct database_contents *kept,
                                  struct effects *out)
{
    const uint8_t seed[DRBG_SEED] = {1};
    const struct server_config config = {.model = model->server,
                                         .rows = kept->rows,
                                         .n_rows = kept->n_rows,
                                         .shift = kept->clock.shift};
    struct server *s = NULL;

    must(server_new(&config, seed, host_now(), out, &s) == ERR_OK, "server_new");
    return s;
}

/* All transactions of `out` in one commit, answered. */
static void commit(struct database *d, struct server *s, struct effects *out)
{
    const struct store_tx **txs = calloc(out->n + 1, sizeof *txs);
    const struct store_clock now = clock_now((span_t){0});
    struct why why;
    size_t n = 0;

    must(txs != NULL, "memory");
    for (const struct effect *e = out->first; e; e = e->next) {
        if (e->kind == EFFECT_PERSIST)
            txs[n++] = e->persist;
    }
    must(database_commit(d, txs, n, &now, &why) == ERR_OK, why.text);
    for (size_t i = 0; i < n; i++) {
        struct effects more = {0};
        server_stored(s, host_now(), txs[i]->id, ERR_OK, &more);
        effects_free(&more);
    }
    free(txs);
    effects_reset(out);
}

static void add_members(struct database *d, struct server *s, struct effects *out)
{
    struct group *g = s->groups[0];

    for (size_t i = 0; i < MEMBERS; i++) {
        struct ip ip = member_ip(i);
        const struct registration r = {.gateway = &s->model->gateways[i],
                                       .identity = {MODEL_ID_IPV4, bytes(ip.b, 4)},
                                       .remote = {ip, PORT},
                                       .now = host_now(),
                                       .native = true};
        must(registry_put(&g->registry, &r) == ERR_OK, "a member");
        persist_member(s, g, g->registry.members[i], out);
        if (i % AT_ONCE == AT_ONCE - 1)
            commit(d, s, out);
    }
}

/* ---- commits ---- */

static double raw_commit_s(size_t octets)
{
    char *data = calloc(1, octets);
    int fd = open(raw_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    must(data && fd >= 0, raw_path);
    double begin = wall_s();
    for (size_t i = 0; i < COMMITS; i++)
        must(write(fd, data, octets) == (ssize_t)octets && fdatasync(fd) == 0, raw_path);
    double took = wall_s() - begin;
    free(data);
    close(fd);
    return took / COMMITS;
}

/* The keys of the group again and again: what a changeover stores. */
static void measure_commits(struct database *d, struct server *s, struct effects *out)
{
    const size_t page_frame = 4096 + 24; /* of the write-ahead log */
    double begin = wall_s();

    for (size_t i = 0; i < COMMITS; i++) {
        persist_changeover(s, s->groups[0], UINT64_MAX, out);
        commit(d, s, out);
    }
    double ours = (wall_s() - begin) / COMMITS, raw = raw_commit_s(3 * page_frame);
    bench_print("commit of a generation", ours * 1e3, "ms", raw * 1e3, "write and fdatasync alone");
}

/* ---- a restart ---- */

static pid_t start(const char *program, const char *const *argv)
{
    posix_spawn_file_actions_t files;
    pid_t pid = 0;

    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    must(posix_spawn(&pid, program, &files, NULL, (char *const *)(uintptr_t)argv, environ) == 0,
         program);
    posix_spawn_file_actions_destroy(&files);
    return pid;
}

static double check_s(const char *program)
{
    const char *const argv[] = {program, "-n", config_path, NULL};
    double begin = wall_s();
    int status = 0;
    pid_t pid = start(program, argv);

    must(waitpid(pid, &status, 0) == pid && WIFEXITED(status), "conclaved -n");
    return wall_s() - begin;
}

static struct sockaddr_in socket_address(struct ip ip)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(ip_v4_u32(ip))};
}

/* Asks with message 1 of phase 1 until there is an answer. */
static void wait_for_reply(double begin)
{
    struct pull_client gm;
    const struct pull_client_config c = {.proposal = ike_list,
                                         .psk = bytes_str("a pre-shared key"),
                                         .local = {member_ip(7), PORT},
                                         .server = {ip_v4(0x7f000001), PORT}};
    struct sockaddr_in local = socket_address(c.local.ip), remote = socket_address(c.server.ip);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    uint8_t answer[DATAGRAM_MAX];

    must(fd >= 0 && bind(fd, (struct sockaddr *)&local, sizeof local) == 0 &&
             connect(fd, (struct sockaddr *)&remote, sizeof remote) == 0,
         "socket");
    pull_client_open(&gm, &c);
    pull_client_start(&gm, host_now());
    must(gm.out.first && gm.out.first->kind == EFFECT_SEND, "message 1");
    do {
        must(wall_s() - begin < WAIT_S, "the daemon does not answer");
        (void)send(fd, gm.out.first->send.datagram.data, gm.out.first->send.datagram.len, 0);
    } while (poll(&wait, 1, ASK_MS) <= 0 || recv(fd, answer, sizeof answer, 0) <= 0);
    pull_client_close(&gm);
    close(fd);
}

/* Processor time: unlike the clock on the wall, untouched by what else the machine does. */
static double cpu_s_of(pid_t pid)
{
    clockid_t clock;
    struct timespec t = {0};

    must(clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &t) == 0, "CPU time");
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double restart_s(const char *program, double *ret_cpu_s)
{
    char port[8];
    snprintf(port, sizeof port, "%d", PORT);
    const char *const argv[] = {program,  "-f",          config_path,   "--run-dir", folder,
                                "--port", port,          "--state-dir", state,       "--key-dir",
                                state,    "--log-level", "error",       NULL};
    double begin = wall_s();
    pid_t pid = start(program, argv);

    wait_for_reply(begin);
    double took = wall_s() - begin;
    *ret_cpu_s = cpu_s_of(pid);
    must(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid, "the end");
    return took;
}

/* What the store and the engine take of it. */
static void measure_parts(const struct model *model)
{
    struct arena rows = {0};
    struct effects out = {0};
    struct database_contents kept;
    double begin = wall_s();
    struct database *d = open_store(&rows, &kept);
    double opened = wall_s();
    struct server *s = open_server(model, &kept, &out);
    double restored = wall_s();

    must(s->groups[0]->registry.n == MEMBERS, "everybody is back");
    bench_print("store of 100,000 members, read and opened", (opened - begin) * 1e3, "ms", 0, NULL);
    bench_print("... restored into the engine", (restored - opened) * 1e3, "ms", 0, NULL);
    server_free(s);
    database_close(d);
    effects_free(&out);
    arena_free(&rows);
}

static void fill(const struct model *model)
{
    struct arena rows = {0};
    struct effects out = {0};
    struct database_contents kept;
    struct database *d = open_store(&rows, &kept);
    struct server *s = open_server(model, &kept, &out);

    commit(d, s, &out);
    add_members(d, s, &out);
    measure_commits(d, s, &out);
    server_free(s);
    database_close(d);
    effects_free(&out);
    arena_free(&rows);
}

int main(int argc, char **argv)
{
    char beside[4096];
    const char *what = "", *program = argc > 1 ? argv[1] : beside;
    struct arena arena = {0};

    snprintf(beside, sizeof beside, "%s/../src/cmd/conclaved", dirname(argv[0]));
    must(crypto_start(CRYPTO_USE_ALL, &what) == ERR_OK, what);
    write_config();
    (void)atexit(remove_folder);
    const struct model *model = read_model(&arena);
    fill(model);
    measure_parts(model);
    double cpu = 0, check = check_s(program), took = restart_s(program, &cpu);
    bench_print("restart with 100,000 members, to a reply", took * 1e3, "ms", check * 1e3,
                "the check of its configuration alone");
    bench_print("... CPU", cpu * 1e3, "ms", 0, NULL);
    arena_free(&arena);
    crypto_stop();
    return 0;
}
