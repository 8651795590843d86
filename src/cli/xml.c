#include "cli/value.h"
#include "cli/write.h"

static void put_text(FILE *out, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '&')
            fputs("&amp;", out);
        else if (c == '<')
            fputs("&lt;", out);
        else if (c == '>')
            fputs("&gt;", out);
        else
            cli_put_plain(out, bytes(&c, 1));
    }
}

static void put_value(FILE *out, const struct ctl_node *n)
{
    char time[CLI_TIME_MAX];

    if (n->type == CTL_TEXT)
        put_text(out, n->bytes);
    else if (n->type == CTL_TIME)
        fputs(cli_time_utc(n->time, time), out);
    else if (n->type == CTL_BOOL)
        fputs(n->truth ? "true" : "false", out);
    else
        cli_put_value(out, n);
}

static void put_children(FILE *out, const struct ctl_node *n, int depth);

static void put_element(FILE *out, const char *name, const struct ctl_node *n, int depth)
{
    if (n->type == CTL_LIST) {
        for (const struct ctl_node *c = n->first; c; c = c->next)
            put_element(out, name, c, depth);
        return;
    }
    fprintf(out, "%*s<%s>", 2 * depth, "", name);
    if (n->type == CTL_SECTION) {
        fputc('\n', out);
        put_children(out, n, depth + 1);
        fprintf(out, "%*s", 2 * depth, "");
    } else {
        put_value(out, n);
    }
    fprintf(out, "</%s>\n", name);
}

static void put_children(FILE *out, const struct ctl_node *n, int depth)
{
    for (const struct ctl_node *c = n->first; c; c = c->next)
        put_element(out, c->name, c, depth);
}

void cli_xml_print(FILE *out, const char *name, const struct ctl_node *root)
{
    fputs("<rpc-reply>\n", out);
    put_element(out, name, root, 1);
    fputs("</rpc-reply>\n", out);
}
