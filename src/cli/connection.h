#pragma once
/* The console's end of the control protocol, over a daemon's local socket. Calls wait. */
#include "ctl/frame.h"
#include "ctl/request.h"

struct cli_connection {
    int fd;
    uint32_t last_id;
    struct ctl_buf in;
    struct arena arena; /* of the greeting */
    const struct ctl_node *hello;
};

/* Connects and exchanges HELLO. ERR_NOT_FOUND: no daemon there; ERR_DENIED; ERR_VERSION;
 * otherwise what was wrong with its answer. A sentence comes with each. */
MUST_USE enum err cli_connect(const char *path, struct cli_connection *ret,
                              char sentence[CTL_SENTENCE_MAX]);
void cli_disconnect(struct cli_connection *c);
/* Sends the request and waits for the whole answer. ERR_REFUSED: the daemon's own sentence. */
MUST_USE enum err cli_ask(struct cli_connection *c, const struct ctl_request *request,
                          struct arena *arena, struct ctl_node **ret_tree,
                          char sentence[CTL_SENTENCE_MAX]);
/* Sends a request that is answered by events. */
MUST_USE enum err cli_subscribe(struct cli_connection *c, const struct ctl_request *request,
                                char sentence[CTL_SENTENCE_MAX]);
/* The next event that has arrived in full, ERR_SHORT when there is none yet (then wait for the
 * descriptor and call cli_receive()). ERR_CLOSED, ERR_REFUSED. */
MUST_USE enum err cli_next_event(struct cli_connection *c, struct arena *arena,
                                 struct ctl_node **ret_tree, char sentence[CTL_SENTENCE_MAX]);
MUST_USE enum err cli_receive(struct cli_connection *c);
