#pragma once
/* The command line of the two daemons. */
#include "base/events.h"
#include "host/log.h"

/* The mark of our sockets beside a data path: its guard lets them pass (data/names.h). */
enum { OWN_MARK = 0x848 };

struct options {
    const char *program;
    const char *check;                      /* -n FILE: check it and end */
    const char *config;                     /* -f FILE */
    const char *run_dir;                    /* the control socket's folder */
    const char *state_dir, *key_dir;        /* the store, and its key; server only */
    const char *pki_dir;                    /* key pairs; server only */
    const char *view_group, *control_group; /* cmd/privilege.h; NULL: its defaults */
    const char *log_file;
    enum host_log_format log_format;
    enum event_level log_level;
    uint16_t port, server_port; /* UDP; server_port: member only */
    unsigned workers;           /* 0: one per processor */
    uint32_t mark;              /* SO_MARK of the control sockets; 0: none */
    bool has_mark;
    bool no_data_path;      /* member only */
    bool set_up, tear_down; /* member only: the guard alone, then end */
};

/* Reads argv. False: the program ends with *ret_exit_code, everything has been said. */
bool options_read(int argc, char **argv, bool is_member, struct options *ret, int *ret_exit_code);
