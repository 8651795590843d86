#pragma once
/* Who may what on a control socket. Junos's privileges, security (look) and security-control
 * (change and act), belong to Unix groups; this is the only place that says which. Root and the
 * user that the daemon runs as have both, whoever is in neither group has none. */
#include "ctl/command.h"
#include "host/stream.h"

#define PRIVILEGE_VIEW_GROUP "conclave-view"       /* security */
#define PRIVILEGE_CONTROL_GROUP "conclave-control" /* security-control, and with it security */

enum { PRIVILEGE_TEXT_MAX = 160 };
struct privilege_group {
    const char *name; /* or number, as the operator wrote it */
    bool known;       /* the machine has such a group */
    gid_t gid;
    char holders[PRIVILEGE_TEXT_MAX]; /* for a sentence: "root, or a member of ..." */
};
struct privileges {
    uid_t own; /* the daemon's user */
    struct privilege_group groups[CTL_CLASS_COUNT];
};

/* Looks the groups up, once: names that the machine does not know belong to nobody. NULL: the
 * default name. */
struct privileges privileges_of(const char *view_group, const char *control_group);
/* The class of a peer, by its user, its group and its supplementary groups. */
enum ctl_class privilege_class(const struct privileges *p, const struct host_peer *peer);
