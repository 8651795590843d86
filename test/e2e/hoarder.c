/* A member that keeps every key it was ever given, and goes on trying when it is no longer wanted:
 * phase 1 and GROUPKEY-PULL by hand over UDP. Reads commands, answers each with lines and "ok".
 *
 *     hoarder ADDRESS SERVER GROUP SECRET
 *
 *     fresh        phase 1 anew, then a PULL        tek SPI KEY AUTH | kek SPI IV KEY | refused N
 *     pull         a PULL on the phase 1 that is there, whatever the server says of it; "silence"
 *     ack A SEQ    an acknowledgement in the name of A, under the KEK that it has */
#include "crypto/crypto.h"
#include "gdoi/numbers.h"
#include "gdoi/push.h"
#include "host/clock.h"
#include "ike1/payload.h"
#include "unit/server/pull_client.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT = 848, ANSWER_MS = 3000 };

static const struct model_ike_proposal ike = {.name = "p",
                                              .auth = MODEL_AUTH_PSK,
                                              .hash = MODEL_IKE_SHA256,
                                              .dh_group = 14,
                                              .cipher = MODEL_IKE_AES,
                                              .key_bits = 256,
                                              .lifetime_s = 28800};
static const struct model_ike_proposal *const ike_list[] = {&ike};

static int fd;
static struct sockaddr_in server;
static struct pull_client gm;
static struct pull_client_config config = {.proposal = ike_list, .mode = MODEL_MODE_MAIN};

static void must(bool good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(1);
}

static void send_it(struct bytes datagram)
{
    must(sendto(fd, datagram.data, datagram.len, 0, (struct sockaddr *)&server, sizeof server) > 0,
         "sendto");
}

/* The next datagram, or none of them in time. */
static size_t hear(uint8_t room[DATAGRAM_MAX], int wait_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    if (poll(&p, 1, wait_ms) != 1)
        return 0;
    ssize_t n = recv(fd, room, DATAGRAM_MAX, 0);
    return n > 0 ? (size_t)n : 0;
}

static void serve(void)
{
    while (gm.out.n > 0) {
        struct effects todo = gm.out;
        gm.out = (struct effects){0};
        for (const struct effect *e = todo.first; e; e = e->next) {
            if (e->kind == EFFECT_SEND)
                send_it(e->send.datagram);
            if (e->kind != EFFECT_JOB)
                continue;
            struct job_result result;
            job_run(e->job, &result);
            pull_client_job(&gm, host_now(), &result);
            job_result_wipe(&result);
        }
        effects_free(&todo);
    }
}

static uint8_t exchange_of(const uint8_t *datagram, size_t len)
{
    return len >= IKE1_HEADER ? datagram[18] : 0;
}

static void print_hex(const char *name, const uint8_t *octets, size_t len)
{
    printf("%s", name);
    for (size_t i = 0; i < len; i++)
        printf("%02x", octets[i]);
}

static void print_keys(void)
{
    for (size_t i = 0; i < gm.n_keys; i++) {
        const struct pull_client_key *k = &gm.keys[i];
        printf("tek %08x", k->spi);
        print_hex(" ", k->cipher_key, k->cipher_len);
        print_hex(" ", k->auth_key, k->auth_len);
        printf("\n");
    }
    if (!gm.kek.present)
        return;
    print_hex("kek ", ike1_cookies_bytes(&gm.kek.spi).data, 16);
    print_hex(" ", gm.kek.iv, gm.kek.iv_len);
    print_hex(" ", gm.kek.key, gm.kek.key_len);
    printf("\n");
}

/* The datagram of the PULL that answers; notifications on the way are taken. 0: none came. */
static size_t answer(uint8_t room[DATAGRAM_MAX])
{
    for (size_t n; gm.notified == 0 && (n = hear(room, ANSWER_MS)) > 0;) {
        if (exchange_of(room, n) == IKE1_EXCHANGE_GROUPKEY_PULL)
            return n;
        if (exchange_of(room, n) == IKE1_EXCHANGE_INFORMATIONAL)
            pull_client_phase1(&gm, host_now(), config.server, room, n);
    }
    return 0;
}

static void pull(uint32_t group)
{
    uint8_t room[DATAGRAM_MAX];
    size_t n;

    while (hear(room, 0) > 0) /* what the server had to say meanwhile is not listened to */
        ;
    gm.notified = 0;
    send_it(pull_client_1(&gm, group, NULL, room));
    if ((n = answer(room)) > 0 && pull_client_2(&gm, bytes(room, n)) == ERR_OK) {
        send_it(pull_client_3(&gm, NULL, room));
        if ((n = answer(room)) > 0 && pull_client_4(&gm, bytes(room, n)) == ERR_OK) {
            print_keys();
            return;
        }
    }
    if (gm.notified)
        printf("refused %u\n", gm.notified);
    else
        printf("silence\n");
}

static void fresh(uint32_t group)
{
    uint8_t room[DATAGRAM_MAX];

    if (gm.table)
        pull_client_close(&gm);
    config.seed++;
    pull_client_open(&gm, &config);
    pull_client_start(&gm, host_now());
    serve();
    while (!gm.sa) {
        size_t n = hear(room, ANSWER_MS);
        if (n == 0) {
            printf("silence\n");
            return;
        }
        pull_client_phase1(&gm, host_now(), config.server, room, n);
        serve();
    }
    pull(group);
}

/* RFC 8263 3: whoever has the KEK can make one in anybody's name (7.1). */
static void acknowledge(const char *name, uint32_t seq)
{
    uint8_t room[256], input[GDOI_ACK_KEY_INPUT], key[HASH_MAX], *hash = NULL;
    struct wr w = wr_of(room, sizeof room);
    struct bytes covered;
    struct ip ip;

    must(ip_parse(name, &ip), name);
    must(gdoi_ack_write(&w, &gm.kek.spi, seq, ip, 32, &hash, &covered) == ERR_OK, "ack");
    gdoi_ack_key_input(&gm.kek.spi, GDOI_ACK_L_SHA256, input);
    hmac_parts(HASH_SHA256, bytes(gm.kek.key, gm.kek.key_len), PARTS(BYTES_OF(input)), key);
    hmac_parts(HASH_SHA256, bytes(key, 32), PARTS(covered), hash);
    send_it(wr_bytes(&w));
}

static void open_socket(void)
{
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(PORT)};

    memcpy(&local.sin_addr, config.local.ip.b, 4);
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(PORT)};
    memcpy(&server.sin_addr, config.server.ip.b, 4);
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    must(fd >= 0 && bind(fd, (struct sockaddr *)&local, sizeof local) == 0, "bind");
}

int main(int argc, char **argv)
{
    char line[128], name[64];
    unsigned seq;
    const char *why;

    must(argc == 5 && crypto_start(CRYPTO_USE_ALL, &why) == ERR_OK, "arguments");
    must(ip_parse(argv[1], &config.local.ip) && ip_parse(argv[2], &config.server.ip), "address");
    config.local.port = config.server.port = PORT;
    config.psk = bytes_str(argv[4]);
    uint32_t group = (uint32_t)strtoul(argv[3], NULL, 10);
    open_socket();
    while (fgets(line, sizeof line, stdin)) {
        if (strncmp(line, "fresh", 5) == 0)
            fresh(group);
        else if (strncmp(line, "pull", 4) == 0)
            pull(group);
        else if (sscanf(line, "ack %63s %u", name, &seq) == 2)
            acknowledge(name, seq);
        printf("ok\n");
        fflush(stdout);
    }
    return 0;
}
