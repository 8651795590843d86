#include "cli/interactive.h"
#include "base/arena.h"
#include "cli/line.h"

#include <histedit.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { HISTORY_LINES = 500, WORD_COLUMN = 24 };

/* ---- the line under the cursor ---- */

struct begun {
    struct arena arena;
    const char *words[CTL_WORDS_MAX + 4 * CLI_PIPES_MAX];
    size_t n;         /* finished words */
    const char *word; /* the begun one, "" behind a blank */
};

static struct begun begun_of(EditLine *el)
{
    const LineInfo *info = el_line(el);
    struct begun b = {.word = ""};
    const char *text =
        arena_text(&b.arena, "%.*s", (int)(info->cursor - info->buffer), info->buffer);
    size_t len = strlen(text);

    if (cli_split(&b.arena, text, b.words, ARRAY_LEN(b.words), &b.n) != ERR_OK)
        b.n = 0;
    bool is_open = len > 0 && text[len - 1] != ' ' && text[len - 1] != '|';
    if (is_open && b.n > 0)
        b.word = b.words[--b.n];
    return b;
}

/* ---- help and completion ---- */

static void show_choices(const struct ctl_choices *c)
{
    puts("\nPossible completions:");
    if (c->complete)
        printf("  %-*s %s\n", WORD_COLUMN, "<[Enter]>", "Execute this command");
    for (size_t i = 0; i < c->n; i++)
        printf("  %-*s %s\n", WORD_COLUMN, c->choice[i].word, c->choice[i].help);
    if (c->n == 0 && !c->complete)
        puts("  (nothing fits here)");
}

static unsigned char explain(EditLine *el, int key)
{
    struct begun b = begun_of(el);
    struct ctl_choices c;

    (void)key;
    cli_line_choices(b.words, b.n, b.word, &c);
    show_choices(&c);
    arena_free(&b.arena);
    return CC_REDISPLAY;
}

/* How far all choices agree. */
static size_t common_prefix(const struct ctl_choices *c)
{
    size_t n = strlen(c->choice[0].word);

    for (size_t i = 1; i < c->n; i++) {
        size_t k = 0;
        while (k < n && c->choice[i].word[k] == c->choice[0].word[k])
            k++;
        n = k;
    }
    return n;
}

static unsigned char complete(EditLine *el, int key)
{
    struct begun b = begun_of(el);
    struct ctl_choices c;
    char rest[80];

    cli_line_choices(b.words, b.n, b.word, &c);
    size_t have = strlen(b.word);
    arena_free(&b.arena);
    if (c.n == 0 || !c.choice[0].literal)
        return explain(el, key);
    size_t common = common_prefix(&c);
    if (common <= have && c.n > 1)
        return explain(el, key);
    snprintf(rest, sizeof rest, "%.*s%s", (int)(common - have), c.choice[0].word + have,
             c.n == 1 ? " " : "");
    if (el_insertstr(el, rest) != 0)
        return CC_ERROR;
    return CC_REFRESH;
}

/* ---- the prompt and the screen ---- */

static const char *prompt(EditLine *el)
{
    static char text[128];
    char host[64] = "conclave";
    const struct passwd *pw = getpwuid(geteuid());

    (void)el;
    (void)gethostname(host, sizeof host - 1); /* else the name above stays */
    snprintf(text, sizeof text, "%s@%s> ", pw ? pw->pw_name : "user", host);
    return text;
}

static unsigned screen_lines(void)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 2 ? size.ws_row - 1U : 0;
}

/* Asks before the next screenful; false to stop. */
static bool more(void)
{
    char answer[16];

    fputs("---(more: Enter, or q to stop)---", stdout);
    fflush(stdout);
    return fgets(answer, sizeof answer, stdin) && answer[0] != 'q';
}

static void print_paged(const char *text)
{
    unsigned room = screen_lines(), n = 0;

    while (*text) {
        size_t len = strcspn(text, "\n");
        printf("%.*s\n", (int)len, text);
        text += len + (text[len] == '\n');
        if (room > 0 && ++n == room && *text) {
            n = 0;
            if (!more())
                return;
        }
    }
}

static bool wants_no_paging(const char *line)
{
    return strstr(line, "no-more") || strncmp(line + strspn(line, " "), "mon", 3) == 0;
}

static int run_line(const struct cli_options *o, const char *line)
{
    char *text = NULL;
    size_t len = 0;

    if (wants_no_paging(line))
        return cli_run_text(o, line, stdout, stdout);
    FILE *mem = open_memstream(&text, &len);
    if (!mem)
        abort();
    int status = cli_run_text(o, line, mem, mem);
    fclose(mem);
    print_paged(text);
    free(text);
    return status;
}

/* ---- the loop ---- */

static bool is_farewell(const char *line)
{
    line += strspn(line, " \t");
    size_t n = strcspn(line, " \t\r\n");
    return (n == 4 && (strncmp(line, "exit", 4) == 0 || strncmp(line, "quit", 4) == 0));
}

static int read_lines(const struct cli_options *o, EditLine *el, History *lines)
{
    HistEvent event;
    int n = 0, status = CLI_OK;
    const char *line;

    while ((line = el_gets(el, &n)) && n > 0) {
        if (is_farewell(line))
            break;
        if (line[strspn(line, " \t\r\n")] == '\0')
            continue;

        if (history(lines, &event, H_ENTER, line) < 0)
            break;
        status = run_line(o, line);
    }
    return status;
}

int cli_interactive(const struct cli_options *o)
{
    EditLine *el = el_init("conclave", stdin, stdout, stderr);
    History *lines = history_init();
    HistEvent event;

    if (!el || !lines)
        abort();
    history(lines, &event, H_SETSIZE, HISTORY_LINES);
    el_set(el, EL_PROMPT, prompt);
    el_set(el, EL_EDITOR, "emacs");
    el_set(el, EL_SIGNAL, 1);
    el_set(el, EL_HIST, history, lines);
    el_set(el, EL_ADDFN, "conclave-complete", "complete the word", complete);
    el_set(el, EL_ADDFN, "conclave-explain", "explain what may come next", explain);
    el_set(el, EL_BIND, "\t", "conclave-complete", NULL);
    el_set(el, EL_BIND, "?", "conclave-explain", NULL);
    int status = read_lines(o, el, lines);
    history_end(lines);
    el_end(el);
    return status;
}
