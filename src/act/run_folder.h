/* run_folder.h - a folder of this run alone, for what has to be unfolded before it is read: its
 * prefix and the process's number ("git-1234"), for root or whoever we are. */
#ifndef YAGURA_ACT_RUN_FOLDER_H
#define YAGURA_ACT_RUN_FOLDER_H

#include "base/error.h"

struct run_folder {
    int fd;        /* open; -1: none */
    int parent;    /* where it lies; the caller's */
    char name[32]; /* and under which name */
};

/* Made, empty. What a run that was killed left there under this prefix is taken away before. */
bool run_folder_make(struct run_folder *out, int parent, const char *prefix, struct error *e);
/* Takes it away, with all that is in it. Fine if there is none. */
void run_folder_remove(struct run_folder *f);

#endif
