/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * utf16.h: folding as Wine folds, order, the reversible UTF-8 form.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "error.h"
#include "utf16.h"

#define INTL_NLS "/usr/share/wine/nls/l_intl.nls"

#define U(s) ((struct utf16){ (const uint16_t *)u##s, sizeof(u##s) / 2 - 1 })

static void test_utf16_fold_unit_equals_installed_wine(void **state)
{
    static uint16_t words[0x20000];
    size_t count, at;
    FILE *file = fopen(INTL_NLS, "rb");
    unsigned changed = 0;

    (void)state;
    if (!file) {
        printf("skipped: %s is missing, so the fold table is not compared with Wine's\n", INTL_NLS);
        skip();
    }
    count = fread(words, 2, sizeof(words) / sizeof(words[0]), file);
    fclose(file);
    at = words[0];
    assert_true(at && at < count);
    at += words[at];
    assert_true(at && at + words[at] <= count);
    for (unsigned unit = 0; unit < 0x10000; unit++) {
        const uint16_t *table = words + at + 1;
        uint16_t want = unit + table[table[table[unit >> 8] + (unit >> 4 & 15)] + (unit & 15)];

        if (utf16_fold_unit(unit) != want)
            fail_msg("unit %04x folds to %04x, Wine to %04x", unit, utf16_fold_unit(unit), want);
        changed += want != unit;
    }
    assert_true(changed > 1000);
}

static void test_utf16_fold_unit_known(void **state)
{
    (void)state;
    assert_int_equal(utf16_fold_unit('A'), 'a');
    assert_int_equal(utf16_fold_unit('z'), 'z');
    assert_int_equal(utf16_fold_unit(0xc4), 0xe4);
    assert_int_equal(utf16_fold_unit(0x0416), 0x0436);
    assert_int_equal(utf16_fold_unit(0xdf), 0xdf);
    assert_int_equal(utf16_fold_unit(0), 0);
    assert_int_equal(utf16_fold_unit(0xd800), 0xd800);
    assert_int_equal(utf16_fold_unit(0xffff), 0xffff);
}

static void test_utf16_compare_nocase_order(void **state)
{
    static const uint16_t embedded[] = { 'a', 0 };

    (void)state;
    assert_int_equal(utf16_compare_nocase(U("Abc"), U("aBC")), 0);
    assert_int_equal(utf16_compare_nocase(U(""), U("")), 0);
    assert_true(utf16_compare_nocase(U(""), U("a")) < 0);
    assert_true(utf16_compare_nocase(U("ab"), U("A")) > 0);
    assert_true(utf16_compare_nocase(U("a"), (struct utf16){ embedded, 2 }) < 0);
    /* '_' lies between the capital and the small letters: the small ones count */
    assert_true(utf16_compare_nocase(U("_"), U("A")) < 0);
    /* units are numbers without a sign */
    assert_true(utf16_compare_nocase(U("\uffef"), U("a")) > 0);
    assert_int_equal(utf16_compare_nocase(U("\u00c4x"), U("\u00e4X")), 0);
}

static void test_utf16_equal_case_and_length(void **state)
{
    struct utf16 none = { NULL, 0 };

    (void)state;
    assert_true(utf16_equal(U("Abc"), U("Abc")));
    assert_false(utf16_equal(U("Abc"), U("abc")));
    assert_false(utf16_equal(U("Abc"), U("Ab")));
    assert_true(utf16_equal(none, U("")));
}

/* Both directions of one row. */
static void check_pair(struct utf16 s, const char *text, size_t len)
{
    struct utf16 back = { NULL, 99 };
    size_t got_len = 99;
    char *got = utf16_to_utf8(s, false, &got_len);

    assert_int_equal(got_len, len);
    assert_memory_equal(got, text, len + 1);
    assert_int_equal(strlen(got), len);
    free(got);
    assert_int_equal(utf16_from_utf8(text, len, &back), 0);
    assert_true(utf16_equal(s, back));
    free((void *)back.units);
}

static void test_utf16_to_utf8_forms(void **state)
{
    static const uint16_t nul[] = { 'a', 0, 'b' }, low_high[] = { 0xdc00, 0xd800 };

    (void)state;
    check_pair(U(""), "", 0);
    check_pair(U("a\u00e9\u20ac"), "a\xc3\xa9\xe2\x82\xac", 6);
    check_pair(U("\x7f\x80\u07ff\u0800\uffff"),
               "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf", 11);
    check_pair(U("\U00010000\U0010ffff"), "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8);
    check_pair((struct utf16){ nul, 3 }, "a\xc0\x80" "b", 4);
    check_pair((struct utf16){ low_high, 2 }, "\xed\xb0\x80\xed\xa0\x80", 6);
    check_pair((struct utf16){ low_high, 1 }, "\xed\xb0\x80", 3);
}

static void test_utf16_to_utf8_folds(void **state)
{
    char *got = utf16_to_utf8(U("ABC\u00c4\u0416"), true, NULL);

    (void)state;
    assert_string_equal(got, "abc\xc3\xa4\xd0\xb6");
    free(got);
}

static void test_utf16_from_utf8_refuses(void **state)
{
    static const struct { const char *text; size_t len; } rows[] = {
        { "\x80", 1 }, { "\xc3", 1 }, { "\xc3\x28", 2 }, { "\xe2\x82", 2 }, { "\xf0\x9f\x98", 3 },
        { "\xc1\x81", 2 },          /* too long a form of 'A' */
        { "\xe0\x80\x80", 3 },      /* too long a form of NUL */
        { "\xe0\x9f\xbf", 3 }, { "\xf0\x8f\xbf\xbf", 4 },
        { "\xf4\x90\x80\x80", 4 },  /* above U+10FFFF */
        { "\xf8\x88\x80\x80\x80", 5 }, { "\xff", 1 },
        { "a\0b", 3 },              /* NUL is C0 80 */
        { "\xed\xa0\x80\xed\xb0\x80", 6 }, /* a pair is one character of four bytes */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *copy = malloc(rows[i].len); /* exactly so long, that a sanitizer sees each overrun */
        struct utf16 out;

        memcpy(copy, rows[i].text, rows[i].len);
        if (utf16_from_utf8(copy, rows[i].len, &out) != RESULT_INVALID)
            fail_msg("row %zu was accepted", i);
        free(copy);
    }
}

/* Every unit, alone and in random company, comes back; different strings stay different. */
static void test_utf16_to_utf8_is_reversible(void **state)
{
    unsigned seed = 20240501;
    char *previous = NULL;

    (void)state;
    for (unsigned unit = 0; unit < 0x10000; unit++) {
        uint16_t units[8];
        struct utf16 s = { units, unit % 8 + 1 }, back;
        size_t len;
        char *text;

        for (size_t i = 0; i < 8; i++) {
            int kind = rand_r(&seed) % 4;

            units[i] = kind == 0 ? 0xd800 + rand_r(&seed) % 0x800 : rand_r(&seed) % 0x10000;
        }
        units[0] = unit;
        text = utf16_to_utf8(s, false, &len);
        assert_true(len <= 3 * s.len);
        assert_int_equal(utf16_from_utf8(text, len, &back), 0);
        assert_true(utf16_equal(s, back));
        if (previous)
            assert_string_not_equal(previous, text);
        free((void *)back.units);
        free(previous);
        previous = text;
    }
    free(previous);
}

static void test_utf16_for_display_escapes(void **state)
{
    static const uint16_t odd[] = { 'a', 0, 0x1b, 0x7f, 0x9b, 0xd800, 0xdc00, 0xd800, 'b', 0xdfff,
                                    0x202e, 0xfeff, 0xffff, 0xe9, '\\' };
    char *got = utf16_for_display((struct utf16){ odd, sizeof(odd) / 2 });

    (void)state;
    assert_string_equal(got, "a\\x0000\\x001b\\x007f\\x009b\xf0\x90\x80\x80\\xd800b\\xdfff"
                             "\\x202e\\xfeff\\xffff\xc3\xa9\\");
    free(got);
    got = utf16_for_display(U(""));
    assert_string_equal(got, "");
    free(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf16_fold_unit_equals_installed_wine),
        cmocka_unit_test(test_utf16_fold_unit_known),
        cmocka_unit_test(test_utf16_compare_nocase_order),
        cmocka_unit_test(test_utf16_equal_case_and_length),
        cmocka_unit_test(test_utf16_to_utf8_forms),
        cmocka_unit_test(test_utf16_to_utf8_folds),
        cmocka_unit_test(test_utf16_from_utf8_refuses),
        cmocka_unit_test(test_utf16_to_utf8_is_reversible),
        cmocka_unit_test(test_utf16_for_display_escapes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
