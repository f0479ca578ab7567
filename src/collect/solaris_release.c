#include "collect/solaris.h"

#include <stdlib.h>

/* SunOS 5.x was sold as Solaris 2.x up to 2.6, and as Solaris x from 7 on. */
const char *solaris_release_from_name(struct arena *arena, const char *name)
{
    size_t length = strspn(name, "0123456789.");
    if (!length || length > 7 || (name[length] && !str_is_space(name[length])))
        return NULL;
    char *digits = arena_strndup(arena, name, length);
    if (str_starts(digits, "2.") && str_is_digit(digits[2]))
        return arena_printf(arena, "5.%s", digits + 2);
    uint64_t number;
    if (str_to_u64(digits, &number) && number >= 7 && number <= 11)
        return arena_printf(arena, "5.%s", digits);
    return NULL;
}

const char *solaris_release_name(struct arena *arena, const char *release)
{
    if (!str_starts(release, "5.") || !str_is_digit(release[2]) ||
        strspn(release, "0123456789.") != strlen(release) || strlen(release) > 7)
        return NULL;
    int minor = atoi(release + 2);
    return minor >= 7 ? arena_strdup(arena, release + 2) : arena_printf(arena, "2.%s", release + 2);
}

/* 11.5.1 belongs to 5.5.1, but 11.7.0 to 5.7. */
const char *solaris_release_from_csr(struct arena *arena, const char *version)
{
    size_t length = strcspn(version, ",");
    if (!str_starts(version, "11.") || !str_is_digit(version[3]) || length > 9 ||
        strspn(version, "0123456789.") < length)
        return NULL;
    char *release = arena_printf(arena, "5.%.*s", (int)(length - 3), version + 3);
    if (str_ends(release, ".0"))
        release[strlen(release) - 2] = '\0';
    return release;
}

const char *solaris_arch(const char *text)
{
    static const struct {
        const char *prefix, *arch;
    } known[] = {{"sparc", "sparc"}, {"sun4", "sparc"}, {"i386", "x86"},
                 {"i86pc", "x86"},   {"x86", "x86"},    {"intel", "x86"}};
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        if (str_starts_nocase(text, known[i].prefix))
            return known[i].arch;
    return NULL;
}

/* Kernel update patches of SunOS 5.5.1 ... 5.9 and the sadmind patches of Sun bulletin 00191,
 * as Sun's patch lists print them. A host that has one of them is of that release. */
const struct solaris_system *solaris_system_of_patch(const char *id)
{
    static const struct solaris_system systems[] = {
        {"103640", "5.5.1", "sparc"}, {"103641", "5.5.1", "x86"}, {"105181", "5.6", "sparc"},
        {"105182", "5.6", "x86"},     {"106541", "5.7", "sparc"}, {"106542", "5.7", "x86"},
        {"108528", "5.8", "sparc"},   {"108529", "5.8", "x86"},   {"108658", "5.5.1", "sparc"},
        {"108659", "5.5.1", "x86"},   {"108660", "5.6", "sparc"}, {"108661", "5.6", "x86"},
        {"108662", "5.7", "sparc"},   {"108663", "5.7", "x86"},   {"112233", "5.9", "sparc"},
        {"112234", "5.9", "x86"}};
    for (size_t i = 0; i < ARRAY_COUNT(systems); i++)
        if (str_starts(id, systems[i].base) && id[6] == '-')
            return &systems[i];
    return NULL;
}
