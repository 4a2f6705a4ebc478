/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lag 0 and flushes: a call that returns has its change in the file.
 */
#include <signal.h>

#include "monitor_hooked.h"

static struct error err;

static void given_durable(void)
{
    given_property("lag", "0");
    given_hooked();
}

static void test_set_returns_when_it_is_in_the_file(void **state)
{
    (void)state;
    given_durable();
    for (char data = '2'; data <= '9'; data++) {
        char call[64], content[64];

        snprintf(call, sizeof(call), "set " APP " a=%c", data);
        snprintf(content, sizeof(content), "a=%c", data);
        assert_does(call, "committed");
        assert_checkpoint(APP, content);
    }
    monitor_ends_offline();
}

static void test_set_does_not_return_before_the_commit(void **state)
{
    unsigned answers;
    char text[64];

    (void)state;
    given_durable();
    monitor_pauses();
    program_is_to("set " APP " a=2");
    for (int i = 0; i < 40; i++) /* long enough for an answer that comes too early */
        fixture_pause();
    answers = (unsigned)played_read(fix.prefix, "answers", text, sizeof(text));
    assert_int_equal(answers, 0);
    assert_checkpoint(APP, "a=1");
    monitor_goes_on();
    assert_does("flush", "committed");
    assert_checkpoint(APP, "a=2");
    monitor_ends_offline();
}

static void test_set_to_what_it_is_returns(void **state)
{
    (void)state;
    given_durable();
    assert_does("set " APP " a=1", "committed");
    monitor_ends_offline();
}

static void test_set_below_a_volatile_key_returns(void **state)
{
    (void)state;
    given_durable();
    assert_does("create-volatile " APP " v\nreport set " APP " v\\a=1", "committed");
    assert_checkpoint(APP, "a=1");
    monitor_ends_offline();
}

static void test_set_below_an_unknown_key_returns_after_the_scan(void **state)
{
    unsigned saves;

    (void)state;
    given_durable();
    saves = times_asked("save");
    assert_string_equal(program_waits_apart("outside create " APP " new\nset " APP " new\\a=1", 1),
                        "committed");
    assert_checkpoint(APP, "a=1;new\\a=1");
    assert_int_equal(times_asked("save"), saves + 1);
    monitor_ends_offline();
}

static void test_set_too_large_for_the_ring_returns_after_the_scan(void **state)
{
    (void)state;
    given_durable();
    assert_does("large " APP " a=300000", "committed");
    AWAIT(STATUS(bytes) == 300000);
    monitor_ends_offline();
}

/* The first call of each thread waits when the monitor goes on: they have a commit for all at least. */
static void test_many_waiting_calls_share_commits(void **state)
{
    static const char all[] = "a=1;t0=20;t1=20;t2=20;t3=20;t4=20;t5=20;t6=20;t7=20;t8=20;t9=20;t10=20;"
                              "t11=20;t12=20;t13=20;t14=20;t15=20";
    uint64_t before;

    (void)state;
    given_durable();
    given_registry(APP, all); /* for a scan, should a thread not get its lane in time */
    before = checkpoint_sequence();
    assert_string_equal(program_waits_apart("report many 16 20 " APP, 16), "committed");
    assert_in_range(checkpoint_sequence() - before, 20, 16 * 20 - 15);
    assert_checkpoint(APP, all);
    monitor_ends_offline();
}

static void test_flush_with_a_lag_returns_after_the_commit(void **state)
{
    (void)state;
    given_property("lag", "60000");
    given_hooked();
    assert_does("set " APP " a=2\nflush", "committed");
    assert_checkpoint(APP, "a=2");
    monitor_ends_offline();
}

static void test_lag_0_is_taken_over_online(void **state)
{
    (void)state;
    given_hooked();
    assert_does("set " APP " a=2", "done");
    assert_int_equal(ctl_set("lag", "0", &err), 0);
    assert_does("set " APP " a=3", "committed");
    assert_checkpoint(APP, "a=3");
    monitor_ends_offline();
}

static void test_lag_100_is_taken_over_online(void **state)
{
    (void)state;
    given_durable();
    assert_int_equal(ctl_set("lag", "100", &err), 0);
    assert_does("set " APP " a=2", "done");
    AWAIT(checkpoint_holds(APP, "a=2"));
    monitor_ends_offline();
}

static void test_call_that_waits_is_told_when_the_monitor_dies(void **state)
{
    struct change c = {.kind = CHANGE_SET_VALUE, .key_id = 1, .type = 3};
    struct ring ring;
    uint64_t number;

    (void)state;
    given_durable();
    ring_of_app(&ring);
    monitor_pauses();
    assert_true(ring_lane_take(&ring, 0));
    number = ring_append(&ring, 0, 0, &c, 0);
    ring_lane_give(&ring, 0);
    monitor_is_killed();
    assert_int_equal(ring_wait_durable(&ring, number), RING_WAIT_GONE);
    ring_close(&ring);
}

static const struct CMUnitTest tests[] = {
    HOOKED_TEST(test_set_returns_when_it_is_in_the_file),
    HOOKED_TEST(test_set_does_not_return_before_the_commit),
    HOOKED_TEST(test_set_to_what_it_is_returns),
    HOOKED_TEST(test_set_below_a_volatile_key_returns),
    HOOKED_TEST(test_set_below_an_unknown_key_returns_after_the_scan),
    HOOKED_TEST(test_set_too_large_for_the_ring_returns_after_the_scan),
    HOOKED_TEST(test_many_waiting_calls_share_commits),
    HOOKED_TEST(test_flush_with_a_lag_returns_after_the_commit),
    HOOKED_TEST(test_lag_0_is_taken_over_online),
    HOOKED_TEST(test_lag_100_is_taken_over_online),
    HOOKED_TEST(test_call_that_waits_is_told_when_the_monitor_dies),
};

MONITOR_TESTS_MAIN(tests)
