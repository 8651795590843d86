/* A line at the console: whatever is typed, every word that completion offers next is understood.
 */
#include "cli/line.h"
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 24 };

static void check_choices(const char **words, size_t n)
{
    static struct ctl_choices now, next;

    cli_line_choices(words, n, "", &now);
    for (size_t i = 0; i < now.n; i++) {
        if (!now.choice[i].literal || n == WORDS_MAX)
            continue;
        words[n] = now.choice[i].word;
        cli_line_choices(words, n + 1, "", &next);
        if (next.n == 0 && !next.complete)
            abort(); /* a dead end was offered */
    }
}

/* A line that is complete parses as a command, and one that parses is complete. */
static void check_parse(const char *const *words, size_t n)
{
    struct cli_line line;
    struct ctl_request request;
    struct ctl_complaint complaint;
    struct ctl_choices choices;
    char sentence[CTL_SENTENCE_MAX];

    if (cli_line_parse(words, n, &line, sentence) != ERR_OK)
        return;
    bool parses = ctl_command_parse(line.words, line.n_words, &request, &complaint) == ERR_OK;
    ctl_command_choices(line.words, line.n_words, "", &choices);
    if (parses != choices.complete)
        abort();
    if (!parses && (complaint.sentence[0] == '\0' || complaint.word > line.n_words))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *words[WORDS_MAX + 1];
    struct arena arena = {0};
    size_t n = 0;
    char *text = malloc(size + 1);

    if (!text)
        abort();
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (size < CLI_LINE_MAX && cli_split(&arena, text, words, WORDS_MAX, &n) == ERR_OK) {
        check_parse(words, n);
        check_choices(words, n);
    }
    arena_free(&arena);
    free(text);
    return 0;
}
