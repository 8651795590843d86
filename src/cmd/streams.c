#include "cmd/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void streams_open(void)
{
    int fd;

    do { /* the lowest that is free is taken: until all three are not */
        fd = open("/dev/null", O_RDWR);
        if (fd < 0)
            abort(); /* there is nowhere to say why */
    } while (fd <= STDERR_FILENO);
    close(fd);
}

bool streams_written(const char *program)
{
    bool failed_before = ferror(stdout);

    if (fflush(stdout) == 0 && !failed_before)
        return true;
    fprintf(stderr, "%s: what was to be printed could not be written: %s\n", program,
            strerror(errno));
    return false;
}
