/* replay.c - gives every file of a folder to a fuzz target, for builds without a fuzzer. */
#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    size_t count = 0;
    if (!dir) {
        fprintf(stderr, "usage: replay FOLDER\n");
        return 2;
    }
    for (const struct dirent *d; (d = readdir(dir));) {
        char path[4096];
        CLEANUP_FREE char *bytes = NULL;
        size_t size;
        snprintf(path, sizeof path, "%s/%s", argv[1], d->d_name);
        if (d->d_name[0] == '.' || !file_read(&bytes, &size, path, 16 << 20, NULL))
            continue;
        /* a copy of its exact size, so that a sanitizer sees the end */
        CLEANUP_FREE uint8_t *exact = mem_dup(bytes, size);
        LLVMFuzzerTestOneInput(exact, size);
        count++;
    }
    closedir(dir);
    printf("%zu seeds\n", count);
    return count ? 0 : 1;
}
