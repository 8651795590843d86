#include "cli/value.h"
#include "cli/write.h"

#include <jansson.h>
#include <stdlib.h>

/* jansson takes UTF-8 only; texts may come from a peer. */
static json_t *json_of_text(const struct ctl_node *n)
{
    json_t *text = json_stringn((const char *)n->bytes.data, n->bytes.len);
    char *plain = NULL;
    size_t len = 0;

    if (text)
        return text;
    FILE *mem = open_memstream(&plain, &len);
    if (!mem)
        abort();
    cli_put_plain(mem, n->bytes);
    fclose(mem);
    text = json_stringn(plain, len);
    free(plain);
    return text;
}

static json_t *json_of_shown(const struct ctl_node *n)
{
    char *text = NULL;
    size_t len = 0;
    FILE *mem = open_memstream(&text, &len);

    if (!mem)
        abort();
    cli_put_value(mem, n);
    fclose(mem);
    json_t *json = json_stringn(text, len);
    free(text);
    return json;
}

static json_t *json_of(const struct ctl_node *n);

static json_t *json_of_children(const struct ctl_node *n)
{
    json_t *json = n->type == CTL_LIST ? json_array() : json_object();

    for (const struct ctl_node *c = n->first; c; c = c->next) {
        int status = n->type == CTL_LIST ? json_array_append_new(json, json_of(c))
                                         : json_object_set_new(json, c->name, json_of(c));
        if (status != 0)
            abort(); /* out of memory: names and texts are valid */
    }
    return json;
}

static json_t *json_of(const struct ctl_node *n)
{
    char time[CLI_TIME_MAX];

    switch (n->type) {
    case CTL_SECTION:
    case CTL_LIST:
        return json_of_children(n);
    case CTL_TEXT:
        return json_of_text(n);
    case CTL_U64:
        return json_integer((json_int_t)n->u64);
    case CTL_BOOL:
        return json_boolean(n->truth);
    case CTL_TIME:
        return json_string(cli_time_utc(n->time, time));
    case CTL_BYTES:
    case CTL_IP:
    case CTL_ENDPOINT:
    case CTL_PREFIX:
        return json_of_shown(n);
    case CTL_END:
    case CTL_TYPE_COUNT:
        break;
    }
    return json_null();
}

void cli_json_print(FILE *out, const char *name, const struct ctl_node *root, bool compact)
{
    json_t *json = json_object();

    if (json_object_set_new(json, name, json_of(root)) != 0 ||
        json_dumpf(json, out, compact ? JSON_COMPACT : JSON_INDENT(2)) != 0)
        abort();
    fputc('\n', out);
    json_decref(json);
}
