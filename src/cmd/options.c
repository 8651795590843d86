#include "cmd/options.h"
#include "cmd/privilege.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "version.h"

enum opt {
    OPT_CHECK = 'n',
    OPT_CONFIG = 'f',
    OPT_HELP = 'h',
    OPT_VERSION = 256,
    OPT_RUN_DIR,
    OPT_STATE_DIR,
    OPT_KEY_DIR,
    OPT_PKI_DIR,
    OPT_VIEW_GROUP,
    OPT_CONTROL_GROUP,
    OPT_PORT,
    OPT_SERVER_PORT,
    OPT_WORKERS,
    OPT_MARK,
    OPT_LOG_FILE,
    OPT_LOG_FORMAT,
    OPT_LOG_LEVEL,
    OPT_NO_DATA_PATH,
    OPT_SET_UP,
    OPT_TEAR_DOWN
};

enum whose { BOTH, SERVER, MEMBER };

static const struct {
    const char *name, *value, *help;
    enum opt opt;
    enum whose whose;
} table[] = {
    {"check", "FILE", "check a configuration, report, and end", OPT_CHECK, BOTH},
    {"config", "FILE", "configuration (/etc/conclave/conclave.conf)", OPT_CONFIG, BOTH},
    {"run-dir", "DIR", "folder of the control socket (/run/conclave)", OPT_RUN_DIR, BOTH},
    {"state-dir", "DIR", "folder of the store (/var/lib/conclave)", OPT_STATE_DIR, SERVER},
    {"key-dir", "DIR", "folder of the store's key (/var/lib/conclave-keys)", OPT_KEY_DIR, SERVER},
    {"pki-dir", "DIR", "folder of key pairs (/etc/conclave/pki)", OPT_PKI_DIR, SERVER},
    {"view-group", "GROUP", "Unix group that may look (" PRIVILEGE_VIEW_GROUP ")", OPT_VIEW_GROUP,
     BOTH},
    {"control-group", "GROUP", "... and that may act (" PRIVILEGE_CONTROL_GROUP ")",
     OPT_CONTROL_GROUP, BOTH},
    {"port", "N", "own UDP port (848)", OPT_PORT, BOTH},
    {"server-port", "N", "UDP port of the key servers (848)", OPT_SERVER_PORT, MEMBER},
    {"workers", "N", "threads for slow work (one per processor)", OPT_WORKERS, BOTH},
    {"mark", "N", "SO_MARK of the sockets (beside a data path: 0x848)", OPT_MARK, BOTH},
    {"log-file", "FILE", "write events to a file, too", OPT_LOG_FILE, BOTH},
    {"log-format", "FORMAT", "text or json", OPT_LOG_FORMAT, BOTH},
    {"log-level", "LEVEL", "debug, info (default), notice, warning or error", OPT_LOG_LEVEL, BOTH},
    {"no-data-path", NULL, "register and keep keys, protect nothing", OPT_NO_DATA_PATH, MEMBER},
    {"set-up", NULL, "set up the guard that drops protected traffic, and end", OPT_SET_UP, MEMBER},
    {"tear-down", NULL, "remove the guard (traffic goes in clear), and end", OPT_TEAR_DOWN, MEMBER},
    {"version", NULL, "print the version, and end", OPT_VERSION, BOTH},
    {"help", NULL, "print this, and end", OPT_HELP, BOTH},
};

static bool is_for(enum whose whose, bool is_member)
{
    return whose == BOTH || (whose == MEMBER) == is_member;
}

static void print_help(const char *program, bool is_member)
{
    printf("usage: %s [OPTION]...\n\n", program);
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char left[40], letter[8] = "    ";
        if (!is_for(table[i].whose, is_member))
            continue;
        if (table[i].opt < 256)
            snprintf(letter, sizeof letter, "-%c, ", (char)table[i].opt);
        snprintf(left, sizeof left, "%s--%s %s", letter, table[i].name,
                 table[i].value ? table[i].value : "");
        printf("  %-26s %s\n", left, table[i].help);
    }
}

static bool parse_number(const char *text, unsigned long max, unsigned long *ret)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    *ret = strtoul(text, &end, 0);
    return *end == '\0' && *ret <= max;
}

static bool parse_level(const char *text, enum event_level *ret)
{
    for (int i = EVENT_DEBUG; i <= EVENT_ERROR; i++) {
        if (strcmp(text, event_level_name((enum event_level)i)) == 0) {
            *ret = (enum event_level)i;
            return true;
        }
    }
    return false;
}

static bool parse_format(const char *text, enum host_log_format *ret)
{
    if (strcmp(text, "text") != 0 && strcmp(text, "json") != 0)
        return false;
    *ret = text[0] == 'j' ? HOST_LOG_JSON : HOST_LOG_TEXT;
    return true;
}

static bool set_number(struct options *o, int opt, const char *value)
{
    unsigned long n = 0;
    unsigned long max = opt == OPT_MARK ? UINT32_MAX : opt == OPT_WORKERS ? 128 : UINT16_MAX;

    if (!parse_number(value, max, &n) || (n == 0 && opt != OPT_MARK))
        return false;
    if (opt == OPT_PORT)
        o->port = (uint16_t)n;
    else if (opt == OPT_SERVER_PORT)
        o->server_port = (uint16_t)n;
    else if (opt == OPT_WORKERS)
        o->workers = (unsigned)n;
    else
        o->mark = (uint32_t)n;
    o->has_mark = o->has_mark || opt == OPT_MARK;
    return true;
}

static bool set_text(struct options *o, int opt, const char *value)
{
    if (opt == OPT_CHECK)
        o->check = value;
    else if (opt == OPT_CONFIG)
        o->config = value;
    else if (opt == OPT_RUN_DIR)
        o->run_dir = value;
    else if (opt == OPT_PKI_DIR)
        o->pki_dir = value;
    else if (opt == OPT_STATE_DIR)
        o->state_dir = value;
    else if (opt == OPT_KEY_DIR)
        o->key_dir = value;
    else if (opt == OPT_VIEW_GROUP)
        o->view_group = value;
    else if (opt == OPT_CONTROL_GROUP)
        o->control_group = value;
    else if (opt == OPT_LOG_FILE)
        o->log_file = value;
    else if (opt == OPT_LOG_FORMAT)
        return parse_format(value, &o->log_format);
    else if (opt == OPT_LOG_LEVEL)
        return parse_level(value, &o->log_level);
    else
        return set_number(o, opt, value);
    return true;
}

static void set_flag(struct options *o, int opt)
{
    o->no_data_path = o->no_data_path || opt == OPT_NO_DATA_PATH;
    o->set_up = o->set_up || opt == OPT_SET_UP;
    o->tear_down = o->tear_down || opt == OPT_TEAR_DOWN;
}

/* getopt's table, made from ours. */
static void make_long_options(bool is_member, struct option *out)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (is_for(table[i].whose, is_member))
            *out++ =
                (struct option){table[i].name, table[i].value ? required_argument : no_argument,
                                NULL, (int)table[i].opt};
    }
    *out = (struct option){0};
}

static bool refuse(const struct options *o, const char *what, const char *value)
{
    fprintf(stderr, "%s: %s '%s'; see %s --help\n", o->program, what, value, o->program);
    return false;
}

/* One option; false when the program ends. */
static bool take(struct options *o, int opt, const char *value, bool is_member, int *exit_code)
{
    if (opt == '?')
        return false; /* getopt has said why */
    if (opt == OPT_HELP || opt == OPT_VERSION) {
        *exit_code = EXIT_SUCCESS;
        if (opt == OPT_HELP)
            print_help(o->program, is_member);
        else
            printf("%s %s\n", o->program, CONCLAVE_VERSION);
        return false;
    }
    if (!value)
        set_flag(o, opt);
    else if (!set_text(o, opt, value))
        return refuse(o, "wrong value", value);
    return true;
}

bool options_read(int argc, char **argv, bool is_member, struct options *ret, int *ret_exit_code)
{
    struct option long_options[ARRAY_LEN(table) + 1];
    struct options o = {.program = is_member ? "conclave-member" : "conclaved",
                        .config = "/etc/conclave/conclave.conf",
                        .run_dir = "/run/conclave",
                        .state_dir = "/var/lib/conclave",
                        .key_dir = "/var/lib/conclave-keys",
                        .pki_dir = "/etc/conclave/pki",
                        .log_level = EVENT_INFO,
                        .port = 848,
                        .server_port = 848};
    int opt;

    *ret_exit_code = 2;
    make_long_options(is_member, long_options);
    while ((opt = getopt_long(argc, argv, "n:f:h", long_options, NULL)) != -1) {
        if (!take(&o, opt, optarg, is_member, ret_exit_code))
            return false;
    }
    if (optind < argc)
        return refuse(&o, "unexpected argument", argv[optind]);
    if (is_member && !o.has_mark && !o.no_data_path)
        o.mark = OWN_MARK;
    *ret = o;
    return true;
}
