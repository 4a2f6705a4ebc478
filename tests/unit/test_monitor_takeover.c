/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Forced takeover: two monitors of one resource on one store, each with a run directory and a prefix
 * of its own, as on two nodes.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "monitor_hooked.h"
#include "takeover.h"

static struct fixture here; /* while fix is the other node's */
static struct error err;
static char token[OWNER_TOKEN_BYTES];

/* From here on fix is the other node's, which may displace who owns the resource now. */
static void on_the_other_node(void)
{
    assert_int_equal(takeover_token(fix.store, "app", token, &err), 0);
    fixture_other_node(&here);
    fix.takeover = token;
    fix.prefix_option = fix.prefix;
}

static void on_the_first_node(void)
{
    struct fixture there, first = here;

    fixture_switch(&there, &first);
    here = there;
}

/* Ends what is left of the other one's. */
static int teardown(void **state)
{
    if (here.dir[0]) {
        if (here.monitor) {
            kill(here.monitor, SIGCONT);
            kill(here.monitor, SIGKILL);
            waitpid(here.monitor, NULL, 0);
        }
        if (here.ready_fd >= 0)
            close(here.ready_fd);
        settings_free(&here.settings);
        free(here.run_dir);
        memset(&here, 0, sizeof(here));
    }
    return fixture_teardown(state);
}

/* The first node's monitor ends as one that was displaced, and its program too. */
static void assert_displaced(const char *by)
{
    pid_t program = played_pid("program");

    assert_int_equal(monitor_wait_end(), 120);
    assert_true(log_has("DISPLACED"));
    assert_true(log_has(by));
    AWAIT(played_is_gone(program));
}

static void test_owner_that_stands_still_is_displaced_and_ends(void **state)
{
    struct checkpoint_state before, after;

    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    monitor_online();
    checkpoint_state_read(&before);
    kill(fix.monitor, SIGSTOP);
    on_the_other_node();
    monitor_online();
    assert_says(fix.talk, "displacing owned by process");
    assert_says(fix.talk, "node here");
    checkpoint_state_read(&after);
    assert_int_equal(after.epoch, before.epoch + 1);
    assert_string_equal(after.node, "there");
    assert_registry(APP, "a=1");
    given_registry(APP, "a=2");
    AWAIT(checkpoint_holds(APP, "a=2"));
    on_the_first_node();
    given_registry(APP, "a=lost"); /* not noticed before it wakes */
    kill(fix.monitor, SIGCONT);
    assert_displaced("node there");
    assert_checkpoint(APP, "a=2");
    on_the_first_node();
    given_registry(APP, "a=3");
    AWAIT(checkpoint_holds(APP, "a=3"));
    monitor_ends_offline();
}

static void test_idle_owner_notices_by_itself(void **state)
{
    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    monitor_online();
    on_the_other_node();
    monitor_online();
    on_the_first_node();
    assert_displaced("node there");
    on_the_first_node();
    monitor_ends_offline();
}

static void test_displaced_owner_acknowledges_nothing(void **state)
{
    struct fixture there;

    (void)state;
    given_property("lag", "0");
    given_hooked();
    assert_does("set " APP " a=2", "committed");
    kill(fix.monitor, SIGSTOP);
    program_is_to("set " APP " a=lost");
    program_is_to("set " APP " a=2"); /* what the old checkpoint holds already */
    on_the_other_node();
    monitor_online();
    assert_checkpoint(APP, "a=2");
    on_the_first_node();
    kill(fix.monitor, SIGCONT);
    assert_displaced("node there");
    assert_int_equal(played_read(fix.prefix, "answers", fix.talk, 10), 10);
    assert_memory_equal(fix.talk, "committed\n", 10);
    assert_true(played_read(fix.prefix, "answers", fix.talk, sizeof(fix.talk)) < 20 ||
                !strstr(fix.talk + 10, "committed"));
    assert_checkpoint(APP, "a=2");
    there = here;
    fixture_switch(&here, &there);
    monitor_ends_offline();
}

static void test_takeover_is_refused_without_the_word(void **state)
{
    (void)state;
    monitor_online();
    on_the_other_node();
    fix.takeover = NULL;
    assert_int_equal(monitor_fails(), 120);
    assert_says(fix.talk, "node here");
    on_the_first_node();
    monitor_ends_offline();
}

static void test_takeover_of_another_owner_than_was_meant_is_refused(void **state)
{
    (void)state;
    monitor_online();
    on_the_other_node();
    on_the_first_node();
    monitor_ends_offline();
    monitor_online(); /* the node is not off at all */
    on_the_first_node();
    assert_int_equal(monitor_fails(), 120);
    assert_says(fix.talk, "not the one it had");
    on_the_first_node();
    monitor_ends_offline();
}

static void test_takeover_of_an_owner_on_this_node_is_refused(void **state)
{
    pid_t first;

    (void)state;
    monitor_online();
    assert_int_equal(takeover_token(fix.store, "app", token, &err), 0);
    fix.takeover = token;
    first = fix.monitor;
    assert_int_equal(monitor_fails(), 120);
    assert_says(fix.talk, "on another node");
    fix.monitor = first;
    monitor_ends_offline();
}

static void test_takeover_of_a_free_resource_is_a_plain_one(void **state)
{
    struct checkpoint_state after;
    char text[OWNER_TEXT_BYTES];

    (void)state;
    monitor_online();
    monitor_ends_offline();
    on_the_other_node();
    monitor_online();
    assert_null(strstr(fix.talk, "displacing"));
    takeover_owner_text(fix.store, "app", text);
    assert_says(text, "owned by process");
    checkpoint_state_read(&after);
    assert_int_equal(after.epoch, 2);
    monitor_ends_offline();
    takeover_owner_text(fix.store, "app", text);
    assert_string_equal(text, "");
}

#define TAKEOVER_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, teardown)

static const struct CMUnitTest tests[] = {
    TAKEOVER_TEST(test_owner_that_stands_still_is_displaced_and_ends),
    TAKEOVER_TEST(test_idle_owner_notices_by_itself),
    cmocka_unit_test_setup_teardown(test_displaced_owner_acknowledges_nothing, fixture_hooked_setup,
                                    teardown),
    TAKEOVER_TEST(test_takeover_is_refused_without_the_word),
    TAKEOVER_TEST(test_takeover_of_another_owner_than_was_meant_is_refused),
    TAKEOVER_TEST(test_takeover_of_an_owner_on_this_node_is_refused),
    TAKEOVER_TEST(test_takeover_of_a_free_resource_is_a_plain_one),
};

MONITOR_TESTS_MAIN(tests)
