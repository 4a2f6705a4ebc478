/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image.h: glob patterns, image_exclude, exclude_matches.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "random_image.h"

/* Patterns are not const. */
#define TEXT(s) ((char[]){ s })

static void test_glob_matches_table(void **state)
{
    static const struct { const char *pattern; const char *text; bool matches; } rows[] = {
        { "", "", true }, { "", "a", false }, { "*", "", true }, { "**", "", true },
        { "?", "", false }, { "abc", "ABC", true }, { "ABC", "abcd", false },
        { "a?c", "abc", true },
        { "a?c", "ac", false }, { "a*c", "ac", true }, { "a*c", "abbc", true },
        { "a*c", "acb", false },
        { "*c", "abcc", true }, { "*bc*", "abcd", true }, { "*b*c*", "acb", false },
        { "a*", "a\\b\\c", true }, { "a\\*\\c", "A\\x\\y\\c", true }, { "a\\b", "a\\b", true },
        { "a?b", "a\\b", true }, { "[abc]x", "Bx", true }, { "[a-c]x", "Dx", false },
        { "[A-C]", "b", true }, { "[!a-c]", "b", false }, { "[^a-c]", "d", true },
        { "[!a]", "A", false },
        { "[]a]", "]", true }, { "[!]a]", "]", false }, { "[a-]", "-", true },
        { "[-a]", "-", true },
        { "[*]", "*", true }, { "[*]", "x", false }, { "[?]", "?", true }, { "[[]", "[", true },
        { "[abc", "[abc", true }, { "[abc", "a", false }, { "[", "[", true }, { "[]", "[]", true },
        { "[!]", "[!]", true }, { "*[0-9]", "abc7", true }, { "[c-a]", "b", false },
        { "\xc3\x84*", "\xc3\xa4x", true }, { "?", "\xe2\x82\xac", true },
        { "[\xc3\xa0-\xc3\xbf]", "\xc3\x89", true },
        { "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", true },
        { "??", "\xf0\x9f\x98\x80", true }, { "*\xf0\x9f\x98\x80", "a\xf0\x9f\x98\x80", true },
        { "\xff", "\xc3\xbf", false }, { "*\xff", "abc", false }, { "a\xc3", "a", false },
        { "\xf0\x9f\x98\x80", "\xed\xa0\xbd", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct utf16 text;

        assert_int_equal(utf16_from_utf8(rows[i].text, strlen(rows[i].text), &text), 0);
        if (glob_matches(rows[i].pattern, text) != rows[i].matches)
            fail_msg("%s on %s: not %d", rows[i].pattern, rows[i].text, rows[i].matches);
        free((void *)text.units);
    }
}

/* A pattern that takes ages where every '*' is tried anew. */
static void test_glob_matches_hostile_pattern_in_time(void **state)
{
    static char pattern[1001];
    static uint16_t units[10000];
    clock_t start = clock();

    (void)state;
    for (int i = 0; i < 1000; i += 2)
        memcpy(pattern + i, "*a", 2);
    pattern[999] = 'b';
    for (int i = 0; i < 10000; i++)
        units[i] = 'a';
    assert_false(glob_matches(pattern, (struct utf16){ units, 10000 }));
    assert_true(clock() - start < 2 * CLOCKS_PER_SEC);
}

static struct image_key *add(struct image *image, struct utf16 path)
{
    struct change c = { .kind = CHANGE_CREATE_KEY, .path = path };

    assert_int_equal(image_apply(image, &c), 0);
    return image_find_key(image, path);
}

static void test_image_exclude_keys(void **state)
{
    char *patterns[] = { TEXT("A\\Temp*") };
    struct exclude exclude = { patterns, 1, NULL, 0 };
    struct image image;

    (void)state;
    image_init(&image);
    image_set_value(&image, add(&image, U("a\\temp1\\below")), U("v"), 1, "xx", 2);
    add(&image, U("a\\keep\\temp"));
    add(&image, U("temp"));
    assert_int_equal(image_exclude(&image, &exclude), 0);
    assert_null(image_find_key(&image, U("a\\temp1")));
    assert_non_null(image_find_key(&image, U("temp")));
    assert_non_null(image_find_key(&image, U("a\\keep\\temp")));
    assert_true(image.root->pinned);
    assert_true(image_find_key(&image, U("a"))->pinned);
    assert_false(image_find_key(&image, U("a\\keep"))->pinned);
    assert_false(image_find_key(&image, U("temp"))->pinned);
    assert_int_equal(image.key_count, 5);
    assert_int_equal(image.value_count, 0);
    assert_int_equal(image.data_bytes, 0);
    image_free(&image);
}

static void test_image_exclude_values(void **state)
{
    char *patterns[] = { TEXT("ImagePath"), TEXT("k\\*Count") };
    struct exclude exclude = { NULL, 0, patterns, 2 };
    struct image image;
    struct image_key *key, *other;

    (void)state;
    image_init(&image);
    key = add(&image, U("k\\s"));
    other = add(&image, U("other"));
    image_set_value(&image, image.root, U("imagepath"), 1, "x", 1);
    image_set_value(&image, image.root, U("Start"), 1, "x", 1);
    image_set_value(&image, key, U("AcCOUNT"), 1, "x", 1);
    image_set_value(&image, key, U("ImagePath"), 1, "x", 1);
    image_set_value(&image, other, U("Count"), 1, "x", 1);
    assert_int_equal(image_exclude(&image, &exclude), 0);
    assert_null(image_find_value(image.root, U("ImagePath")));
    assert_non_null(image_find_value(image.root, U("Start")));
    assert_null(image_find_value(key, U("AcCount")));
    assert_non_null(image_find_value(key, U("ImagePath")));
    assert_int_equal(other->value_count, 1);
    assert_true(key->pinned && key->parent->pinned && image.root->pinned);
    assert_false(other->pinned);
    assert_int_equal(image.value_count, 3);
    assert_int_equal(image.data_bytes, 3);
    image_free(&image);
}

static void test_image_exclude_never_the_registered_key(void **state)
{
    char *patterns[] = { TEXT("*") };
    struct exclude exclude = { patterns, 1, NULL, 0 };
    struct image image;

    (void)state;
    image_init(&image);
    assert_int_equal(image_exclude(&image, &exclude), 0);
    add(&image, U("a\\b"));
    assert_int_equal(image_exclude(&image, &exclude), 0);
    assert_int_equal(image.key_count, 1);
    assert_true(image.root->pinned);
    image_free(&image);
}

static void test_exclude_matches_changes(void **state)
{
    static const struct { enum change_kind kind; struct utf16 path, name; bool matches; } rows[] = {
        { CHANGE_CREATE_KEY, { u"a\\temp", 6 }, { NULL, 0 }, true },
        { CHANGE_DELETE_KEY, { u"A\\TEMP\\x", 8 }, { NULL, 0 }, true },
        { CHANGE_SET_VALUE, { u"a\\temp\\x", 8 }, { u"v", 1 }, true },
        { CHANGE_CREATE_KEY, { u"a\\tempo", 7 }, { NULL, 0 }, false },
        { CHANGE_CREATE_KEY, { u"", 0 }, { NULL, 0 }, false },
        { CHANGE_SET_VALUE, { u"", 0 }, { u"START", 5 }, true },
        { CHANGE_DELETE_VALUE, { u"", 0 }, { u"Start", 5 }, true },
        { CHANGE_SET_VALUE, { u"k", 1 }, { u"Start", 5 }, false },
        { CHANGE_SET_VALUE, { u"k", 1 }, { u"x", 1 }, true },
        { CHANGE_CREATE_KEY, { u"start", 5 }, { NULL, 0 }, false },
        { CHANGE_CREATE_KEY, { u"k\\x", 3 }, { NULL, 0 }, false },
    };
    char *keys[] = { TEXT("a\\temp") }, *values[] = { TEXT("Start"), TEXT("K\\X") };
    struct exclude exclude = { keys, 1, values, 2 };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct change c = { .kind = rows[i].kind, .path = rows[i].path, .name = rows[i].name };

        if (exclude_matches(&exclude, &c) != rows[i].matches)
            fail_msg("row %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_glob_matches_table),
        cmocka_unit_test(test_glob_matches_hostile_pattern_in_time),
        cmocka_unit_test(test_image_exclude_keys),
        cmocka_unit_test(test_image_exclude_values),
        cmocka_unit_test(test_image_exclude_never_the_registered_key),
        cmocka_unit_test(test_exclude_matches_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
