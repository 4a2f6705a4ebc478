/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who may own a resource, and of which checkpoints nobody may.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "iotrace.h"
#include "monitor_fixture.h"
#include "played_wine.h"

#define ORPHANED_CALLS 24 /* to the store: several tries and looks */

static struct error err;

/* The whole checkpoint file, malloc'ed. */
static uint8_t *read_file(size_t *len)
{
    char *path = store_path(fix.store, "app", STORE_CHECKPOINT);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    uint8_t *bytes;

    assert_true(fd >= 0 && !fstat(fd, &st));
    *len = (size_t)st.st_size;
    assert_non_null(bytes = malloc(*len + 1));
    assert_int_equal(read(fd, bytes, *len), *len);
    close(fd);
    free(path);
    return bytes;
}

static void write_file(const uint8_t *bytes, size_t len)
{
    char *path = store_path(fix.store, "app", STORE_CHECKPOINT);
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
    free(path);
}

/* The monitor refuses it, and not a byte of it changes. */
static void assert_refused_and_left_alone(int code, const char *word)
{
    size_t before_len, after_len;
    uint8_t *before = read_file(&before_len), *after;

    assert_int_equal(monitor_fails(), code);
    assert_says(fix.talk, word);
    after = read_file(&after_len);
    assert_int_equal(after_len, before_len);
    assert_memory_equal(after, before, before_len);
    assert_int_equal(times_asked("start"), 0);
    assert_true(resource_is_free());
    free(before);
    free(after);
}

/* Where some bytes stand in others; the test fails if they do not. */
static size_t find_bytes(const uint8_t *bytes, size_t len, const char *text)
{
    const uint8_t *at = memmem(bytes, len, text, strlen(text));

    assert_non_null(at);
    return (size_t)(at - bytes);
}

static void test_second_monitor_is_refused_and_told_who(void **state)
{
    char first_pid[16];
    pid_t first;

    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    monitor_online();
    first = fix.monitor;
    snprintf(first_pid, sizeof(first_pid), " %d ", (int)first);
    monitor_begin();
    assert_int_equal(monitor_wait_ready(), RESULT_OWNED);
    assert_int_equal(monitor_wait_end(), 120);
    assert_says(fix.talk, first_pid);
    assert_says(fix.talk, "here");
    fix.monitor = first;
    given_registry(APP, "a=2"); /* and the first goes on */
    AWAIT(checkpoint_holds(APP, "a=2"));
    assert_int_equal(ctl_plain(CTL_SAVE, &err), 0);
    monitor_ends_offline();
}

/* A process that has the lock, and is no monitor. */
static pid_t given_holder(void)
{
    pid_t holder;
    int lock;

    assert_int_equal(store_own(fix.store, "app", &lock, &err), 0);
    if (!(holder = fork()))
        for (;;)
            pause();
    close(lock); /* the child has it still */
    return holder;
}

static void end_holder(pid_t holder)
{
    kill(holder, SIGKILL);
    assert_int_equal(waitpid(holder, NULL, 0), holder);
}

static void test_lock_left_with_a_process_is_refused_and_told(void **state)
{
    char holder_pid[16];
    pid_t holder;

    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    holder = given_holder();
    snprintf(holder_pid, sizeof(holder_pid), " %d ", (int)holder);
    monitor_begin();
    assert_int_equal(monitor_wait_ready(), RESULT_OWNED);
    assert_int_equal(monitor_wait_end(), 120);
    end_holder(holder);
    assert_says(fix.talk, holder_pid);
    monitor_online();
    monitor_ends_offline();
}

/* What a killed monitor left ends while the next one tries and looks, at each of its calls in turn. */
static void test_lock_let_go_at_each_call_of_an_online_is_taken(void **state)
{
    struct iotrace trace;

    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    fix.before_exec = iotrace_me;
    for (unsigned long n = 1; n <= ORPHANED_CALLS; n++) {
        pid_t holder = given_holder();

        monitor_begin();
        if (!iotrace_run(fix.monitor, fix.store, n, SIGSTOP, NULL, &trace))
            fail_msg("it ended before call %lu", n);
        AWAIT(waitpid(fix.monitor, NULL, WUNTRACED | WNOHANG) == fix.monitor);
        end_holder(holder);
        kill(fix.monitor, SIGCONT);
        if (monitor_wait_ready())
            fail_msg("let go at call %lu: %s", n, fix.talk);
        monitor_ends_offline();
    }
}

static void test_owner_that_was_killed_is_followed_at_once(void **state)
{
    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    given_registry(APP, "a=1");
    monitor_online();
    kill(fix.monitor, SIGKILL);
    assert_int_equal(monitor_wait_end(), 1000 + SIGKILL);
    given_registry(APP, "a=lost");
    monitor_online();
    assert_registry(APP, "a=1");
    monitor_ends_offline();
}

static void test_online_after_offline_finds_its_socket(void **state)
{
    struct monitor_status s;

    (void)state;
    for (int i = 0; i < 5; i++) {
        struct pack p;
        pid_t before;

        monitor_online();
        before = fix.monitor;
        pack_init(&p);
        pack_u32(&p, 0);
        assert_int_equal(ctl_ask(CTL_OFFLINE, &p, NULL, NULL, &err), 0);
        pack_free(&p);
        monitor_begin(); /* the first may still be ending */
        assert_int_equal(monitor_wait_ready(), 0);
        AWAIT(waitpid(before, NULL, WNOHANG) == before);
        ctl_status(&s);
        assert_int_equal(s.pid, fix.monitor);
        monitor_status_free(&s);
        monitor_ends_offline();
    }
}

static void test_refused_online_leaves_the_state_of_a_dead_owner(void **state)
{
    struct checkpoint_state before, after;

    (void)state;
    monitor_online();
    kill(fix.monitor, SIGKILL);
    monitor_wait_end();
    AWAIT(resource_is_free());
    given_property("lag", "0");
    checkpoint_state_read(&before);
    assert_int_equal(monitor_fails(), 124);
    checkpoint_state_read(&after);
    assert_int_equal(after.status, CHECKPOINT_ONLINE);
    assert_int_equal(after.sequence, before.sequence);
}

static void test_lag_0_is_refused(void **state)
{
    (void)state;
    given_property("lag", "0");
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    assert_refused_and_left_alone(124, "--lag");
}

static void test_damaged_checkpoint_is_refused(void **state)
{
    uint8_t *bytes;
    size_t len;

    (void)state;
    given_key(APP, KEY_CAPTURED, "a=some data to be damaged", NULL);
    bytes = read_file(&len);
    bytes[find_bytes(bytes, len, "some data to be damaged")] ^= 1;
    write_file(bytes, len);
    free(bytes);
    assert_refused_and_left_alone(121, "amaged");
    assert_registry(APP, NULL);
}

static void test_cut_checkpoint_is_refused(void **state)
{
    uint8_t *bytes;
    size_t len;

    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    bytes = read_file(&len);
    write_file(bytes, len / 2);
    free(bytes);
    assert_refused_and_left_alone(121, "checkpoint.tdb");
}

static void test_checkpoint_of_something_else_is_refused(void **state)
{
    static const char text[] = "not a checkpoint, but somebody's file";

    (void)state;
    write_file((const uint8_t *)text, sizeof(text));
    assert_refused_and_left_alone(121, "checkpoint.tdb");
}

static void test_empty_checkpoint_is_refused(void **state)
{
    (void)state;
    write_file((const uint8_t *)"", 0);
    assert_refused_and_left_alone(121, "checkpoint.tdb");
}

static const struct CMUnitTest tests[] = {
    MONITOR_TEST(test_second_monitor_is_refused_and_told_who),
    MONITOR_TEST(test_lock_left_with_a_process_is_refused_and_told),
    MONITOR_TEST(test_lock_let_go_at_each_call_of_an_online_is_taken),
    MONITOR_TEST(test_owner_that_was_killed_is_followed_at_once),
    MONITOR_TEST(test_online_after_offline_finds_its_socket),
    MONITOR_TEST(test_refused_online_leaves_the_state_of_a_dead_owner),
    MONITOR_TEST(test_lag_0_is_refused),
    MONITOR_TEST(test_damaged_checkpoint_is_refused),
    MONITOR_TEST(test_cut_checkpoint_is_refused),
    MONITOR_TEST(test_checkpoint_of_something_else_is_refused),
    MONITOR_TEST(test_empty_checkpoint_is_refused),
};

MONITOR_TESTS_MAIN(tests)
