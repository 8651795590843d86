#include "conf/schema.h"

#include "base/compiler.h"

#include <string.h>

static const struct conf_schema group_vpn[] = {
    {.name = "co-location",
     .help = "Run a server and a member on this device",
     .kind = CONF_FLAG,
     .unbuilt = "a device is a server or a member"},
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

enum { NEAR_WORD_MAX = 48 };

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

bool conf_word_is_near(const char *a, const char *b)
{
    size_t len_a = strlen(a), len_b = strlen(b);

    if (len_a == 0 || len_a > NEAR_WORD_MAX || len_b > NEAR_WORD_MAX)
        return false;
    return distance(a, len_a, b, len_b) <= (len_b < 5 ? 1 : len_b < 9 ? 2 : 3);
}

static const char *nearer(const char *best, const char *candidate, const char *word)
{
    if (!conf_word_is_near(word, candidate))
        return best;
    if (best && distance(word, strlen(word), best, strlen(best)) <=
                    distance(word, strlen(word), candidate, strlen(candidate)))
        return best;
    return candidate;
}

const char *conf_schema_nearest_child(const struct conf_schema *parent, const char *word)
{
    const char *best = NULL;

    for (const struct conf_schema *s = parent->children; s && s->name; s++)
        best = nearer(best, s->name, word);
    return best;
}

const char *conf_schema_nearest_choice(const struct conf_schema *s, const char *word)
{
    const char *best = NULL;

    for (const struct conf_choice *c = s->choices; c && c->name; c++)
        best = nearer(best, c->name, word);
    return best;
}
