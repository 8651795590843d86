#include "ctl/event.h"

#include <stdio.h>

static bool is_taken(const struct event *e, size_t n, const char *key)
{
    static const char *const ours[] = {"event", "level", "time"};

    for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
        if (strcmp(ours[i], key) == 0)
            return true;
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(e->fields[i].key, key) == 0)
            return true;
    }
    return false;
}

void ctl_put_event(struct ctl_wr *w, const struct event *e, wall_t now)
{
    ctl_put_str(w, "event", event_name(e->id));
    ctl_put_str(w, "level", event_level_name(event_level(e->id)));
    ctl_put_time(w, "time", now);
    for (size_t i = 0; i < e->n_fields; i++) {
        const struct event_field *f = &e->fields[i];
        struct bytes value = bytes(e->text + f->at, f->len);
        if (is_taken(e, i, f->key))
            continue; /* a tree has every name once; the first one counts */
        if (f->kind == EVENT_U64)
            ctl_put_u64(w, f->key, f->u64);
        else if (f->kind == EVENT_HEX)
            ctl_put_bytes(w, f->key, value);
        else
            ctl_put_text(w, f->key, value);
    }
}
