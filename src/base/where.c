#include "base/where.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef YAGURA_PREFIX
#define YAGURA_PREFIX "/usr"
#endif

static const struct place {
    const char *variable, *in_build, *beside, *configured;
} places[] = {
    [WHERE_DATA] = {"YAGURA_DATA", "share", "../share/yagura", YAGURA_PREFIX "/share/yagura"},
    [WHERE_LIBEXEC] = {"YAGURA_LIBEXEC", "libexec", "../libexec/yagura",
                       YAGURA_PREFIX "/libexec/yagura"},
    [WHERE_LOCALE] = {"YAGURA_LOCALE", "po", "../share/locale", YAGURA_PREFIX "/share/locale"},
};

static bool try(const char *base, const char *folder, const char *name, char *out, size_t size)
{
    int n = snprintf(out, size, "%s%s%s%s%s", base, *base && folder ? "/" : "",
                     folder ? folder : "", name ? "/" : "", name ? name : "");
    return n > 0 && (size_t)n < size && access(out, F_OK) == 0;
}

bool where_is(enum where what, const char *name, char *out, size_t size)
{
    const struct place *p = &places[what];
    const char *env = getenv(p->variable);
    if (env && *env)
        return try(env, NULL, name, out, size);
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n > 0) {
        self[n] = '\0';
        char *slash = strrchr(self, '/');
        if (slash)
            *slash = '\0';
        if (try(self, p->in_build, name, out, size) || try(self, p->beside, name, out, size))
            return true;
    }
    return try("", p->configured, name, out, size);
}
