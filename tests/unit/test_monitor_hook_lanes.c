/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Room in the lanes is given back, also where no cut is whole.
 */
#include "monitor_hooked.h"

static struct ring ring;

static bool lanes_are_empty(void)
{
    for (uint32_t i = 0; i < ring.lane_count; i++)
        if (__atomic_load_n(&ring.shared->lanes[i].tail, __ATOMIC_ACQUIRE) !=
            __atomic_load_n(&ring.shared->lanes[i].head, __ATOMIC_ACQUIRE))
            return false;
    return true;
}

/* As a thread leaves it that is ended in the middle of a call that had no lane. */
static void test_lanes_get_empty_while_a_call_without_its_lane_does_not_end(void **state)
{
    uint32_t place;

    (void)state;
    given_hooked();
    ring_of_app(&ring);
    place = ring_attach(&ring, 40, "ended.exe");
    ring_attach_ready(&ring, place);
    ring_laneless_begin(&ring, place);
    program_does("set " APP " a=2\nset " APP " b=3");
    AWAIT(checkpoint_holds(APP, "a=2;b=3"));
    AWAIT(lanes_are_empty());
    ring_laneless_end(&ring, place);
    ring_close(&ring);
    monitor_ends_offline();
}

static const struct CMUnitTest tests[] = {
    HOOKED_TEST(test_lanes_get_empty_while_a_call_without_its_lane_does_not_end),
};

MONITOR_TESTS_MAIN(tests)
