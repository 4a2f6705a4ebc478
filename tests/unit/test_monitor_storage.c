/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Storage that is full while a resource is online: the store is a small file system of its own in
 * memory, which the tests fill up.  Where none can be mounted they are skipped.
 */
#include <signal.h>

#include "full_store.h"
#include "played_wine.h"

static struct error err;
static bool mounted;

static int setup(void **state)
{
    if (fixture_setup(state))
        return -1;
    mounted = store_move_to_small();
    return 0;
}

static void given_much(const char *path, char first)
{
    char *text = much_text(first);

    given_registry(path, text);
    free(text);
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
    store_fill();
}

static void test_full_storage_is_told_and_recovered_from(void **state)
{
    (void)state;
    given_online_and_full();
    given_much(APP, 'x');
    AWAIT(storage_failing_since());
    assert_checkpoint(APP, "a=1");
    assert_true(played_pid("program") > 0);
    store_free_up();
    AWAIT(checkpoint_has_much('x'));
    AWAIT(!storage_failing_since());
    monitor_ends_offline();
}

static void test_full_storage_keeps_the_last_of_many_states(void **state)
{
    (void)state;
    given_online_and_full();
    given_much(APP, 'x');
    AWAIT(storage_failing_since());
    given_much(APP, 'y');
    given_registry(OTHER, "not=registered");
    store_free_up();
    AWAIT(checkpoint_has_much('y'));
    monitor_ends_offline();
}

static void test_full_storage_with_stop_ends_the_program(void **state)
{
    if (mounted)
        given_property("on-storage-error", "stop");
    (void)state;
    given_online_and_full();
    given_much(APP, 'x');
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
    given_much(APP, 'x');
    kill(fix.monitor, SIGTERM);
    assert_int_equal(monitor_wait_end(), 123);
    assert_checkpoint(APP, "a=1");
    assert_true(resource_is_free());
}

static void test_add_into_full_storage_registers_nothing(void **state)
{
    (void)state;
    if (mounted)
        given_much(OTHER, 'z');
    given_online_and_full();
    assert_int_not_equal(ctl_add(OTHER, 0, &err), 0);
    assert_false(checkpoint_key(OTHER, NULL));
    store_free_up();
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
