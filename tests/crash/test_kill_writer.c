/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The writer is ended by SIGKILL at each of its calls in turn: what is left is always the state
 * before or after the commit that was in progress.
 */
#include "scenario.h"

/* Goes through all points of a kind of death. */
static void kill_everywhere(enum fault fault)
{
    unsigned long n, points, inside = 0, calls, tdb_calls;
    struct scenario s;
    char what[64];

    scenario_init(&s);
    scenario_run(&s, FAULT_NONE, 0);
    assert_int_equal(s.progress->result, 0);
    calls = s.progress->report.calls;
    tdb_calls = s.progress->report.tdb_calls;
    for (n = 1, points = 0; n <= calls; n++) {
        scenario_run(&s, fault, n);
        if (!s.progress->report.fired) break;
        points++;
        inside += s.progress->in_commit;
        snprintf(what, sizeof(what), "killed at call %lu", n);
        scenario_check(&s, what);
    }
    print_message("%lu calls, %lu of them libtdb's; killed at %lu, %lu inside a commit\n", calls,
                  tdb_calls, points, inside);
    assert_int_equal(points, calls);
    assert_true(tdb_calls > 0);
    assert_true(inside > 0);
    scenario_free(&s);
}

static void test_checkpoint_commit_killed_before_each_call(void **state)
{
    (void)state;
    kill_everywhere(FAULT_KILL);
}

static void test_checkpoint_commit_killed_within_each_call(void **state)
{
    (void)state;
    kill_everywhere(FAULT_KILL_HALF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checkpoint_commit_killed_before_each_call),
        cmocka_unit_test(test_checkpoint_commit_killed_within_each_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
