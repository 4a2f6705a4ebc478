/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the hook reports is in the checkpoint without a scan, as it happened.
 */
#include "monitor_hooked.h"

static unsigned saves; /* asked for when the resource was online */

/* Online and hooked; from here on scans count. */
static void given_counted(void)
{
    given_hooked();
    saves = times_asked("save");
}

static void assert_no_scan(void)
{
    assert_int_equal(times_asked("save"), saves);
}

/* A key's class and flags in the checkpoint; false: there is no such key. */
static bool find_key(const char *path, char *class, size_t room, uint32_t *flags)
{
    char *file = store_path(fix.store, "app", STORE_CHECKPOINT), *text;
    struct image_key *key;
    struct utf16 wanted;
    struct snapshot s;
    struct error err;

    if (snapshot_read(file, 0, &s, &err))
        fail_msg("%s", err.text);
    assert_int_equal(utf16_from_utf8(path, strlen(path), &wanted), 0);
    if ((key = image_find_key(&s.keys[0].image, wanted))) {
        text = utf16_for_display(key->class);
        snprintf(class, room, "%s", text);
        *flags = key->flags;
        free(text);
    }
    free((void *)wanted.units);
    free(file);
    snapshot_free(&s);
    return key != NULL;
}

static void test_set_is_saved_without_a_scan(void **state)
{
    (void)state;
    given_counted();
    program_does_apart("set " APP " a=2");
    AWAIT(checkpoint_holds(APP, "a=2"));
    assert_no_scan();
    monitor_ends_offline();
}

static void test_set_is_in_the_history_with_program_and_pid(void **state)
{
    struct told told;

    (void)state;
    given_counted();
    program_does_apart("set " APP " a=2");
    AWAIT(checkpoint_holds(APP, "a=2"));
    told = history_of("a");
    assert_int_equal(told.last.kind, CHANGE_SET_VALUE);
    assert_string_equal(told.last.who, "played.exe");
    assert_int_equal(told.last.pid, played_pid("program"));
    assert_string_equal(told.last.data, "2");
    monitor_ends_offline();
}

static void test_many_sets_of_a_value_in_one_batch_are_one_change(void **state)
{
    (void)state;
    given_counted();
    program_does_apart("many 1 100 " APP);
    AWAIT(checkpoint_holds(APP, "a=1;t0=100"));
    assert_int_equal(history_of("t0").count, 1);
    assert_string_equal(history_of("t0").last.data, "100");
    assert_no_scan();
    monitor_ends_offline();
}

static void test_set_and_delete_of_a_value_in_one_batch_leave_none(void **state)
{
    (void)state;
    given_counted();
    program_does_apart("set " APP " b=1\ndelete-value " APP " b\nset " APP " c=1");
    AWAIT(checkpoint_holds(APP, "a=1;c=1"));
    assert_no_scan();
    monitor_ends_offline();
}

static void test_value_is_deleted_and_made_again_around_its_key(void **state)
{
    (void)state;
    given_counted();
    program_does_apart("create " APP " k\nset " APP " k\\v=1\ndelete-key " APP " k\n"
                 "create " APP " k\nset " APP " k\\w=2");
    AWAIT(checkpoint_holds(APP, "a=1;k\\w=2"));
    assert_no_scan();
    monitor_ends_offline();
}

static void test_delete_value_is_saved(void **state)
{
    (void)state;
    given_counted();
    program_does_apart("delete-value " APP " a");
    AWAIT(checkpoint_holds(APP, ""));
    assert_int_equal(history_of("a").last.kind, CHANGE_DELETE_VALUE);
    assert_no_scan();
    monitor_ends_offline();
}

static void test_delete_key_takes_what_is_below_it(void **state)
{
    (void)state;
    given_counted();
    program_does_apart("create " APP " k\ncreate " APP " k\\sub\nset " APP " k\\sub\\v=1\n"
                 "set " APP " k\\w=1");
    AWAIT(checkpoint_holds(APP, "a=1;k\\sub\\v=1;k\\w=1"));
    program_does_apart("delete-key " APP " k");
    AWAIT(checkpoint_holds(APP, "a=1"));
    assert_int_equal(history_of("k\\").last.kind, CHANGE_DELETE_KEY);
    assert_int_equal(history_of("k\\sub\\").last.kind, CHANGE_DELETE_KEY);
    assert_int_equal(history_of("k\\sub\\").last.pid, played_pid("program"));
    assert_int_equal(history_of("k\\sub\\v").last.kind, CHANGE_DELETE_VALUE);
    assert_int_equal(history_of("k\\w").last.kind, CHANGE_DELETE_VALUE);
    assert_no_scan();
    monitor_ends_offline();
}

static void test_registered_key_is_deleted_and_made_again(void **state)
{
    (void)state;
    given_counted();
    program_does_apart("delete-key " APP);
    AWAIT(checkpoint_holds(APP, NULL));
    program_does_apart("create " APP "\nset " APP " b=2");
    AWAIT(checkpoint_holds(APP, "b=2"));
    assert_no_scan();
    monitor_ends_offline();
}

static void test_create_with_a_class_is_saved(void **state)
{
    char class[64];
    uint32_t flags;

    (void)state;
    given_counted();
    program_does_apart("create " APP " k First");
    AWAIT(find_key("k", class, sizeof(class), &flags));
    assert_string_equal(class, "First");
    assert_int_equal(flags, 0);
    assert_no_scan();
    monitor_ends_offline();
}

static void test_create_gives_an_existing_key_another_class(void **state)
{
    char class[64];
    uint32_t flags;

    (void)state;
    given_counted();
    program_does_apart("create " APP " k First\nset " APP " k\\v=1");
    AWAIT(checkpoint_key(APP, NULL) && find_key("k", class, sizeof(class), &flags));
    program_does_apart("create " APP " k Second");
    AWAIT(find_key("k", class, sizeof(class), &flags) && !strcmp(class, "Second"));
    assert_no_scan();
    monitor_ends_offline();
}

static void test_create_with_a_class_is_told_to_the_ring(void **state)
{
    struct ring ring;

    (void)state;
    given_counted();
    ring_of_app(&ring);
    assert_int_equal(ring.shared->classes, 0);
    program_does_apart("create " APP " k First");
    AWAIT(__atomic_load_n(&ring.shared->classes, __ATOMIC_ACQUIRE) == 1);
    ring_close(&ring);
    monitor_ends_offline();
}

static void test_create_link_is_saved(void **state)
{
    char class[64];
    uint32_t flags;

    (void)state;
    given_counted();
    program_does_apart("create-link " APP " l\nset " APP " l\\SymbolicLinkValue=there");
    AWAIT(checkpoint_holds(APP, "a=1;l\\SymbolicLinkValue=there") ||
          (find_key("l", class, sizeof(class), &flags) && flags == KEY_FLAG_LINK));
    assert_true(find_key("l", class, sizeof(class), &flags));
    assert_int_equal(flags, KEY_FLAG_LINK);
    assert_no_scan();
    monitor_ends_offline();
}

static void test_set_to_what_it_is_saves_nothing(void **state)
{
    uint64_t before;

    (void)state;
    given_counted();
    before = checkpoint_sequence();
    program_does_apart("set " APP " a=1\ndelete-value " APP " none\ndelete-key " APP " none");
    assert_does("flush", "committed");
    assert_int_equal(checkpoint_sequence(), before);
    AWAIT(STATUS(hook_changes) == 3);
    assert_no_scan();
    monitor_ends_offline();
}

static void test_volatile_key_and_what_is_below_are_not_saved(void **state)
{
    (void)state;
    given_counted();
    program_does_apart("create-volatile " APP " v\nreport set " APP " v\\a=1\n"
                 "create-volatile " APP " v\\sub\nreport set " APP " v\\sub\\b=1\nset " APP " a=2");
    AWAIT(checkpoint_holds(APP, "a=2"));
    program_does_apart("report set " APP " v\\a=2\nreport delete-value " APP " v\\a\nset " APP " a=3");
    AWAIT(checkpoint_holds(APP, "a=3"));
    assert_no_scan();
    monitor_ends_offline();
}

static void test_volatile_key_that_is_deleted_may_be_made_again_to_stay(void **state)
{
    (void)state;
    given_counted();
    program_does_apart("create-volatile " APP " v\nreport delete-key " APP " v\n"
                 "create " APP " v\nset " APP " v\\a=1");
    AWAIT(checkpoint_holds(APP, "a=1;v\\a=1"));
    assert_no_scan();
    monitor_ends_offline();
}

static void test_set_below_a_key_that_another_made_is_settled_by_a_scan(void **state)
{
    (void)state;
    given_counted();
    program_does_apart("outside create " APP " new\nset " APP " new\\a=1");
    AWAIT(checkpoint_holds(APP, "a=1;new\\a=1"));
    assert_int_equal(times_asked("save"), saves + 1);
    program_does_apart("set " APP " new\\a=2"); /* known from here on */
    AWAIT(checkpoint_holds(APP, "a=1;new\\a=2"));
    assert_int_equal(times_asked("save"), saves + 1);
    monitor_ends_offline();
}

static void test_set_below_a_key_that_no_scan_shows_makes_one_scan_only(void **state)
{
    uint64_t scans;

    (void)state;
    given_counted();
    scans = monitor_scans();
    program_does_apart("report set " APP " v\\a=1");
    AWAIT(monitor_scans() == scans + 1);
    program_does_apart("report set " APP " v\\a=2\nreport set " APP " v\\sub\\b=2\nset " APP " a=2");
    AWAIT(checkpoint_holds(APP, "a=2"));
    assert_int_equal(times_asked("save"), saves + 1);
    monitor_ends_offline();
}

static void test_flagged_scan_commits_all_at_once(void **state)
{
    uint64_t before;

    (void)state;
    given_key(OTHER, KEY_CAPTURED, "o=1", NULL);
    given_registry(OTHER, "o=1");
    given_counted();
    before = checkpoint_sequence();
    program_does_apart("set " APP " b=1\nflag\noutside set " APP " c=1\nset " OTHER " o=2\n"
                 "outside set " OTHER " p=1");
    AWAIT(checkpoint_sequence() > before);
    assert_int_equal(checkpoint_sequence(), before + 1);
    assert_checkpoint(APP, "a=1;b=1;c=1");
    assert_checkpoint(OTHER, "o=2;p=1");
    assert_int_equal(times_asked("save"), saves + 2);
    monitor_ends_offline();
}

static void test_flush_after_a_flagged_scan_waits_for_it(void **state)
{
    (void)state;
    given_property("lag", "60000");
    given_counted();
    assert_does("outside set " APP " b=1\nflag\nflush", "committed");
    assert_checkpoint(APP, "a=1;b=1");
    monitor_ends_offline();
}

static void test_data_too_large_for_the_ring_are_saved_by_a_scan(void **state)
{
    (void)state;
    given_counted();
    program_does("large " APP " big=300000\nset " APP " a=2\nflush");
    AWAIT(STATUS(bytes) == 300001);
    assert_int_equal(history_of("a").last.kind, CHANGE_SET_VALUE);
    assert_string_equal(history_of("a").last.data, "2");
    monitor_ends_offline();
}

static void test_more_than_a_lane_holds_is_saved(void **state)
{
    (void)state;
    given_counted();
    program_does_apart("large " APP " b1=100000\nlarge " APP " b2=100000\nlarge " APP " b3=100000");
    AWAIT(STATUS(bytes) == 300001);
    monitor_ends_offline();
}

static void test_more_than_half_a_lane_is_saved_without_a_scan(void **state)
{
    (void)state;
    given_counted();
    for (int i = 0; i < 8; i++) {
        program_does_apart("large " APP " b=100000\nset " APP " b=0");
        assert_does("flush", "committed");
    }
    assert_checkpoint(APP, "a=1;b=0");
    assert_no_scan();
    monitor_ends_offline();
}

static void test_excluded_value_is_not_saved(void **state)
{
    (void)state;
    given_file("quiet", "");
    given_key(APP, KEY_CAPTURED, "a=1", "cache");
    given_registry(APP, "a=1");
    monitor_online();
    saves = times_asked("save");
    program_does_apart("set " APP " cache=1\nset " APP " a=2");
    AWAIT(checkpoint_holds(APP, "a=2"));
    assert_no_scan();
    monitor_ends_offline();
    assert_checkpoint(APP, "a=2");
}

static void test_what_was_changed_before_the_program_ran_is_saved_first(void **state)
{
    (void)state;
    program_is_to("outside set " APP " early=1\nset " APP " a=2");
    given_hooked();
    assert_checkpoint(APP, "a=2;early=1");
    monitor_ends_offline();
}

static void test_status_tells_of_the_hook(void **state)
{
    (void)state;
    given_counted();
    assert_true(source_is("hook"));
    assert_int_equal(STATUS(hook_changes), 0);
    program_does("set " APP " a=2\nflush");
    AWAIT(STATUS(hook_changes) == 1);
    AWAIT(STATUS(hooked) == 1);
    monitor_ends_offline();
}

static const struct CMUnitTest tests[] = {
    HOOKED_TEST(test_set_is_saved_without_a_scan),
    HOOKED_TEST(test_set_is_in_the_history_with_program_and_pid),
    HOOKED_TEST(test_many_sets_of_a_value_in_one_batch_are_one_change),
    HOOKED_TEST(test_set_and_delete_of_a_value_in_one_batch_leave_none),
    HOOKED_TEST(test_value_is_deleted_and_made_again_around_its_key),
    HOOKED_TEST(test_delete_value_is_saved),
    HOOKED_TEST(test_delete_key_takes_what_is_below_it),
    HOOKED_TEST(test_registered_key_is_deleted_and_made_again),
    HOOKED_TEST(test_create_with_a_class_is_saved),
    HOOKED_TEST(test_create_gives_an_existing_key_another_class),
    HOOKED_TEST(test_create_with_a_class_is_told_to_the_ring),
    HOOKED_TEST(test_create_link_is_saved),
    HOOKED_TEST(test_set_to_what_it_is_saves_nothing),
    HOOKED_TEST(test_volatile_key_and_what_is_below_are_not_saved),
    HOOKED_TEST(test_volatile_key_that_is_deleted_may_be_made_again_to_stay),
    HOOKED_TEST(test_set_below_a_key_that_another_made_is_settled_by_a_scan),
    HOOKED_TEST(test_set_below_a_key_that_no_scan_shows_makes_one_scan_only),
    HOOKED_TEST(test_flagged_scan_commits_all_at_once),
    HOOKED_TEST(test_flush_after_a_flagged_scan_waits_for_it),
    HOOKED_TEST(test_data_too_large_for_the_ring_are_saved_by_a_scan),
    HOOKED_TEST(test_more_than_a_lane_holds_is_saved),
    HOOKED_TEST(test_more_than_half_a_lane_is_saved_without_a_scan),
    HOOKED_TEST(test_excluded_value_is_not_saved),
    HOOKED_TEST(test_what_was_changed_before_the_program_ran_is_saved_first),
    HOOKED_TEST(test_status_tells_of_the_hook),
};

MONITOR_TESTS_MAIN(tests)
