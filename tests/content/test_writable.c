/* Who may write: by owner, group, mode and access list, as the kernel would decide. */
#include "content/writable.h"
#include "tests/support.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>

enum { SERVER = 33, GROUP = 33, EXTRA = 44, OTHER = 1000 };
static gid_t groups[] = {GROUP, EXTRA};
static const struct writer server = {SERVER, groups, 2};

/* One attribute in the packed form of manifest.h. */
static size_t pack(uint8_t *out, const char *name, const void *value, uint32_t size)
{
    uint16_t length = (uint16_t)strlen(name), zero = 0;
    memcpy(out, &length, 2);
    memcpy(out + 2, &zero, 2);
    memcpy(out + 4, &size, 4);
    memcpy(out + 8, name, length);
    memcpy(out + 8 + length, value, size);
    return 8u + length + size;
}

static void owner_group_and_mode_decide(void **state)
{
    static const struct {
        mode_t mode;
        uid_t uid;
        gid_t gid;
        bool may;
    } cases[] = {
        {0644, 0, GROUP, false},     {0664, 0, GROUP, true}, {0664, 0, EXTRA, true},
        {0664, 0, OTHER, false},     {0646, 0, OTHER, true}, {0646, 0, GROUP, false},
        {0444, SERVER, OTHER, true}, /* the owner may change the mode */
        {0604, OTHER, OTHER, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct manifest_entry entry = {
            .mode = S_IFREG | cases[i].mode, .uid = cases[i].uid, .gid = cases[i].gid};
        bool by_list;
        if (writable_entry(&entry, &server, &by_list) != cases[i].may || by_list)
            fail_msg("case %zu", i);
    }
    struct manifest_entry link = {.mode = S_IFLNK | 0777, .uid = SERVER};
    bool by_list;
    assert_false(writable_entry(&link, &server, &by_list));
}

static void an_access_list_decides_before_the_mode(void **state)
{
    static const struct {
        unsigned user, group, mask, other;
        bool may;
    } cases[] = {
        {6, 0, 7, 0, true},
        {6, 0, 4, 0, false}, /* the mask takes it away */
        {4, 6, 7, 6, false}, /* the user's own line counts first */
        {0, 6, 7, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct {
            uint32_t version;
            struct posix_acl_xattr_entry e[5];
        } list = {2,
                  {{ACL_USER_OBJ, 6, 0},
                   {ACL_USER, (uint16_t)cases[i].user, SERVER},
                   {ACL_GROUP_OBJ, (uint16_t)cases[i].group, 0},
                   {ACL_MASK, (uint16_t)cases[i].mask, 0},
                   {ACL_OTHER, (uint16_t)cases[i].other, 0}}};
        uint8_t packed[256];
        size_t size = pack(packed, "system.posix_acl_access", &list, sizeof list);
        struct manifest_entry entry = {
            .mode = S_IFREG | 0664, .uid = 0, .gid = GROUP, .xattrs = packed, .xattrs_size = size};
        bool by_list;
        if (writable_entry(&entry, &server, &by_list) != cases[i].may || by_list != cases[i].may)
            fail_msg("case %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(owner_group_and_mode_decide),
                                       cmocka_unit_test(an_access_list_decides_before_the_mode)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
