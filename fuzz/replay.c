/* Feeds every file of the given folder to the target once: yesterday's findings stay found. */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { INPUT_MAX = 1 << 20 };

/* Copies into a block of the exact size, so that the sanitizers see a read past the end. */
static void feed(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + !size);
    if (!copy)
        abort();
    for (size_t i = 0; i < size; i++)
        copy[i] = data[i];
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static int feed_file(const char *folder, const char *name)
{
    static uint8_t input[INPUT_MAX];
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return -1;
    }
    size_t size = fread(input, 1, sizeof input, f);
    fclose(f);
    feed(input, size);
    return 0;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    struct dirent *entry;
    int inputs = 0;

    if (!folder) {
        fprintf(stderr, "usage: replay FOLDER\n");
        return 2;
    }
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        if (feed_file(argv[1], entry->d_name) != 0)
            return 1;
        inputs++;
    }
    closedir(folder);
    printf("%d inputs\n", inputs);
    return inputs == 0; /* an empty corpus proves nothing */
}
