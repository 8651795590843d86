#include "ctl/request.h"

#include <stdio.h>

void ctl_request_write(struct ctl_wr *w, const struct ctl_request *request)
{
    ctl_put_str(w, "command", request->command->words);
    ctl_section(w, "arguments");
    for (size_t i = 0; i < request->n; i++) {
        const struct ctl_argument *a = &request->args[i];
        if (a->arg->kind == CTL_ARG_FLAG)
            ctl_put_bool(w, a->arg->word, true);
        else
            ctl_put_str(w, a->arg->word, a->text);
    }
    ctl_end(w);
}

static enum err add_all(struct ctl_request *r, const struct ctl_node *args,
                        char sentence[CTL_SENTENCE_MAX])
{
    for (const struct ctl_node *n = args ? args->first : NULL; n; n = n->next) {
        const char *value = n->type == CTL_TEXT ? (const char *)n->bytes.data : NULL;
        enum err e = ctl_request_add(r, n->name, value, sentence);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

enum err ctl_request_parse(struct arena *arena, struct bytes body, struct ctl_request *ret_request,
                           char sentence[CTL_SENTENCE_MAX])
{
    struct ctl_node *tree = NULL;
    struct ctl_request r = {0};
    enum err e = ctl_tree_parse(arena, body, &tree);

    sentence[0] = '\0';
    if (e != ERR_OK)
        return e;
    const char *words = ctl_find_text(tree, "command");
    const struct ctl_node *args = ctl_find(tree, "arguments");
    if (!words || (args && args->type != CTL_SECTION))
        return ERR_MISSING;
    r.command = ctl_command_by_words(words);
    if (!r.command) {
        snprintf(sentence, CTL_SENTENCE_MAX, "'%.100s' is not a command of this version", words);
        return ERR_SYNTAX;
    }
    e = add_all(&r, args, sentence);
    if (e == ERR_OK)
        *ret_request = r;
    return e;
}
