#include "collect/os_support.h"

#include "base/str.h"

#include <string.h>

enum { MOST_COLUMNS = 16, MOST_CELL = 64 };

/* Facts of distro-info-data 0.58+deb12u6. */
static const struct {
    const char *distribution, *version;
    struct os_support dates;
} own_table[] = {
    {"debian", "7", {"wheezy", "2016-04-25", "2018-05-31", "2020-06-30", 0}},
    {"debian", "8", {"jessie", "2018-06-17", "2020-06-30", "2025-06-30", 0}},
    {"debian", "9", {"stretch", "2020-07-18", "2022-06-30", "2027-06-30", 0}},
    {"debian", "10", {"buster", "2022-09-10", "2024-06-30", "2029-06-30", 0}},
    {"debian", "11", {"bullseye", "2024-08-14", "2026-08-31", "2031-06-30", 0}},
    {"debian", "12", {"bookworm", "2026-07-11", "2028-06-30", "2033-06-30", 0}},
    {"debian", "13", {"trixie", "2028-08-09", "2030-06-30", "2035-06-30", 0}},
    {"ubuntu", "14.04", {"trusty", "2019-04-25", "", "2024-04-25", 0}},
    {"ubuntu", "14.10", {"utopic", "2015-07-23", "", "", 0}},
    {"ubuntu", "15.04", {"vivid", "2016-02-04", "", "", 0}},
    {"ubuntu", "15.10", {"wily", "2016-07-28", "", "", 0}},
    {"ubuntu", "16.04", {"xenial", "2021-04-30", "", "2026-04-23", 0}},
    {"ubuntu", "16.10", {"yakkety", "2017-07-20", "", "", 0}},
    {"ubuntu", "17.04", {"zesty", "2018-01-13", "", "", 0}},
    {"ubuntu", "17.10", {"artful", "2018-07-19", "", "", 0}},
    {"ubuntu", "18.04", {"bionic", "2023-05-31", "", "2028-04-26", 0}},
    {"ubuntu", "18.10", {"cosmic", "2019-07-18", "", "", 0}},
    {"ubuntu", "19.04", {"disco", "2020-01-23", "", "", 0}},
    {"ubuntu", "19.10", {"eoan", "2020-07-17", "", "", 0}},
    {"ubuntu", "20.04", {"focal", "2025-05-29", "", "2030-04-23", 0}},
    {"ubuntu", "20.10", {"groovy", "2021-07-22", "", "", 0}},
    {"ubuntu", "21.04", {"hirsute", "2022-01-20", "", "", 0}},
    {"ubuntu", "21.10", {"impish", "2022-07-14", "", "", 0}},
    {"ubuntu", "22.04", {"jammy", "2027-06-01", "", "2032-04-21", 0}},
    {"ubuntu", "22.10", {"kinetic", "2023-07-20", "", "", 0}},
    {"ubuntu", "23.04", {"lunar", "2024-01-25", "", "", 0}},
    {"ubuntu", "23.10", {"mantic", "2024-07-11", "", "", 0}},
    {"ubuntu", "24.04", {"noble", "2029-05-31", "", "2034-04-25", 0}},
    {"ubuntu", "24.10", {"oracular", "2025-07-10", "", "", 0}},
    {"ubuntu", "25.04", {"plucky", "2026-01-15", "", "", 0}},
    {"ubuntu", "25.10", {"questing", "2026-07-09", "", "", 0}},
    {"ubuntu", "26.04", {"resolute", "2031-05-29", "", "2036-04-23", 0}},
};

static bool release_is(const char *series, const char *version, const char *has_series,
                       const char *has_version)
{
    return (series && *series && str_equal_nocase(series, has_series)) ||
           ((!series || !*series) && version && *version && str_equal(version, has_version));
}

bool os_support_builtin(struct os_support *out, const char *distribution, const char *series,
                        const char *version)
{
    for (size_t i = 0; i < ARRAY_COUNT(own_table); i++)
        if (str_equal(own_table[i].distribution, distribution) &&
            release_is(series, version, own_table[i].dates.series, own_table[i].version)) {
            *out = own_table[i].dates;
            return true;
        }
    return false;
}

const char *os_support_builtin_source(void)
{
    return "distro-info-data 0.58+deb12u6, as shipped with yagura";
}

/* The cells of a line; the data hold no quotes. Too long cells are cut. */
static size_t split(const char *line, size_t length, char cells[MOST_COLUMNS][MOST_CELL])
{
    size_t count = 0, used = 0;
    memset(cells, 0, (size_t)MOST_COLUMNS * MOST_CELL);
    for (size_t i = 0; i <= length && count < MOST_COLUMNS; i++) {
        if (i == length || line[i] == ',') {
            count++;
            used = 0;
        } else if (used < MOST_CELL - 1 && line[i]) {
            cells[count][used++] = line[i];
        }
    }
    return count;
}

bool os_support_find(struct os_support *out, struct arena *arena, const char *text, size_t size,
                     const char *series, const char *version)
{
    enum { VERSION, SERIES, EOL, EOL_LTS, EOL_ELTS, EOL_ESM, COLUMNS };
    static const char *const names[COLUMNS] = {"version", "series",   "eol",
                                               "eol-lts", "eol-elts", "eol-esm"};
    char cells[MOST_COLUMNS][MOST_CELL];
    size_t column[COLUMNS], position = 0, length;
    const char *line;
    uint64_t number = 1;
    if (!str_next_line(text, size, &position, &line, &length))
        return false;
    size_t count = split(line, length, cells);
    for (size_t i = 0; i < COLUMNS; i++) {
        column[i] = MOST_COLUMNS;
        for (size_t k = 0; k < count; k++)
            if (str_equal(cells[k], names[i]))
                column[i] = k;
    }
    if (column[VERSION] == MOST_COLUMNS || column[SERIES] == MOST_COLUMNS)
        return false;
    while (str_next_line(text, size, &position, &line, &length)) {
        const char *cell[COLUMNS];
        split(line, length, cells);
        number++;
        for (size_t i = 0; i < COLUMNS; i++)
            cell[i] = column[i] < MOST_COLUMNS ? cells[column[i]] : "";
        char *lts = strstr(cells[column[VERSION]], " LTS");
        if (lts)
            *lts = '\0';
        if (!release_is(series, version, cell[SERIES], cell[VERSION]))
            continue;
        const char *paid = *cell[EOL_ELTS] ? cell[EOL_ELTS] : cell[EOL_ESM];
        *out = (struct os_support){
            arena_strdup(arena, cell[SERIES]), arena_strdup(arena, cell[EOL]),
            arena_strdup(arena, cell[EOL_LTS]), arena_strdup(arena, paid), number};
        return true;
    }
    return false;
}
