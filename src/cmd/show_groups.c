/* Which groups a request is about. */
#include "cmd/show.h"
#include "server/server.h"

#include <stdio.h>

bool show_group_asked(const struct ctl_request *r, const struct model_group *g)
{
    const char *name = ctl_request_text(r, "group");

    if (name && strcmp(name, g->name) != 0)
        return false;
    return !ctl_request_has(r, "group-id") || ctl_request_u32(r, "group-id") == g->id;
}

enum err show_groups_check(const struct server *s, const struct ctl_request *r,
                           char sentence[CTL_SENTENCE_MAX])
{
    for (size_t i = 0; i < server_n_groups(s); i++) {
        if (show_group_asked(r, server_group(s, i)->model))
            return ERR_OK;
    }
    if (ctl_request_has(r, "group"))
        snprintf(sentence, CTL_SENTENCE_MAX, "group '%.100s' is not configured",
                 ctl_request_text(r, "group"));
    else if (ctl_request_has(r, "group-id"))
        snprintf(sentence, CTL_SENTENCE_MAX, "no group has the group-id %u",
                 ctl_request_u32(r, "group-id"));
    else
        return ERR_OK; /* there is no group at all: nothing to show */
    return ERR_NOT_FOUND;
}

void show_put_group(struct ctl_wr *w, const struct group *g)
{
    ctl_put_str(w, "group-name", g->model->name);
    ctl_put_u64(w, "group-id", g->model->id);
}

enum err show_put_groups(const struct show *s, const struct ctl_request *r, struct ctl_wr *w,
                         show_put *put, char sentence[CTL_SENTENCE_MAX])
{
    enum err e = show_groups_check(s->server, r, sentence);

    if (e != ERR_OK)
        return e;
    ctl_list(w, "group");
    for (size_t i = 0; i < server_n_groups(s->server); i++) {
        const struct group *g = server_group(s->server, i);
        if (!show_group_asked(r, g->model))
            continue;
        ctl_section(w, NULL);
        show_put_group(w, g);
        put(s, w, g, ctl_request_has(r, "detail"));
        ctl_end(w);
    }
    ctl_end(w);
    return ERR_OK;
}
