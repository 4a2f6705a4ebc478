/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Each of the writer's syncs fails in turn: that is never taken for success, and what is left is
 * old or new.
 */
#include "scenario.h"

static void test_checkpoint_commit_one_sync_fails(void **state)
{
    unsigned long n, syncs, inside = 0, hidden = 0;
    struct scenario s;
    char what[64];

    (void)state;
    scenario_init(&s);
    scenario_run(&s, FAULT_NONE, 0);
    assert_int_equal(s.progress->result, 0);
    syncs = s.progress->report.syncs;
    for (n = 1; n <= syncs; n++) {
        scenario_run(&s, FAULT_SYNC, n);
        assert_true(s.progress->report.fired);
        inside += s.progress->in_commit;
        snprintf(what, sizeof(what), "sync %lu failed", n);
        if (!s.progress->result)
            hidden++;
        else if (s.progress->result != EIO || !strstr(s.progress->text, "Input/output error"))
            fail_msg("%s: %d %s", what, s.progress->result, s.progress->text);
        scenario_check(&s, what);
    }
    print_message("%lu syncs failed, %lu inside a commit, %lu not told\n", syncs, inside, hidden);
    assert_true(inside > 0);
    assert_int_equal(hidden, 0);
    scenario_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checkpoint_commit_one_sync_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
