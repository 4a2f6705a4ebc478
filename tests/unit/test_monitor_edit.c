/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The monitor of an edit: what the command does is saved whole, when it has ended, or not at all.
 * The test is the command and who waits for it.
 */
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "iotrace.h"
#include "monitor_hooked.h"

#define BEFORE "a=1;sub\\b=2"
#define AFTER "a=9;new=1;other\\c=3"
#define OTHER_BEFORE "x=1"
#define OTHER_AFTER "x=2;y="

#define WORKERS 4 /* most of a round is waiting */

static struct error err;

static void given_edit(void)
{
    fix.edit = true;
    given_key(APP, KEY_CAPTURED, BEFORE, NULL);
    given_key(OTHER, KEY_CAPTURED, OTHER_BEFORE, NULL);
}

/* What the command does. */
static void command_edits(void)
{
    given_registry(APP, AFTER);
    given_registry(OTHER, OTHER_AFTER);
}

/* The monitor's word that the command may begin, with the lock. */
static void await_ready(void)
{
    struct message m;
    struct stat lock, file;
    char *path = store_path(fix.store, "app", STORE_LOCK);

    assert_int_equal(monitor_wait_ready(), 0);
    assert_int_equal(message_receive(fix.session, &m, WAIT_MS), 0);
    assert_int_equal(m.type, CTL_EDIT_READY);
    assert_int_equal(fstat(m.fd, &lock), 0);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(lock.st_ino, file.st_ino);
    message_free(&m);
    free(path);
    assert_registry(APP, BEFORE);
    assert_registry(OTHER, OTHER_BEFORE);
}

static void begin_edit(void)
{
    monitor_begin();
    await_ready();
}

static void ask_to_save(void)
{
    struct pack nothing;

    pack_init(&nothing);
    assert_int_equal(message_send(fix.session, CTL_EDIT_SAVE, 5, &nothing, -1, WAIT_MS), 0);
    pack_free(&nothing);
}

/* How the edit ended; err has the text, *changes (NULL: not needed) the count. */
static int hear_end(uint64_t *changes)
{
    struct message m;
    struct unpack u;
    char *text;
    int code;

    assert_int_equal(message_receive(fix.session, &m, WAIT_MS), 0);
    assert_int_equal(m.type, CTL_REPLY);
    unpack_init(&u, m.payload, m.len_bytes);
    code = (int)unpack_u32(&u);
    text = unpack_text(&u);
    error_set(&err, code, "%s", text);
    if (changes)
        *changes = unpack_u64(&u);
    assert_false(unpack_failed(&u));
    free(text);
    message_free(&m);
    return code;
}

static void hang_up(void)
{
    close(fix.session);
    fix.session = -1;
}

static void assert_unsaved(void)
{
    struct checkpoint_state state;

    assert_checkpoint(APP, BEFORE);
    assert_checkpoint(OTHER, OTHER_BEFORE);
    assert_true(resource_is_free());
    checkpoint_state_read(&state);
    assert_int_equal(state.status, CHECKPOINT_OFFLINE);
}

static void assert_saved(void)
{
    assert_checkpoint(APP, AFTER);
    assert_checkpoint(OTHER, OTHER_AFTER);
    assert_true(resource_is_free());
}

static void test_an_edit_is_saved_when_it_has_ended(void **state)
{
    uint64_t changes, scans;

    (void)state;
    given_edit();
    begin_edit();
    command_edits();
    scans = monitor_scans();
    poll(NULL, 0, 1500); /* longer than the watch would take */
    assert_int_equal(monitor_scans(), scans);
    assert_checkpoint(APP, BEFORE);
    ask_to_save();
    assert_int_equal(hear_end(&changes), 0);
    assert_int_equal(changes, 8);
    assert_saved();
    assert_int_equal(monitor_wait_end(), 0);
    assert_false(file_exists(STORE_LAST_GOOD)); /* the way back is from before */
    fix.edit = false;
    monitor_online();
    assert_registry(APP, AFTER);
    monitor_ends_offline();
}

static void test_an_edit_without_changes_is_saved(void **state)
{
    uint64_t changes;

    (void)state;
    given_edit();
    begin_edit();
    ask_to_save();
    assert_int_equal(hear_end(&changes), 0);
    assert_int_equal(changes, 0);
    assert_int_equal(monitor_wait_end(), 0);
    assert_unsaved();
}

static void test_an_edit_that_nobody_waits_for_is_not_saved(void **state)
{
    (void)state;
    given_edit();
    begin_edit();
    command_edits();
    hang_up();
    assert_int_equal(monitor_wait_end(), 122);
    assert_unsaved();
}

static void test_an_edit_that_is_given_up_early_starts_nothing(void **state)
{
    (void)state;
    given_edit();
    monitor_begin();
    hang_up(); /* while it boots */
    assert_int_not_equal(monitor_wait_end(), 0);
    assert_unsaved();
}

static void test_signal_and_offline_give_an_edit_up(void **state)
{
    (void)state;
    given_edit();
    begin_edit();
    command_edits();
    kill(fix.monitor, SIGTERM);
    assert_int_equal(hear_end(NULL), RESULT_PROGRAM);
    assert_says(err.text, "Nothing of this edit is saved");
    assert_int_equal(monitor_wait_end(), 122);
    assert_unsaved();
    begin_edit();
    command_edits();
    assert_int_equal(ctl_plain(CTL_OFFLINE, &err), 0);
    assert_int_equal(hear_end(NULL), RESULT_PROGRAM);
    assert_int_equal(monitor_wait_end(), 122);
    assert_unsaved();
}

static void test_requests_during_an_edit(void **state)
{
    static const enum ctl_message types[] = {CTL_SAVE, CTL_ADD, CTL_REMOVE, CTL_SET, CTL_DIFF};
    struct monitor_status status;

    (void)state;
    given_edit();
    begin_edit();
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        assert_int_equal(ctl_plain(types[i], &err), RESULT_OWNED);
        assert_says(err.text, "is being edited");
    }
    ctl_status(&status);
    assert_int_equal(status.phase, PHASE_EDITING);
    monitor_status_free(&status);
    ask_to_save();
    assert_int_equal(hear_end(NULL), 0);
    assert_int_equal(monitor_wait_end(), 0);
}

static void test_without_its_registry_an_edit_is_not_saved(void **state)
{
    (void)state;
    given_edit();
    begin_edit();
    command_edits();
    kill(played_pid("wineserver"), SIGKILL);
    assert_int_equal(hear_end(NULL), RESULT_WINE);
    assert_int_equal(monitor_wait_end(), 124);
    assert_unsaved();
    begin_edit();
    command_edits();
    kill(played_pid("agent"), SIGKILL);
    assert_int_equal(hear_end(NULL), RESULT_WINE);
    assert_int_equal(monitor_wait_end(), 124);
    assert_unsaved();
}

static void test_a_key_that_cannot_be_scanned_keeps_all_from_being_saved(void **state)
{
    (void)state;
    given_edit();
    begin_edit();
    command_edits();
    given_script("save 2 status c000007f\nsave 4 status c000007f\nsave 6 status c000007f\n"
                 "save 8 status c000007f\nsave 10 status c000007f");
    ask_to_save();
    assert_int_not_equal(hear_end(NULL), 0);
    assert_says(err.text, "Nothing of this edit is saved");
    monitor_wait_end();
    assert_unsaved();
}

/* The hook's word for APP's value a being "5", and the registry with it. */
static void report(struct ring *ring)
{
    static const uint16_t name[] = {'a'};
    const struct change c = {.kind = CHANGE_SET_VALUE, .key_id = 1, .name = {name, 1}, .type = 3,
                             .data = "5", .size_bytes = 1};

    ring_of_app(ring);
    report_apart(ring, 0, 0, &c);
    given_registry(APP, "a=5;sub\\b=2");
}

static void test_what_the_hook_reports_is_in_the_history(void **state)
{
    struct told told;
    struct ring ring;

    (void)state;
    given_edit();
    begin_edit();
    report(&ring);
    assert_int_equal(ring_wait_durable(&ring, ring_last_number(&ring)), RING_WAIT_DONE); /* a flush */
    assert_checkpoint(APP, BEFORE);
    ring_close(&ring);
    ask_to_save();
    assert_int_equal(hear_end(NULL), 0);
    assert_int_equal(monitor_wait_end(), 0);
    assert_checkpoint(APP, "a=5;sub\\b=2");
    told = history_of("a");
    assert_int_equal(told.count, 1);
    assert_string_equal(told.last.who, "hook");
    assert_string_equal(told.last.data, "5");
}

static void test_what_a_killed_edit_reported_is_not_applied(void **state)
{
    struct ring ring;

    (void)state;
    given_edit();
    begin_edit();
    report(&ring);
    ring_close(&ring);
    kill(fix.monitor, SIGKILL);
    assert_int_equal(monitor_wait_end(), 1000 + SIGKILL);
    hang_up();
    AWAIT(resource_is_free());
    fix.edit = false;
    monitor_online();
    assert_true(log_has("was broken off"));
    assert_checkpoint(APP, BEFORE);
    assert_registry(APP, BEFORE);
    monitor_ends_offline();
}

static void test_a_lag_of_0_needs_no_hook(void **state)
{
    (void)state;
    given_property("lag", "0");
    given_edit();
    begin_edit();
    command_edits();
    ask_to_save();
    assert_int_equal(hear_end(NULL), 0);
    assert_int_equal(monitor_wait_end(), 0);
    assert_saved();
}

static void test_a_service_that_runs_is_not_edited(void **state)
{
    (void)state;
    given_edit();
    given_file("program.pid", "1"); /* as services.exe answers where it runs */
    assert_int_equal(monitor_fails(), 122);
    assert_says(fix.talk, "is running");
    assert_unsaved();
}

/* --- a kill at each moment --- */

struct counts {
    unsigned long points, unsaved, saved;
};

static bool edited;

/* While the monitor runs: once the command may begin it does all of its work, and has it saved. */
static void drive(void)
{
    struct pollfd p = {.fd = fix.session, .events = POLLIN};
    struct message m;

    if (edited || poll(&p, 1, 0) <= 0 || message_receive(fix.session, &m, WAIT_MS))
        return;
    message_free(&m);
    edited = true;
    command_edits();
    ask_to_save();
}

/* Killed before its n-th call to the store; false: it ended before. */
static bool kill_at(unsigned long n, struct counts *c)
{
    struct iotrace trace;
    bool killed, saved;

    given_edit();
    edited = false;
    fix.before_exec = iotrace_me;
    monitor_begin();
    killed = iotrace_run(fix.monitor, fix.store, n, SIGKILL, drive, &trace);
    if (killed)
        assert_int_equal(monitor_wait_end(), 1000 + SIGKILL);
    fix.monitor = 0;
    hang_up();
    AWAIT(resource_is_free());
    saved = checkpoint_holds(APP, AFTER) && checkpoint_holds(OTHER, OTHER_AFTER);
    if (!saved && !(checkpoint_holds(APP, BEFORE) && checkpoint_holds(OTHER, OTHER_BEFORE)))
        fail_msg("killed at call %lu: the edit is saved in part", n);
    if (saved && !edited)
        fail_msg("killed at call %lu: saved before it was asked for", n);
    /* whoever is next has it just so */
    fix.before_exec = NULL;
    fix.edit = false;
    monitor_online();
    assert_registry(APP, saved ? AFTER : BEFORE);
    assert_registry(OTHER, saved ? OTHER_AFTER : OTHER_BEFORE);
    monitor_ends_offline();
    c->points += killed;
    c->saved += killed && saved;
    c->unsaved += killed && edited && !saved;
    return killed;
}

static void work(unsigned long first, struct counts *c)
{
    void *state = NULL;
    bool more = true;

    for (unsigned long n = first; more; n += WORKERS) {
        assert_int_equal(fixture_hooked_setup(&state), 0);
        more = kill_at(n, c);
        fixture_teardown(&state);
    }
}

static void test_killed_at_each_call_it_is_saved_whole_or_not_at_all(void **state)
{
    struct counts c = {0}, *of = mmap(NULL, WORKERS * sizeof(*of), PROT_READ | PROT_WRITE,
                                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t workers[WORKERS];
    unsigned failures = 0;
    int status;

    (void)state;
    assert_ptr_not_equal(of, MAP_FAILED);
    for (unsigned i = 0; i < WORKERS; i++) {
        if ((workers[i] = fork()))
            continue;
        work(i + 1, &of[i]); /* a failure ends it as it ends a test */
        _exit(0);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        assert_int_equal(waitpid(workers[i], &status, 0), workers[i]);
        failures += status != 0;
        c.points += of[i].points;
        c.saved += of[i].saved;
        c.unsaved += of[i].unsaved;
    }
    munmap(of, WORKERS * sizeof(*of));
    print_message("killed at each of %lu calls: %lu in the save left nothing, %lu behind it all\n",
                  c.points, c.unsaved, c.saved);
    assert_int_equal(failures, 0);
    assert_true(c.unsaved > 0 && c.saved > 0 && c.points > c.unsaved + c.saved);
}

static const struct CMUnitTest tests[] = {
    MONITOR_TEST(test_an_edit_is_saved_when_it_has_ended),
    MONITOR_TEST(test_an_edit_without_changes_is_saved),
    MONITOR_TEST(test_an_edit_that_nobody_waits_for_is_not_saved),
    MONITOR_TEST(test_an_edit_that_is_given_up_early_starts_nothing),
    MONITOR_TEST(test_signal_and_offline_give_an_edit_up),
    MONITOR_TEST(test_requests_during_an_edit),
    MONITOR_TEST(test_without_its_registry_an_edit_is_not_saved),
    MONITOR_TEST(test_a_key_that_cannot_be_scanned_keeps_all_from_being_saved),
    HOOKED_TEST(test_what_the_hook_reports_is_in_the_history),
    HOOKED_TEST(test_what_a_killed_edit_reported_is_not_applied),
    MONITOR_TEST(test_a_lag_of_0_needs_no_hook),
    SERVICE_TEST(test_a_service_that_runs_is_not_edited),
    cmocka_unit_test(test_killed_at_each_call_it_is_saved_whole_or_not_at_all),
};

MONITOR_TESTS_MAIN(tests)
