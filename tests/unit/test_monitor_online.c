/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Going online: what is captured, what is restored, what is refused.
 */
#include "monitor_fixture.h"
#include "played_wine.h"

static void test_online_captures_an_uncaptured_key(void **state)
{
    (void)state;
    given_key(APP, 0, NULL, NULL);
    given_registry(APP, "a=1;sub\\b=2;empty\\");
    monitor_online();
    assert_checkpoint(APP, "a=1;sub\\b=2;empty\\");
    assert_registry(APP, "a=1;sub\\b=2;empty\\");
    assert_int_equal(times_asked("load") + times_asked("apply"), 0);
    monitor_ends_offline();
}

static void test_online_leaves_an_uncaptured_key_alone_that_does_not_exist(void **state)
{
    struct registered_key key;

    (void)state;
    given_key(APP, KEY_FUTURE, NULL, NULL);
    monitor_online();
    monitor_ends_offline();
    assert_true(checkpoint_key(APP, &key));
    assert_false(key.flags & KEY_CAPTURED);
    assert_registry(APP, NULL);
}

static void test_online_loads_into_an_empty_registry(void **state)
{
    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1;sub\\deep\\b=2", NULL);
    monitor_online();
    assert_registry(APP, "a=1;sub\\deep\\b=2");
    assert_int_equal(times_asked("load"), 1);
    assert_int_equal(times_asked("apply"), 0);
    monitor_ends_offline();
    assert_checkpoint(APP, "a=1;sub\\deep\\b=2");
}

static void test_online_changes_only_what_differs(void **state)
{
    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1;b=2;sub\\c=3", NULL);
    given_registry(APP, "a=1;b=old;extra=4;gone\\d=5");
    monitor_online();
    assert_registry(APP, "a=1;b=2;sub\\c=3");
    assert_int_equal(times_asked("load"), 0);
    assert_int_equal(times_asked("apply"), 1);
    monitor_ends_offline();
}

static void test_online_removes_a_key_that_was_captured_as_absent(void **state)
{
    (void)state;
    given_key(APP, KEY_CAPTURED, NULL, NULL);
    given_registry(APP, "a=1");
    monitor_online();
    assert_registry(APP, NULL);
    monitor_ends_offline();
}

static void test_online_changes_nothing_where_all_is_equal(void **state)
{
    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    given_registry(APP, "a=1");
    monitor_online();
    assert_int_equal(times_asked("load") + times_asked("apply"), 0);
    monitor_ends_offline();
}

static void test_online_restores_nothing_that_is_excluded(void **state)
{
    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1;cache=checkpoint", "cache");
    given_registry(APP, "a=0;cache=mine");
    monitor_online();
    assert_registry(APP, "a=1;cache=mine");
    monitor_ends_offline();
}

static void test_online_captures_nothing_that_is_excluded(void **state)
{
    (void)state;
    given_key(APP, 0, NULL, "cache");
    given_registry(APP, "a=1;cache=mine");
    monitor_online();
    assert_checkpoint(APP, "a=1");
    monitor_ends_offline();
}

static void test_online_that_stays_inexact_starts_no_program(void **state)
{
    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1;b=2", NULL);
    given_registry(APP, "b=2");
    given_script("apply 0 lose\n");
    assert_int_equal(monitor_fails(), 121);
    assert_says(fix.talk, "'a'");
    assert_says(fix.talk, APP);
    assert_int_equal(times_asked("start"), 0);
    assert_checkpoint(APP, "a=1;b=2");
    assert_false(file_exists(STORE_LAST_GOOD));
    assert_true(resource_is_free());
}

static void test_online_goes_on_where_a_lost_change_is_made_up_for(void **state)
{
    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1;b=2", NULL);
    given_registry(APP, "b=2");
    given_script("apply 1 lose\n");
    monitor_online();
    assert_registry(APP, "a=1;b=2");
    monitor_ends_offline();
}

static void test_online_goes_on_where_a_refused_load_is_made_up_for(void **state)
{
    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    given_script("load 1 status c0000022\n");
    monitor_online();
    assert_registry(APP, "a=1");
    monitor_ends_offline();
}

static void test_online_raises_the_epoch_and_marks_the_registry_with_it(void **state)
{
    struct checkpoint_state first, second;

    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    monitor_online();
    checkpoint_state_read(&first);
    assert_int_equal(first.status, CHECKPOINT_ONLINE);
    assert_string_equal(first.node, "here");
    assert_int_equal(first.pid, fix.monitor);
    assert_int_equal(played_number(fix.prefix, "marker", 0), first.epoch);
    monitor_ends_offline();
    monitor_online();
    checkpoint_state_read(&second);
    assert_int_equal(second.epoch, first.epoch + 1);
    monitor_ends_offline();
}

static void test_online_tries_again_where_a_wineserver_was_just_ending(void **state)
{
    (void)state;
    given_file("ends.early", "boot\nhost\nboot\nhost\n");
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    monitor_online();
    assert_registry(APP, "a=1");
    monitor_ends_offline();
}

static void test_online_gives_up_where_wine_always_ends(void **state)
{
    (void)state;
    given_file("ends.early", "host\nhost\nhost\n");
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    monitor_fails();
    assert_says(fix.talk, "regckpt-host ended before it connected");
    assert_true(resource_is_free());
}

static void test_online_without_the_program_starts_nothing(void **state)
{
    (void)state;
    given_property("command", "missing.exe");
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    assert_int_equal(monitor_fails(), 122);
    assert_says(fix.talk, "missing.exe");
    assert_registry(APP, NULL);
    assert_true(resource_is_free());
}

static void test_online_without_the_prefix_names_it(void **state)
{
    (void)state;
    given_property("prefix", "/nowhere/at/all");
    assert_int_equal(monitor_fails(), 124);
    assert_says(fix.talk, "/nowhere/at/all");
    assert_true(resource_is_free());
}

static void test_online_with_a_program_that_cannot_start_ends(void **state)
{
    (void)state;
    given_script("start 1 status c0000022\n");
    assert_int_equal(monitor_fails(), 122);
    assert_says(fix.talk, "access denied");
    assert_int_equal(atoi(strstr(fix.talk, "fail ") + 5), RESULT_PROGRAM);
    assert_true(resource_is_free());
}

static void test_online_with_a_host_that_dies_ends(void **state)
{
    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    given_script("load 1 die\n");
    assert_int_equal(monitor_fails(), 124);
    assert_int_equal(times_asked("start"), 0);
    assert_checkpoint(APP, "a=1");
    assert_true(resource_is_free());
}

static void test_online_with_a_host_that_sends_garbage_ends(void **state)
{
    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    given_script("save 1 garbage\n");
    assert_int_equal(monitor_fails(), 124);
    assert_checkpoint(APP, "a=1");
    assert_true(resource_is_free());
}

static const struct CMUnitTest tests[] = {
    MONITOR_TEST(test_online_captures_an_uncaptured_key),
    MONITOR_TEST(test_online_leaves_an_uncaptured_key_alone_that_does_not_exist),
    MONITOR_TEST(test_online_loads_into_an_empty_registry),
    MONITOR_TEST(test_online_changes_only_what_differs),
    MONITOR_TEST(test_online_removes_a_key_that_was_captured_as_absent),
    MONITOR_TEST(test_online_changes_nothing_where_all_is_equal),
    MONITOR_TEST(test_online_restores_nothing_that_is_excluded),
    MONITOR_TEST(test_online_captures_nothing_that_is_excluded),
    MONITOR_TEST(test_online_that_stays_inexact_starts_no_program),
    MONITOR_TEST(test_online_goes_on_where_a_lost_change_is_made_up_for),
    MONITOR_TEST(test_online_goes_on_where_a_refused_load_is_made_up_for),
    MONITOR_TEST(test_online_raises_the_epoch_and_marks_the_registry_with_it),
    MONITOR_TEST(test_online_tries_again_where_a_wineserver_was_just_ending),
    MONITOR_TEST(test_online_gives_up_where_wine_always_ends),
    MONITOR_TEST(test_online_without_the_program_starts_nothing),
    MONITOR_TEST(test_online_without_the_prefix_names_it),
    MONITOR_TEST(test_online_with_a_program_that_cannot_start_ends),
    MONITOR_TEST(test_online_with_a_host_that_dies_ends),
    MONITOR_TEST(test_online_with_a_host_that_sends_garbage_ends),
};

MONITOR_TESTS_MAIN(tests)
