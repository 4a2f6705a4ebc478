/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "path_set.h"

static struct path_set set;

static int teardown(void **state)
{
    (void)state;
    path_set_free(&set);
    return 0;
}

static struct utf16 wide(const char *text)
{
    struct utf16 out;

    assert_int_equal(utf16_from_utf8(text, strlen(text), &out), 0);
    return out;
}

static void add(const char *text)
{
    struct utf16 path = wide(text);

    assert_int_equal(path_set_add(&set, path), 0);
    free((void *)path.units); /* the set has its own */
}

static void take_out(const char *text)
{
    struct utf16 path = wide(text);

    path_set_remove(&set, path);
    free((void *)path.units);
}

static bool covers(const char *text)
{
    struct utf16 path = wide(text);
    bool does = path_set_covers(&set, path);

    free((void *)path.units);
    return does;
}

static void test_covers_nothing_when_empty(void **state)
{
    (void)state;
    assert_false(covers(""));
    assert_false(covers("a"));
}

static void test_covers_what_was_added(void **state)
{
    (void)state;
    add("b\\c");
    assert_true(covers("b\\c"));
}

static void test_covers_what_is_below(void **state)
{
    (void)state;
    add("b\\c");
    assert_true(covers("b\\c\\d"));
    assert_true(covers("b\\c\\d\\e"));
}

static void test_covers_neither_what_is_above_nor_beside(void **state)
{
    (void)state;
    add("b\\c");
    assert_false(covers(""));
    assert_false(covers("b"));
    assert_false(covers("b\\d"));
    assert_false(covers("b\\cc"));
    assert_false(covers("b\\c2\\d"));
    assert_false(covers("c"));
}

static void test_covers_ignores_case(void **state)
{
    (void)state;
    add("Caf\xc3\xa9\\Key");
    assert_true(covers("CAF\xc3\x89\\kEY\\sub"));
}

static void test_covers_all_with_the_empty_path(void **state)
{
    (void)state;
    add("");
    assert_true(covers(""));
    assert_true(covers("a\\b"));
}

static void test_add_of_what_is_there_adds_nothing(void **state)
{
    (void)state;
    add("a");
    add("A");
    assert_int_equal(set.count, 1);
}

static void test_add_keeps_what_sorts_around_it(void **state)
{
    /* in the set's order '\' lies among the letters: below sorts not right behind above */
    static const char *const paths[] = {"m", "a", "z", "m\\a", "m a", "m.b", "mm", "b", "m\\a\\x"};

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        add(paths[i]);
    assert_int_equal(set.count, sizeof(paths) / sizeof(paths[0]));
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_true(covers(paths[i]));
    assert_false(covers("n"));
}

static void test_remove_takes_out_the_path_and_what_is_below(void **state)
{
    (void)state;
    add("a");
    add("b");
    add("B\\c");
    add("b\\c\\d");
    add("bc");
    take_out("b");
    assert_false(covers("b\\c\\d"));
    assert_true(covers("a"));
    assert_true(covers("bc"));
    assert_int_equal(set.count, 2);
}

static void test_remove_of_the_empty_path_takes_out_all(void **state)
{
    (void)state;
    add("");
    add("a\\b");
    take_out("");
    assert_int_equal(set.count, 0);
}

static void test_remove_of_what_is_not_there_changes_nothing(void **state)
{
    (void)state;
    add("a\\b");
    take_out("a\\c");
    take_out("a\\b\\c");
    assert_true(covers("a\\b"));
}

static void test_add_beyond_the_limit_starts_over(void **state)
{
    char text[32];

    (void)state;
    for (int i = 0; i < PATH_SET_MAX; i++) {
        snprintf(text, sizeof(text), "k%05d", i);
        add(text);
    }
    assert_int_equal(set.count, PATH_SET_MAX);
    add("k00000");
    assert_int_equal(set.count, PATH_SET_MAX);
    add("one more");
    assert_int_equal(set.count, 1);
    assert_true(covers("one more"));
    assert_false(covers("k00000"));
}

#define SET_TEST(name) cmocka_unit_test_teardown(name, teardown)
static const struct CMUnitTest tests[] = {
    SET_TEST(test_covers_nothing_when_empty),
    SET_TEST(test_covers_what_was_added),
    SET_TEST(test_covers_what_is_below),
    SET_TEST(test_covers_neither_what_is_above_nor_beside),
    SET_TEST(test_covers_ignores_case),
    SET_TEST(test_covers_all_with_the_empty_path),
    SET_TEST(test_add_of_what_is_there_adds_nothing),
    SET_TEST(test_add_keeps_what_sorts_around_it),
    SET_TEST(test_remove_takes_out_the_path_and_what_is_below),
    SET_TEST(test_remove_of_the_empty_path_takes_out_all),
    SET_TEST(test_remove_of_what_is_not_there_changes_nothing),
    SET_TEST(test_add_beyond_the_limit_starts_over),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
