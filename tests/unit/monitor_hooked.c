/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hooked program and its ring, as the tests of the monitor use them.
 */
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "monitor_hooked.h"

#define CALLS_BYTES_MAX 65536

void given_hooked(void)
{
    given_file("quiet", "");
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    given_registry(APP, "a=1");
    monitor_online();
}

void notifications_fire(void)
{
    char path[PATH_MAX];

    played_path(fix.prefix, "quiet", path);
    assert_int_equal(unlink(path), 0);
}

static unsigned lines_in(const char *text, size_t len)
{
    unsigned count = 0;

    for (size_t i = 0; i < len; i++)
        count += text[i] == '\n';
    return count;
}

void program_is_to(const char *calls)
{
    static char text[CALLS_BYTES_MAX];
    size_t len = played_read(fix.prefix, "calls", text, sizeof(text) - 2);

    assert_true(len + strlen(calls) < sizeof(text) - 2);
    len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\n", calls);
    played_write(fix.prefix, "calls", text, len);
}

/* Waits until all calls that were given are done; the answer of the last. */
static const char *last_answer(void)
{
    static char given[CALLS_BYTES_MAX], answers[CALLS_BYTES_MAX];
    size_t len;
    char *last;
    unsigned wanted;

    wanted = lines_in(given, played_read(fix.prefix, "calls", given, sizeof(given)));
    AWAIT((len = played_read(fix.prefix, "answers", answers, sizeof(answers) - 1)) &&
          lines_in(answers, len) >= wanted);
    answers[len - 1] = 0;
    last = strrchr(answers, '\n');
    return last ? last + 1 : answers;
}

const char *program_does(const char *calls)
{
    program_is_to(calls);
    return last_answer();
}

void program_does_apart(const char *calls)
{
    monitor_pauses();
    program_does(calls);
    monitor_goes_on();
}

void ring_of_app(struct ring *ring)
{
    char path[PATH_MAX];
    struct error err;

    snprintf(path, sizeof(path), "%s/ring", fix.run_dir);
    if (ring_open(path, ring, &err))
        fail_msg("%s", err.text);
}

const char *program_waits_apart(const char *calls, uint32_t count)
{
    struct ring ring;

    ring_of_app(&ring);
    monitor_pauses();
    program_is_to(calls);
    AWAIT(__atomic_load_n(&ring.shared->waiting, __ATOMIC_SEQ_CST) == count);
    monitor_goes_on();
    ring_close(&ring);
    return last_answer();
}

void report_apart(struct ring *ring, uint32_t lane, uint32_t process, const struct change *change)
{
    monitor_pauses();
    assert_true(ring_lane_take(ring, lane));
    ring_append(ring, lane, process, change, 0);
    ring_lane_give(ring, lane);
    monitor_goes_on();
}

static bool holds_lane(const struct ring *ring)
{
    for (uint32_t i = 0; i < ring->lane_count; i++)
        if (ring->shared->lanes[i].lock)
            return true;
    return false;
}

void monitor_pauses(void)
{
    struct ring ring;
    int status;

    ring_of_app(&ring);
    for (;;) {
        assert_int_equal(kill(fix.monitor, SIGSTOP), 0);
        assert_int_equal(waitpid(fix.monitor, &status, WUNTRACED), fix.monitor);
        assert_true(WIFSTOPPED(status));
        if (!holds_lane(&ring))
            break;
        monitor_goes_on();
    }
    ring_close(&ring);
}

void monitor_goes_on(void)
{
    assert_int_equal(kill(fix.monitor, SIGCONT), 0);
}

void monitor_is_killed(void)
{
    assert_int_equal(kill(fix.monitor, SIGKILL), 0);
    assert_int_equal(monitor_wait_end(), 1000 + SIGKILL);
    AWAIT(resource_is_free());
}

bool source_is(const char *source)
{
    struct monitor_status status;
    bool is;

    ctl_status(&status);
    is = !strcmp(status.source, source);
    monitor_status_free(&status);
    return is;
}

uint64_t checkpoint_sequence(void)
{
    struct checkpoint_state state;

    checkpoint_state_read(&state);
    return state.sequence;
}

/* "PATH\NAME", or "PATH\" of a key; malloc'ed. */
static char *item_of(const struct change *c)
{
    bool is_key = c->kind == CHANGE_CREATE_KEY || c->kind == CHANGE_DELETE_KEY;
    char *path = utf16_for_display(c->path), *name = utf16_for_display(c->name), *item;

    assert_true(asprintf(&item, "%s%s%s", path, *path || is_key ? "\\" : "", name) >= 0);
    free(path);
    free(name);
    return item;
}

struct told history_of(const char *wanted)
{
    char *path = store_path(fix.store, "app", STORE_CHECKPOINT);
    struct told told = {.count = 0};
    struct snapshot s;
    struct error err;

    if (snapshot_read(path, SNAPSHOT_HISTORY, &s, &err))
        fail_msg("%s", err.text);
    for (size_t i = 0; i < s.history_count; i++) {
        const struct history_entry *e = &s.history[i];
        char *item = item_of(&e->change);

        if (!strcmp(item, wanted)) {
            told.count++;
            told.last.kind = e->change.kind;
            told.last.pid = e->pid;
            snprintf(told.last.who, sizeof(told.last.who), "%s", e->who);
            snprintf(told.last.data, sizeof(told.last.data), "%.*s", (int)e->change.size_bytes,
                     e->change.data ? (const char *)e->change.data : "");
        }
        free(item);
    }
    snapshot_free(&s);
    free(path);
    return told;
}
