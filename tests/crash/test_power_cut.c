/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The power goes before each of a writer's calls in turn, and of what was not synced until then a part
 * is on the disk, or none, or all: what is found there is always the state before or after the commit
 * that was in progress.  SEED=N makes the same choices again.
 */
#include "cuts.h"
#include "scenario.h"

static unsigned long inside;

static void check(void *arg, const void *seen, const char *what)
{
    struct scenario *s = arg;

    memcpy(s->progress, seen, sizeof(*s->progress));
    inside += s->progress->in_commit;
    scenario_check(s, what);
}

static void test_checkpoint_power_lost_before_each_call(void **state)
{
    unsigned long points = 0, states = 0;
    struct iorecord record;
    struct scenario s;
    struct disk *d;

    (void)state;
    scenario_init(&s);
    scenario_empty(&s);
    d = disk_new(s.dir);
    scenario_record(&s, &record);
    cut_everywhere(d, &record, check, &s, &points, &states);
    print_message("%lu points; %lu states of the disk, %lu of them inside a commit (SEED=%llu)\n",
                  points, states, inside, cut_seed());
    assert_true(inside > 0);
    disk_free(d);
    iorecord_free(&record);
    scenario_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checkpoint_power_lost_before_each_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
