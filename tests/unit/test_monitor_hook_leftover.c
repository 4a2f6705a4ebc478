/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ring of a killed monitor, where the checkpoint is not any more what the ring's changes followed.
 */
#include <signal.h>

#include "monitor_hooked.h"

/* A hooked program has set APP's value a to "2" when its monitor is killed, which had not seen it. */
static void given_killed(void)
{
    given_hooked();
    monitor_pauses();
    program_does("set " APP " a=2");
    monitor_is_killed();
}

/* As a command writes to the checkpoint of a resource that is offline: the epoch stays. */
static struct checkpoint *begin(void)
{
    char *path = store_path(fix.store, "app", STORE_CHECKPOINT);
    struct checkpoint *c;
    struct error err;

    assert_int_equal(checkpoint_open(path, &c, &err), 0);
    assert_int_equal(checkpoint_begin(c, &err), 0);
    free(path);
    return c;
}

static void commit(struct checkpoint *c)
{
    struct error err;

    assert_int_equal(checkpoint_commit(c, &err), 0);
    checkpoint_close(c);
}

static void import(const char *data)
{
    static const uint16_t name[] = {'a'};
    struct change change = {.kind = CHANGE_SET_VALUE, .key_id = 1, .name = {name, 1}, .type = 3,
                            .data = data, .size_bytes = (uint32_t)strlen(data)};
    struct checkpoint *c = begin();
    struct error err;

    assert_int_equal(checkpoint_change(c, &change, NULL, &err), 0);
    commit(c);
}

static void test_killed_monitors_changes_do_not_cover_an_import(void **state)
{
    (void)state;
    given_killed();
    import("7");
    monitor_online();
    assert_checkpoint(APP, "a=7");
    assert_registry(APP, "a=7");
    assert_true(log_has("has been written since"));
    monitor_ends_offline();
}

static void test_killed_monitors_changes_follow_what_it_saved_last(void **state)
{
    struct error err;

    (void)state;
    given_hooked();
    given_registry(OTHER, "b=1");
    assert_int_equal(ctl_add(OTHER, 0, &err), 0); /* a commit of another kind */
    assert_int_equal(ctl_set("lag", "90", &err), 0);
    monitor_pauses();
    program_does("set " APP " a=2\nset " OTHER " b=2");
    monitor_is_killed();
    monitor_online();
    assert_checkpoint(APP, "a=2");
    assert_checkpoint(OTHER, "b=2");
    monitor_ends_offline();
}

static void test_outside_change_is_seen_at_once_after_killed_monitors_changes(void **state)
{
    (void)state;
    given_hooked();
    monitor_pauses();
    for (int i = 0; i < 8; i++) /* so that their numbers are higher than those to come */
        program_does("set " APP " a=2\nset " APP " a=3");
    monitor_is_killed();
    monitor_online();
    notifications_fire();
    program_does("flush");
    given_registry(APP, "a=4");
    AWAIT(checkpoint_holds(APP, "a=4"));
    assert_int_equal(times_asked("arm"), 0); /* nothing was unsure */
    monitor_ends_offline();
}

static const struct CMUnitTest tests[] = {
    HOOKED_TEST(test_killed_monitors_changes_do_not_cover_an_import),
    HOOKED_TEST(test_killed_monitors_changes_follow_what_it_saved_last),
    HOOKED_TEST(test_outside_change_is_seen_at_once_after_killed_monitors_changes),
};

MONITOR_TESTS_MAIN(tests)
