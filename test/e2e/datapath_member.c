/* A member without a key server: opens the data path and installs the keys that it is told on
 * standard input, one command a line. Answers "ok", or "error REASON"; reports end with "ok".
 *
 *   backend best|openssl|ipsec-mb
 *   routed-only
 *   vpn NAME GROUP INTERFACE clear|set|copy MTU
 *   exclude|fail-open SOURCE DESTINATION PROTOCOL FIRST-PORT LAST-PORT     of the last vpn
 *   setup | teardown | open | close
 *   sa SPI SERVER next|current|previous CIPHER AUTH KEY AUTH-KEY           keys in hexadecimal, or
 * - selector SOURCE DESTINATION SOURCE-PORT DESTINATION-PORT PROTOCOL      of the last sa install
 * NAME                                                           the sas since the last install
 *   stats | sas | quit
 */
#include "crypto/crypto.h"
#include "data/data.h"

#include <stdio.h>
#include <stdlib.h>

enum { VPNS = 4, RULES = 10, SAS = 16, SELECTORS = 16, LINE = 1024 };

static struct esp_vpn_config vpns[VPNS];
static char names[VPNS][64], interfaces[VPNS][64];
static struct esp_rule excludes[VPNS][RULES], fail_opens[VPNS][RULES];
static struct esp_sa_install sas[SAS];
static struct esp_selector selectors[SAS][SELECTORS];
static size_t n_vpns, n_sas;
static enum packet_backend backend;
static bool routed_only;
static struct data_path *path;

static void answer(enum err e, const char *text)
{
    if (e == ERR_OK)
        printf("ok\n");
    else
        printf("error %s: %s\n", err_name(e), text);
    fflush(stdout);
}

static struct data_config config(void)
{
    return (struct data_config){
        .vpns = vpns, .n_vpns = n_vpns, .backend = backend, .routed_only = routed_only};
}

/* The index of text in a list of words, or the list's length. */
static size_t word(const char *text, const char *const *list, size_t n)
{
    size_t i = 0;
    while (i < n && !bytes_equal(bytes_str(text), bytes_str(list[i])))
        i++;
    return i;
}

static bool set_backend(const char *args)
{
    static const char *const list[] = {"best", "openssl", "ipsec-mb"};
    char name[32];
    if (sscanf(args, "%31s", name) != 1 || word(name, list, 3) == 3)
        return false;
    backend = (enum packet_backend)word(name, list, 3);
    return true;
}

static bool add_vpn(const char *args)
{
    static const char *const dfs[] = {"clear", "set", "copy"};
    char df[16];
    struct esp_vpn_config *v = &vpns[n_vpns];
    if (n_vpns == VPNS || sscanf(args, "%63s %u %63s %15s %u", names[n_vpns], &v->group,
                                 interfaces[n_vpns], df, &v->tunnel_mtu) != 5)
        return false;
    v->vpn = names[n_vpns];
    v->external_interface = interfaces[n_vpns];
    v->df_bit = (enum esp_df)word(df, dfs, 3);
    v->exclude = excludes[n_vpns];
    v->fail_open = fail_opens[n_vpns];
    n_vpns++;
    return true;
}

static bool add_rule(const char *args, bool exclude)
{
    char source[64], destination[64];
    unsigned protocol, first, last;
    if (n_vpns == 0 ||
        sscanf(args, "%63s %63s %u %u %u", source, destination, &protocol, &first, &last) != 5)
        return false;
    struct esp_vpn_config *v = &vpns[n_vpns - 1];
    size_t *n = exclude ? &v->n_exclude : &v->n_fail_open;
    struct esp_rule *r = exclude ? &excludes[n_vpns - 1][*n] : &fail_opens[n_vpns - 1][*n];
    if (*n == RULES || !prefix_parse(source, false, &r->source) ||
        !prefix_parse(destination, false, &r->destination))
        return false;
    r->protocol = (uint8_t)protocol;
    r->destination_port_first = (uint16_t)first;
    r->destination_port_last = (uint16_t)last;
    (*n)++;
    return true;
}

static bool read_key(const char *hex, struct secret *ret)
{
    if (hex[0] == '-') {
        ret->len = 0;
        return true;
    }
    return bytes_unhex(hex, ret->b, sizeof ret->b, &ret->len);
}

static enum cipher cipher_of(const char *name)
{
    enum cipher c = CIPHER_NULL;
    while (c < CIPHER_COUNT && !bytes_equal(bytes_str(name), bytes_str(cipher_name(c))))
        c++;
    return c;
}

static enum auth auth_of(const char *name)
{
    enum auth a = AUTH_NONE;
    while (a < AUTH_COUNT && !bytes_equal(bytes_str(name), bytes_str(auth_name(a))))
        a++;
    return a;
}

static bool add_sa(const char *args)
{
    static const char *const slots[] = {"next", "current", "previous"};
    char server[64], slot[16], cipher[32], auth[32], key[200], auth_key[200];
    struct esp_sa_install *sa = &sas[n_sas];
    *sa = (struct esp_sa_install){.selectors = selectors[n_sas], .sole_sender = true};
    if (n_sas == SAS || sscanf(args, "%u %63s %15s %31s %31s %199s %199s", &sa->spi, server, slot,
                               cipher, auth, key, auth_key) != 7)
        return false;
    sa->slot = (enum esp_slot)word(slot, slots, 3);
    sa->cipher = cipher_of(cipher);
    sa->auth = auth_of(auth);
    n_sas++;
    return ip_parse(server, &sa->server) && read_key(key, &sa->key) &&
           read_key(auth_key, &sa->auth_key);
}

static bool add_selector(const char *args)
{
    char source[64], destination[64];
    unsigned source_port, destination_port, protocol;
    if (n_sas == 0 || sas[n_sas - 1].n_selectors == SELECTORS ||
        sscanf(args, "%63s %63s %u %u %u", source, destination, &source_port, &destination_port,
               &protocol) != 5)
        return false;
    struct esp_selector *s = &selectors[n_sas - 1][sas[n_sas - 1].n_selectors++];
    s->source_port = (uint16_t)source_port;
    s->destination_port = (uint16_t)destination_port;
    s->protocol = (uint8_t)protocol;
    return prefix_parse(source, false, &s->source) &&
           prefix_parse(destination, false, &s->destination);
}

static void install(const char *args)
{
    char name[64] = "";
    struct data_failure f = {0};
    (void)!sscanf(args, "%63s", name);
    struct esp_vpn_install in = {.vpn = name, .sas = sas, .n_sas = n_sas};
    answer(path ? data_install(path, &in, &f) : ERR_USAGE, f.text);
    n_sas = 0;
}

static void stats(void)
{
    struct data_stats s = {0};
    if (path)
        data_stats(path, true, &s);
    for (int i = 0; i < ESP_STAT_COUNT; i++)
        printf("%s %lu\n", esp_stat_name((enum esp_stat)i), s.esp.n[i]);
    for (int i = 0; i < DATA_STAT_COUNT; i++)
        printf("%s %lu\n", data_stat_name((enum data_stat)i), s.n[i]);
    printf("excluded %lu\nfail-open %lu\npolicy-dropped %lu\nfail-closed %lu\n"
           "unknown-spi %lu\n",
           s.guard.excluded, s.guard.fail_open, s.guard.policy_dropped, s.guard.fail_closed,
           s.unknown.n);
    answer(ERR_OK, "");
}

static void report(void)
{
    struct esp_sa_report r[SAS * VPNS];
    size_t n = path ? data_sa_report(path, r, ARRAY_LEN(r)) : 0;
    for (size_t i = 0; i < n && i < ARRAY_LEN(r); i++)
        printf("%s spi %u slot %d out %lu in %lu\n", r[i].vpn, r[i].spi, (int)r[i].slot,
               r[i].packets_out, r[i].packets_in);
    answer(ERR_OK, "");
}

static void control(const char *verb)
{
    struct data_failure f = {0};
    struct data_config c = config();
    if (verb[0] == 's')
        answer(data_setup(&c, &f), f.text);
    else if (verb[0] == 't')
        answer(data_teardown(&f), f.text);
    else if (verb[0] == 'o')
        answer(data_open(&c, &path, &f), f.text);
    else {
        data_close(path);
        path = NULL;
        answer(ERR_OK, "");
    }
}

static void said(bool good) { answer(good ? ERR_OK : ERR_SYNTAX, "cannot read that"); }

/* Returns false at "quit". */
static bool obey(const char *verb, const char *args)
{
    static const char *const verbs[] = {
        "backend", "vpn",   "exclude",  "fail-open", "sa",    "selector", "install",    "stats",
        "sas",     "setup", "teardown", "open",      "close", "quit",     "routed-only"};
    switch (word(verb, verbs, ARRAY_LEN(verbs))) {
    case 0:
        said(set_backend(args));
        break;
    case 1:
        said(add_vpn(args));
        break;
    case 2:
        said(add_rule(args, true));
        break;
    case 3:
        said(add_rule(args, false));
        break;
    case 4:
        said(add_sa(args));
        break;
    case 5:
        said(add_selector(args));
        break;
    case 6:
        install(args);
        break;
    case 7:
        stats();
        break;
    case 8:
        report();
        break;
    case 9:
    case 10:
    case 11:
    case 12:
        control(verb);
        break;
    case 13:
        return false;
    case 14:
        routed_only = true;
        said(true);
        break;
    default:
        said(false);
    }
    return true;
}

int main(void)
{
    const char *text = NULL;
    char line[LINE], verb[32];
    enum err e = crypto_start(CRYPTO_USE_ALL, &text);
    if (e) {
        answer(e, text);
        return 1;
    }
    while (fgets(line, sizeof line, stdin)) {
        int n = 0;
        if (sscanf(line, "%31s%n", verb, &n) == 1 && !obey(verb, line + n))
            break;
    }
    data_close(path);
    return 0;
}
