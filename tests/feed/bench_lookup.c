/* bench_lookup - does a look-up cost by what the host has, and not by what the file holds?
 *
 *   bench_lookup [DOCUMENTS]     (default 5,000; the second file has ten times as many)
 *
 * Makes two files of synthetic package advisories, five for each package, and measures
 * opening and the cases of ten packages, warm. Prints microseconds; exit 1 if ten times the
 * documents cost more than 1.3 times as much. */
#include "tests/feed/feed_support.h"

#include "base/mem.h"
#include "base/str.h"
#include "feed/compile.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum { ROUNDS = 400, CASES_EACH = 8 };

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void add_document(struct compile *c, size_t number)
{
    struct advisory_case cases[CASES_EACH];
    char id[32], name[CASES_EACH][32], summary[400];
    const char *cve = id, *fixed = "vers:dpkg/>=1.2-3";
    snprintf(id, sizeof id, "CVE-2024-%06zu", number);
    memset(summary, 'x', sizeof summary);
    snprintf(summary + 380, 20, "%zu", number);
    for (size_t i = 0; i < CASES_EACH; i++) {
        snprintf(name[i], sizeof name[i], "package-%zu-%zu", number / 5, i);
        cases[i] = (struct advisory_case){.kind = CASE_PACKAGE,
                                          .product = "deb",
                                          .name = name[i],
                                          .vendor = "debian",
                                          .distro = "bookworm",
                                          .arch = "source",
                                          .platform = "",
                                          .title = name[i],
                                          .affected = "vers:dpkg/<1.2-3",
                                          .fixed_count = 1,
                                          .fixed_ranges = &fixed,
                                          .rule = "",
                                          .exposed_by = "",
                                          .port = "",
                                          .cvss = 7.5,
                                          .cve_count = 1,
                                          .cves = &cve};
    }
    struct document d = {.head = {.id = id,
                                  .title = "A synthetic advisory",
                                  .publisher = "P",
                                  .publisher_namespace = "https://p.example",
                                  .summary = summary,
                                  .feed = "bench"},
                         .case_count = CASES_EACH,
                         .cases = cases};
    CLEANUP_STR struct str block = {0};
    enum compile_outcome outcome;
    if (!document_pack(&block, &d, NULL) ||
        !compile_add(c, block.data, block.length, &outcome, NULL))
        abort();
}

static off_t make(const char *dir, const char *name, size_t documents)
{
    CLEANUP_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY);
    struct compile *c;
    struct stat st;
    double start = now_us();
    if (!compile_new(&c, fd, NULL))
        abort();
    for (size_t i = 0; i < documents; i++)
        add_document(c, i);
    if (!compile_write(c, name, NULL) || fstatat(fd, name, &st, 0) != 0)
        abort();
    compile_free(c);
    printf("%zu documents: %.1f MB, compiled in %.0f ms\n", documents, (double)st.st_size / 1e6,
           (now_us() - start) / 1e3);
    return st.st_size;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of opening, ten look-ups and closing. */
static double measure(const char *dir, const char *name, size_t documents)
{
    double took[ROUNDS];
    for (size_t r = 0; r < ROUNDS; r++) {
        double start = now_us();
        struct advisories *set = feed_open(dir, name);
        for (size_t i = 0; i < 10; i++) {
            char package[64];
            const struct advisory_case *const *cases;
            snprintf(package, sizeof package, "package-%zu-%zu", i * (documents / 5 / 10), i % 8);
            if (advisories_cases(set, CASE_PACKAGE, "deb", package, &cases) != 5)
                abort();
        }
        advisories_close(set);
        took[r] = now_us() - start;
    }
    qsort(took, ROUNDS, sizeof *took, by_value);
    return took[ROUNDS / 2];
}

int main(int argc, char **argv)
{
    size_t documents = argc > 1 ? strtoul(argv[1], NULL, 10) : 5000;
    char *dir = support_temp_dir();
    make(dir, "1.db", documents);
    make(dir, "10.db", documents * 10);
    double one = measure(dir, "1.db", documents), ten = measure(dir, "10.db", documents * 10);
    printf("open and cases of 10 packages: %.0f us, %.0f us for ten times as much: x %.2f\n", one,
           ten, ten / one);
    support_remove_tree(dir);
    free(dir);
    return ten > one * 1.3;
}
