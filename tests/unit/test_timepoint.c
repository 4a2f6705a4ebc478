/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Points in time as they are written on the command line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "timepoint.h"

#define NOW_US 1800000000000000u

static void test_timepoint_parse_forms(void **state)
{
    static const struct { const char *text; uint64_t us; } rows[] = {
        { "0s", NOW_US }, { "30s", NOW_US - 30000000u }, { "10m", NOW_US - 600000000u },
        { "2h", NOW_US - 7200000000u }, { "3d", NOW_US - 259200000000u },
        { "1w", NOW_US - 604800000000u }, { "4000000w", 0 },
        { "2026-11-23", 1795392000999999u }, { "2026-11-23Z", 1795392000999999u },
        { "2026-11-23 12:30", 1795437000999999u }, { "2026-11-23T12:30:05", 1795437005999999u },
        { "2026-11-23 12:30:05Z", 1795437005999999u },
    };
    uint64_t us;
    size_t i;

    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(timepoint_parse(rows[i].text, NOW_US, &us, NULL), 0);
        if (us != rows[i].us) fail_msg("%s: %llu", rows[i].text, (unsigned long long)us);
    }
}

static void test_timepoint_parse_local_time(void **state)
{
    uint64_t us;

    (void)state;
    setenv("TZ", "XXX-2", 1); /* two hours east */
    tzset();
    assert_int_equal(timepoint_parse("2026-11-23 12:30", NOW_US, &us, NULL), 0);
    assert_true(us == 1795437000999999u - 7200000000u);
    assert_int_equal(timepoint_parse("2026-11-23 12:30Z", NOW_US, &us, NULL), 0);
    assert_true(us == 1795437000999999u);
}

static void test_timepoint_parse_refuses(void **state)
{
    static const char *const bad[] = { "", "soon", "10", "10x", "10mm", "-5m", "2026-13-01",
                                       "2026-02-30", "2026-11-23 25:00", "2026-11-23 12:30 x",
                                       "12:30", "1900-01-01" };
    struct error err;
    uint64_t us;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (timepoint_parse(bad[i], NOW_US, &us, &err) != RESULT_USAGE) fail_msg("\"%s\"", bad[i]);
        assert_non_null(strstr(err.text, "10m, 2h, 3d"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timepoint_parse_forms),
        cmocka_unit_test(test_timepoint_parse_local_time),
        cmocka_unit_test(test_timepoint_parse_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
