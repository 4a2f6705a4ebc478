/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a resource goes offline: what is saved, what `run` ends with, what is left behind.
 */
#include <signal.h>

#include "monitor_fixture.h"
#include "played_wine.h"

/* Online with APP "a=1" in both; the watch is too slow to matter. */
static void given_online(void)
{
    given_property("lag", "60000");
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    given_registry(APP, "a=1");
    monitor_online();
}

/* Offline with nothing left over. */
static void assert_released(void)
{
    assert_true(resource_is_free());
    assert_int_equal(played_pid("program"), 0);
    AWAIT(played_is_gone(played_pid("agent")));
}

static void test_program_that_ends_with_0_is_saved(void **state)
{
    (void)state;
    given_online();
    given_registry(APP, "a=2");
    program_ends(0);
    assert_int_equal(monitor_wait_end(), 0);
    assert_checkpoint(APP, "a=2");
    assert_true(file_exists(STORE_LAST_GOOD));
    assert_released();
}

static void test_program_that_ends_with_7_gives_7(void **state)
{
    (void)state;
    given_online();
    program_ends(7);
    assert_int_equal(monitor_wait_end(), 7);
    assert_released();
}

static void test_program_that_ends_above_255_gives_125(void **state)
{
    (void)state;
    given_online();
    program_ends(300);
    assert_int_equal(monitor_wait_end(), 125);
    assert_released();
}

static void test_program_that_ends_with_an_ntstatus_gives_125(void **state)
{
    (void)state;
    given_online();
    program_ends(0xc0000005u);
    assert_int_equal(monitor_wait_end(), 125);
    assert_released();
}

static void test_signal_saves_and_releases(void **state)
{
    struct checkpoint_state end;

    (void)state;
    given_online();
    given_registry(APP, "a=2;b=3");
    monitor_ends_offline();
    assert_checkpoint(APP, "a=2;b=3");
    checkpoint_state_read(&end);
    assert_int_equal(end.status, CHECKPOINT_OFFLINE);
    assert_true(file_exists(STORE_LAST_GOOD));
    assert_int_equal(times_asked("terminate"), 1);
    assert_released();
}

static void test_signal_while_going_online_is_heard(void **state)
{
    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    given_script("load 1 storm 3\n");
    monitor_begin();
    AWAIT(fix.monitor && played_pid("wineserver"));
    kill(fix.monitor, SIGTERM);
    monitor_wait_ready();
    monitor_wait_end();
    assert_checkpoint(APP, "a=1");
    assert_true(resource_is_free());
}

static void test_host_that_dies_ends_the_program(void **state)
{
    (void)state;
    given_online();
    AWAIT(monitor_scans() >= 2); /* the restore's, and the first of all keys */
    given_registry(APP, "a=2");
    kill(played_pid("agent"), SIGKILL);
    assert_int_equal(monitor_wait_end(), 124);
    assert_checkpoint(APP, "a=1"); /* nobody could scan any more */
    assert_true(resource_is_free());
    AWAIT(played_is_gone(played_pid("program")));
}

static void test_host_that_dies_in_the_final_scan_is_no_success(void **state)
{
    (void)state;
    given_online();
    AWAIT(monitor_scans() >= 2);
    given_script("save 1 die\n");
    kill(fix.monitor, SIGTERM);
    assert_int_equal(monitor_wait_end(), 124);
    assert_checkpoint(APP, "a=1");
    assert_false(file_exists(STORE_LAST_GOOD));
    assert_true(resource_is_free());
}

static void test_host_that_dies_while_the_program_is_stopped_is_no_success(void **state)
{
    (void)state;
    given_online();
    given_script("terminate 1 die\n");
    kill(fix.monitor, SIGTERM);
    assert_int_equal(monitor_wait_end(), 124);
    assert_false(file_exists(STORE_LAST_GOOD));
    assert_true(resource_is_free());
}

static void test_host_that_sends_garbage_ends_the_resource(void **state)
{
    (void)state;
    given_online();
    AWAIT(monitor_scans() >= 2);
    given_script("save 1 garbage\n");
    ctl_plain(CTL_SAVE, NULL);
    assert_int_equal(monitor_wait_end(), 124);
    assert_checkpoint(APP, "a=1");
    assert_true(resource_is_free());
}

static void test_wineserver_that_dies_ends_the_resource(void **state)
{
    struct checkpoint_state end;

    (void)state;
    given_online();
    kill(played_pid("wineserver"), SIGKILL);
    assert_int_equal(monitor_wait_end(), 124);
    assert_checkpoint(APP, "a=1");
    checkpoint_state_read(&end);
    assert_int_equal(end.status, CHECKPOINT_OFFLINE);
    assert_false(file_exists(STORE_LAST_GOOD));
    assert_true(resource_is_free());
}

static void test_online_after_the_wineserver_died_restores_again(void **state)
{
    (void)state;
    given_online();
    kill(played_pid("wineserver"), SIGKILL);
    assert_int_equal(monitor_wait_end(), 124);
    given_registry(APP, "a=stale"); /* what a new wineserver read from its file */
    monitor_online();
    assert_registry(APP, "a=1");
    monitor_ends_offline();
}

static void test_child_that_outlives_the_program_is_ended(void **state)
{
    int *pids = NULL;
    size_t count = 0;

    (void)state;
    given_file("program.leaves", "");
    given_online();
    AWAIT(played_pid("program")); /* it has started its child */
    program_ends(0);
    assert_int_equal(monitor_wait_end(), 0);
    assert_true(log_has("outlived"));
    assert_int_equal(store_lock_holders(fix.store, "app", &pids, &count), 0);
    assert_int_equal(count, 0);
    free(pids);
    assert_true(resource_is_free());
}

static void test_service_is_started_by_its_launcher_and_stopped(void **state)
{
    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    monitor_online();
    assert_registry(APP, "a=1");
    assert_int_equal(times_asked("configure"), 1);
    assert_int_equal(times_asked("start"), 1);
    given_registry(APP, "a=2");
    monitor_ends_offline();
    assert_int_equal(times_asked("stop-service"), 1);
    assert_int_equal(times_asked("terminate"), 0);
    assert_checkpoint(APP, "a=2");
    assert_true(resource_is_free());
}

static void test_service_waits_for_another_that_is_being_started(void **state)
{
    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    given_file("locked", "2");
    monitor_online();
    assert_int_equal(times_asked("start-service"), 3);
    assert_int_equal(times_asked("start"), 1);
    monitor_ends_offline();
}

static void test_service_that_is_not_installed_is_named(void **state)
{
    (void)state;
    given_file("service", "");
    assert_int_equal(monitor_fails(), 122);
    assert_says(fix.talk, "Played");
    assert_true(resource_is_free());
}

static const struct CMUnitTest tests[] = {
    MONITOR_TEST(test_program_that_ends_with_0_is_saved),
    MONITOR_TEST(test_program_that_ends_with_7_gives_7),
    MONITOR_TEST(test_program_that_ends_above_255_gives_125),
    MONITOR_TEST(test_program_that_ends_with_an_ntstatus_gives_125),
    MONITOR_TEST(test_signal_saves_and_releases),
    MONITOR_TEST(test_signal_while_going_online_is_heard),
    MONITOR_TEST(test_host_that_dies_ends_the_program),
    MONITOR_TEST(test_host_that_dies_in_the_final_scan_is_no_success),
    MONITOR_TEST(test_host_that_dies_while_the_program_is_stopped_is_no_success),
    MONITOR_TEST(test_host_that_sends_garbage_ends_the_resource),
    MONITOR_TEST(test_wineserver_that_dies_ends_the_resource),
    MONITOR_TEST(test_online_after_the_wineserver_died_restores_again),
    MONITOR_TEST(test_child_that_outlives_the_program_is_ended),
    SERVICE_TEST(test_service_is_started_by_its_launcher_and_stopped),
    SERVICE_TEST(test_service_waits_for_another_that_is_being_started),
    SERVICE_TEST(test_service_that_is_not_installed_is_named),
};

MONITOR_TESTS_MAIN(tests)
