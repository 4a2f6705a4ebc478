/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "timepoint.h"

#define SECOND_US 1000000u

/* "10m" and the like, in seconds; false: it is something else. */
static bool parse_ago(const char *text, uint64_t *seconds)
{
    static const struct {
        char letter;
        uint32_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    unsigned long long count;
    char *end;

    if (!isdigit((unsigned char)*text))
        return false;
    count = strtoull(text, &end, 10);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (*end == units[i].letter && !end[1] && count <= UINT32_MAX) {
            *seconds = count * units[i].seconds;
            return true;
        }
    return false;
}

/* A date, or a date and a time; false: it is something else. */
static bool parse_date(const char *text, time_t *seconds)
{
    static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M",
                                        "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"};

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct tm tm = {.tm_isdst = -1};
        const char *end = strptime(text, forms[i], &tm);
        int day = tm.tm_mday;

        if (!end || (*end && strcmp(end, "Z")))
            continue;
        *seconds = *end ? timegm(&tm) : mktime(&tm);
        return tm.tm_mday == day; /* 30 February became another day */
    }
    return false;
}

int timepoint_parse(const char *text, uint64_t now_us, uint64_t *out, struct error *err)
{
    uint64_t ago;
    time_t at;

    if (parse_ago(text, &ago)) {
        *out = ago * SECOND_US < now_us ? now_us - ago * SECOND_US : 0;
        return RESULT_OK;
    }
    if (!parse_date(text, &at) || at < 0)
        return error_set(err, RESULT_USAGE, "\"%s\" is not a time. Times are %s.", text,
                         TIMEPOINT_FORMS);
    *out = (uint64_t)at * SECOND_US + SECOND_US - 1;
    return RESULT_OK;
}
