/* conclave: the console. */
#include "cli/interactive.h"
#include "cli/run.h"
#include "cmd/streams.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "version.h"

static const char usage[] =
    "usage: conclave [OPTION]... [COMMAND...]\n\n"
    "  --socket PATH   talk to the daemon of this control socket\n"
    "  --run-dir DIR   folder of the control sockets (/run/conclave)\n"
    "  --version       print the version, and end\n"
    "  -h, --help      print this, and end\n\n"
    "Without a command: interactive, or one command for each line of the input.\n"
    "For example: conclave show security group-vpn server registered-members '|' display json\n";

static int run_input(const struct cli_options *o)
{
    char line[4096];
    int status = CLI_OK;

    while (fgets(line, sizeof line, stdin)) {
        int s = cli_run_text(o, line, stdout, stderr);
        status = s != CLI_OK ? s : status;
    }
    return status;
}

static int run(const struct cli_options *o, char **words, int n)
{
    if (n == 0)
        return isatty(STDIN_FILENO) ? cli_interactive(o) : run_input(o);
    if (n == 1)
        return cli_run_text(o, words[0], stdout, stderr);
    return cli_run_words(o, (const char *const *)words, (size_t)n, stdout, stderr);
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {{"socket", required_argument, NULL, 's'},
                                                 {"run-dir", required_argument, NULL, 'r'},
                                                 {"version", no_argument, NULL, 'V'},
                                                 {"help", no_argument, NULL, 'h'},
                                                 {0}};
    struct cli_options o = {.run_dir = "/run/conclave"};
    int opt;

    streams_open();
    while ((opt = getopt_long(argc, argv, "+h", long_options, NULL)) != -1) {
        if (opt == 's')
            o.socket = optarg;
        else if (opt == 'r')
            o.run_dir = optarg;
        else if (opt == 'V')
            return printf("conclave %s\n", CONCLAVE_VERSION) < 0;
        else
            return fputs(usage, opt == 'h' ? stdout : stderr) < 0 || opt != 'h' ? CLI_USAGE : 0;
    }
    int status = run(&o, argv + optind, argc - optind);
    return streams_written("conclave") ? status : CLI_FAILED;
}
