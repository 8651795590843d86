#pragma once
/* What the control protocol carries: a tree of typed values. Daemons say what is, the console
 * decides how it looks. On the wire a tree is a run of items:
 *
 *     item  = type(1) [ name ] value           the name only inside a section, never inside a list
 *     name  = length(1) octets                 lower-case letters, digits and hyphens
 *     value = items END         of SECTION and LIST
 *           | length(4) octets  of TEXT (no NUL inside) and BYTES
 *           | fixed             of all others
 *
 * The outermost section has no type, name or END: it is the body of its frame. Names are unique
 * within a section. One tree has one encoding, and every accepted encoding is that one. */
#include "base/arena.h"
#include "base/instant.h"
#include "base/ip.h"
#include "ctl/buf.h"

enum {
    CTL_DEPTH_MAX = 12,          /* sections and lists inside each other, the outermost included */
    CTL_NAME_MAX = 64,           /* octets of a name */
    CTL_VALUE_MAX = 65536,       /* octets of one text */
    CTL_SECTION_MAX = 128,       /* items of one section; a list has no such cap */
    CTL_TREE_MAX = 256 * 1048576 /* octets of one tree */
};

enum ctl_type {
    CTL_END,
    CTL_SECTION,
    CTL_LIST,
    CTL_TEXT,
    CTL_U64,
    CTL_BOOL,
    CTL_BYTES, /* shown in hexadecimal: cookies, SPIs */
    CTL_IP,
    CTL_ENDPOINT,
    CTL_PREFIX,
    CTL_TIME, /* calendar time, whole seconds */
    CTL_TYPE_COUNT
};

struct ctl_node {
    const char *name; /* NULL in lists and for the outermost section */
    enum ctl_type type;
    uint32_t n;                    /* children */
    struct ctl_node *next, *first; /* sibling; first child */
    union {
        struct bytes bytes; /* CTL_TEXT (a NUL follows) and CTL_BYTES */
        uint64_t u64;
        bool truth;
        struct ip ip;
        struct endpoint endpoint;
        struct prefix prefix;
        wall_t time;
    };
};

/* The writer. Misuse (a name in a list, none in a section, an END too many, nesting too deep) is a
 * bug and aborts; a tree that grows too large is a sticky error. */
struct ctl_wr {
    struct ctl_buf buf;
    unsigned depth; /* open sections and lists */
    uint32_t lists; /* bit d: what is open at depth d is a list */
};
void ctl_section(struct ctl_wr *w, const char *name);
void ctl_list(struct ctl_wr *w, const char *name);
void ctl_end(struct ctl_wr *w);
void ctl_put_text(struct ctl_wr *w, const char *name, struct bytes text); /* cut at a NUL */
void ctl_put_str(struct ctl_wr *w, const char *name, const char *text);   /* NULL: nothing */
void ctl_put_u64(struct ctl_wr *w, const char *name, uint64_t value);
void ctl_put_bool(struct ctl_wr *w, const char *name, bool value);
void ctl_put_bytes(struct ctl_wr *w, const char *name, struct bytes value);
void ctl_put_ip(struct ctl_wr *w, const char *name, struct ip ip);
void ctl_put_endpoint(struct ctl_wr *w, const char *name, struct endpoint endpoint);
void ctl_put_prefix(struct ctl_wr *w, const char *name, struct prefix prefix);
void ctl_put_time(struct ctl_wr *w, const char *name, wall_t time);
/* Writes the children of `root`. */
void ctl_put_tree(struct ctl_wr *w, const struct ctl_node *root);
/* The verdict; every section and list must be closed. */
MUST_USE enum err ctl_wr_end(const struct ctl_wr *w);

/* Reads a whole tree into the arena; it does not point into `in`. ERR_SHORT, ERR_TYPE (also an END
 * too many), ERR_LENGTH (name or text beyond its cap), ERR_VALUE, ERR_DUPLICATE, ERR_TOO_MANY
 * (items of a section), ERR_LIMIT (nesting). */
MUST_USE enum err ctl_tree_parse(struct arena *arena, struct bytes in, struct ctl_node **ret_root);

/* Looking around in sections. NULL, 0 and false when there is no such item of that type; `section`
 * may be NULL. */
const struct ctl_node *ctl_find(const struct ctl_node *section, const char *name);
const char *ctl_find_text(const struct ctl_node *section, const char *name);
uint64_t ctl_find_u64(const struct ctl_node *section, const char *name);
bool ctl_find_bool(const struct ctl_node *section, const char *name);
