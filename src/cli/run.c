#include "cli/run.h"
#include "cli/connection.h"
#include "cli/line.h"
#include "cli/monitor.h"
#include "cli/pipe.h"
#include "cli/view.h"
#include "cli/views.h"
#include "cli/write.h"

#include <stdlib.h>

/* ---- one answer ---- */

static void print_answer(FILE *out, const struct cli_line *l, const struct ctl_request *r,
                         const struct ctl_node *tree)
{
    char *text = NULL;
    size_t len = 0;
    FILE *mem = open_memstream(&text, &len);

    if (!mem)
        abort();
    if (l->format == CLI_JSON)
        cli_json_print(mem, r->command->answer, tree, false);
    else if (l->format == CLI_XML)
        cli_xml_print(mem, r->command->answer, tree);
    else
        cli_view_print(mem, cli_view_of(r->command->id, ctl_request_has(r, "detail")), tree);
    fclose(mem);
    cli_filter_print(out, l, text, len);
    free(text);
}

static enum err ask_one(const char *path, const struct cli_line *l, const struct ctl_request *r,
                        FILE *out, char sentence[CTL_SENTENCE_MAX])
{
    struct cli_connection c;
    struct arena arena = {0};
    struct ctl_node *tree = NULL;
    enum err e = cli_connect(path, &c, sentence);

    if (e != ERR_OK)
        return e;
    e = cli_ask(&c, r, &arena, &tree, sentence);
    if (e == ERR_OK)
        print_answer(out, l, r, tree);
    cli_disconnect(&c);
    arena_free(&arena);
    return e;
}

/* ---- which daemon ---- */

static const struct {
    enum ctl_target target;
    const char *file;
} sockets[] = {{CTL_SERVER, "conclaved.sock"}, {CTL_MEMBER, "conclave-member.sock"}};

struct paths {
    size_t n;
    char *path[ARRAY_LEN(sockets)];
};

static struct paths paths_of(struct arena *arena, const struct cli_options *o,
                             const struct ctl_command *c)
{
    struct paths p = {0};

    if (o->socket) {
        p.path[p.n++] = arena_text(arena, "%s", o->socket);
        return p;
    }
    for (size_t i = 0; i < ARRAY_LEN(sockets); i++) {
        if (c->target & sockets[i].target)
            p.path[p.n++] = arena_text(arena, "%s/%s", o->run_dir, sockets[i].file);
    }
    return p;
}

/* Asks every daemon that the command is for. Of two, one may be absent. */
static int ask_all(const struct paths *p, const struct cli_line *l, const struct ctl_request *r,
                   FILE *out, FILE *err)
{
    char sentence[CTL_SENTENCE_MAX] = "";
    size_t n_absent = 0;
    int status = CLI_OK;

    for (size_t i = 0; i < p->n; i++) {
        enum err e = ask_one(p->path[i], l, r, out, sentence);
        if (e == ERR_NOT_FOUND)
            n_absent++;
        else if (e != ERR_OK)
            status = CLI_FAILED;
        if (e != ERR_OK && (e != ERR_NOT_FOUND || p->n == 1))
            fprintf(err, "error: %s\n", sentence);
    }
    if (n_absent == p->n && p->n > 1)
        fprintf(err, "error: no daemon answers at %s, nor at %s\n", p->path[0], p->path[1]);
    return n_absent == p->n ? CLI_FAILED : status;
}

/* ---- one line ---- */

static void complain(FILE *err, const struct cli_line *l, const struct ctl_complaint *c)
{
    int column = 0;

    for (size_t i = 0; i < l->n_words; i++) {
        fprintf(err, "%s%s", i ? " " : "", l->words[i]);
        if (i < c->word)
            column += (int)strlen(l->words[i]) + 1;
    }
    fprintf(err, "\n%*s^\nsyntax error: %s\n", column, "", c->sentence);
}

int cli_run_words(const struct cli_options *o, const char *const *words, size_t n_words, FILE *out,
                  FILE *err)
{
    char sentence[CTL_SENTENCE_MAX] = "";
    struct ctl_complaint complaint;
    struct ctl_request request;
    struct cli_line line;
    struct arena arena = {0};
    int status;

    if (cli_line_parse(words, n_words, &line, sentence) != ERR_OK) {
        fprintf(err, "syntax error: %s\n", sentence);
        return CLI_USAGE;
    }
    if (ctl_command_parse(line.words, line.n_words, &request, &complaint) != ERR_OK) {
        complain(err, &line, &complaint);
        return CLI_USAGE;
    }
    struct paths paths = paths_of(&arena, o, request.command);
    if (request.command->id == CTL_MONITOR)
        status = cli_monitor((const char *const *)paths.path, paths.n, &line, &request, out, err);
    else
        status = ask_all(&paths, &line, &request, out, err);
    arena_free(&arena);
    return status;
}

int cli_run_text(const struct cli_options *o, const char *text, FILE *out, FILE *err)
{
    const char *words[CTL_WORDS_MAX + 4 * CLI_PIPES_MAX];
    struct arena arena = {0};
    size_t n = 0;
    int status = CLI_OK;

    if (cli_split(&arena, text, words, ARRAY_LEN(words), &n) != ERR_OK) {
        fputs("syntax error: too many words\n", err);
        status = CLI_USAGE;
    } else if (n > 0) {
        status = cli_run_words(o, words, n, out, err);
    }
    arena_free(&arena);
    return status;
}
