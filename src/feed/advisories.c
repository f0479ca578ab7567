#include "feed/advisories.h"

#include "base/str.h"
#include "feed/advisories_set.h"
#include "feed/db_file.h"
#include "feed/document.h"
#include "model/date.h"

#include <stdlib.h>
#include <strings.h>
#include <sys/mman.h>

/* --- the set --- */

static struct advisories *set_new(size_t most)
{
    struct advisories *set = mem_alloc(sizeof *set);
    set->arena = arena_new();
    set->members = mem_alloc((most + 1) * sizeof *set->members);
    return set;
}

bool advisories_open(struct advisories **out, const char *const *paths, size_t count,
                     struct error *damaged, struct error *e)
{
    struct advisories *set = set_new(count);
    bool said = false;
    for (size_t i = 0; i < count; i++) {
        struct error problem = ERROR_INIT;
        struct member *m = &set->members[set->count];
        if (db_file_open(&m->file, paths[i], &problem)) {
            m->mapped = true;
            set->count++;
        } else if (problem.code == ERR_ABSENT) {
            continue;
        } else if (!damaged) {
            advisories_close(set);
            if (e)
                *e = problem;
            return false;
        } else if (!said) {
            *damaged = problem;
            said = true;
        }
    }
    *out = set;
    return true;
}

bool advisories_of_bytes(struct advisories **out, const void *bytes, size_t size, struct error *e)
{
    struct db_file file;
    if (!db_file_of(&file, bytes, size, "", e))
        return false;
    struct advisories *set = set_new(1);
    set->members[0].file = file;
    set->count = 1;
    *out = set;
    return true;
}

void advisories_close(struct advisories *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->count; i++) {
        struct member *m = &set->members[i];
        if (m->mapped)
            munmap((void *)m->file.map, m->file.size);
        db_file_close(&m->file);
    }
    free(set->members);
    free(set->heads);
    arena_free(set->arena);
    free(set);
}

void advisories_cleanup(struct advisories **set)
{
    advisories_close(*set);
}

/* Answers are kept in the set, which the caller sees as const. */
static struct advisories *own(const struct advisories *set)
{
    return (struct advisories *)set;
}

bool advisories_damage(const struct advisories *set, struct error *e)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->members[i].file.damaged) {
            if (e)
                *e = set->members[i].file.damage;
            return true;
        }
    }
    return false;
}

/* --- documents --- */

/* Where it is, or would be put. */
static struct head **slot_of(struct head **slots, size_t slot_count, size_t member, uint64_t place)
{
    size_t at = (place * 0x9e3779b97f4a7c15u >> 32) + member;
    for (;; at++) {
        struct head **slot = &slots[at & (slot_count - 1)];
        if (!*slot || ((*slot)->place == place && (*slot)->member == member))
            return slot;
    }
}

static void grow_heads(struct advisories *set)
{
    size_t wanted = set->head_slots ? set->head_slots * 2 : 64;
    struct head **slots = mem_alloc(wanted * sizeof *slots);
    for (size_t i = 0; i < set->head_slots; i++)
        if (set->heads[i])
            *slot_of(slots, wanted, set->heads[i]->member, set->heads[i]->place) = set->heads[i];
    free(set->heads);
    set->heads = slots;
    set->head_slots = wanted;
}

const struct head *set_head(struct advisories *set, size_t member, uint64_t place,
                            uint32_t document)
{
    if (set->head_count * 2 >= set->head_slots)
        grow_heads(set);
    struct head **slot = slot_of(set->heads, set->head_slots, member, place);
    if (*slot)
        return *slot;
    struct db_file *f = &set->members[member].file;
    uint32_t size;
    const uint8_t *block = db_file_block(f, place, &size);
    if (!block)
        return NULL;
    struct head *head = arena_alloc(set->arena, sizeof *head);
    if (!document_view(&head->view, block, size) ||
        !document_head(&head->view, &head->advisory, NULL)) {
        db_file_note(f, _("a document does not hold together"));
        return NULL;
    }
    head->advisory.index = document;
    head->member = member;
    head->place = place;
    *slot = head;
    set->head_count++;
    return head;
}

/* The document with this id (and this namespace, unless NULL) in one file. */
static const struct head *find_in(struct advisories *set, size_t member, const char *id,
                                  const char *namespace)
{
    struct db_file *f = &set->members[member].file;
    uint64_t hash = db_hash_id(id);
    struct db_entry entry;
    for (size_t i = db_file_find(f, DB_IDS, hash);
         db_file_key(f, DB_IDS, i, &entry) && entry.hash == hash; i++) {
        const struct head *head = set_head(set, member, entry.block, entry.document);
        if (head && str_equal_nocase(head->advisory.id, id) &&
            (!namespace || str_equal_nocase(head->advisory.publisher_namespace, namespace)))
            return head;
    }
    return NULL;
}

bool set_is_current(struct advisories *set, const struct head *head)
{
    if (head->state == HEAD_UNKNOWN) {
        enum head_state state = HEAD_CURRENT;
        for (size_t m = head->member + 1; m < set->count && state == HEAD_CURRENT; m++)
            if (find_in(set, m, head->advisory.id, head->advisory.publisher_namespace))
                state = HEAD_OVERRIDDEN;
        ((struct head *)head)->state = state;
    }
    return head->state == HEAD_CURRENT;
}

static int by_id(const void *a, const void *b)
{
    const struct head *const *x = a, *const *y = b;
    int order = strcasecmp((*x)->advisory.id, (*y)->advisory.id);
    if (!order)
        order = strcasecmp((*x)->advisory.publisher_namespace, (*y)->advisory.publisher_namespace);
    return order;
}

static void put_in_order(struct advisories *set)
{
    size_t total = 0;
    if (set->ordered)
        return;
    for (size_t m = 0; m < set->count; m++)
        total += set->members[m].file.documents;
    const struct head **list = arena_alloc(set->arena, (total + 1) * sizeof *list);
    size_t count = 0;
    for (size_t m = 0; m < set->count; m++) {
        for (uint32_t i = 0; i < set->members[m].file.documents; i++) {
            uint64_t place = db_file_place(&set->members[m].file, i);
            const struct head *head = place ? set_head(set, m, place, i) : NULL;
            if (head && set_is_current(set, head))
                list[count++] = head;
        }
    }
    qsort(list, count, sizeof *list, by_id);
    set->order = list;
    set->order_count = count;
    set->ordered = true;
}

size_t advisories_count(const struct advisories *set)
{
    put_in_order(own(set));
    return set->order_count;
}

const struct advisory *advisories_at(const struct advisories *set, size_t index)
{
    put_in_order(own(set));
    return index < set->order_count ? &set->order[index]->advisory : NULL;
}

const struct advisory *advisories_find(const struct advisories *set, const char *id)
{
    for (size_t m = set->count; m-- > 0;) {
        const struct head *head = find_in(own(set), m, id, NULL);
        if (head)
            return &head->advisory;
    }
    return NULL;
}

/* Every struct advisory that we hand out is the first member of a struct head. */
static const struct head *head_of(const struct advisory *a)
{
    return (const struct head *)a;
}

size_t advisories_revisions(const struct advisories *set, const struct advisory *a,
                            const struct advisory_revision **out)
{
    const struct head *head = head_of(a);
    struct advisory_revision *list = NULL;
    if (!document_revisions(&head->view, set->arena, &list)) {
        db_file_note(&own(set)->members[head->member].file, _("a document does not hold together"));
        return 0;
    }
    *out = list;
    return head->view.revisions;
}

const char *advisories_version_on(const struct advisories *set, const struct advisory *a,
                                  int64_t day)
{
    const struct advisory_revision *list, *last = NULL;
    if (day == DATE_NONE || day >= a->revised)
        return a->version;
    size_t count = advisories_revisions(set, a, &list);
    for (size_t i = 0; i < count; i++)
        if (list[i].date != DATE_NONE && list[i].date <= day &&
            (!last || list[i].date >= last->date))
            last = &list[i];
    return last ? last->number : a->version;
}

bool advisories_block(const struct advisories *set, const struct advisory *a, const void **bytes,
                      size_t *size)
{
    const struct head *head = head_of(a);
    *bytes = head->view.all.data;
    *size = head->view.all.size;
    return true;
}

/* --- cases --- */

static struct advisory_case *take_case(struct advisories *set, const struct head *head, size_t i)
{
    struct advisory_case *c = arena_alloc(set->arena, sizeof *c);
    if (!document_case(&head->view, set->arena, i, c)) {
        db_file_note(&set->members[head->member].file, _("a case does not hold together"));
        return NULL;
    }
    c->advisory = &head->advisory;
    return c;
}

static int cases_by_id(const void *a, const void *b)
{
    const struct advisory_case *const *x = a, *const *y = b;
    const struct advisory *p = (*x)->advisory, *q = (*y)->advisory;
    int order = strcasecmp(p->id, q->id);
    return order ? order : strcasecmp(p->publisher_namespace, q->publisher_namespace);
}

/* A stable sort: cases of one document stay in the order in which they were made. */
static void merge_sort(const struct advisory_case **list, size_t count,
                       const struct advisory_case **spare)
{
    if (count < 2)
        return;
    size_t half = count / 2, i = 0, j = half, n = 0;
    merge_sort(list, half, spare);
    merge_sort(list + half, count - half, spare);
    while (i < half || j < count)
        spare[n++] = j == count || (i < half && cases_by_id(&list[i], &list[j]) <= 0) ? list[i++]
                                                                                      : list[j++];
    memcpy(list, spare, count * sizeof *list);
}

size_t advisories_cases(const struct advisories *const_set, enum case_kind kind,
                        const char *product, const char *name,
                        const struct advisory_case *const **out)
{
    struct advisories *set = own(const_set);
    uint64_t hash = db_hash_case(kind, product, kind == CASE_PACKAGE ? name : "");
    VEC(const struct advisory_case *) found = {0};
    for (size_t m = 0; m < set->count; m++) {
        struct db_file *f = &set->members[m].file;
        struct db_entry entry;
        for (size_t i = db_file_find(f, DB_CASES, hash);
             db_file_key(f, DB_CASES, i, &entry) && entry.hash == hash; i++) {
            const struct head *head = set_head(set, m, entry.block, entry.document);
            if (!head || !set_is_current(set, head))
                continue;
            struct advisory_case *c = take_case(set, head, entry.item);
            if (c && c->kind == kind && str_equal_nocase(c->product, product) &&
                (kind == CASE_PRODUCT || str_equal_nocase(c->name, name)))
                VEC_PUSH(&found, c);
        }
    }
    const struct advisory_case **list =
        arena_dup(set->arena, found.items, found.count * sizeof *list);
    if (set->count > 1 && found.count)
        merge_sort(list, found.count, found.items);
    size_t count = found.count;
    VEC_FREE(&found);
    *out = list;
    return count;
}

size_t advisories_cases_of(const struct advisories *const_set, const struct advisory *a,
                           const struct advisory_case *const **out)
{
    struct advisories *set = own(const_set);
    const struct head *head = head_of(a);
    if (head->view.cases > head->view.all.size / 4) {
        db_file_note(&set->members[head->member].file, _("a document does not hold together"));
        return 0;
    }
    const struct advisory_case **list =
        arena_alloc(set->arena, (head->view.cases + 1) * sizeof *list);
    size_t count = 0;
    for (size_t i = 0; i < head->view.cases; i++) {
        struct advisory_case *c = take_case(set, head, i);
        if (!c)
            break;
        list[count++] = c;
    }
    *out = list;
    return count;
}

/* --- wants and feeds --- */

static int by_text(const void *a, const void *b)
{
    return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

struct wants {
    VEC(const char *) list;
};

static void read_wants(struct db_file *f, struct wants *wants)
{
    struct bytes section = db_file_section(f, DB_WANTS), table = section;
    uint32_t count = bytes_u32le(&table);
    if (table.failed || count > bytes_left(&table) / 4) {
        db_file_note(f, _("the wants do not hold together"));
        return;
    }
    uint32_t from = bytes_u32le(&table);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t to = bytes_u32le(&table);
        struct bytes text = bytes_slice(&section, from, to > from ? to - from : SIZE_MAX);
        const uint8_t *bytes = text.failed || table.failed ? NULL : bytes_take(&text, to - from);
        if (!bytes || bytes[to - from - 1] != '\0') {
            db_file_note(f, _("the wants do not hold together"));
            return;
        }
        VEC_PUSH(&wants->list, (const char *)bytes);
        from = to;
    }
}

size_t advisories_wants(const struct advisories *const_set, const char *const **out)
{
    struct advisories *set = own(const_set);
    if (!set->wants) {
        struct wants wants = {0};
        for (size_t m = 0; m < set->count; m++)
            read_wants(&set->members[m].file, &wants);
        if (wants.list.count && set->count > 1)
            qsort(wants.list.items, wants.list.count, sizeof *wants.list.items, by_text);
        const char **list = arena_alloc(set->arena, (wants.list.count + 1) * sizeof *list);
        for (size_t i = 0; i < wants.list.count; i++)
            if (!i || strcasecmp(wants.list.items[i], wants.list.items[i - 1]) != 0)
                list[set->want_count++] = wants.list.items[i];
        set->wants = list;
        VEC_FREE(&wants.list);
    }
    *out = set->wants;
    return set->want_count;
}

static void read_feeds(struct advisories *set, struct db_file *f, struct advisory_feed **list,
                       size_t *count)
{
    struct bytes in = db_file_section(f, DB_FEEDS);
    uint32_t here = bytes_u32le(&in);
    if (in.failed || here > bytes_left(&in) / 28) {
        db_file_note(f, _("the list of feeds does not hold together"));
        return;
    }
    struct advisory_feed *all = arena_alloc(set->arena, (*count + here + 1) * sizeof *all);
    if (*count)
        memcpy(all, *list, *count * sizeof *all);
    for (uint32_t i = 0; i < here; i++) {
        size_t length;
        const char *name = bytes_string(&in, 65536, &length);
        struct advisory_feed *feed = &all[*count];
        feed->imported = (int64_t)bytes_u64le(&in);
        feed->newest = (int64_t)bytes_u64le(&in);
        feed->documents = bytes_u32le(&in);
        feed->skipped = bytes_u32le(&in);
        if (in.failed || !name) {
            db_file_note(f, _("the list of feeds does not hold together"));
            break;
        }
        feed->name = arena_strndup(set->arena, name, length);
        feed->shipped = feed->imported == feed->newest; /* compile_feed(): DATE_NONE */
        ++*count;
    }
    *list = all;
}

size_t advisories_feeds(const struct advisories *const_set, const struct advisory_feed **out)
{
    struct advisories *set = own(const_set);
    if (!set->feeds) {
        struct advisory_feed *list = arena_alloc(set->arena, sizeof *list);
        for (size_t m = 0; m < set->count; m++)
            read_feeds(set, &set->members[m].file, &list, &set->feed_count);
        set->feeds = list;
    }
    *out = set->feeds;
    return set->feed_count;
}

bool advisories_verify(struct advisories *set, struct error *e)
{
    for (size_t m = 0; m < set->count; m++) {
        struct db_file *f = &set->members[m].file;
        if (!db_file_check_all(f, e))
            return false;
        for (uint32_t i = 0; i < f->documents; i++) {
            uint64_t place = db_file_place(f, i);
            const struct head *head = place ? set_head(set, m, place, i) : NULL;
            if (head && !document_check(&head->view))
                db_file_note(f, _("a document does not hold together"));
        }
    }
    const char *const *wants;
    const struct advisory_feed *feeds;
    advisories_wants(set, &wants);
    advisories_feeds(set, &feeds);
    return !advisories_damage(set, e);
}
