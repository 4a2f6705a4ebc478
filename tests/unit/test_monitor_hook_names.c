/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the hook reports, where one name stands for what was made, deleted, made again: the letters of
 * names, and keys that are opened by the call that creates.
 */
#include "monitor_hooked.h"

/* One batch of calls; then this is in the checkpoint, without a scan. */
static void assert_batch(const char *calls, const char *expected)
{
    unsigned saves;

    given_hooked();
    saves = times_asked("save");
    monitor_pauses();
    program_does(calls);
    monitor_goes_on();
    AWAIT(checkpoint_holds(APP, expected));
    assert_int_equal(times_asked("save"), saves);
    monitor_ends_offline();
}

static void test_value_deleted_and_made_again_has_the_new_letters(void **state)
{
    (void)state;
    assert_batch("delete-value " APP " a\nset " APP " A=2", "A=2");
}

static void test_value_deleted_made_deleted_and_made_has_the_last_letters(void **state)
{
    (void)state;
    assert_batch("delete-value " APP " a\nset " APP " B=1\nset " APP " A=2\n"
                 "delete-value " APP " A\nset " APP " a=3\nset " APP " A=4", "a=4;B=1");
}

static void test_value_set_twice_keeps_its_first_letters(void **state)
{
    (void)state;
    assert_batch("set " APP " Bb=1\nset " APP " bB=2", "a=1;Bb=2");
}

static void test_volatile_key_that_is_opened_stays_out(void **state)
{
    (void)state;
    assert_batch("create-volatile " APP " v\nreport open " APP " v\nreport set " APP " v\\x=1\n"
                 "set " APP " a=2", "a=2");
}

static void test_opened_key_gets_the_class_of_the_call(void **state)
{
    (void)state;
    assert_batch("create " APP " k class\nset " APP " k\\x=1\nopen " APP " k", "a=1;k\\x=1");
}

/* That is somebody else's key, perhaps: the registry is asked. */
static void test_opened_key_that_nobody_reported_is_scanned_for(void **state)
{
    (void)state;
    given_hooked();
    program_does("outside create " APP " k\nreport open " APP " k\nset " APP " k\\x=1");
    AWAIT(checkpoint_holds(APP, "a=1;k\\x=1"));
    monitor_ends_offline();
}

static const struct CMUnitTest tests[] = {
    HOOKED_TEST(test_value_deleted_and_made_again_has_the_new_letters),
    HOOKED_TEST(test_value_deleted_made_deleted_and_made_has_the_last_letters),
    HOOKED_TEST(test_value_set_twice_keeps_its_first_letters),
    HOOKED_TEST(test_volatile_key_that_is_opened_stays_out),
    HOOKED_TEST(test_opened_key_gets_the_class_of_the_call),
    HOOKED_TEST(test_opened_key_that_nobody_reported_is_scanned_for),
};

MONITOR_TESTS_MAIN(tests)
