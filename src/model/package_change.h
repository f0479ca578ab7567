/* package_change.h - one package that goes from one version to another. */
#ifndef YAGURA_MODEL_PACKAGE_CHANGE_H
#define YAGURA_MODEL_PACKAGE_CHANGE_H

#include <stdbool.h>

/* Strings are the caller's. */
struct package_change {
    const char *name, *arch;
    const char *from;   /* "": it is not installed before */
    const char *to;     /* "": it is not installed afterwards */
    const char *source; /* the archive that `to` comes from, for people */
    const char *closes; /* rule ids and packages that it is for, space-separated */
    bool security;      /* from a security archive */
    bool dependency;    /* another one brings it along */
};

#endif
