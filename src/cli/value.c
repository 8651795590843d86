#include "cli/value.h"

#include <inttypes.h>
#include <time.h>

void cli_put_plain(FILE *out, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c >= 0x20 && c < 0x7f)
            fputc(c, out);
        else
            fprintf(out, "\\x%02x", c);
    }
}

static void put_hex(FILE *out, struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        fprintf(out, "%02x", b.data[i]);
}

static void put_time(FILE *out, wall_t time)
{
    time_t t = (time_t)time.s;
    struct tm tm;
    char text[64];

    if (localtime_r(&t, &tm) && strftime(text, sizeof text, "%a %b %e %Y %H:%M:%S", &tm) > 0)
        fputs(text, out);
}

void cli_put_value(FILE *out, const struct ctl_node *node)
{
    char text[ENDPOINT_TEXT_MAX];

    switch (node->type) {
    case CTL_TEXT:
        cli_put_plain(out, node->bytes);
        return;
    case CTL_BYTES:
        put_hex(out, node->bytes);
        return;
    case CTL_U64:
        fprintf(out, "%" PRIu64, node->u64);
        return;
    case CTL_BOOL:
        fputs(node->truth ? "yes" : "no", out);
        return;
    case CTL_IP:
        fputs(ip_text(node->ip, text, sizeof text), out);
        return;
    case CTL_ENDPOINT:
        fputs(endpoint_text(node->endpoint, text, sizeof text), out);
        return;
    case CTL_PREFIX:
        fputs(prefix_text(node->prefix, text, sizeof text), out);
        return;
    case CTL_TIME:
        put_time(out, node->time);
        return;
    case CTL_SECTION:
    case CTL_LIST:
    case CTL_END:
    case CTL_TYPE_COUNT:
        return;
    }
}

char *cli_time_utc(wall_t time, char out[CLI_TIME_MAX])
{
    time_t t = (time_t)time.s;
    struct tm tm;

    if (!gmtime_r(&t, &tm) || strftime(out, CLI_TIME_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        out[0] = '\0';
    return out;
}

bool cli_is_set(const struct ctl_node *node)
{
    if (!node)
        return false;
    switch (node->type) {
    case CTL_TEXT:
    case CTL_BYTES:
        return node->bytes.len > 0;
    case CTL_U64:
        return node->u64 != 0;
    case CTL_BOOL:
        return node->truth;
    case CTL_SECTION:
    case CTL_LIST:
        return node->n > 0;
    case CTL_IP:
        return !ip_is_any(node->ip);
    case CTL_ENDPOINT:
    case CTL_PREFIX:
    case CTL_TIME:
        return true;
    case CTL_END:
    case CTL_TYPE_COUNT:
        break;
    }
    return false;
}
