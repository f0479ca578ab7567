#include "model/date.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Days since 1970-01-01 of a proleptic Gregorian date: years are counted from March, so that
 * the leap day is the last of its year. */
static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_of(int64_t days, int64_t *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t m = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

static int month_days(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Exactly `count` digits at *s. */
static bool digits(const char **s, int count, int *out)
{
    int value = 0;
    for (int i = 0; i < count; i++, (*s)++) {
        if (!str_is_digit(**s))
            return false;
        value = value * 10 + (**s - '0');
    }
    *out = value;
    return true;
}

static bool clock_of(const char **s, int *seconds)
{
    int h, m, sec = 0;
    if (!digits(s, 2, &h) || *(*s)++ != ':' || !digits(s, 2, &m))
        return false;
    if (**s == ':') {
        (*s)++;
        if (!digits(s, 2, &sec))
            return false;
    }
    if (h > 23 || m > 59 || sec > 60)
        return false;
    *seconds = h * 3600 + m * 60 + sec;
    return true;
}

static bool parse(const char *s, int64_t *out, bool *day_only)
{
    int year, month, day = 1, clock = 0, offset = 0;
    if (!digits(&s, 4, &year) || *s++ != '-' || !digits(&s, 2, &month) || month < 1 || month > 12)
        return false;
    if (*s == '-') {
        s++;
        if (!digits(&s, 2, &day))
            return false;
    }
    if (day < 1 || day > month_days(year, month))
        return false;
    *day_only = !*s;
    if (*s) {
        if (*s != 'T' && *s != 't' && *s != ' ')
            return false;
        s++;
        if (!clock_of(&s, &clock))
            return false;
        if (*s == '.') {
            s++;
            while (str_is_digit(*s))
                s++;
        }
        if (*s == 'Z' || *s == 'z') {
            s++;
        } else {
            int sign = *s == '-' ? -1 : *s == '+' ? 1 : 0, h, m;
            if (!sign)
                return false;
            s++;
            if (!digits(&s, 2, &h) || *s++ != ':' || !digits(&s, 2, &m) || h > 23 || m > 59)
                return false;
            offset = sign * (h * 3600 + m * 60);
        }
        if (*s)
            return false;
    }
    *out = days_of(year, month, day) * 86400 + clock - offset;
    return true;
}

bool date_parse(const char *text, int64_t *out)
{
    bool day_only;
    return parse(text, out, &day_only);
}

bool date_parse_day_end(const char *text, int64_t *out)
{
    bool day_only;
    if (!parse(text, out, &day_only))
        return false;
    if (day_only)
        *out += 86399;
    return true;
}

bool date_parse_rfc5322(const char *text, int64_t *out)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char name[4], zone[8];
    int day, year, h, m, s;
    const char *comma = strchr(text, ',');
    if (comma)
        text = comma + 1;
    if (sscanf(text, " %2d %3[A-Za-z] %4d %2d:%2d:%2d %7s", &day, name, &year, &h, &m, &s, zone) !=
        7)
        return false;
    const char *at = strstr(months, name);
    if (!at || strlen(name) != 3 || (at - months) % 3 || year < 0)
        return false;
    int month = (int)(at - months) / 3 + 1;
    if (day < 1 || day > month_days(year, month) || h < 0 || h > 23 || m < 0 || m > 59 || s < 0 ||
        s > 60)
        return false;
    int offset = 0;
    if (zone[0] == '+' || zone[0] == '-') {
        int hhmm;
        const char *p = zone + 1;
        if (!digits(&p, 4, &hhmm) || *p)
            return false;
        offset = (zone[0] == '-' ? -1 : 1) * ((hhmm / 100) * 3600 + (hhmm % 100) * 60);
    } else if (!str_equal(zone, "UTC") && !str_equal(zone, "GMT") && !str_equal(zone, "Z")) {
        return false;
    }
    *out = days_of(year, month, day) * 86400 + (int64_t)h * 3600 + (int64_t)m * 60 + s - offset;
    return true;
}

static void split(int64_t when, int64_t *days, int64_t *rest)
{
    *days = when / 86400;
    *rest = when % 86400;
    if (*rest < 0) {
        *rest += 86400;
        *days -= 1;
    }
}

void date_format(int64_t when, char out[32])
{
    int64_t days, rest, year;
    int month, day;
    split(when, &days, &rest);
    date_of(days, &year, &month, &day);
    snprintf(out, 32, "%04lld-%02d-%02dT%02d:%02d:%02dZ", (long long)year, month, day,
             (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60));
}

void date_format_day(int64_t when, char out[16])
{
    char text[32];
    date_format(when, text);
    snprintf(out, 16, "%.10s", text);
}

int64_t date_now(void)
{
    return (int64_t)time(NULL);
}
