#include "conf/value.h"

#include "base/ip.h"
#include "conf/lexer.h"
#include "conf/secret9.h"

#include <string.h>

enum { WINDOW_MIN_MS = 60000, WINDOW_MAX_MS = 360000, WINDOW_MS_MAX = 60000 };

/* ---- what is expected ---- */

static const char *expected_choice(struct arena *arena, const struct conf_choice *choices)
{
    const char *text = "";

    for (const struct conf_choice *c = choices; c && c->name; c++)
        text = arena_text(arena, "%s%s%s", text,
                          c == choices ? ""
                          : c[1].name  ? ", "
                                       : " or ",
                          c->name);
    return text;
}

static const char *expected_number(struct arena *arena, const struct conf_schema *s)
{
    const char *choices = expected_choice(arena, s->choices);

    return arena_text(arena, "a number from %u to %u%s%s%s%s%s", s->min, s->max,
                      s->unit ? " (" : "", s->unit ? s->unit : "", s->unit ? ")" : "",
                      s->choices ? ", or " : "", choices);
}

const char *conf_expected(struct arena *arena, const struct conf_schema *s)
{
    switch (s->type) {
    case CONF_T_NUMBER:
        return expected_number(arena, s);
    case CONF_T_CHOICE:
        return expected_choice(arena, s->choices);
    case CONF_T_IDENTIFIER:
        return arena_text(arena, "a name of %u to %u letters, digits, - and _", s->min, s->max);
    case CONF_T_NAME:
    case CONF_T_INTERFACE:
        return arena_text(arena, "a name of %u to %u characters without spaces", s->min, s->max);
    case CONF_T_HOSTNAME:
        return arena_text(arena, "a domain name of at most %u characters", s->max);
    case CONF_T_TEXT:
    case CONF_T_SECRET:
        return arena_text(arena, "a text of %u to %u characters", s->min, s->max);
    case CONF_T_SECRET_HEX:
        return "an even number of hexadecimal digits, 2 to 254";
    case CONF_T_FILE_NAME:
        return arena_text(arena, "a file name of %u to %u characters without '/', '%%' and spaces",
                          s->min, s->max);
    case CONF_T_SIZE:
        return arena_text(arena, "a number of octets from %u to %u, or with k, m or g behind it",
                          s->min, s->max);
    case CONF_T_IPV4:
        return "the IPv4 address of a host, such as 192.0.2.1";
    case CONF_T_MULTICAST:
        return "a multicast address from 224.0.0.0 to 239.255.255.255";
    case CONF_T_PREFIX:
        return "an IPv4 prefix such as 10.1.0.0/16, or 0.0.0.0/0 for any";
    case CONF_T_USER:
        return "a form such as user@example.net";
    case CONF_T_WINDOW:
        return "60 to 360 (seconds), or 1ms to 60000ms";
    case CONF_T_NONE:
        break;
    }
    return s->help;
}

/* ---- texts ---- */

static bool all(const char *text, bool (*fits)(unsigned char))
{
    for (; *text != '\0'; text++) {
        if (!fits((unsigned char)*text))
            return false;
    }
    return true;
}

static bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }
static bool is_alnum(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static bool is_identifier(unsigned char c) { return is_alnum(c) || c == '-' || c == '_'; }
static bool is_hostname(unsigned char c) { return is_identifier(c) || c == '.'; }
static bool is_visible(unsigned char c) { return c > ' ' && c != 0x7f; }
static bool is_file_name(unsigned char c) { return is_visible(c) && c != '/' && c != '%'; }
static bool is_hex(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
static bool is_not_control(unsigned char c) { return c >= ' ' && c != 0x7f; }

/* Characters, not octets: the continuation octets of UTF-8 are passed over. */
static bool length_fits(const struct conf_schema *s, const char *text)
{
    size_t len = 0;

    for (; *text != '\0'; text++)
        len += ((unsigned char)*text & 0xc0) != 0x80;
    return len >= s->min && len <= s->max;
}

static bool is_user(const char *text)
{
    const char *at = strchr(text, '@');
    return all(text, is_visible) && at && at != text && at[1] != '\0' && !strchr(at + 1, '@');
}

/* ---- numbers and addresses ---- */

static bool number_fits(const struct conf_schema *s, const char *text)
{
    uint32_t n;

    if (conf_schema_choice(s, text))
        return true;
    return conf_parse_number(text, &n) && n >= s->min && n <= s->max;
}

static uint64_t size_unit(char letter)
{
    switch (letter) {
    case 'k':
        return UINT64_C(1) << 10;
    case 'm':
        return UINT64_C(1) << 20;
    case 'g':
        return UINT64_C(1) << 30;
    default:
        return 0;
    }
}

static bool size_fits(const struct conf_schema *s, const char *text)
{
    char number[16];
    size_t len = strlen(text);
    uint64_t unit = len > 0 ? size_unit(text[len - 1]) : 0;
    uint32_t n;

    if (len >= sizeof number)
        return false;
    memcpy(number, text, len + 1);
    if (unit > 0)
        number[len - 1] = '\0';
    if (!conf_parse_number(number, &n))
        return false;
    uint64_t octets = n * (unit > 0 ? unit : 1);
    return octets >= s->min && octets <= s->max;
}

static bool window_fits(const char *text)
{
    uint32_t ms;
    bool in_ms;

    if (!conf_parse_window(text, &ms, &in_ms))
        return false;
    return in_ms ? ms >= 1 && ms <= WINDOW_MS_MAX : ms >= WINDOW_MIN_MS && ms <= WINDOW_MAX_MS;
}

static bool is_ipv4(const char *text, struct ip *ret)
{
    struct ip ip;

    if (!ip_parse(text, &ip) || ip.version != 4)
        return false;
    *ret = ip;
    return true;
}

static bool is_host(const char *text)
{
    struct ip ip;
    return is_ipv4(text, &ip) && !ip_is_any(ip) && !ip_is_multicast(ip) &&
           ip_v4_u32(ip) != UINT32_MAX;
}

static bool is_multicast(const char *text)
{
    struct ip ip;
    return is_ipv4(text, &ip) && ip_is_multicast(ip);
}

static bool is_prefix(const char *text, bool allow_host_bits, struct prefix *ret)
{
    struct prefix prefix;

    if (!prefix_parse(text, allow_host_bits, &prefix) || prefix.ip.version != 4)
        return false;
    *ret = prefix;
    return true;
}

/* ---- secrets ---- */

const char *conf_secret_clear(struct arena *arena, const char *text)
{
    return conf_secret9_is(text) ? conf_secret9_decode(arena, text) : text;
}

static bool secret_fits(const struct conf_schema *s, const char *clear)
{
    size_t len = strlen(clear);

    if (len < s->min || len > s->max)
        return false;
    return s->type != CONF_T_SECRET_HEX || (len % 2 == 0 && all(clear, is_hex));
}

/* ---- one value ---- */

static bool fits(const struct conf_schema *s, const char *text)
{
    struct prefix prefix;

    switch (s->type) {
    case CONF_T_NUMBER:
        return number_fits(s, text);
    case CONF_T_CHOICE:
        return conf_schema_choice(s, text) != NULL;
    case CONF_T_IDENTIFIER:
        return length_fits(s, text) && all(text, is_identifier) && is_alnum((unsigned char)text[0]);
    case CONF_T_NAME:
    case CONF_T_INTERFACE:
        return length_fits(s, text) && all(text, is_visible);
    case CONF_T_HOSTNAME:
        return length_fits(s, text) && all(text, is_hostname);
    case CONF_T_TEXT:
        return length_fits(s, text) && all(text, is_not_control);
    case CONF_T_FILE_NAME:
        return length_fits(s, text) && all(text, is_file_name);
    case CONF_T_SIZE:
        return size_fits(s, text);
    case CONF_T_IPV4:
        return is_host(text);
    case CONF_T_MULTICAST:
        return is_multicast(text);
    case CONF_T_PREFIX:
        return is_prefix(text, false, &prefix);
    case CONF_T_USER:
        return length_fits(s, text) && is_user(text);
    case CONF_T_WINDOW:
        return window_fits(text);
    case CONF_T_SECRET:
    case CONF_T_SECRET_HEX:
    case CONF_T_NONE:
        break;
    }
    return true;
}

/* Says a little more than "not valid" where that helps: the sentence without what was expected. */
static const char *what_is_wrong(struct arena *arena, const struct conf_schema *s, const char *text)
{
    const char *shown = conf_word_escaped(arena, text);
    uint32_t n;
    struct prefix prefix;
    char wanted[PREFIX_TEXT_MAX];

    if (s->type == CONF_T_NUMBER && text[0] != '\0' && all(text, is_digit))
        return arena_text(arena, "'%s' is out of range", shown);
    if (s->type == CONF_T_NUMBER)
        return arena_text(arena, "'%s' is not a number", shown);
    if (s->type == CONF_T_PREFIX && is_prefix(text, true, &prefix))
        return arena_text(arena, "'%s' has bits set behind its prefix length (did you mean %s?)",
                          shown, prefix_text(prefix, wanted, sizeof wanted));
    if (s->type == CONF_T_WINDOW && conf_parse_number(text, &n) && n > 360)
        return arena_text(arena, "'%s' is out of range (Junos v2 counts milliseconds: write %sms)",
                          shown, shown);
    const char *near = conf_schema_nearest_choice(s, text);
    if (near)
        return arena_text(arena, "'%s' is not valid (did you mean '%s'?)", shown, near);
    return arena_text(arena, "'%s' is not valid", shown);
}

static void check_secret(struct conf_diags *d, const struct conf_node *n, const struct conf_word *w)
{
    struct arena scratch = {0};
    const char *clear = conf_secret_clear(&scratch, w->text);

    if (!clear)
        conf_diag(d, CONF_ERROR, w->pos, conf_path(d->arena, n),
                  "the $9$ form is damaged, expected it as it was printed");
    else if (!secret_fits(n->schema, clear))
        conf_diag(d, CONF_ERROR, w->pos, conf_path(d->arena, n),
                  "the value (not shown) is not valid, expected %s",
                  conf_expected(d->arena, n->schema));
    arena_free(&scratch);
}

static void check_choice(struct conf_diags *d, const struct conf_node *n, const struct conf_word *w)
{
    const struct conf_choice *c = conf_schema_choice(n->schema, w->text);

    if (c && c->weak)
        conf_diag(d, CONF_WARNING, w->pos, conf_path(d->arena, n), "'%s' is weak%s%s", c->name,
                  c->weak[0] == '\0' ? "" : ": ", c->weak);
    if (c && c->unbuilt)
        conf_diag(d, CONF_UNBUILT, w->pos, conf_path(d->arena, n), "'%s' is not supported yet%s%s",
                  c->name, c->unbuilt[0] == '\0' ? "" : ", ", c->unbuilt);
}

/* Junos has longer ones (xe-11/0/47.16385), so a statement may, too. */
static void check_interface(struct conf_diags *d, const struct conf_node *n,
                            const struct conf_word *w)
{
    if (strlen(w->text) > INTERFACE_DEVICE_NAME_MAX)
        conf_diag(d, CONF_WARNING, w->pos, conf_path(d->arena, n),
                  "no interface of Linux has a name of more than %u characters",
                  (unsigned)INTERFACE_DEVICE_NAME_MAX);
}

void conf_check_value(struct conf_diags *diags, const struct conf_node *n, uint32_t i)
{
    const struct conf_word *w = &n->values[i];

    if (conf_schema_is_secret(n->schema))
        check_secret(diags, n, w);
    else if (!fits(n->schema, w->text))
        conf_diag(diags, CONF_ERROR, w->pos, conf_path(diags->arena, n), "%s, expected %s",
                  what_is_wrong(diags->arena, n->schema, w->text),
                  conf_expected(diags->arena, n->schema));
    else if (n->schema->type == CONF_T_INTERFACE)
        check_interface(diags, n, w);
    else
        check_choice(diags, n, w);
}
