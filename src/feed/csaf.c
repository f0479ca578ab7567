#include "feed/csaf.h"

#include "base/json.h"
#include "base/str.h"
#include "feed/csaf_products.h"
#include "feed/csaf_severity.h"
#include "feed/csaf_vuln.h"
#include "model/date.h"

#include <stdio.h>

static const char *copy(struct arena *arena, const json_t *object, const char *key)
{
    const char *text = json_get_string(object, key);
    return text ? arena_strdup(arena, text) : "";
}

/* The text of the first note of a category; in the document's notes, else those of the first
 * vulnerability that has one. */
static const char *note(struct arena *arena, const json_t *root, const char *category)
{
    const json_t *lists[2] = {json_get_array(json_get_object(root, "document"), "notes"), NULL};
    lists[1] = json_get_array(json_array_get(json_get_array(root, "vulnerabilities"), 0), "notes");
    for (size_t l = 0; l < ARRAY_COUNT(lists); l++) {
        const json_t *item;
        size_t i;
        json_array_foreach(lists[l], i, item)
        {
            const char *found = json_get_string(item, "category");
            if (found && str_equal(found, category))
                return copy(arena, item, "text");
        }
    }
    return "";
}

/* CSAF 2.0, 3.2.1.10: a reference without a category is external. */
static const char *first_url(struct arena *arena, const json_t *document)
{
    const json_t *list = json_get_array(document, "references"), *item;
    const char *self = "";
    size_t i;
    json_array_foreach(list, i, item)
    {
        const char *category = json_get_string(item, "category");
        if (!category || str_equal(category, "external"))
            return copy(arena, item, "url");
        if (!*self)
            self = copy(arena, item, "url");
    }
    return self;
}

static void read_revisions(struct document *d, struct arena *arena, const json_t *tracking)
{
    const json_t *list = json_get_array(tracking, "revision_history"), *item;
    d->revision_count = json_array_size(list);
    d->revisions = arena_alloc(arena, (d->revision_count + 1) * sizeof *d->revisions);
    size_t i;
    json_array_foreach(list, i, item)
    {
        struct advisory_revision *r = &d->revisions[i];
        r->date = DATE_NONE;
        const char *date = json_get_string(item, "date");
        if (date)
            date_parse(date, &r->date);
        r->number = copy(arena, item, "number");
        r->summary = copy(arena, item, "summary");
    }
}

static int64_t date_of(const json_t *tracking, const char *key)
{
    int64_t date = DATE_NONE;
    const char *text = json_get_string(tracking, key);
    if (text)
        date_parse(text, &date);
    return date;
}

/* Published by a vendor about packages of a distribution's own formats. */
static bool is_distribution(const struct document *d, const json_t *publisher)
{
    static const char *const types[] = {"deb", "rpm", "apk", "alpm"};
    const char *category = json_get_string(publisher, "category");
    if (!category || !str_equal(category, "vendor"))
        return false;
    for (size_t i = 0; i < d->case_count; i++)
        for (size_t t = 0; d->cases[i].kind == CASE_PACKAGE && t < ARRAY_COUNT(types); t++)
            if (str_equal(d->cases[i].product, types[t]))
                return true;
    return false;
}

static bool read_head(struct document *d, struct arena *arena, const json_t *root, struct error *e)
{
    const json_t *document = json_get_object(root, "document");
    if (!document) {
        error_set(e, ERR_UNSUPPORTED, "this is JSON, but no CSAF document: it has no \"document\"");
        return false;
    }
    const json_t *tracking = json_get_object(document, "tracking");
    const json_t *publisher = json_get_object(document, "publisher");
    struct advisory *head = &d->head;
    head->id = copy(arena, tracking, "id");
    if (!*head->id || strlen(head->id) > 1024) {
        error_set(e, ERR_FORMAT, "document.tracking.id is missing or too long");
        return false;
    }
    const char *status = json_get_string(tracking, "status");
    d->deleted = status && str_equal(status, "deleted");
    if (!*copy(arena, document, "category") && !d->deleted) {
        error_set(e, ERR_FORMAT, "document.category is missing");
        return false;
    }
    head->title = copy(arena, document, "title");
    head->publisher = copy(arena, publisher, "name");
    head->publisher_namespace = copy(arena, publisher, "namespace");
    head->contact = copy(arena, publisher, "contact_details");
    head->version = copy(arena, tracking, "version");
    head->summary = note(arena, root, "summary");
    head->description = note(arena, root, "description");
    head->url = first_url(arena, document);
    head->released = date_of(tracking, "initial_release_date");
    head->revised = date_of(tracking, "current_release_date");
    if (head->revised == DATE_NONE)
        head->revised = head->released;
    if (head->released == DATE_NONE)
        head->released = head->revised;
    read_revisions(d, arena, tracking);
    return true;
}

bool csaf_read(struct document *out, struct arena *arena, const char *text, size_t size,
               const struct csaf_source *source, struct error *e)
{
    CLEANUP_JSON json_t *root =
        json_parse(text, size, source->path, DOCUMENT_MOST_BYTES, DOCUMENT_MOST_STRING, e);
    if (!root)
        return false;
    struct document d = {.head.source_file = arena_strdup(arena, source->path),
                         .head.feed = arena_strdup(arena, source->feed)};
    struct csaf_products products = {0};
    bool good = read_head(&d, arena, root, e) && csaf_products_read(&products, arena, root, e) &&
                csaf_vulnerabilities(&d, &products, arena, root, e);
    csaf_products_free(&products);
    if (!good) {
        error_at(e, source->path, 0, 0);
        return false;
    }
    d.head.severity = csaf_severity_of(&d, root);
    d.head.distribution =
        is_distribution(&d, json_get_object(json_get_object(root, "document"), "publisher"));
    *out = d;
    return true;
}
