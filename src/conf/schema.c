#include "conf/schema.h"

#include "base/compiler.h"

#include <string.h>

static const struct conf_schema group_vpn[] = {
    {.name = "co-location", .help = "Run a server and a member on this device", .kind = CONF_FLAG},
    {.name = "server",
     .help = "Group VPN server",
     .kind = CONF_CONTAINER,
     .children = conf_schema_server},
    {.name = "member",
     .help = "Group VPN member",
     .kind = CONF_CONTAINER,
     .children = conf_schema_member},
    {0},
};

static const struct conf_schema security[] = {
    {.name = "group-vpn", .help = "Group VPN", .kind = CONF_CONTAINER, .children = group_vpn},
    {0},
};

static const struct conf_schema top[] = {
    {.name = "security", .help = "Security", .kind = CONF_CONTAINER, .children = security},
    {0},
};

static const struct conf_schema root = {.name = "", .help = "", .children = top};

const struct conf_schema *conf_schema_root(void) { return &root; }

const struct conf_schema *conf_schema_child(const struct conf_schema *parent, const char *name)
{
    for (const struct conf_schema *s = parent->children; s && s->name; s++) {
        if (strcmp(s->name, name) == 0 || (s->alias && strcmp(s->alias, name) == 0))
            return s;
    }
    return NULL;
}

const struct conf_choice *conf_schema_choice(const struct conf_schema *s, const char *name)
{
    for (const struct conf_choice *c = s->choices; c && c->name; c++) {
        if (strcmp(c->name, name) == 0)
            return c;
    }
    return NULL;
}

bool conf_schema_is_secret(const struct conf_schema *s)
{
    return s->type == CONF_T_SECRET || s->type == CONF_T_SECRET_HEX;
}

bool conf_schema_hides(const struct conf_schema *s)
{
    return conf_schema_is_secret(s) || s->children == conf_schema_pre_shared_key;
}

enum { NEAR_WORD_MAX = 48, FAR = 3 };

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

/* Levenshtein's distance, one row of the table at a time. */
static unsigned distance(const char *a, size_t len_a, const char *b, size_t len_b)
{
    unsigned row[NEAR_WORD_MAX + 1];

    for (size_t j = 0; j <= len_b; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= len_a; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= len_b; j++) {
            unsigned above = row[j];
            row[j] = least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[len_b];
}

/* How far a word is from a name: 0 when it is its beginning, FAR when it was hardly meant. */
static unsigned how_far(const char *word, const char *name)
{
    size_t len_word = strlen(word), len_name = strlen(name);

    if (len_word < 3 || len_word > NEAR_WORD_MAX || len_name > NEAR_WORD_MAX)
        return FAR;
    if (strncmp(word, name, len_word) == 0)
        return 0;
    unsigned d = distance(word, len_word, name, len_name);
    return d <= (len_name < 6 ? 1 : 2) ? d : FAR;
}

/* The nearest of several names; none when two are equally near and neither begins with the word. */
struct nearest {
    const char *name;
    unsigned far;
};

static void consider(struct nearest *n, const char *word, const char *name)
{
    unsigned far = how_far(word, name);

    if (far < n->far)
        *n = (struct nearest){name, far};
    else if (far == n->far && far > 0)
        n->name = NULL;
}

const char *conf_schema_nearest_child(const struct conf_schema *parent, const char *word)
{
    struct nearest n = {NULL, FAR};

    for (const struct conf_schema *s = parent->children; s && s->name; s++)
        consider(&n, word, s->name);
    return n.name;
}

const char *conf_schema_nearest_choice(const struct conf_schema *s, const char *word)
{
    struct nearest n = {NULL, FAR};

    for (const struct conf_choice *c = s->choices; c && c->name; c++)
        consider(&n, word, c->name);
    return n.name;
}
