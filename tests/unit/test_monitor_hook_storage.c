/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Storage that is full while a hooked program writes.
 */
#include <signal.h>

#include "full_store.h"
#include "monitor_hooked.h"

static bool mounted;

static int setup(void **state)
{
    if (fixture_hooked_setup(state))
        return -1;
    mounted = store_move_to_small();
    return 0;
}

static void given_hooked_and_full(const char *lag, const char *policy)
{
    if (!mounted)
        skip();
    if (policy)
        given_property("on-storage-error", policy);
    given_property("lag", lag);
    given_hooked();
    store_fill();
}

/* Small enough for a lane, too large for a full store, and for the history. */
#define SET_MUCH "large " APP " b=200000"

static void test_full_storage_lets_the_program_go_on(void **state)
{
    (void)state;
    given_hooked_and_full("100", NULL);
    program_does(SET_MUCH);
    AWAIT(storage_failing_since());
    assert_checkpoint(APP, "a=1");
    assert_does("set " APP " a=2", "done");
    assert_true(played_pid("program") > 0);
    store_free_up();
    AWAIT(!storage_failing_since());
    AWAIT(STATUS(bytes) == 200001);
    assert_int_equal(STATUS(values), 2);
    monitor_ends_offline();
}

static void test_full_storage_is_repaired_by_a_scan(void **state)
{
    unsigned saves;

    (void)state;
    given_hooked_and_full("100", NULL);
    saves = times_asked("save");
    program_does(SET_MUCH);
    AWAIT(storage_failing_since());
    program_does("outside set " APP " c=3"); /* what only a scan can find */
    store_free_up();
    AWAIT(!storage_failing_since());
    AWAIT(STATUS(bytes) == 200002);
    assert_true(times_asked("save") > saves);
    monitor_ends_offline();
}

static void test_full_storage_keeps_nothing_later_without_what_was_before(void **state)
{
    unsigned saves;

    (void)state;
    given_hooked_and_full("100", NULL);
    program_does(SET_MUCH);
    AWAIT(storage_failing_since());
    program_does("set " APP " a=2"); /* this alone would fit */
    saves = times_asked("save");
    AWAIT(times_asked("save") >= saves + 2);
    assert_checkpoint(APP, "a=1");
    store_free_up();
    AWAIT(STATUS(bytes) == 200001);
    monitor_ends_offline();
}

static void test_full_storage_with_stop_ends_the_program(void **state)
{
    (void)state;
    given_hooked_and_full("100", "stop");
    program_does(SET_MUCH);
    assert_int_equal(monitor_wait_end(), 123);
    assert_int_equal(played_pid("program"), 0);
    assert_checkpoint(APP, "a=1");
    assert_true(resource_is_free());
}

static void test_full_storage_with_lag_0_refuses_the_call_that_waits(void **state)
{
    (void)state;
    given_hooked_and_full("0", NULL);
    assert_does(SET_MUCH, "refused");
    assert_int_equal(monitor_wait_end(), 123);
    assert_int_equal(played_pid("program"), 0);
    assert_checkpoint(APP, "a=1");
    assert_true(resource_is_free());
}

static void test_full_storage_with_lag_0_refuses_later_calls(void **state)
{
    struct ring ring;

    (void)state;
    given_hooked_and_full("0", NULL);
    ring_of_app(&ring);
    program_is_to(SET_MUCH);
    AWAIT(__atomic_load_n(&ring.shared->state, __ATOMIC_ACQUIRE) != RING_OPEN);
    assert_int_equal(ring_wait_durable(&ring, ring_last_number(&ring)),
                     __atomic_load_n(&ring.shared->state, __ATOMIC_ACQUIRE) == RING_REFUSING
                         ? RING_WAIT_REFUSED : RING_WAIT_GONE);
    assert_int_equal(monitor_wait_end(), 123);
    ring_close(&ring);
}

static void test_full_storage_that_is_free_again_has_what_lag_0_promised(void **state)
{
    (void)state;
    given_hooked_and_full("0", NULL);
    assert_does("set " APP " a=2", "committed"); /* it fits into the file as it is */
    assert_does(SET_MUCH, "refused");
    monitor_wait_end();
    store_free_up();
    assert_checkpoint(APP, "a=2");
}

#define STORAGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
static const struct CMUnitTest tests[] = {
    STORAGE_TEST(test_full_storage_lets_the_program_go_on),
    STORAGE_TEST(test_full_storage_is_repaired_by_a_scan),
    STORAGE_TEST(test_full_storage_keeps_nothing_later_without_what_was_before),
    STORAGE_TEST(test_full_storage_with_stop_ends_the_program),
    STORAGE_TEST(test_full_storage_with_lag_0_refuses_the_call_that_waits),
    STORAGE_TEST(test_full_storage_with_lag_0_refuses_later_calls),
    STORAGE_TEST(test_full_storage_that_is_free_again_has_what_lag_0_promised),
};

MONITOR_TESTS_MAIN(tests)
