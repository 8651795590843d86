#pragma once
/* The one table of the language: every statement with its help text, type, range, default, how
 * often it may stand, what it refers to and whether its behaviour is built. Parser, validation and
 * printing read it; so will completion, help, `show` and the reference manual. A statement whose
 * name is not here does not exist. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_kind {
    CONF_CONTAINER, /* name { ... } */
    CONF_LIST,      /* name KEY { ... }, or name KEY; when it has no children; any number of them */
    CONF_LEAF,      /* name VALUE; */
    CONF_LEAF_LIST, /* name [ VALUE ... ]; in order */
    CONF_FLAG       /* name; */
};

/* What a value (of a list: its key) may be. min and max are the range of a number, or the length of
 * a text. */
enum conf_type {
    CONF_T_NONE,
    CONF_T_NAME,       /* any printable text without control characters */
    CONF_T_IDENTIFIER, /* letters, digits, - and _; a letter or digit first */
    CONF_T_TEXT,       /* any text */
    CONF_T_NUMBER,     /* or one of the choices, where there are any */
    CONF_T_CHOICE,     /* one of the choices */
    CONF_T_IPV4,       /* a host's address: not 0.0.0.0, not multicast, not broadcast */
    CONF_T_MULTICAST,  /* 224.0.0.0/4 */
    CONF_T_PREFIX, /* A.B.C.D/LEN without host bits; a bare address is its /32, 0.0.0.0 is any */
    CONF_T_HOSTNAME,
    CONF_T_USER, /* user@host */
    CONF_T_INTERFACE,
    CONF_T_FILE_NAME, /* no slash, percent sign or space */
    CONF_T_SIZE,      /* octets, with k, m or g behind */
    CONF_T_WINDOW,    /* seconds 60..360, or milliseconds with "ms" behind */
    CONF_T_SECRET,    /* text, clear or $9$; never shown, printed as $9$ */
    CONF_T_SECRET_HEX /* the same for hexadecimal digits */
};

struct conf_choice {
    const char *name, *help;
    uint32_t value;      /* the protocol's number where there is one (model/model.h) */
    uint32_t bits;       /* of a cipher key, where the name tells it */
    const char *weak;    /* not NULL: gets a warning that names it; the text says more, or "" */
    const char *unbuilt; /* not NULL: valid, not supported yet; the text says what is, or "" */
};

struct conf_schema {
    const char *name, *help;
    enum conf_kind kind;
    enum conf_type type;
    const char *alias; /* another spelling, read and never printed */
    uint32_t min, max;
    const char *dflt;                   /* as one would write it; NULL: none */
    const char *unit;                   /* of a number, for help and messages */
    const struct conf_choice *choices;  /* ended by a NULL name */
    const struct conf_schema *children; /* ended by a NULL name; their order is the printed order */
    uint32_t max_elements;              /* 0: any number (lists, leaf-lists) */
    const char *max_elements_text;      /* Junos's words when there are more, where known */
    bool mandatory;                     /* its parent is wrong without it */
    bool one_line;                      /* a container that prints as `name child value;` */
    const char *unbuilt;                /* not NULL: valid, not supported yet; see conf_choice */
    const char *ref_container,
        *ref_list;        /* the value names an entry of this list of server or member */
    const char *ref_text; /* Junos's words when there is none */
};

enum {
    CONF_SCHEMA_DEPTH_MAX = 10
}; /* of statements within each other; a unit test measures the table */

/* The top: its one child is `security`. */
const struct conf_schema *conf_schema_root(void);
/* The child of that name or alias, or NULL. */
const struct conf_schema *conf_schema_child(const struct conf_schema *parent, const char *name);
const struct conf_choice *conf_schema_choice(const struct conf_schema *s, const char *name);
bool conf_schema_is_secret(const struct conf_schema *s);
/* True for the statements under which nothing may be shown, because a secret may have been typed
 * there. */
bool conf_schema_hides(const struct conf_schema *s);

/* The child or choice whose name is so close to a word that it was probably meant, or NULL. */
const char *conf_schema_nearest_child(const struct conf_schema *parent, const char *word);
const char *conf_schema_nearest_choice(const struct conf_schema *s, const char *word);
/* The subtrees of schema.c's root. */
extern const struct conf_schema conf_schema_server[];
extern const struct conf_schema conf_schema_member[];
/* Shared by both. */
extern const struct conf_schema conf_schema_traceoptions[];
extern const struct conf_schema conf_schema_identity[];
extern const struct conf_schema conf_schema_ike_policy[];
extern const struct conf_schema conf_schema_pre_shared_key[];
extern const struct conf_choice conf_choice_ike_auth[];
extern const struct conf_choice conf_choice_ike_hash[];
extern const struct conf_choice conf_choice_ike_cipher[];
extern const struct conf_choice conf_choice_dh_group[];
