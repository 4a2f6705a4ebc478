/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes that are reported while scans are made.
 */
#include <signal.h>

#include "monitor_hooked.h"

static struct ring ring;

static bool is_stopped(pid_t pid)
{
    char path[64], text[256];
    const char *end;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (!(f = fopen(path, "re")))
        return false;
    text[fread(text, 1, sizeof(text) - 1, f)] = 0;
    fclose(f);
    end = strrchr(text, ')');
    return end && end[2] == 'T';
}

/*
 * The program does these calls, the last of which waits for its commit, when a scan of all keys has the
 * picture of OTHER and waits for that of APP.
 */
static void calls_during_a_scan(const char *calls, unsigned count)
{
    uint64_t number;

    given_key(OTHER, KEY_CAPTURED, "o=1", NULL);
    given_registry(OTHER, "o=1");
    given_hooked();
    ring_of_app(&ring);
    given_script("save 2 stop\n");
    ring_flag_scan(&ring, RING_SCAN_TREE);
    AWAIT(is_stopped(played_pid("agent")));
    number = ring_last_number(&ring);
    program_is_to(calls);
    AWAIT(ring_last_number(&ring) >= number + count);
    assert_int_equal(kill(played_pid("agent"), SIGCONT), 0);
    ring_close(&ring);
}

static void test_set_below_a_key_younger_than_its_picture_returns_when_it_is_in_the_file(void **state)
{
    (void)state;
    given_property("lag", "0");
    calls_during_a_scan("outside create " OTHER " new\nset " OTHER " new\\a=1", 1);
    assert_does("flush", "committed");
    assert_checkpoint(OTHER, "o=1;new\\a=1");
    monitor_ends_offline();
}

static void test_key_younger_than_its_picture_is_not_taken_for_volatile(void **state)
{
    (void)state;
    calls_during_a_scan("outside create " OTHER " new\nset " OTHER " new\\a=1", 1);
    AWAIT(checkpoint_holds(OTHER, "o=1;new\\a=1"));
    program_does("set " OTHER " new\\a=2");
    AWAIT(checkpoint_holds(OTHER, "o=1;new\\a=2"));
    monitor_ends_offline();
}

static void test_key_that_is_deleted_after_its_picture_is_gone(void **state)
{
    (void)state;
    calls_during_a_scan("create " OTHER " k\nset " OTHER " k\\a=1\ndelete-key " OTHER " k\nset " OTHER " b=2", 4);
    AWAIT(checkpoint_holds(OTHER, "o=1;b=2"));
    monitor_ends_offline();
}

static const struct CMUnitTest tests[] = {
    HOOKED_TEST(test_set_below_a_key_younger_than_its_picture_returns_when_it_is_in_the_file),
    HOOKED_TEST(test_key_younger_than_its_picture_is_not_taken_for_volatile),
    HOOKED_TEST(test_key_that_is_deleted_after_its_picture_is_gone),
};

MONITOR_TESTS_MAIN(tests)
