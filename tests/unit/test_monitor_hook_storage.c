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
    program_is_to(SET_MUCH); /* which it may not live to say that it did */
    assert_int_equal(monitor_wait_end(), 123);
    assert_int_equal(played_pid("program"), 0);
    assert_checkpoint(APP, "a=1");
    assert_true(resource_is_free());
}

/* Reports what does not fit, as a call that waits for its commit; returns how that came out. */
static enum ring_wait report_much(struct ring *ring)
{
    static const char data[200000];
    struct change c = {.kind = CHANGE_SET_VALUE, .key_id = 1, .type = 3, .data = data,
                       .size_bytes = sizeof(data)};
    char *text = much_text('x'); /* what a scan finds does not fit either */

    given_registry(APP, text);
    free(text);
    report_apart(ring, 0, 0, &c);
    return ring_wait_durable(ring, ring_last_number(ring));
}

static void test_full_storage_with_lag_0_refuses_the_call_that_waits(void **state)
{
    struct ring ring;
    enum ring_wait answer;

    (void)state;
    given_hooked_and_full("0", NULL);
    ring_of_app(&ring);
    answer = report_much(&ring);
    if (answer != RING_WAIT_REFUSED) /* or by the time that it looks, the ring is closed already */
        assert_int_equal(answer, RING_WAIT_GONE);
    assert_int_not_equal(ring.shared->state, RING_OPEN);
    assert_int_equal(monitor_wait_end(), 123);
    assert_int_equal(played_pid("program"), 0);
    assert_checkpoint(APP, "a=1");
    assert_true(resource_is_free());
    ring_close(&ring);
}

static void test_full_storage_with_lag_0_lets_no_call_wait_in_vain(void **state)
{
    struct ring ring;

    (void)state;
    given_hooked_and_full("0", NULL);
    ring_of_app(&ring);
    assert_int_not_equal(report_much(&ring), RING_WAIT_DONE);
    assert_int_not_equal(ring_wait_durable(&ring, ring_last_number(&ring)), RING_WAIT_TIMEOUT);
    assert_int_equal(monitor_wait_end(), 123);
    assert_int_equal(ring_wait_durable(&ring, ring_last_number(&ring)), RING_WAIT_GONE);
    ring_close(&ring);
}

static void test_full_storage_keeps_what_lag_0_promised(void **state)
{
    (void)state;
    given_hooked_and_full("0", NULL);
    assert_does("set " APP " a=2", "committed"); /* it fits into the file as it is */
    program_is_to(SET_MUCH);
    assert_int_equal(monitor_wait_end(), 123);
    assert_checkpoint(APP, "a=2");
}

#define STORAGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
static const struct CMUnitTest tests[] = {
    STORAGE_TEST(test_full_storage_lets_the_program_go_on),
    STORAGE_TEST(test_full_storage_is_repaired_by_a_scan),
    STORAGE_TEST(test_full_storage_keeps_nothing_later_without_what_was_before),
    STORAGE_TEST(test_full_storage_with_stop_ends_the_program),
    STORAGE_TEST(test_full_storage_with_lag_0_refuses_the_call_that_waits),
    STORAGE_TEST(test_full_storage_with_lag_0_lets_no_call_wait_in_vain),
    STORAGE_TEST(test_full_storage_keeps_what_lag_0_promised),
};

MONITOR_TESTS_MAIN(tests)
