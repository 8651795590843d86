/* The code works on 65 letters in four families. A letter stands for its distance to the letter
 * before it, less one, modulo 65. The first letter is salt; its family says how many more letters
 * of salt follow (3, 2, 1, 0). Each clear octet is written in a mixed-radix system, the lowest
 * weight first, and the weights change from octet to octet in a cycle of seven. */
#include "conf/secret9.h"

#include "base/compiler.h"

#include <stdint.h>
#include <string.h>

enum { LETTERS = 65, WEIGHTS_MAX = 4, CYCLE = 7 };

static const char magic[] = "$9$";
static const char letters[] = "QzF3n6/9CAtpu0O"
                              "B1IREhcSyrleKvMW8LXx"
                              "7N-dVbwsY2g4oaJZGUDj"
                              "iHkq.mPf5T";
static const unsigned family_end[] = {15, 35, 55, 65};

static const struct {
    unsigned n, weight[WEIGHTS_MAX];
} cycle[CYCLE] = {
    {3, {1, 4, 32}}, {3, {1, 16, 32}},     {3, {1, 8, 32}},  {2, {1, 64}},
    {2, {1, 32}},    {4, {1, 4, 16, 128}}, {3, {1, 32, 64}},
};

static int place_of(char letter)
{
    const char *at = letter == '\0' ? NULL : strchr(letters, letter);
    return at ? (int)(at - letters) : -1;
}

static size_t more_salt(unsigned place)
{
    size_t family = 0;

    while (place >= family_end[family])
        family++;
    return ARRAY_LEN(family_end) - 1 - family;
}

bool conf_secret9_is(const char *text) { return strncmp(text, magic, sizeof magic - 1) == 0; }

/* Reads one octet from the letters at *at, which advances, as does the place before them. -1 when
 * malformed. */
static int decode_octet(size_t index, const char **at, int *before)
{
    unsigned value = 0;

    for (unsigned i = 0; i < cycle[index % CYCLE].n; i++, (*at)++) {
        int place = place_of(**at);
        if (place < 0)
            return -1;
        unsigned digit = (unsigned)(place - *before + LETTERS - 1) % LETTERS;
        if (digit == LETTERS - 1) /* the same letter twice stands for nothing */
            return -1;
        value += digit * cycle[index % CYCLE].weight[i];
        *before = place;
    }
    return (int)(value % 256);
}

const char *conf_secret9_decode(struct arena *arena, const char *text)
{
    const char *at = text + sizeof magic - 1;

    if (!conf_secret9_is(text) || place_of(*at) < 0)
        return NULL;
    int before = place_of(*at);
    for (size_t skip = more_salt((unsigned)before) + 1; skip > 0; skip--, at++) {
        if (place_of(*at) < 0)
            return NULL;
    }
    char *clear = arena_alloc(arena, strlen(at) + 1);
    size_t len = 0;
    for (; *at != '\0'; len++) {
        int octet = decode_octet(len, &at, &before);
        if (octet <= 0)
            return NULL;
        clear[len] = (char)octet;
    }
    return clear;
}

static char *encode_octet(size_t index, unsigned value, char *out, unsigned *before)
{
    unsigned digit[WEIGHTS_MAX] = {0};
    unsigned n = cycle[index % CYCLE].n;

    for (unsigned i = n; i-- > 0;) {
        digit[i] = value / cycle[index % CYCLE].weight[i];
        value %= cycle[index % CYCLE].weight[i];
    }
    for (unsigned i = 0; i < n; i++) {
        *before = (*before + digit[i] + 1) % LETTERS;
        *out++ = letters[*before];
    }
    return out;
}

const char *conf_secret9_encode(struct arena *arena, const char *clear)
{
    size_t len = strlen(clear);
    char *text = arena_alloc(arena, sizeof magic + WEIGHTS_MAX * (len + 1));
    char *out = text + sizeof magic - 1;
    unsigned before = (unsigned)(len * 7 % LETTERS);

    memcpy(text, magic, sizeof magic);
    *out++ = letters[before];
    for (size_t i = more_salt(before); i > 0; i--)
        *out++ = letters[(len + i * 11) % LETTERS];
    for (size_t i = 0; i < len; i++)
        out = encode_octet(i, (unsigned char)clear[i], out, &before);
    return text;
}
