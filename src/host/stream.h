#pragma once
/* Local stream connections: a listening Unix socket and what comes to it. */
#include "base/bytes.h"
#include "base/compiler.h"
#include "base/err.h"

#include <sys/types.h>

struct host;
struct host_listener;
struct host_stream;

enum { HOST_STREAMS_MAX = 96 }; /* connections of one listener; more are closed at once */

/* Who connected, as the kernel noted it at that moment (SO_PEERCRED, SO_PEERGROUPS). */
struct host_peer {
    bool known; /* else the rest says nothing */
    uid_t uid;
    gid_t gid;
    pid_t pid;
    const gid_t *groups; /* supplementary ones, during the call */
    size_t n_groups;
};
struct host_stream_hooks {
    void *ctx;
    /* A connection; what it returns is `user` below. NULL refuses it. */
    void *(*opened)(void *ctx, struct host_stream *stream, struct host_peer peer);
    void (*received)(void *user, struct bytes octets);
    /* One more piece of something long may become outgoing; called once in a turn of the loop, so
     * that others have theirs. Whether there is more to come. NULL: nothing is that long. */
    bool (*go_on)(void *user);
    /* What is to be sent next (it may be empty), and how much of it has gone. */
    struct bytes (*outgoing)(void *user);
    void (*sent)(void *user, size_t n);
    /* True: hang up as soon as nothing is outgoing. */
    bool (*is_over)(void *user);
    void (*closed)(void *user); /* `stream` is gone */
};

/* Binds to `path` with mode 0666 (who may what, the hooks decide by the peer), replacing the socket
 * of a program that no longer runs. ERR_BUSY: somebody answers there; ERR_LENGTH: the path is too
 * long; ERR_DENIED; ERR_SYSTEM (errno). */
MUST_USE enum err host_listen(struct host *h, const char *path,
                              const struct host_stream_hooks *hooks, struct host_listener **ret);
/* Closes the connections, too, after one last attempt to send what is outgoing; removes the file.
 */
void host_listener_close(struct host_listener *l); /* NULL has no effect */
/* There is something outgoing, or it is over. */
void host_stream_wake(struct host_stream *s);
