/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file system is full at each of the writer's writes in turn: old or new, and an error that
 * says so.
 */
#include "scenario.h"

/* Goes through all writes. */
static void fill_everywhere(enum fault fault)
{
    unsigned long n, points, inside = 0, hidden = 0, writes;
    struct scenario s;
    char what[64];

    scenario_init(&s);
    scenario_run(&s, FAULT_NONE, 0);
    assert_int_equal(s.progress->result, 0);
    writes = s.progress->report.writes;
    for (n = 1, points = 0; n <= writes; n++) {
        scenario_run(&s, fault, n);
        if (!s.progress->report.fired) break;
        points++;
        inside += s.progress->in_commit;
        snprintf(what, sizeof(what), "full at write %lu", n);
        if (!s.progress->result)
            hidden++; /* in what libtdb does after a commit, to tidy up */
        else if (s.progress->result != ENOSPC ||
                 !strstr(s.progress->text, "No space left on device"))
            fail_msg("%s: %d %s", what, s.progress->result, s.progress->text);
        scenario_check(&s, what);
    }
    print_message("%lu writes; full at %lu, %lu inside a commit, %lu without effect\n", writes,
                  points, inside, hidden);
    assert_int_equal(points, writes);
    assert_true(inside > 0);
    scenario_free(&s);
}

static void test_checkpoint_commit_one_write_fails(void **state)
{
    (void)state;
    fill_everywhere(FAULT_FULL_ONCE);
}

static void test_checkpoint_commit_all_writes_fail_from_there(void **state)
{
    (void)state;
    fill_everywhere(FAULT_FULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checkpoint_commit_one_write_fails),
        cmocka_unit_test(test_checkpoint_commit_all_writes_fail_from_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
