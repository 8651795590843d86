#pragma once
/* The configuration of a key server at work, read again from its file: by SIGHUP, or by the
 * operator's command. All or nothing: with any error nothing changes. */
#include "cmd/setup.h"
#include "ctl/session.h"

struct show;

struct commit {
    const struct options *options;
    struct setup setup;
    struct show *show;
    char *folder;       /* that the file is in */
    bool crowded;       /* there may be more sockets than the model wants */
    struct arena arena; /* of the configuration that the server has */
    struct setup_config active;
};

/* Reads the file; what is wrong, and what has changed, is told. */
void commit_reload(struct commit *c);
void commit_handlers(struct ctl_service *service); /* ctx: struct show */
/* Closes sockets that nobody needs any more: groups that were removed tell their members so, and
 * need theirs for a while. Before the engine is called. */
void commit_tidy(struct commit *c);
/* The addresses of the model's groups, at most MODEL_GROUPS_MAX; how many. */
size_t commit_addresses(const struct model *model, struct ip *ret);
