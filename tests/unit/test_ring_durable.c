/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ring.h: calls that wait until their change is committed.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>

#include "ring_fixture.h"

#define PROCESSES 3
#define THREADS 4
#define ALL (PROCESSES * THREADS)
#define LONG_MS 60000 /* longer than a test waits for anything */

/* Marks: how many calls ended in which way; which number they wait for. */
#define ENDED 0 /* and the three behind it, by enum ring_wait */
#define NUMBER 8

static void *waits(void *arg)
{
    struct fixture *f = arg;

    mark(f, ENDED + ring_wait_durable(&f->ring, marked(f, NUMBER)));
    return NULL;
}

static int child_waits(struct fixture *f)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, waits, f)) return 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}

static uint32_t waiting(const struct fixture *f)
{
    return __atomic_load_n(&f->ring.shared->waiting, __ATOMIC_SEQ_CST);
}

/* Threads of several processes that all wait for number 5. */
static struct fixture *given_waiters(pid_t children[PROCESSES], bool durable, uint32_t wait_ms)
{
    struct fixture *f = fixture_new(1, 256, durable);

    f->marks[NUMBER] = 5;
    f->ring.shared->wait_ms = wait_ms;
    for (int i = 0; i < PROCESSES; i++)
        children[i] = child_run(f, child_waits);
    return f;
}

static void check_all_ended(struct fixture *f, pid_t children[PROCESSES], enum ring_wait how)
{
    for (int i = 0; i < PROCESSES; i++)
        child_ends_with(children[i], 0);
    assert_int_equal(marked(f, ENDED + how), ALL);
    assert_int_equal(waiting(f), 0);
    fixture_free(f);
}

static void test_ring_wait_durable_all_are_woken_by_the_commit(void **state)
{
    pid_t children[PROCESSES];
    struct fixture *f = given_waiters(children, true, LONG_MS);

    (void)state;
    UNTIL(waiting(f) == ALL);
    assert_true(ring_listen(&f->ring, &(uint32_t){ 0 }, 0)); /* they rang */
    ring_set_durable(&f->ring, 4);
    assert_int_equal(waiting(f), ALL);
    ring_set_durable(&f->ring, 5);
    check_all_ended(f, children, RING_WAIT_DONE);
}

static void test_ring_wait_durable_number_that_is_committed(void **state)
{
    struct fixture *f = fixture_new(1, 256, true);
    uint32_t seen = 0;

    (void)state;
    ring_set_durable(&f->ring, 5);
    ring_set_state(&f->ring, RING_CLOSED);
    assert_int_equal(ring_wait_durable(&f->ring, 5), RING_WAIT_DONE);
    assert_int_equal(ring_wait_durable(&f->ring, 6), RING_WAIT_GONE);
    assert_false(ring_listen(&f->ring, &seen, 0)); /* nobody was troubled */
    fixture_free(f);
}

static void test_ring_wait_durable_refused(void **state)
{
    pid_t children[PROCESSES];
    struct fixture *f = given_waiters(children, true, LONG_MS);

    (void)state;
    UNTIL(waiting(f) == ALL);
    ring_set_state(&f->ring, RING_REFUSING);
    check_all_ended(f, children, RING_WAIT_REFUSED);
}

static void test_ring_wait_durable_closed(void **state)
{
    pid_t children[PROCESSES];
    struct fixture *f = given_waiters(children, true, LONG_MS);

    (void)state;
    UNTIL(waiting(f) == ALL);
    ring_set_state(&f->ring, RING_CLOSED);
    check_all_ended(f, children, RING_WAIT_GONE);
}

static int child_pauses(struct fixture *f)
{
    (void)f;
    pause();
    return 1;
}

static void test_ring_wait_durable_monitor_dies(void **state)
{
    pid_t children[PROCESSES], monitor;
    struct fixture *f = fixture_new(1, 256, true);

    (void)state;
    f->marks[NUMBER] = 5;
    f->ring.shared->wait_ms = LONG_MS;
    f->ring.shared->monitor_pid = (uint32_t)(monitor = child_run(f, child_pauses));
    for (int i = 0; i < PROCESSES; i++)
        children[i] = child_run(f, child_waits);
    UNTIL(waiting(f) == ALL);
    child_make_zombie(monitor); /* its parent is busy */
    check_all_ended(f, children, RING_WAIT_GONE);
    assert_int_equal(waitpid(monitor, NULL, 0), monitor);
}

static void test_ring_wait_durable_no_such_monitor(void **state)
{
    static const uint32_t nobody[] = { 0, 0x7fffffff, 0x80000000, UINT32_MAX };
    struct fixture *f = fixture_new(1, 256, true);

    (void)state;
    f->ring.shared->wait_ms = LONG_MS;
    for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
        f->ring.shared->monitor_pid = nobody[i]; /* 0 and the last two would be groups */
        assert_int_equal(ring_wait_durable(&f->ring, 1), RING_WAIT_GONE);
    }
    fixture_free(f);
}

/* One call finds out that nobody answers, and the others, whose time is not over, hear it. */
static void test_ring_wait_durable_timeout_refuses_for_all(void **state)
{
    pid_t children[PROCESSES];
    struct fixture *f = given_waiters(children, true, LONG_MS);

    (void)state;
    UNTIL(waiting(f) == ALL);
    f->ring.shared->wait_ms = 1;
    assert_int_equal(ring_wait_durable(&f->ring, 5), RING_WAIT_TIMEOUT);
    assert_int_equal(f->ring.shared->state, RING_REFUSING);
    check_all_ended(f, children, RING_WAIT_REFUSED);
}

static void test_ring_wait_durable_timeout_with_a_lag_changes_nothing(void **state)
{
    struct fixture *f = fixture_new(1, 256, false);

    (void)state;
    f->ring.shared->wait_ms = 1;
    assert_int_equal(ring_wait_durable(&f->ring, 1), RING_WAIT_TIMEOUT);
    assert_int_equal(f->ring.shared->state, RING_OPEN);
    fixture_free(f);
}

static void test_ring_wait_durable_timeout_leaves_a_closed_ring_closed(void **state)
{
    struct fixture *f = fixture_new(1, 256, true);

    (void)state;
    f->ring.shared->state = 77; /* and what is no state is as good as closed */
    assert_int_equal(ring_wait_durable(&f->ring, 1), RING_WAIT_GONE);
    assert_int_equal(f->ring.shared->state, 77);
    fixture_free(f);
}

/* Sleeps on the bell as a call does, but for as long as it takes. */
static int child_sleeps_on_the_bell(struct fixture *f)
{
    const struct timespec t = { PATIENCE_MS / 1000, 0 };

    mark(f, 0);
    return syscall(SYS_futex, &f->ring.shared->durable_bell, FUTEX_WAIT, 0, &t, NULL, 0) ? 1 : 0;
}

/* Runs it, and returns when it sleeps. */
static pid_t given_sleeper(struct fixture *f)
{
    pid_t child = child_run(f, child_sleeps_on_the_bell);
    char path[64], text[200];

    UNTIL(marked(f, 0));
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)child);
    do {
        FILE *stat = fopen(path, "r");

        assert_non_null(stat);
        assert_non_null(fgets(text, sizeof(text), stat));
        fclose(stat);
    } while (!strstr(text, ") S"));
    return child;
}

static void commit_all(struct fixture *f)
{
    ring_set_durable(&f->ring, 1);
}

static void close_it(struct fixture *f)
{
    ring_set_state(&f->ring, RING_CLOSED);
}

static void time_out(struct fixture *f)
{
    f->ring.shared->wait_ms = 1;
    assert_int_equal(ring_wait_durable(&f->ring, 1), RING_WAIT_TIMEOUT);
}

/* Calls sleep in slices and would find out in the end: they must not have to. */
static void test_ring_wait_durable_sleepers_are_woken_at_once(void **state)
{
    static void (*const events[])(struct fixture *) = { commit_all, close_it, time_out };

    (void)state;
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        struct fixture *f = fixture_new(1, 256, true);
        pid_t child = given_sleeper(f);

        events[i](f);
        child_ends_with(child, 0);
        fixture_free(f);
    }
}

/* The hint stays raised, and nobody minds. */
static void test_ring_wait_durable_waiter_is_killed(void **state)
{
    pid_t children[PROCESSES];
    struct fixture *f = given_waiters(children, true, LONG_MS);

    (void)state;
    UNTIL(waiting(f) == ALL);
    child_kill(children[0]);
    ring_set_durable(&f->ring, 5);
    for (int i = 1; i < PROCESSES; i++)
        child_ends_with(children[i], 0);
    assert_int_equal(marked(f, ENDED + RING_WAIT_DONE), ALL - THREADS);
    assert_int_equal(waiting(f), THREADS);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_wait_durable_all_are_woken_by_the_commit),
        cmocka_unit_test(test_ring_wait_durable_number_that_is_committed),
        cmocka_unit_test(test_ring_wait_durable_refused),
        cmocka_unit_test(test_ring_wait_durable_closed),
        cmocka_unit_test(test_ring_wait_durable_monitor_dies),
        cmocka_unit_test(test_ring_wait_durable_no_such_monitor),
        cmocka_unit_test(test_ring_wait_durable_timeout_refuses_for_all),
        cmocka_unit_test(test_ring_wait_durable_timeout_with_a_lag_changes_nothing),
        cmocka_unit_test(test_ring_wait_durable_timeout_leaves_a_closed_ring_closed),
        cmocka_unit_test(test_ring_wait_durable_sleepers_are_woken_at_once),
        cmocka_unit_test(test_ring_wait_durable_waiter_is_killed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
