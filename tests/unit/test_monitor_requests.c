/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the command asks of a resource that is online.
 */
#include <signal.h>
#include <unistd.h>

#include "monitor_fixture.h"
#include "played_wine.h"

static struct error err;

/* Online with APP "a=1" in both; the watch is too slow to matter. */
static void given_online(void)
{
    given_property("lag", "60000");
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    given_registry(APP, "a=1");
    monitor_online();
    AWAIT(monitor_scans() >= 2); /* the restore's, and the first full one */
}

/* A request with one number. */
static int ask_number(enum ctl_message type, uint32_t number)
{
    struct pack p;
    int code;

    pack_init(&p);
    pack_u32(&p, number);
    code = ctl_ask(type, &p, NULL, NULL, &err);
    pack_free(&p);
    return code;
}

static void test_status_tells_what_is_online(void **state)
{
    struct monitor_status s;

    (void)state;
    given_online();
    ctl_status(&s);
    assert_int_equal(s.phase, PHASE_ONLINE);
    assert_int_equal(s.pid, fix.monitor);
    assert_int_equal(s.host_pid, played_pid("agent"));
    assert_int_equal(s.registered, 1);
    assert_int_equal(s.uncaptured, 0);
    assert_int_equal(s.values, 1);
    assert_string_equal(s.resource, "app");
    assert_string_equal(s.prefix, fix.prefix);
    assert_string_equal(s.last_error, "");
    assert_int_equal(s.storage_failing_since, 0);
    assert_true(s.online_since > 0);
    monitor_status_free(&s);
    monitor_ends_offline();
}

static uint64_t waiting(void)
{
    struct monitor_status s;
    uint64_t count;

    ctl_status(&s);
    count = s.waiting;
    monitor_status_free(&s);
    return count;
}

static void test_status_tells_of_changes_that_wait(void **state)
{
    (void)state;
    given_online();
    AWAIT(waiting() == 0);
    given_registry(APP, "a=2");
    AWAIT(waiting() == UINT64_MAX);
    monitor_ends_offline();
}

static void test_status_answers_while_the_host_hangs(void **state)
{
    struct monitor_status s;
    struct pack nothing;
    int sock;

    (void)state;
    given_online();
    given_script("save 1 hang\n");
    pack_init(&nothing);
    sock = ctl_connect();
    assert_int_equal(message_send(sock, CTL_SAVE, 1, &nothing, -1, 1000), 0);
    AWAIT(times_asked("save") >= 3);
    ctl_status(&s);
    assert_int_equal(s.phase, PHASE_ONLINE);
    monitor_status_free(&s);
    close(sock);
    kill(played_pid("agent"), SIGKILL);
    assert_int_equal(monitor_wait_end(), 124);
}

/* How long it takes to be told the status beside them. */
static int64_t status_ms_beside_silent_ones(void)
{
    int silent[80];
    int64_t began, took;

    for (int i = 0; i < 80; i++)
        silent[i] = ctl_connect();
    began = fixture_now_ms();
    assert_int_equal(ctl_plain(CTL_STATUS, &err), 0);
    took = fixture_now_ms() - began;
    for (int i = 0; i < 80; i++)
        close(silent[i]);
    return took;
}

static void test_status_answers_beside_connections_that_say_nothing(void **state)
{
    (void)state;
    given_online();
    /* one of them alone may take 2000 ms; so may a busy machine, but not always */
    AWAIT(status_ms_beside_silent_ones() < 1500);
    monitor_ends_offline();
}

static void test_save_commits_at_once(void **state)
{
    struct message reply;
    struct unpack u;

    (void)state;
    given_online();
    given_registry(APP, "a=2;b=3");
    assert_int_equal(ctl_ask(CTL_SAVE, NULL, &reply, &u, &err), 0);
    assert_int_equal(unpack_u64(&u), 2);
    message_free(&reply);
    assert_checkpoint(APP, "a=2;b=3");
    monitor_ends_offline();
}

static void test_save_that_cannot_scan_says_why(void **state)
{
    (void)state;
    given_online();
    given_script("save 1 status c000007f\n");
    given_registry(APP, "a=2");
    assert_int_equal(ctl_plain(CTL_SAVE, &err), RESULT_WINE);
    assert_says(err.text, "the disk is full");
    AWAIT(checkpoint_holds(APP, "a=2")); /* it is tried again by itself */
    monitor_ends_offline();
}

static void test_add_captures_the_key(void **state)
{
    (void)state;
    given_online();
    given_registry(OTHER, "o=1");
    assert_int_equal(ctl_add(OTHER, 0, &err), 0);
    assert_checkpoint(OTHER, "o=1");
    given_registry(OTHER, "o=2");
    assert_int_equal(ctl_plain(CTL_SAVE, &err), 0);
    assert_checkpoint(OTHER, "o=2");
    monitor_ends_offline();
}

static void test_add_of_a_key_that_does_not_exist_is_refused(void **state)
{
    (void)state;
    given_online();
    assert_int_equal(ctl_add(OTHER, 0, &err), RESULT_NOT_FOUND);
    assert_says(err.text, OTHER);
    assert_false(checkpoint_key(OTHER, NULL));
    monitor_ends_offline();
}

static void test_add_of_a_future_key_waits_for_it(void **state)
{
    struct registered_key key;

    (void)state;
    given_online();
    assert_int_equal(ctl_add(OTHER, KEY_FUTURE, &err), 0);
    assert_true(checkpoint_key(OTHER, &key));
    assert_false(key.flags & KEY_CAPTURED);
    given_registry(OTHER, "o=1");
    assert_int_equal(ctl_plain(CTL_SAVE, &err), 0);
    assert_checkpoint(OTHER, "o=1");
    monitor_ends_offline();
}

static void test_add_of_a_key_twice_is_refused(void **state)
{
    (void)state;
    given_online();
    assert_int_equal(ctl_add(APP, 0, &err), RESULT_EXISTS);
    monitor_ends_offline();
}

static void test_add_of_a_broad_key_is_refused_also_as_the_first(void **state)
{
    (void)state;
    monitor_online();
    given_registry("Software", "a=1");
    assert_int_equal(ctl_add("Software", 0, &err), RESULT_USAGE);
    assert_false(checkpoint_key("Software", NULL));
    monitor_ends_offline();
}

static void test_add_that_cannot_scan_leaves_nothing(void **state)
{
    (void)state;
    given_online();
    given_registry(OTHER, "o=1");
    given_script("save 1 status c000007f\n");
    assert_int_equal(ctl_add(OTHER, 0, &err), RESULT_WINE);
    assert_false(checkpoint_key(OTHER, NULL));
    assert_int_equal(ctl_add(OTHER, 0, &err), 0); /* and can be tried again */
    assert_checkpoint(OTHER, "o=1");
    monitor_ends_offline();
}

static void test_add_that_the_host_does_not_take_leaves_nothing(void **state)
{
    (void)state;
    given_online();
    given_registry(OTHER, "o=1");
    given_script("keys 1 status c0000017\n");
    assert_int_equal(ctl_add(OTHER, 0, &err), RESULT_WINE);
    assert_false(checkpoint_key(OTHER, NULL));
    monitor_ends_offline();
}

static void test_remove_forgets_the_key(void **state)
{
    struct registered_key key;

    (void)state;
    given_online();
    assert_true(checkpoint_key(APP, &key));
    assert_int_equal(ask_number(CTL_REMOVE, key.id), 0);
    assert_false(checkpoint_key(APP, NULL));
    given_registry(APP, "a=9");
    monitor_ends_offline();
    assert_registry(APP, "a=9");
}

static void test_remove_of_an_unknown_key_is_refused(void **state)
{
    (void)state;
    given_online();
    assert_int_equal(ask_number(CTL_REMOVE, 4711), RESULT_NOT_FOUND);
    assert_checkpoint(APP, "a=1");
    monitor_ends_offline();
}

static void test_set_changes_a_property_at_once(void **state)
{
    (void)state;
    given_online();
    assert_int_equal(ctl_set("lag", "50", &err), 0);
    given_registry(APP, "a=2");
    AWAIT(checkpoint_holds(APP, "a=2"));
    monitor_ends_offline();
}

static void test_set_of_lag_0_is_refused(void **state)
{
    (void)state;
    given_online();
    assert_int_equal(ctl_set("lag", "0", &err), RESULT_UNPROTECTED);
    assert_says(err.text, "lag");
    monitor_ends_offline();
}

static void test_set_of_an_unknown_property_is_refused(void **state)
{
    (void)state;
    given_online();
    assert_int_equal(ctl_set("colour", "red", &err), RESULT_USAGE);
    assert_says(err.text, "colour");
    monitor_ends_offline();
}

static void test_diff_lists_what_is_not_saved_yet(void **state)
{
    struct message reply;
    struct change change;
    struct unpack u;

    (void)state;
    given_online();
    given_registry(APP, "a=2");
    assert_int_equal(ctl_ask(CTL_DIFF, NULL, &reply, &u, &err), 0);
    assert_int_equal(unpack_u32(&u), 1);
    unpack_change(&u, &change);
    assert_true(unpack_done(&u));
    assert_int_equal(change.kind, CHANGE_SET_VALUE);
    assert_int_equal(change.name.len, 1);
    change_free(&change);
    message_free(&reply);
    assert_checkpoint(APP, "a=1"); /* it only looks */
    monitor_ends_offline();
    assert_checkpoint(APP, "a=2");
}

static void test_offline_replies_when_the_resource_is_free(void **state)
{
    (void)state;
    given_online();
    given_registry(APP, "a=2");
    assert_int_equal(ask_number(CTL_OFFLINE, 0), 0);
    assert_true(resource_is_free());
    assert_checkpoint(APP, "a=2");
    assert_int_equal(monitor_wait_end(), 0);
}

static void test_offline_whose_last_save_fails_says_so(void **state)
{
    (void)state;
    given_online();
    given_script("save 0 status c000007f\n");
    assert_int_equal(ask_number(CTL_OFFLINE, 0), RESULT_WINE);
    assert_says(err.text, "could not be saved");
    assert_int_equal(monitor_wait_end(), 124);
    assert_false(file_exists(STORE_LAST_GOOD));
    assert_true(resource_is_free());
}

static void test_unknown_request_is_answered(void **state)
{
    (void)state;
    given_online();
    assert_int_equal(ask_number((enum ctl_message)200, 0), RESULT_INVALID);
    monitor_ends_offline();
}

static void test_peer_that_sends_garbage_does_no_harm(void **state)
{
    static const uint8_t too_long[12] = {255, 255, 255, 255, 102};
    struct monitor_status s;
    struct pack p;
    int sock;

    (void)state;
    given_online();
    sock = ctl_connect();
    assert_int_equal(write(sock, too_long, sizeof(too_long)), sizeof(too_long));
    close(sock);
    close(ctl_connect()); /* one that says nothing at all */
    pack_init(&p);
    pack_raw(&p, "\377\377\377\377\377\377\377\377\377", 9);
    for (uint32_t type = CTL_SAVE; type <= CTL_DIFF; type++) /* requests of the wrong content */
        ctl_ask((enum ctl_message)type, &p, NULL, NULL, &err);
    sock = ctl_connect(); /* a host that is none */
    assert_int_equal(message_send(sock, 1, 0, &p, -1, 1000), 0);
    close(sock);
    pack_free(&p);
    ctl_status(&s);
    assert_int_equal(s.phase, PHASE_ONLINE);
    monitor_status_free(&s);
    monitor_ends_offline();
    assert_checkpoint(APP, "a=1");
}

static const struct CMUnitTest tests[] = {
    MONITOR_TEST(test_status_tells_what_is_online),
    MONITOR_TEST(test_status_tells_of_changes_that_wait),
    MONITOR_TEST(test_status_answers_while_the_host_hangs),
    MONITOR_TEST(test_status_answers_beside_connections_that_say_nothing),
    MONITOR_TEST(test_save_commits_at_once),
    MONITOR_TEST(test_save_that_cannot_scan_says_why),
    MONITOR_TEST(test_add_captures_the_key),
    MONITOR_TEST(test_add_of_a_key_that_does_not_exist_is_refused),
    MONITOR_TEST(test_add_of_a_future_key_waits_for_it),
    MONITOR_TEST(test_add_of_a_key_twice_is_refused),
    MONITOR_TEST(test_add_of_a_broad_key_is_refused_also_as_the_first),
    MONITOR_TEST(test_add_that_cannot_scan_leaves_nothing),
    MONITOR_TEST(test_add_that_the_host_does_not_take_leaves_nothing),
    MONITOR_TEST(test_remove_forgets_the_key),
    MONITOR_TEST(test_remove_of_an_unknown_key_is_refused),
    MONITOR_TEST(test_set_changes_a_property_at_once),
    MONITOR_TEST(test_set_of_lag_0_is_refused),
    MONITOR_TEST(test_set_of_an_unknown_property_is_refused),
    MONITOR_TEST(test_diff_lists_what_is_not_saved_yet),
    MONITOR_TEST(test_offline_replies_when_the_resource_is_free),
    MONITOR_TEST(test_offline_whose_last_save_fails_says_so),
    MONITOR_TEST(test_unknown_request_is_answered),
    MONITOR_TEST(test_peer_that_sends_garbage_does_no_harm),
};

MONITOR_TESTS_MAIN(tests)
