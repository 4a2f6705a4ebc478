/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was reported last, however it ends: offline, without wineserver, with a monitor that is
 * killed.
 */
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "monitor_hooked.h"
#include "ring_private.h"

/* A hooked program has changed what the monitor has not looked at when it is killed. */
static void given_killed_with(const char *calls)
{
    given_hooked();
    monitor_pauses();
    program_does(calls);
    monitor_is_killed();
    assert_checkpoint(APP, "a=1");
}

static void ring_write(size_t at, const void *bytes, size_t len)
{
    char path[PATH_MAX];
    FILE *f;

    snprintf(path, sizeof(path), "%s/ring", fix.run_dir);
    f = fopen(path, "r+e");
    assert_non_null(f);
    assert_int_equal(fseek(f, (long)at, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    fclose(f);
}

static void test_last_changes_are_saved_when_it_goes_offline(void **state)
{
    (void)state;
    given_property("lag", "60000");
    given_hooked();
    monitor_pauses();
    program_does("set " APP " a=2");
    assert_int_equal(kill(fix.monitor, SIGTERM), 0);
    monitor_goes_on();
    assert_int_equal(monitor_wait_end(), 0);
    assert_checkpoint(APP, "a=2");
    assert_string_equal(history_of("a").last.who, "played.exe");
}

/* A child of the program: sets APP's value a to "2", flags a scan, and ends. */
static pid_t child_of_the_program(void)
{
    static const uint16_t name[] = {'a'};
    struct change c = {.kind = CHANGE_SET_VALUE, .key_id = 1, .name = {name, 1}, .type = 3,
                       .data = "2", .size_bytes = 1};
    struct ring ring;
    uint32_t place;
    pid_t pid;

    ring_of_app(&ring);
    if (!(pid = fork())) {
        place = ring_attach(&ring, 36, "child.exe");
        ring_attach_ready(&ring, place);
        if (ring_lane_take(&ring, 0)) {
            ring_append(&ring, 0, place, &c, 0);
            ring_lane_give(&ring, 0);
            ring_flag_scan(&ring, RING_SCAN_TREE);
        }
        _exit(0);
    }
    ring_close(&ring);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return pid;
}

static void test_changes_that_wait_for_a_scan_keep_the_name_of_a_process_that_ended(void **state)
{
    pid_t pid;

    (void)state;
    given_property("lag", "60000"); /* so that the monitor is hardly stopped just looking who lives */
    given_hooked();
    monitor_pauses();
    pid = child_of_the_program();
    given_registry(APP, "a=2");
    monitor_goes_on();
    AWAIT(checkpoint_holds(APP, "a=2"));
    assert_string_equal(history_of("a").last.who, "child.exe");
    assert_int_equal(history_of("a").last.pid, pid);
    monitor_ends_offline();
}

/* The registry is gone with it; the monitor hears of it when it goes on. */
static void wineserver_dies(void)
{
    pid_t server = played_pid("wineserver");

    assert_int_equal(kill(server, SIGKILL), 0);
    AWAIT(ring_process_is_dead((uint32_t)server));
    AWAIT(ring_process_is_dead((uint32_t)played_pid("agent")));
}

static void test_last_changes_are_saved_when_wineserver_dies(void **state)
{
    (void)state;
    given_hooked();
    monitor_pauses();
    program_does("set " APP " a=2");
    wineserver_dies();
    monitor_goes_on();
    assert_int_equal(monitor_wait_end(), 124);
    assert_checkpoint(APP, "a=2");
}

static void test_changes_with_a_flag_are_not_saved_when_wineserver_dies(void **state)
{
    (void)state;
    given_hooked();
    monitor_pauses();
    program_does("set " APP " a=2\nflag\nset " APP " b=3");
    wineserver_dies();
    monitor_goes_on();
    assert_int_equal(monitor_wait_end(), 124);
    assert_checkpoint(APP, "a=1");
    assert_true(log_has("a scan was due"));
}

static void test_ring_and_links_are_gone_after_offline(void **state)
{
    char command[256];

    (void)state;
    given_hooked();
    snprintf(command, sizeof(command), "test -e %s/ring -a -L %s/regckpt.dll.so", fix.run_dir,
             fix.run_dir);
    assert_int_equal(system(command), 0);
    monitor_ends_offline();
    snprintf(command, sizeof(command), "! test -e %s/ring && ! test -L %s/regckpt.dll.so",
             fix.run_dir, fix.run_dir);
    assert_int_equal(system(command), 0);
}

static void test_killed_monitors_changes_are_saved_by_the_next(void **state)
{
    (void)state;
    given_killed_with("set " APP " a=2\ncreate " APP " k\nset " APP " k\\b=3");
    given_registry(APP, "a=stale"); /* a wineserver that started over */
    monitor_online();
    assert_checkpoint(APP, "a=2;k\\b=3");
    assert_registry(APP, "a=2;k\\b=3");
    assert_true(log_has("saved 3 changes that the last monitor"));
    assert_string_equal(history_of("a").last.who, "played.exe");
    monitor_ends_offline();
}

static void test_killed_monitors_changes_are_saved_where_no_scan_can_be_made(void **state)
{
    (void)state;
    given_killed_with("set " APP " a=2");
    given_script("save 1 die\n");
    assert_int_equal(monitor_fails(), 124);
    assert_checkpoint(APP, "a=2");
}

static void test_killed_monitors_changes_are_saved_once(void **state)
{
    (void)state;
    given_killed_with("set " APP " a=2");
    monitor_online();
    monitor_is_killed();
    monitor_online();
    assert_int_equal(history_of("a").count, 1);
    monitor_ends_offline();
}

static void test_what_a_killed_monitor_had_saved_is_not_saved_again(void **state)
{
    (void)state;
    given_hooked();
    program_does_apart("set " APP " a=2");
    assert_does("flush", "committed");
    program_does_apart("set " APP " b=1");
    assert_does("flush", "committed");
    monitor_pauses();
    program_does("set " APP " a=3");
    monitor_is_killed();
    monitor_online();
    assert_checkpoint(APP, "a=3;b=1");
    assert_true(log_has("saved 1 changes that the last monitor"));
    monitor_ends_offline();
}

static void test_killed_monitors_ring_of_another_epoch_is_not_used(void **state)
{
    struct error err;
    struct checkpoint *c;
    struct checkpoint_state s;
    char *path = store_path(fix.store, "app", STORE_CHECKPOINT);

    (void)state;
    given_killed_with("set " APP " a=2");
    assert_int_equal(checkpoint_open(path, &c, &err), 0);
    assert_int_equal(checkpoint_get_state(c, &s, &err), 0);
    s.epoch++; /* another node had it since */
    assert_int_equal(checkpoint_begin(c, &err), 0);
    assert_int_equal(checkpoint_set_state(c, &s, &err), 0);
    assert_int_equal(checkpoint_commit(c, &err), 0);
    checkpoint_close(c);
    free(path);
    monitor_online();
    assert_checkpoint(APP, "a=1");
    assert_registry(APP, "a=1");
    monitor_ends_offline();
}

static void test_killed_monitors_ring_with_a_flag_is_not_used(void **state)
{
    (void)state;
    given_killed_with("set " APP " a=2\nflag");
    monitor_online();
    assert_checkpoint(APP, "a=1");
    assert_registry(APP, "a=1");
    assert_true(log_has("ended when a scan was due"));
    monitor_ends_offline();
}

static void test_killed_monitors_ring_with_an_unknown_key_is_not_used(void **state)
{
    (void)state;
    given_killed_with("set " APP " a=2\noutside create " APP " new\nset " APP " new\\b=1\n"
                      "set " APP " a=3");
    monitor_online();
    assert_checkpoint(APP, "a=1");
    assert_registry(APP, "a=1");
    monitor_ends_offline();
}

static void test_killed_monitors_ring_after_a_settled_flag_is_used(void **state)
{
    (void)state;
    given_hooked();
    assert_does("outside set " APP " b=1\nflag\nflush", "committed");
    monitor_pauses();
    program_does("set " APP " a=2");
    monitor_is_killed();
    monitor_online();
    assert_checkpoint(APP, "a=2;b=1");
    assert_registry(APP, "a=2;b=1");
    monitor_ends_offline();
}

static void test_killed_monitors_ring_that_is_no_ring_is_not_used(void **state)
{
    (void)state;
    given_killed_with("set " APP " a=2");
    ring_write(0, "not a ring", 10);
    monitor_online();
    assert_checkpoint(APP, "a=1");
    assert_registry(APP, "a=1");
    program_does("set " APP " a=3");
    AWAIT(checkpoint_holds(APP, "a=3"));
    monitor_ends_offline();
}

static void test_killed_monitors_ring_with_garbage_is_not_used(void **state)
{
    unsigned seed = (unsigned)getpid();
    struct ring ring;
    uint8_t *bytes;

    (void)state;
    printf("seed %u\n", seed);
    given_killed_with("set " APP " a=2");
    ring_of_app(&ring);
    srand(seed);
    /* behind what says that it is a ring, and of which epoch */
    bytes = (uint8_t *)ring.shared;
    for (size_t i = offsetof(struct ring_shared, table); i < ring.map_bytes; i++)
        bytes[i] = (uint8_t)rand();
    ring_close(&ring);
    monitor_online();
    assert_checkpoint(APP, "a=1");
    assert_registry(APP, "a=1");
    monitor_ends_offline();
}

static const struct CMUnitTest tests[] = {
    HOOKED_TEST(test_last_changes_are_saved_when_it_goes_offline),
    HOOKED_TEST(test_changes_that_wait_for_a_scan_keep_the_name_of_a_process_that_ended),
    HOOKED_TEST(test_last_changes_are_saved_when_wineserver_dies),
    HOOKED_TEST(test_changes_with_a_flag_are_not_saved_when_wineserver_dies),
    HOOKED_TEST(test_ring_and_links_are_gone_after_offline),
    HOOKED_TEST(test_killed_monitors_changes_are_saved_by_the_next),
    HOOKED_TEST(test_killed_monitors_changes_are_saved_where_no_scan_can_be_made),
    HOOKED_TEST(test_killed_monitors_changes_are_saved_once),
    HOOKED_TEST(test_what_a_killed_monitor_had_saved_is_not_saved_again),
    HOOKED_TEST(test_killed_monitors_ring_of_another_epoch_is_not_used),
    HOOKED_TEST(test_killed_monitors_ring_with_a_flag_is_not_used),
    HOOKED_TEST(test_killed_monitors_ring_with_an_unknown_key_is_not_used),
    HOOKED_TEST(test_killed_monitors_ring_after_a_settled_flag_is_used),
    HOOKED_TEST(test_killed_monitors_ring_that_is_no_ring_is_not_used),
    HOOKED_TEST(test_killed_monitors_ring_with_garbage_is_not_used),
};

MONITOR_TESTS_MAIN(tests)
