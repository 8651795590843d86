/* `show configuration`: the statement that a daemon runs by. A file may say something else by now:
 * that counts when it is committed. Secrets are not in it. */
#include "cmd/show.h"

#include <string.h>

enum { LINES_PIECE = 200 };

static enum err begin(void *ctx, const struct ctl_request *r, struct ctl_wr *reply,
                      char sentence[CTL_SENTENCE_MAX])
{
    (void)ctx;
    (void)r;
    (void)sentence;
    ctl_list(reply, "line");
    return ERR_OK;
}

static void put_line(struct ctl_wr *w, struct bytes line)
{
    ctl_section(w, NULL);
    ctl_put_text(w, "text", line);
    ctl_end(w);
}

/* What another commit replaces meanwhile ends there, and says so. */
static bool is_replaced(const struct show *s, struct ctl_cursor *at, struct ctl_wr *reply)
{
    if (!at->inside)
        at->id = s->n_statements;
    at->inside = true;
    if (at->id == s->n_statements)
        return false;
    put_line(reply, bytes_str("## another configuration was committed meanwhile: ask again"));
    return true;
}

static bool more(void *ctx, const struct ctl_request *r, struct ctl_cursor *at,
                 struct ctl_wr *reply)
{
    const struct show *s = ctx;
    bool replaced = is_replaced(s, at, reply);

    (void)r;
    for (size_t n = 0; !replaced && s->statement[at->at] && n < LINES_PIECE; n++) {
        const char *line = s->statement + at->at;
        size_t len = strcspn(line, "\n");
        put_line(reply, bytes(line, len));
        at->at += len + (line[len] == '\n');
    }
    if (!replaced && s->statement[at->at])
        return false;
    ctl_end(reply);
    return true;
}

void show_configuration_handler(struct ctl_service *service)
{
    service->handlers[CTL_SHOW_CONFIGURATION] = (struct ctl_handler){begin, more};
}
