/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The watch beside the hook: what others write is found, what was reported is not scanned for; and
 * the watch alone, where the program could not be hooked.
 */
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include "monitor_hooked.h"

static struct error err;
static unsigned saves, arms; /* asked for when the resource was online */
static uint64_t scans;        /* done then */

static void given_counted(void)
{
    given_hooked();
    scans = monitor_scans();
    saves = times_asked("save");
    arms = times_asked("arm");
}

/* Where in the record of requests is the first of a kind behind so many of it? 0: nowhere. */
static unsigned place_of(const char *request, unsigned behind)
{
    static char text[1 << 16];
    size_t len = played_read(fix.prefix, "requests", text, sizeof(text) - 1);
    unsigned place = 0;
    char *line, *rest;

    text[len] = 0;
    for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        place++;
        if (!strcmp(line, request) && !behind--)
            return place;
    }
    return 0;
}

static void test_own_change_is_settled_by_one_scan_that_finds_nothing(void **state)
{
    (void)state;
    given_counted();
    notifications_fire();
    program_does_apart("set " APP " a=2");
    AWAIT(checkpoint_holds(APP, "a=2"));
    AWAIT(monitor_scans() == scans + 1);
    assert_true(place_of("arm", arms) && place_of("arm", arms) < place_of("save", saves));
    assert_int_equal(STATUS(corrections), 0);
    assert_string_equal(history_of("a").last.who, "played.exe");
    monitor_ends_offline();
}

static void test_own_changes_of_one_time_share_the_settling_scan(void **state)
{
    (void)state;
    given_counted();
    program_does_apart("many 1 100 " APP); /* the notification fires once for all */
    notifications_fire();
    AWAIT(monitor_scans() == scans + 1);
    program_does_apart("set " APP " b=1");
    AWAIT(times_asked("arm") >= arms + 2); /* so nothing was left to settle before */
    assert_in_range(times_asked("save"), saves + 1, saves + 2);
    assert_int_equal(STATUS(corrections), 0);
    monitor_ends_offline();
}

static void test_outside_change_is_scanned_at_once(void **state)
{
    (void)state;
    given_counted();
    notifications_fire();
    program_does("outside set " APP " a=2");
    AWAIT(checkpoint_holds(APP, "a=2"));
    AWAIT(monitor_scans() == scans + 1);
    assert_int_equal(times_asked("arm"), arms);
    assert_int_equal(times_asked("save"), saves + 1);
    assert_int_equal(STATUS(corrections), 0);
    assert_string_equal(history_of("a").last.who, "watch");
    monitor_ends_offline();
}

static void test_outside_change_after_a_settled_one_is_scanned_at_once(void **state)
{
    (void)state;
    given_counted();
    notifications_fire();
    program_does_apart("set " APP " a=2");
    AWAIT(monitor_scans() == scans + 1);
    arms = times_asked("arm");
    program_does_apart("outside set " APP " a=3");
    AWAIT(checkpoint_holds(APP, "a=3"));
    assert_int_equal(times_asked("arm"), arms);
    assert_int_equal(times_asked("save"), saves + 2);
    monitor_ends_offline();
}

static void test_outside_change_among_own_ones_is_found_and_counted(void **state)
{
    (void)state;
    given_counted();
    program_does_apart("set " APP " a=2\noutside set " APP " b=3\nset " APP " a=4");
    notifications_fire();
    AWAIT(checkpoint_holds(APP, "a=4;b=3"));
    AWAIT(STATUS(corrections) == 1);
    assert_true(place_of("arm", arms) && place_of("arm", arms) < place_of("save", saves));
    assert_true(log_has("nothing had told of"));
    assert_string_equal(history_of("b").last.who, "watch");
    monitor_ends_offline();
}

static void test_outside_change_is_not_undone_by_an_own_one_before(void **state)
{
    (void)state;
    given_counted();
    notifications_fire();
    program_does("set " APP " a=2\noutside set " APP " a=3");
    AWAIT(checkpoint_holds(APP, "a=3"));
    monitor_ends_offline();
    assert_checkpoint(APP, "a=3");
}

static void test_outside_deletion_of_the_registered_key_is_scanned(void **state)
{
    (void)state;
    given_counted();
    notifications_fire();
    program_does("set " APP " a=2\noutside delete-key " APP);
    AWAIT(checkpoint_holds(APP, NULL));
    monitor_ends_offline();
}

static void test_outside_changes_of_two_keys_are_both_saved(void **state)
{
    (void)state;
    given_key(OTHER, KEY_CAPTURED, "o=1", NULL);
    given_registry(OTHER, "o=1");
    given_counted();
    notifications_fire();
    program_does("outside set " APP " a=2\nset " OTHER " o=2\noutside set " OTHER " p=1");
    AWAIT(checkpoint_holds(APP, "a=2"));
    AWAIT(checkpoint_holds(OTHER, "o=2;p=1"));
    monitor_ends_offline();
}

static void test_future_key_that_the_program_makes_is_captured(void **state)
{
    (void)state;
    given_key(OTHER, KEY_FUTURE, NULL, NULL);
    given_counted();
    program_does("create " OTHER "\nset " OTHER " o=1\nset " OTHER " p=2");
    AWAIT(checkpoint_holds(OTHER, "o=1;p=2"));
    program_does("set " OTHER " o=3");
    AWAIT(checkpoint_holds(OTHER, "o=3;p=2"));
    monitor_ends_offline();
}

static void test_unhooked_program_is_watched(void **state)
{
    struct monitor_status status;

    (void)state;
    given_file("unhooked", "its ntdll is unknown");
    given_hooked();
    ctl_status(&status);
    assert_non_null(strstr(status.not_hooked, "its ntdll is unknown"));
    monitor_status_free(&status);
    notifications_fire();
    assert_true(source_is("watch"));
    assert_int_equal(STATUS(hooked), 0);
    assert_true(log_has("its ntdll is unknown"));
    assert_true(log_has("WITHOUT THE HOOK"));
    given_registry(APP, "a=2");
    AWAIT(checkpoint_holds(APP, "a=2"));
    monitor_ends_offline();
}

static void test_unhooked_program_leaves_no_ring(void **state)
{
    char path[PATH_MAX];

    (void)state;
    given_file("unhooked", "its ntdll is unknown");
    given_hooked();
    snprintf(path, sizeof(path), "%s/ring", fix.run_dir);
    assert_int_not_equal(access(path, F_OK), 0);
    monitor_ends_offline();
}

static void test_unhooked_program_with_lag_0_is_refused(void **state)
{
    (void)state;
    given_property("lag", "0");
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    given_file("unhooked", "its ntdll is unknown");
    assert_int_equal(monitor_fails(), 124);
    assert_says(fix.talk, "its ntdll is unknown");
    assert_says(fix.talk, "lag 0");
    assert_int_equal(played_pid("program"), 0);
    assert_true(resource_is_free());
    assert_checkpoint(APP, "a=1");
}

static void test_unhooked_program_keeps_its_lag_when_0_is_asked_for(void **state)
{
    (void)state;
    given_file("unhooked", "its ntdll is unknown");
    given_hooked();
    assert_int_equal(ctl_set("lag", "0", &err), RESULT_UNPROTECTED);
    assert_says(err.text, "its ntdll is unknown");
    monitor_ends_offline();
}

static void test_process_that_could_not_be_hooked_is_told_of(void **state)
{
    struct ring ring;

    (void)state;
    given_counted();
    ring_of_app(&ring);
    ring_note_unhooked(&ring, "child.exe", "it is an ARM program");
    ring_close(&ring);
    AWAIT(STATUS(unhooked) == 1);
    assert_true(log_has("child.exe"));
    assert_true(log_has("it is an ARM program"));
    monitor_ends_offline();
}

static const struct CMUnitTest tests[] = {
    HOOKED_TEST(test_own_change_is_settled_by_one_scan_that_finds_nothing),
    HOOKED_TEST(test_own_changes_of_one_time_share_the_settling_scan),
    HOOKED_TEST(test_outside_change_is_scanned_at_once),
    HOOKED_TEST(test_outside_change_after_a_settled_one_is_scanned_at_once),
    HOOKED_TEST(test_outside_change_among_own_ones_is_found_and_counted),
    HOOKED_TEST(test_outside_change_is_not_undone_by_an_own_one_before),
    HOOKED_TEST(test_outside_deletion_of_the_registered_key_is_scanned),
    HOOKED_TEST(test_outside_changes_of_two_keys_are_both_saved),
    HOOKED_TEST(test_future_key_that_the_program_makes_is_captured),
    HOOKED_TEST(test_unhooked_program_is_watched),
    HOOKED_TEST(test_unhooked_program_leaves_no_ring),
    HOOKED_TEST(test_unhooked_program_with_lag_0_is_refused),
    HOOKED_TEST(test_unhooked_program_keeps_its_lag_when_0_is_asked_for),
    HOOKED_TEST(test_process_that_could_not_be_hooked_is_told_of),
};

MONITOR_TESTS_MAIN(tests)
