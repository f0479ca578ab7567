#include "content/writable.h"

#include "base/str.h"
#include "content/xattrs.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>

static bool in_groups(const struct writer *w, gid_t gid)
{
    for (int i = 0; i < w->group_count; i++)
        if (w->groups[i] == gid)
            return true;
    return false;
}

static const uint8_t *access_list(const struct manifest_entry *entry, size_t *size)
{
    static const char wanted[] = "system.posix_acl_access";
    size_t position = 0, name_size;
    const char *name;
    const uint8_t *value;
    while (
        xattrs_next(entry->xattrs, entry->xattrs_size, &position, &name, &name_size, &value, size))
        if (name_size == strlen(wanted) && memcmp(name, wanted, name_size) == 0)
            return value;
    return NULL;
}

/* The user is not the owner. */
static bool by_access_list(const struct manifest_entry *entry, const struct writer *w,
                           const uint8_t *list, size_t size)
{
    unsigned mask = ACL_READ | ACL_WRITE | ACL_EXECUTE, other = 0, named = 0, groups = 0;
    bool is_named = false, in_one = false;
    for (size_t at = sizeof(uint32_t); at + sizeof(struct posix_acl_xattr_entry) <= size;
         at += sizeof(struct posix_acl_xattr_entry)) {
        struct posix_acl_xattr_entry one;
        memcpy(&one, list + at, sizeof one);
        switch (one.e_tag) {
        case ACL_USER:
            if (one.e_id == w->uid) {
                is_named = true;
                named = one.e_perm;
            }
            break;
        case ACL_GROUP_OBJ:
        case ACL_GROUP:
            if (in_groups(w, one.e_tag == ACL_GROUP ? one.e_id : entry->gid)) {
                in_one = true;
                groups |= one.e_perm;
            }
            break;
        case ACL_MASK:
            mask = one.e_perm;
            break;
        case ACL_OTHER:
            other = one.e_perm;
            break;
        default:
            break;
        }
    }
    unsigned allowed = is_named ? named & mask : in_one ? groups & mask : other;
    return (allowed & ACL_WRITE) != 0;
}

bool writable_entry(const struct manifest_entry *entry, const struct writer *w, bool *by_list)
{
    size_t size;
    *by_list = false;
    if (S_ISLNK(entry->mode))
        return false;
    if (w->uid == 0 || entry->uid == w->uid)
        return true;
    const uint8_t *list = access_list(entry, &size);
    if (list) {
        *by_list = by_access_list(entry, w, list, size);
        return *by_list;
    }
    return (entry->mode & (in_groups(w, entry->gid) ? 0020 : 0002)) != 0;
}

static void look(struct writable *out, const struct manifest *m, uint32_t index,
                 const struct policies *policies, const struct writer *w, struct arena *arena)
{
    struct manifest_entry entry;
    bool by_list;
    manifest_entry(m, index, &entry);
    if (!writable_entry(&entry, w, &by_list))
        return;
    CLEANUP_STR struct str path = {0};
    str_add(&path, "");
    manifest_add_path(m, index, &path);
    enum policy policy = policy_of_path(policies, path.data, S_ISDIR(entry.mode));
    if (policy != POLICY_FIXED && policy != POLICY_APPEND)
        return;
    if (!out->first)
        out->first = arena_strdup(arena, path.data);
    out->by_list |= by_list;
    ++*(S_ISDIR(entry.mode) ? &out->directories : &out->files);
}

struct writable writable_in(const struct manifest *m, const struct policies *policies,
                            const struct writer *w, struct arena *arena)
{
    struct writable found = {0};
    for (uint32_t i = 0; i < manifest_count(m); i++)
        look(&found, m, i, policies, w, arena);
    return found;
}
