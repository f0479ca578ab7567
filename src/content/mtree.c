#include "content/mtree.h"

#include "base/mem.h"

#include <errno.h>

static void put_escaped(FILE *out, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c <= ' ' || c >= 127 || c == '#' || c == '=' || c == '\\' || c == '*' || c == '?' ||
            c == '[')
            fprintf(out, "\\%03o", c);
        else
            fputc(c, out);
    }
}

static const char *type_of(mode_t mode)
{
    return S_ISDIR(mode) ? "dir" : S_ISLNK(mode) ? "link" : "file";
}

static void put_entry(FILE *out, const char *path, size_t length,
                      const struct manifest_entry *entry)
{
    fputs(length ? "./" : ".", out);
    put_escaped(out, path, length);
    fprintf(out, " type=%s uid=%u gid=%u", type_of(entry->mode), entry->uid, entry->gid);
    if (!S_ISLNK(entry->mode))
        fprintf(out, " mode=%04o", (unsigned)entry->mode & 07777);
    if (S_ISREG(entry->mode)) {
        fprintf(out, " size=%llu time=%lld.%09lld sha256=", (unsigned long long)entry->size,
                (long long)(entry->mtime_ns / 1000000000),
                (long long)(entry->mtime_ns % 1000000000));
        for (size_t i = 0; i < 32; i++)
            fprintf(out, "%02x", entry->sha256[i]);
    }
    if (S_ISLNK(entry->mode)) {
        fputs(" link=", out);
        put_escaped(out, entry->target, entry->target_size);
    }
    fputc('\n', out);
}

bool mtree_write(FILE *out, const struct manifest *m, const struct policies *policies, bool all,
                 struct error *e)
{
    CLEANUP_STR struct str path = {0};
    fprintf(out, "#mtree\n# site %s, generation %llu\n", manifest_site(m),
            (unsigned long long)manifest_generation(m));
    for (uint32_t i = 0; i < manifest_count(m); i++) {
        struct manifest_entry entry;
        manifest_entry(m, i, &entry);
        str_clear(&path);
        manifest_add_path(m, i, &path);
        if (!all && policies &&
            policy_of_path(policies, str_text(&path), S_ISDIR(entry.mode)) != POLICY_FIXED)
            continue;
        put_entry(out, str_text(&path), path.length, &entry);
    }
    if (fflush(out) == 0 && !ferror(out))
        return true;
    error_set_errno(e, errno, "writing the list");
    return false;
}
