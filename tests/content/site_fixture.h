/* site_fixture.h - a small site in a folder of the test's own, published as generation 1. */
#ifndef YAGURA_TESTS_CONTENT_SITE_FIXTURE_H
#define YAGURA_TESTS_CONTENT_SITE_FIXTURE_H

#include "content/capture.h"
#include "content/generations.h"
#include "content/mend.h"

struct site_fixture {
    char *dir; /* holds www/ (the document root), state/ and victim */
    char root[256];
    int rootfd;
    struct state *state;
    struct objects *objects;
    struct policies *policies;
    struct site_row row;
    struct generation generation;
    struct aside aside;
    struct mender mender;
    size_t undone, left, failed; /* events of the mender */
    char last_evidence[ASIDE_NAME_SIZE];
};

void site_make(struct site_fixture *f);
void site_publish(struct site_fixture *f); /* what is there now, as the next generation */
void site_remove(struct site_fixture *f);

/* Runs a line of sh in the document root; fails the test if it fails. */
void site_sh(struct site_fixture *f, const char *line);

/* A text that says all of a tree: types, modes, owners, times, contents, targets, attributes.
 * free() it. */
char *site_describe(const char *root);

#endif
