#pragma once
/* What a daemon tells and asks of the system it runs on. */
#include "base/compiler.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Tells the service manager (the sd_notify protocol: a datagram to $NOTIFY_SOCKET), for example
 * "READY=1\nSTATUS=..." or "STOPPING=1". No effect without a manager. */
void host_notify(const char *state);
/* That the configuration is read again; then READY=1. */
void host_notify_reloading(void);

/* Nothing gains privileges by exec, memory goes into no core dump and no debugger, and, where
 * the system allows it, never to swap. */
struct host_hardening {
    bool no_new_privileges, no_dumps, locked; /* what was achieved */
};
struct host_hardening host_harden(void);

/* What may be done in a folder and below it. */
enum host_access {
    HOST_REMOVE, /* files */
    HOST_READ,
    HOST_CHANGE, /* read, write, make and remove files */
};
struct host_folder {
    const char *path;
    enum host_access access;
};
/* From now on this thread and those it makes can open no file outside of these folders (Landlock);
 * files that are open stay so. Needs no_new_privileges. ERR_BUSY: so it is, but other threads run
 * already, which stay free. ERR_SYSTEM: this kernel cannot, or there is no such folder. */
MUST_USE enum err host_confine(const struct host_folder *folders, size_t n);
/* The folder that a file is in, symbolic links followed: free() it. NULL: there is no such file. */
char *host_folder_of(const char *file);

/* The whole file, NUL-terminated; free() it. ERR_LIMIT above `max` octets; ERR_SYSTEM (errno);
 * ERR_NOT_A_FILE for a pipe, a device or the like: who waits for one serves nobody. */
MUST_USE enum err host_read_file(const char *path, size_t max, char **ret_text, size_t *ret_len);
/* The same of anything that comes to an end, however long that takes: before a program serves. */
MUST_USE enum err host_read_input(const char *path, size_t max, char **ret_text, size_t *ret_len);
/* The same for a file that nobody but its owner may read or write; ERR_DENIED when others may. The
 * text is a secret of the caller's. */
MUST_USE enum err host_read_secret(const char *path, size_t max, char **ret_text, size_t *ret_len);
