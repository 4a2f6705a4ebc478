/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * While online: what changes in the registry is in the checkpoint soon, or never where it must not.
 */
#include <signal.h>
#include <time.h>

#include "monitor_hooked.h"

/* Online with APP "a=1" in both, and scanned once since. */
static void given_online(void)
{
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    given_registry(APP, "a=1");
    monitor_online();
}

/* The transactions that the checkpoint has seen. */
static uint64_t sequence(void)
{
    struct checkpoint_state state;

    checkpoint_state_read(&state);
    return state.sequence;
}

/* No error is left in the status. */
static bool status_is_fine(void)
{
    struct monitor_status status;
    bool fine;

    ctl_status(&status);
    fine = !*status.last_error;
    monitor_status_free(&status);
    return fine;
}

static void test_watch_commits_a_change(void **state)
{
    (void)state;
    given_online();
    given_registry(APP, "a=2;sub\\b=1");
    AWAIT(checkpoint_holds(APP, "a=2;sub\\b=1"));
    monitor_ends_offline();
}

/* As the monitor takes it; time()'s may be some milliseconds behind. */
static uint64_t clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void test_watch_notes_in_the_checkpoint_when_it_committed(void **state)
{
    uint64_t before = clock_us();
    struct checkpoint_state after;

    (void)state;
    given_online();
    given_registry(APP, "a=2");
    AWAIT(checkpoint_holds(APP, "a=2"));
    checkpoint_state_read(&after);
    assert_in_range(after.saved, before, clock_us());
    monitor_ends_offline();
}

static void test_watch_commits_changes_after_the_first(void **state)
{
    (void)state;
    given_online();
    given_registry(APP, "a=2");
    AWAIT(checkpoint_holds(APP, "a=2"));
    given_registry(APP, "a=3");
    AWAIT(checkpoint_holds(APP, "a=3"));
    monitor_ends_offline();
}

static void test_watch_commits_a_change_of_many_values_at_once(void **state)
{
    uint64_t before;

    (void)state;
    given_online();
    AWAIT(monitor_scans() >= 2); /* of the restore, and the first full one */
    before = sequence();
    given_registry(APP, "a=2;b=3;sub\\c=4;sub\\d=5");
    AWAIT(checkpoint_holds(APP, "a=2;b=3;sub\\c=4;sub\\d=5"));
    assert_int_equal(sequence(), before + 1);
    monitor_ends_offline();
}

static void test_watch_commits_two_keys_in_one_transaction(void **state)
{
    uint64_t before;

    (void)state;
    given_property("lag", "2000");
    given_key(OTHER, KEY_CAPTURED, "o=1", NULL);
    given_registry(OTHER, "o=1");
    given_online();
    AWAIT(monitor_scans() >= 4);
    before = sequence();
    given_file("quiet", ""); /* the host tells of both in one go */
    given_registry(APP, "a=2");
    given_registry(OTHER, "o=2");
    notifications_fire();
    AWAIT(checkpoint_holds(APP, "a=2"));
    assert_checkpoint(OTHER, "o=2");
    assert_int_equal(sequence(), before + 1);
    monitor_ends_offline();
}

static void test_watch_commits_a_deleted_subkey(void **state)
{
    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1;sub\\b=2", NULL);
    monitor_online();
    given_registry(APP, "a=1");
    AWAIT(checkpoint_holds(APP, "a=1"));
    monitor_ends_offline();
}

static void test_watch_commits_a_registered_key_deleted_and_made_again(void **state)
{
    (void)state;
    given_online();
    given_registry(APP, NULL);
    AWAIT(checkpoint_holds(APP, NULL));
    given_registry(APP, "new=1");
    AWAIT(checkpoint_holds(APP, "new=1"));
    monitor_ends_offline();
}

static void test_watch_captures_a_future_key_that_appears(void **state)
{
    (void)state;
    given_key(APP, KEY_FUTURE, NULL, NULL);
    monitor_online();
    given_registry(APP, "a=1");
    AWAIT(checkpoint_holds(APP, "a=1"));
    monitor_ends_offline();
}

static void test_watch_commits_nothing_that_is_excluded(void **state)
{
    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1", "cache");
    given_registry(APP, "a=1;cache=1");
    monitor_online();
    given_registry(APP, "a=2;cache=2");
    AWAIT(checkpoint_holds(APP, "a=2"));
    monitor_ends_offline();
    assert_checkpoint(APP, "a=2");
}

static void test_watch_survives_a_storm_of_notifications(void **state)
{
    (void)state;
    given_online();
    given_script("save 1 storm 20000\n");
    given_registry(APP, "a=2");
    AWAIT(checkpoint_holds(APP, "a=2"));
    monitor_ends_offline();
}

static void test_watch_takes_no_failed_scan_for_a_deletion(void **state)
{
    (void)state;
    given_online();
    AWAIT(monitor_scans() >= 2);
    given_script("save 1 status c000007f\n");
    given_registry(APP, "a=2");
    AWAIT(checkpoint_holds(APP, "a=2"));
    assert_true(log_has("the disk is full"));
    monitor_ends_offline();
}

static void test_watch_keeps_a_change_where_the_scan_of_another_key_fails(void **state)
{
    (void)state;
    given_property("lag", "2000");
    given_key(OTHER, KEY_CAPTURED, "o=1", NULL);
    given_registry(OTHER, "o=1");
    given_online();
    AWAIT(monitor_scans() >= 4);
    given_script("save 2 status c000007f\n");
    given_registry(APP, "a=2");
    given_registry(OTHER, "o=2");
    AWAIT(checkpoint_holds(APP, "a=2"));
    AWAIT(checkpoint_holds(OTHER, "o=2"));
    monitor_ends_offline();
}

static void test_watch_clears_the_error_once_a_scan_works_again(void **state)
{
    (void)state;
    given_online();
    AWAIT(monitor_scans() >= 2);
    given_script("save 1 status c000007f\n");
    given_registry(APP, "a=2");
    AWAIT(checkpoint_holds(APP, "a=2"));
    AWAIT(status_is_fine());
    assert_true(log_has("the disk is full"));
    monitor_ends_offline();
}

static void test_watch_saves_nothing_of_a_registry_with_another_marker(void **state)
{
    (void)state;
    given_online();
    AWAIT(monitor_scans() >= 2);
    given_file("marker", "4711");
    given_registry(APP, "a=stale");
    assert_int_equal(monitor_wait_end(), 124);
    assert_true(log_has("4711"));
    assert_checkpoint(APP, "a=1");
    assert_false(file_exists(STORE_LAST_GOOD));
    assert_true(resource_is_free());
    assert_int_equal(played_pid("program"), 0);
}

static void test_save_finally_saves_nothing_of_a_registry_without_a_marker(void **state)
{
    (void)state;
    given_property("lag", "60000");
    given_online();
    AWAIT(monitor_scans() >= 2);
    given_file("marker", "0");
    given_registry(APP, "a=stale");
    assert_int_equal(kill(fix.monitor, SIGTERM), 0);
    assert_int_equal(monitor_wait_end(), 124);
    assert_checkpoint(APP, "a=1");
    assert_false(file_exists(STORE_LAST_GOOD));
}

static const struct CMUnitTest tests[] = {
    MONITOR_TEST(test_watch_commits_a_change),
    MONITOR_TEST(test_watch_notes_in_the_checkpoint_when_it_committed),
    MONITOR_TEST(test_watch_commits_changes_after_the_first),
    MONITOR_TEST(test_watch_commits_a_change_of_many_values_at_once),
    MONITOR_TEST(test_watch_commits_two_keys_in_one_transaction),
    MONITOR_TEST(test_watch_commits_a_deleted_subkey),
    MONITOR_TEST(test_watch_commits_a_registered_key_deleted_and_made_again),
    MONITOR_TEST(test_watch_captures_a_future_key_that_appears),
    MONITOR_TEST(test_watch_commits_nothing_that_is_excluded),
    MONITOR_TEST(test_watch_survives_a_storm_of_notifications),
    MONITOR_TEST(test_watch_takes_no_failed_scan_for_a_deletion),
    MONITOR_TEST(test_watch_keeps_a_change_where_the_scan_of_another_key_fails),
    MONITOR_TEST(test_watch_clears_the_error_once_a_scan_works_again),
    MONITOR_TEST(test_watch_saves_nothing_of_a_registry_with_another_marker),
    MONITOR_TEST(test_save_finally_saves_nothing_of_a_registry_without_a_marker),
};

MONITOR_TESTS_MAIN(tests)
