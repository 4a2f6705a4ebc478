/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Storage that fails, is gone, hangs, is slow or fails to sync while a resource is online, and clocks
 * that jump.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "faulty_store.h"
#include "full_store.h"
#include "monitor_hooked.h"
#include "takeover.h"

#define MOST_S 60     /* storage_timeout, what dying takes, and a busy machine */
#define SLOW_MS 20
#define SLOW_START_MS 200 /* of some dozen calls: more than storage_timeout in all */
#define CALLS_STEP 8  /* of the calls of a start at which it hangs */
#define LOOKS_S 3     /* in which it looks at the lock file, and tries again */

static int setup(void **state)
{
    if (fixture_setup(state))
        return -1;
    faulty_store_setup();
    return 0;
}

static int setup_hooked(void **state)
{
    if (fixture_hooked_setup(state))
        return -1;
    faulty_store_setup();
    return 0;
}

/* Online with APP "a=1" in both; program may be ended where storage fails. */
static void given_online(const char *policy)
{
    given_property("on-storage-error", policy);
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    given_registry(APP, "a=1");
    monitor_online();
    AWAIT(monitor_scans() >= 2);
}

/* With "continue": told while it lasts, the program goes on, and all is there afterwards. */
static void storage_fails_for_a_while(enum storage_fault fault)
{
    uint64_t before, since;

    given_online("continue");
    before = (uint64_t)time(NULL) * 1000000;
    storage_is(fault);
    given_registry(APP, "a=2");
    AWAIT((since = storage_failing_since()));
    assert_true(since >= before);
    assert_true(log_has("storage fails"));
    sleep(LOOKS_S);
    given_registry(APP, "a=3");
    assert_true(played_pid("program") > 0);
    assert_checkpoint(APP, "a=1");
    storage_is(STORAGE_WORKS);
    AWAIT(checkpoint_holds(APP, "a=3"));
    AWAIT(!storage_failing_since());
    assert_true(log_has("storage works again"));
    assert_false(log_has("DISPLACED"));
    assert_true(played_pid("program") > 0);
    monitor_ends_offline();
}

/* With "stop": the program is ended, and the resource is free for another node. */
static void storage_fails_for_good(enum storage_fault fault)
{
    given_online("stop");
    storage_is(fault);
    given_registry(APP, "a=2");
    assert_int_equal(monitor_wait_end(), 123);
    AWAIT(!played_pid("program"));
    assert_true(log_has("storage fails"));
    assert_checkpoint(APP, "a=1");
    AWAIT(resource_is_free());
    storage_is(STORAGE_WORKS);
    monitor_online();
    monitor_ends_offline();
}

#define FAULT_TESTS(name, fault) \
    static void test_storage_that_##name##_for_a_while(void **state) \
    { \
        (void)state; \
        storage_fails_for_a_while(fault); \
    } \
    static void test_storage_that_##name##_for_good_with_stop(void **state) \
    { \
        (void)state; \
        storage_fails_for_good(fault); \
    }

FAULT_TESTS(cannot_write, STORAGE_WRITES_FAIL)
FAULT_TESTS(fails, STORAGE_FAILS)
FAULT_TESTS(is_read_only, STORAGE_READ_ONLY)
FAULT_TESTS(is_gone, STORAGE_GONE)

/* --- storage that hangs --- */

static void test_storage_that_hangs_is_told_and_recovered_from(void **state)
{
    uint64_t before, since;

    (void)state;
    given_online("continue");
    before = (uint64_t)time(NULL) * 1000000;
    storage_is(STORAGE_HANGS);
    AWAIT((since = storage_stalled_since())); /* though nothing was to be saved */
    assert_true(since >= before);
    assert_true(log_has("storage has not answered"));
    given_registry(APP, "a=2");
    sleep(PATIENCE_S + 2);
    assert_true(played_pid("program") > 0);
    storage_is(STORAGE_WORKS);
    AWAIT(checkpoint_holds(APP, "a=2"));
    AWAIT(!storage_stalled_since());
    assert_true(log_has("storage answers again"));
    monitor_ends_offline();
}

/* Ends with 123 though no call of its to the store returns; the program is gone. */
static void assert_gives_up(int64_t since_ms)
{
    pid_t program = played_pid("program");

    assert_int_equal(monitor_wait_end(), 123);
    AWAIT(played_is_gone(program));
    assert_true(fixture_now_ms() - since_ms < MOST_S * 1000);
    assert_true(log_has("GIVING UP"));
    storage_is(STORAGE_WORKS);
    AWAIT(resource_is_free());
    assert_checkpoint(APP, "a=1");
    monitor_online();
    monitor_ends_offline();
}

/*
 * It hangs from the first call of a start on, from a later one, and so on: that is said, the monitor ends,
 * and nobody is in the way of the next one.
 */
static void test_storage_that_hangs_at_the_start(void **state)
{
    unsigned calls, failed = 0;
    int64_t since_ms;

    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    given_registry(APP, "a=1");
    for (calls = 0;; calls += calls ? CALLS_STEP : 1) {
        faults->calls = calls;
        storage_is(STORAGE_HANGS_LATER);
        since_ms = fixture_now_ms();
        monitor_begin();
        if (!monitor_wait_ready()) break; /* before that many */
        failed++;
        assert_int_equal(monitor_wait_end(), 123);
        assert_true(fixture_now_ms() - since_ms < MOST_S * 1000);
        assert_says(fix.talk, "has not answered for 2 s (storage_timeout) to an attempt to ");
        assert_says(fix.talk, fix.store);
        assert_says(fix.talk, "mounted");
        assert_int_equal(played_pid("program"), 0);
        storage_is(STORAGE_WORKS);
        AWAIT(resource_is_free());
        assert_checkpoint(APP, "a=1");
    }
    storage_is(STORAGE_WORKS);
    assert_true(failed > 3);
    monitor_ends_offline();
}

/* What takes longer than storage_timeout as a whole, and answers all the time. */
static void test_storage_that_is_slow_at_the_start(void **state)
{
    int64_t since_ms;

    (void)state;
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    given_registry(APP, "a=1");
    faults->slow_ms = SLOW_START_MS;
    storage_is(STORAGE_SLOW);
    since_ms = fixture_now_ms();
    monitor_online();
    assert_true(fixture_now_ms() - since_ms > PATIENCE_S * 1000);
    storage_is(STORAGE_WORKS);
    monitor_ends_offline();
}

static void test_storage_that_hangs_with_stop_ends_the_program(void **state)
{
    int64_t since_ms = fixture_now_ms();

    (void)state;
    given_online("stop");
    storage_is(STORAGE_HANGS);
    assert_gives_up(since_ms);
}

static void test_storage_that_hangs_does_not_hold_up_a_signal(void **state)
{
    int64_t since_ms = fixture_now_ms();

    (void)state;
    given_online("continue");
    storage_is(STORAGE_HANGS);
    AWAIT(storage_stalled_since());
    kill(fix.monitor, SIGTERM);
    assert_gives_up(since_ms);
}

static void test_storage_that_hangs_does_not_hold_up_offline(void **state)
{
    int64_t since_ms = fixture_now_ms();
    struct message m;
    int sock;

    (void)state;
    given_online("continue");
    storage_is(STORAGE_HANGS);
    AWAIT(storage_stalled_since());
    sock = ctl_connect();
    assert_int_equal(message_send(sock, CTL_OFFLINE, 1, NULL, -1, WAIT_MS), 0);
    assert_gives_up(since_ms);
    assert_int_not_equal(message_receive(sock, &m, WAIT_MS), 0); /* whoever asked is not left waiting */
    close(sock);
}

static void test_storage_that_hangs_with_lag_0_fails_the_call(void **state)
{
    struct ring ring;
    struct change c = {.kind = CHANGE_SET_VALUE, .key_id = 1, .type = 3, .data = "2", .size_bytes = 1};
    int64_t since_ms;
    enum ring_wait answer;

    (void)state;
    given_property("lag", "0");
    given_hooked();
    ring_of_app(&ring);
    storage_is(STORAGE_HANGS);
    since_ms = fixture_now_ms();
    report_apart(&ring, 0, 0, &c);
    answer = ring_wait_durable(&ring, ring_last_number(&ring));
    assert_int_not_equal(answer, RING_WAIT_DONE);
    assert_true(fixture_now_ms() - since_ms < MOST_S * 1000);
    ring_close(&ring);
    assert_int_equal(monitor_wait_end(), 123);
    storage_is(STORAGE_WORKS);
}

static void test_storage_that_is_slow_is_only_slow(void **state)
{
    (void)state;
    faults->slow_ms = SLOW_MS;
    given_online("stop");
    storage_is(STORAGE_SLOW);
    given_registry(APP, "a=2");
    AWAIT(checkpoint_holds(APP, "a=2"));
    assert_int_equal(storage_failing_since(), 0);
    monitor_ends_offline();
    assert_true(file_exists(STORE_LAST_GOOD));
}

/* --- syncs that fail --- */

static void test_file_is_not_trusted_after_a_failed_sync(void **state)
{
    char text[8] = "a=2";
    unsigned fired = 0;
    bool more = true;

    (void)state;
    given_online("continue");
    for (uint32_t n = 0; more; n++) { /* each sync of a commit */
        uint64_t file = checkpoint_file();

        text[2] = (char)('2' + n % 8);
        faults->syncs = n;
        storage_is(STORAGE_SYNC_FAILS);
        given_registry(APP, text);
        AWAIT(checkpoint_holds(APP, text));
        AWAIT(!storage_failing_since());
        more = faults->storage == STORAGE_WORKS;
        storage_is(STORAGE_WORKS);
        fired += more;
        if (more)
            AWAIT(checkpoint_file() != file);
    }
    print_message("%u syncs failed, one after the other\n", fired);
    assert_true(fired >= 3);
    monitor_ends_offline();
}

static void test_file_is_not_trusted_by_the_next_owner_either(void **state)
{
    char text[OWNER_TEXT_BYTES];
    uint64_t file;

    (void)state;
    given_online("stop");
    file = checkpoint_file();
    faults->syncs = 0;
    storage_is(STORAGE_SYNC_FAILS);
    given_registry(APP, "a=2");
    assert_int_equal(monitor_wait_end(), 123);
    assert_int_equal(faults->storage, STORAGE_WORKS);
    if (checkpoint_file() == file) { /* else its last save has made a copy already */
        takeover_owner_text(fix.store, "app", text);
        assert_says(text, "in doubt");
    }
    monitor_online();
    assert_true(checkpoint_file() != file);
    monitor_ends_offline();
    takeover_owner_text(fix.store, "app", text);
    assert_string_equal(text, "");
}

/* --- the real thing --- */

/* A command about the store, whose path is its one argument. */
__attribute__((format(printf, 1, 0)))
static bool run(const char *format)
{
    char command[800];

    snprintf(command, sizeof(command), format, fix.store);
    return !system(command);
}

static void test_file_system_that_is_unmounted_and_back(void **state)
{
    (void)state;
    if (!store_move_to_small() || !run("mkdir %1$s.kept && mount --bind %1$s %1$s.kept"))
        skip();
    given_online("continue");
    assert_int_equal(umount2(fix.store, MNT_DETACH), 0);
    assert_true(run("rm -rf %1$s/app %1$s/regckpt.store")); /* what it was mounted on is empty */
    given_registry(APP, "a=2");
    AWAIT(storage_failing_since());
    sleep(LOOKS_S);
    assert_true(played_pid("program") > 0);
    assert_false(log_has("DISPLACED"));
    assert_true(run("mount --bind %1$s.kept %1$s"));
    AWAIT(checkpoint_holds(APP, "a=2"));
    AWAIT(!storage_failing_since());
    monitor_ends_offline();
    assert_true(run("umount %1$s.kept"));
}

/* --- clocks --- */

static void test_clock_that_jumps_does_not_matter(void **state)
{
    static const int64_t jumps_s[] = {86400, -86400, 40000000, -40000000, 0};
    char text[8] = "a=2";
    struct monitor_status s;

    (void)state;
    given_online("stop");
    for (size_t i = 0; i < sizeof(jumps_s) / sizeof(jumps_s[0]); i++) {
        text[2] = (char)('2' + i);
        faults->clock_offset_s = jumps_s[i];
        given_registry(APP, text);
        AWAIT(checkpoint_holds(APP, text));
    }
    ctl_status(&s);
    assert_int_equal(s.storage_failing_since | s.busy_since, 0);
    assert_true(s.lag_worst_us < MOST_S * 1000000ULL);
    monitor_status_free(&s);
    assert_true(played_pid("program") > 0);
    faults->clock_offset_s = -86400;
    monitor_ends_offline();
    faults->clock_offset_s = 0;
    monitor_online(); /* a clock that is behind the last owner's */
    monitor_ends_offline();
}

static void test_clock_that_jumps_does_not_hold_up_a_call(void **state)
{
    (void)state;
    given_property("lag", "0");
    given_hooked();
    faults->clock_offset_s = -86400;
    assert_does("set " APP " a=2", "committed");
    faults->clock_offset_s = 86400;
    assert_does("set " APP " a=3", "committed");
    assert_checkpoint(APP, "a=3");
    monitor_ends_offline();
}

#define FAULT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
#define BOTH(name) \
    FAULT_TEST(test_storage_that_##name##_for_a_while), \
    FAULT_TEST(test_storage_that_##name##_for_good_with_stop)
static const struct CMUnitTest tests[] = {
    BOTH(cannot_write),
    BOTH(fails),
    BOTH(is_read_only),
    BOTH(is_gone),
    FAULT_TEST(test_storage_that_hangs_is_told_and_recovered_from),
    FAULT_TEST(test_storage_that_hangs_at_the_start),
    FAULT_TEST(test_storage_that_is_slow_at_the_start),
    FAULT_TEST(test_storage_that_hangs_with_stop_ends_the_program),
    FAULT_TEST(test_storage_that_hangs_does_not_hold_up_a_signal),
    FAULT_TEST(test_storage_that_hangs_does_not_hold_up_offline),
    cmocka_unit_test_setup_teardown(test_storage_that_hangs_with_lag_0_fails_the_call, setup_hooked,
                                    fixture_teardown),
    FAULT_TEST(test_storage_that_is_slow_is_only_slow),
    FAULT_TEST(test_file_is_not_trusted_after_a_failed_sync),
    FAULT_TEST(test_file_is_not_trusted_by_the_next_owner_either),
    FAULT_TEST(test_file_system_that_is_unmounted_and_back),
    FAULT_TEST(test_clock_that_jumps_does_not_matter),
    cmocka_unit_test_setup_teardown(test_clock_that_jumps_does_not_hold_up_a_call, setup_hooked,
                                    fixture_teardown),
};

MONITOR_TESTS_MAIN(tests)
