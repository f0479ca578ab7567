/* feed_support.h - small documents, and databases made of them. */
#ifndef YAGURA_TESTS_FEED_SUPPORT_H
#define YAGURA_TESTS_FEED_SUPPORT_H

#include "tests/support.h"

#include "feed/advisories.h"
#include "feed/document.h"

/* A document that reads well: `tree` is the body of product_tree, `vulnerabilities` the items
 * of that list. malloc block. */
char *feed_document(const char *id, const char *date, const char *tree,
                    const char *vulnerabilities);
/* The two servers and patches of most tests: IIS 4.0 and 5.0, Q1 and Q2 for each. `four` and
 * `five` are more URIs of Q2 for the two (with a comma in front), or "". */
char *feed_iis(const char *id, const char *date, const char *four, const char *five);

/* Reads, packs and compiles `count` documents into DIR/NAME; fails the test if one is refused. */
void feed_compile(const char *dir, const char *name, const char *const *texts, size_t count);
struct advisories *feed_open(const char *dir, const char *name);
/* The same in one step; free the document yourself. */
struct advisories *feed_open_one(const char *dir, const char *text);

#endif
