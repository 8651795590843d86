/* Prints the console's table of commands, a line each: class, who answers, words. */
#include "ctl/command.h"

#include <stdio.h>

int main(void)
{
    static const char *const targets[] = {
        [CTL_SERVER] = "server", [CTL_MEMBER] = "member", [CTL_BOTH] = "both"};

    for (unsigned i = 0; i < CTL_COMMAND_COUNT; i++) {
        const struct ctl_command *c = ctl_command_of((enum ctl_command_id)i);
        printf("%s\t%s\t%s\n", ctl_class_name(c->class), targets[c->target], c->words);
    }
    return 0;
}
