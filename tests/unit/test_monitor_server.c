/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A wineserver that reports what changes: then nothing is watched or scanned.  The test is the server.
 */

#include "monitor_hooked.h"

static struct ring ring; /* as the server has it */

/* Online, and wineserver reports. */
static void given_reported(void)
{
    given_file("reports", "");
    given_hooked();
    ring_of_app(&ring);
    assert_true(source_is("server"));
}

/* One value of APP, a letter, as wineserver reports it: a record, then its number. */
static void server_reports(uint16_t name, const char *data)
{
    struct change change = {.kind = CHANGE_SET_VALUE, .key_id = 1, .name = {&name, 1}, .type = 3,
                            .data = data, .size_bytes = (uint32_t)strlen(data)};

    __atomic_add_fetch(&ring.shared->counter, 1, __ATOMIC_SEQ_CST);
    ring_append(&ring, 0, 0, &change, 0);
}

static void ends_offline(void)
{
    ring_close(&ring);
    monitor_ends_offline();
}

static void test_report_is_saved_and_nothing_is_watched(void **state)
{
    unsigned saves;

    (void)state;
    given_reported();
    saves = times_asked("save");
    monitor_pauses();
    given_registry(APP, "a=2");
    server_reports('a', "2");
    monitor_goes_on();
    AWAIT(checkpoint_holds(APP, "a=2"));
    notifications_fire(); /* of before it reported */
    monitor_pauses();
    given_registry(APP, "a=3");
    server_reports('a', "3");
    monitor_goes_on();
    AWAIT(checkpoint_holds(APP, "a=3"));
    assert_int_equal(times_asked("save"), saves);
    assert_int_equal(times_asked("arm"), 0);
    ends_offline();
}

static void test_dropped_report_is_made_up_for_by_a_scan(void **state)
{
    (void)state;
    given_reported();
    given_registry(APP, "a=1;b=2");
    __atomic_add_fetch(&ring.shared->scan_wanted, 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&ring.shared->counter, 1, __ATOMIC_SEQ_CST);
    ring_ring(&ring);
    AWAIT(checkpoint_holds(APP, "a=1;b=2"));
    assert_true(source_is("server"));
    ends_offline();
}

static void test_another_key_is_told_to_the_server(void **state)
{
    unsigned asked;
    struct error err;

    (void)state;
    given_reported();
    given_registry(OTHER, "b=1");
    asked = times_asked("report");
    assert_int_equal(ctl_add(OTHER, 0, &err), 0);
    assert_int_equal(times_asked("report"), asked + 1);
    ends_offline();
}

static void test_server_that_stops_leaves_the_watch(void **state)
{
    (void)state;
    given_reported();
    __atomic_store_n(&ring.shared->server_pid, 0, __ATOMIC_SEQ_CST);
    AWAIT(source_is("watch"));
    notifications_fire();
    given_registry(APP, "a=5");
    AWAIT(checkpoint_holds(APP, "a=5"));
    assert_true(log_has("WITHOUT REPORTS"));
    ends_offline();
}

static void test_server_that_stops_ends_a_program_with_lag_0(void **state)
{
    (void)state;
    given_property("lag", "0");
    given_reported();
    __atomic_store_n(&ring.shared->server_pid, 0, __ATOMIC_SEQ_CST);
    assert_int_not_equal(monitor_wait_end(), 0);
    assert_true(log_has("cannot go on"));
    ring_close(&ring);
}

static void test_server_that_says_nothing_leaves_the_hook(void **state)
{
    (void)state;
    given_file("reports", "says nothing");
    given_hooked();
    assert_true(source_is("hook"));
    program_does_apart("set " APP " a=2");
    AWAIT(checkpoint_holds(APP, "a=2"));
    assert_true(log_has("but not to us"));
    monitor_ends_offline();
}

static void test_program_without_the_hook_is_reported_all_the_same(void **state)
{
    struct error err;

    (void)state;
    given_file("unhooked", "it is of another kind");
    given_reported();
    monitor_pauses();
    given_registry(APP, "a=2");
    server_reports('a', "2");
    monitor_goes_on();
    AWAIT(checkpoint_holds(APP, "a=2"));
    assert_int_equal(ctl_set("lag", "0", &err), RESULT_UNPROTECTED);
    ends_offline();
}

static void test_program_without_the_hook_has_no_lag_0(void **state)
{
    (void)state;
    given_property("lag", "0");
    given_file("unhooked", "it is of another kind");
    given_file("reports", "");
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    given_registry(APP, "a=1");
    monitor_fails();
    assert_says(fix.talk, "lag 0");
}

static void test_killed_monitors_reports_are_saved_by_the_next(void **state)
{
    (void)state;
    given_reported();
    monitor_pauses();
    server_reports('a', "2");
    monitor_is_killed();
    ring_close(&ring);
    monitor_online();
    assert_checkpoint(APP, "a=2");
    assert_registry(APP, "a=2");
    monitor_ends_offline();
}

static void test_nonsense_in_the_ring_is_made_up_for_by_a_scan(void **state)
{
    (void)state;
    given_reported();
    monitor_pauses();
    given_registry(APP, "a=7");
    server_reports('a', "9");
    memset(ring.buffers, 0xff, 64);
    monitor_goes_on();
    AWAIT(checkpoint_holds(APP, "a=7"));
    assert_true(log_has("nonsense"));
    ends_offline();
}

static const struct CMUnitTest tests[] = {
    HOOKED_TEST(test_report_is_saved_and_nothing_is_watched),
    HOOKED_TEST(test_dropped_report_is_made_up_for_by_a_scan),
    HOOKED_TEST(test_another_key_is_told_to_the_server),
    HOOKED_TEST(test_server_that_stops_leaves_the_watch),
    HOOKED_TEST(test_server_that_stops_ends_a_program_with_lag_0),
    HOOKED_TEST(test_server_that_says_nothing_leaves_the_hook),
    HOOKED_TEST(test_program_without_the_hook_is_reported_all_the_same),
    HOOKED_TEST(test_program_without_the_hook_has_no_lag_0),
    HOOKED_TEST(test_killed_monitors_reports_are_saved_by_the_next),
    HOOKED_TEST(test_nonsense_in_the_ring_is_made_up_for_by_a_scan),
};

MONITOR_TESTS_MAIN(tests)
