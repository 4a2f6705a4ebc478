/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * error.h: texts, results and exit codes.
 */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "error.h"

static void test_error_set_formats(void **state)
{
    struct error err = { 7, "poison" };

    (void)state;
    assert_int_equal(error_set(&err, RESULT_OWNED, "%s is owned by %d", "x", 5), RESULT_OWNED);
    assert_int_equal(err.code, RESULT_OWNED);
    assert_string_equal(err.text, "x is owned by 5");
}

static void test_error_set_without_struct(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, RESULT_USAGE, "%s", "x"), RESULT_USAGE);
    assert_int_equal(error_system(NULL, ENOSPC, "%s", "x"), ENOSPC);
    assert_int_equal(error_system(NULL, 0, "%s", "x"), EIO);
    assert_int_not_equal(error_prefix(NULL, "%s", "x"), 0);
}

static void test_error_set_own_text_as_argument(void **state)
{
    struct error err = { RESULT_USAGE, "inner" };

    (void)state;
    error_set(&err, RESULT_INVALID, "outer (%s)", err.text);
    assert_string_equal(err.text, "outer (inner)");
}

static void test_error_set_cuts_long_text(void **state)
{
    static char longer[3 * ERROR_TEXT_BYTES];
    struct error err;

    (void)state;
    memset(longer, 'x', sizeof(longer) - 1);
    error_set(&err, RESULT_USAGE, "%s", longer);
    assert_int_equal(strlen(err.text), ERROR_TEXT_BYTES - 1);
    error_system(&err, ENOENT, "%s", longer);
    assert_int_equal(strlen(err.text), ERROR_TEXT_BYTES - 1);
    assert_int_equal(error_prefix(&err, "%s", longer), ENOENT);
    assert_int_equal(strlen(err.text), ERROR_TEXT_BYTES - 1);
}

/* Wherever the text is cut, no character is cut in two. */
static void test_error_set_cuts_between_characters(void **state)
{
    static const char *const characters[] = { "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80" };
    static char longer[2 * ERROR_TEXT_BYTES];

    (void)state;
    for (size_t c = 0; c < 3; c++) {
        size_t size = strlen(characters[c]);

        for (size_t shift = 0; shift < size; shift++) {
            struct error err;
            size_t len = shift;

            memset(longer, 'x', shift);
            while (len + size < sizeof(longer)) {
                memcpy(longer + len, characters[c], size);
                len += size;
            }
            longer[len] = 0;
            error_set(&err, RESULT_USAGE, "%s", longer);
            len = strlen(err.text);
            assert_true(len > ERROR_TEXT_BYTES - 1 - size);
            assert_int_equal((len - shift) % size, 0);
        }
    }
}

static void test_error_system_appends_reason(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(error_system(&err, ENOSPC, "cannot write %s", "f"), ENOSPC);
    assert_int_equal(err.code, ENOSPC);
    assert_string_equal(err.text, "cannot write f: No space left on device");
    assert_int_equal(error_system(&err, 0, "cannot write f"), EIO);
    assert_string_equal(err.text, "cannot write f: Input/output error");
}

static void test_error_prefix_keeps_code(void **state)
{
    struct error err;

    (void)state;
    error_set(&err, RESULT_DAMAGED, "record 5 is short");
    assert_int_equal(error_prefix(&err, "checkpoint %s", "f"), RESULT_DAMAGED);
    assert_string_equal(err.text, "checkpoint f: record 5 is short");
}

static void test_error_prefix_nothing_set(void **state)
{
    struct error err = { 0, "" };

    (void)state;
    assert_int_equal(error_prefix(&err, "x"), 0);
    assert_string_equal(err.text, "");
}

static void test_result_name_every_result(void **state)
{
    (void)state;
    for (int r = RESULT_UNPROTECTED; r <= 0; r++) {
        assert_non_null(result_name(r));
        assert_string_not_equal(result_name(r), "unknown result");
        for (int other = RESULT_UNPROTECTED; other < r; other++)
            assert_string_not_equal(result_name(r), result_name(other));
    }
    assert_string_equal(result_name(RESULT_DAMAGED), "damaged");
    assert_string_equal(result_name(ENOSPC), "No space left on device");
    assert_string_equal(result_name(RESULT_FORBIDDEN - 1), "unknown result");
    assert_string_equal(result_name(INT_MIN), "unknown result");
    assert_non_null(result_name(INT_MAX));
}

static void test_result_exit_code_every_result(void **state)
{
    static const struct { int result, code; } rows[] = {
        { RESULT_OK, 0 }, { RESULT_DIFFERENT, 1 }, { RESULT_DAMAGED, 2 }, { RESULT_NEWER, 2 },
        { RESULT_FOREIGN, 2 }, { RESULT_OWNED, 3 }, { RESULT_USAGE, 100 },
        { RESULT_NOT_FOUND, 100 }, { RESULT_EXISTS, 100 }, { RESULT_INVALID, 100 },
        { RESULT_STORAGE, 111 }, { RESULT_WINE, 111 }, { RESULT_INEXACT, 111 },
        { RESULT_PROGRAM, 111 }, { RESULT_TIMEOUT, 111 }, { RESULT_UNPROTECTED, 111 },
        { RESULT_NOT_INSTALLED, 111 }, { RESULT_FORBIDDEN, 111 },
        { ENOSPC, 111 }, { INT_MAX, 111 }, { INT_MIN, 111 }, { RESULT_FORBIDDEN - 1, 111 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(result_exit_code(rows[i].result), rows[i].code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_set_formats),
        cmocka_unit_test(test_error_set_without_struct),
        cmocka_unit_test(test_error_set_own_text_as_argument),
        cmocka_unit_test(test_error_set_cuts_long_text),
        cmocka_unit_test(test_error_set_cuts_between_characters),
        cmocka_unit_test(test_error_system_appends_reason),
        cmocka_unit_test(test_error_prefix_keeps_code),
        cmocka_unit_test(test_error_prefix_nothing_set),
        cmocka_unit_test(test_result_name_every_result),
        cmocka_unit_test(test_result_exit_code_every_result),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
