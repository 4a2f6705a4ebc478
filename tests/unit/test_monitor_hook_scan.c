/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes that are reported while scans are made.
 */
#include <signal.h>

#include "monitor_hooked.h"

#define SETS 1000

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

/* A number that is the only value of a key, at its end. */
static long number_at(const struct snapshot *s, const char *path)
{
    for (size_t i = 0; i < s->key_count; i++)
        if (!strcmp(s->keys[i].key.path, path)) {
            char *text = image_to_text(&s->keys[i].image);
            long number = strtol(strchr(text, '=') + 1, NULL, 10);

            free(text);
            return number;
        }
    return -1;
}

/*
 * OTHER is always set before APP is, and each time a scan is flagged, so that no round of scans is
 * without one: the checkpoint never shows the later change without the one before, or the log says so.
 */
static void test_pictures_of_several_keys_show_one_moment(void **state)
{
    char *path = store_path(fix.store, "app", STORE_CHECKPOINT);
    static char calls[64 * SETS];
    size_t len = 0;
    unsigned long states = 0;
    long last = 0;

    (void)state;
    given_key(OTHER, KEY_CAPTURED, "n=1", NULL);
    given_registry(OTHER, "n=1");
    given_hooked();
    for (int i = 2; i < SETS; i++)
        len += (size_t)snprintf(calls + len, sizeof(calls) - len,
                                "set " OTHER " n=%d\nset " APP " a=%d\nflag\n", i, i);
    program_is_to(calls);
    do {
        struct snapshot s;
        struct error err;
        long other, app;

        fixture_pause();
        if (snapshot_read(path, 0, &s, &err))
            fail_msg("%s", err.text);
        other = number_at(&s, OTHER);
        app = number_at(&s, APP);
        snapshot_free(&s);
        if (app > other && !log_has("faster than they can be scanned")) /* a very busy machine */
            fail_msg("%ld is there, and %ld is missing, which came before it", app, app);
        states += app != last;
        last = app;
    } while (last < SETS - 1);
    print_message("%lu states\n", states);
    free(path);
    monitor_ends_offline();
}

static const struct CMUnitTest tests[] = {
    HOOKED_TEST(test_set_below_a_key_younger_than_its_picture_returns_when_it_is_in_the_file),
    HOOKED_TEST(test_key_younger_than_its_picture_is_not_taken_for_volatile),
    HOOKED_TEST(test_key_that_is_deleted_after_its_picture_is_gone),
    HOOKED_TEST(test_pictures_of_several_keys_show_one_moment),
};

MONITOR_TESTS_MAIN(tests)
