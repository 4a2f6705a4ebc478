/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Storage that is full while a resource is online: the store is a small file system of its own in
 * memory, which the tests fill up.  Where none can be mounted they are skipped.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include "monitor_fixture.h"
#include "played_wine.h"

#define BIG_BYTES 300000 /* more than what a checkpoint has to spare inside */

static struct error err;
static bool mounted;
static char filler[128];

/* The store moves into a file system of 4 MB. */
static int setup(void **state)
{
    char command[800];

    if (fixture_setup(state))
        return -1;
    snprintf(filler, sizeof(filler), "%s/filler", fix.store);
    snprintf(command, sizeof(command), "cp -a %s %s.was && mount -t tmpfs -o size=4m,mode=700 tmpfs %s && "
             "cp -a %s.was/. %s/", fix.store, fix.store, fix.store, fix.store, fix.store);
    mounted = !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
              !system(command);
    return 0;
}

/* A new text in APP that does not fit into a full store, with this in front. */
static void given_much(char first)
{
    char *text = malloc(BIG_BYTES);

    assert_non_null(text);
    memset(text, first, BIG_BYTES);
    memcpy(text, "a=", 2);
    text[BIG_BYTES - 1] = 0;
    given_registry(APP, text);
    free(text);
}

static bool checkpoint_has_much(char first)
{
    char *text = malloc(BIG_BYTES);
    bool holds;

    assert_non_null(text);
    memset(text, first, BIG_BYTES);
    memcpy(text, "a=", 2);
    text[BIG_BYTES - 1] = 0;
    holds = checkpoint_holds(APP, text);
    free(text);
    return holds;
}

/* Not a byte is left. */
static void fill_store(void)
{
    static char zeros[4096];
    int fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    while (write(fd, zeros, sizeof(zeros)) > 0)
        ;
    assert_int_equal(errno, ENOSPC);
    close(fd);
}

/* Online with APP "a=1" in both, and the store full. */
static void given_online_and_full(void)
{
    if (!mounted)
        skip();
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    given_registry(APP, "a=1");
    monitor_online();
    AWAIT(monitor_scans() >= 2);
    fill_store();
}

static uint64_t failing_since(void)
{
    struct monitor_status s;
    uint64_t since;

    ctl_status(&s);
    since = s.storage_failing_since;
    assert_true(!since || *s.last_error);
    monitor_status_free(&s);
    return since;
}

static void test_full_storage_is_told_and_recovered_from(void **state)
{
    (void)state;
    given_online_and_full();
    given_much('x');
    AWAIT(failing_since());
    assert_checkpoint(APP, "a=1");
    assert_true(played_pid("program") > 0);
    unlink(filler);
    AWAIT(checkpoint_has_much('x'));
    AWAIT(!failing_since());
    monitor_ends_offline();
}

static void test_full_storage_keeps_the_last_of_many_states(void **state)
{
    (void)state;
    given_online_and_full();
    given_much('x');
    AWAIT(failing_since());
    given_much('y');
    given_registry(OTHER, "not=registered");
    unlink(filler);
    AWAIT(checkpoint_has_much('y'));
    monitor_ends_offline();
}

static void test_full_storage_with_stop_ends_the_program(void **state)
{
    if (mounted)
        given_property("on-storage-error", "stop");
    (void)state;
    given_online_and_full();
    given_much('x');
    assert_int_equal(monitor_wait_end(), 123);
    assert_int_equal(played_pid("program"), 0);
    assert_checkpoint(APP, "a=1");
    assert_false(file_exists(STORE_LAST_GOOD));
    assert_true(resource_is_free());
}

static void test_full_storage_at_the_end_is_no_success(void **state)
{
    (void)state;
    if (mounted)
        given_property("lag", "60000");
    given_online_and_full();
    given_much('x');
    kill(fix.monitor, SIGTERM);
    assert_int_equal(monitor_wait_end(), 123);
    assert_checkpoint(APP, "a=1");
    assert_true(resource_is_free());
}

static void test_add_into_full_storage_registers_nothing(void **state)
{
    char *text = malloc(BIG_BYTES);

    (void)state;
    assert_non_null(text);
    memset(text, 'z', BIG_BYTES);
    memcpy(text, "a=", 2);
    text[BIG_BYTES - 1] = 0;
    if (mounted)
        given_registry(OTHER, text);
    free(text);
    given_online_and_full();
    assert_int_not_equal(ctl_add(OTHER, 0, &err), 0);
    assert_false(checkpoint_key(OTHER, NULL));
    unlink(filler);
    AWAIT(!ctl_add(OTHER, 0, &err));
    assert_true(checkpoint_key(OTHER, NULL));
    monitor_ends_offline();
}

#define STORAGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
static const struct CMUnitTest tests[] = {
    STORAGE_TEST(test_full_storage_is_told_and_recovered_from),
    STORAGE_TEST(test_full_storage_keeps_the_last_of_many_states),
    STORAGE_TEST(test_full_storage_with_stop_ends_the_program),
    STORAGE_TEST(test_full_storage_at_the_end_is_no_success),
    STORAGE_TEST(test_add_into_full_storage_registers_nothing),
};

MONITOR_TESTS_MAIN(tests)
