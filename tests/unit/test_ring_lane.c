/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ring.h: the locks, and owners that die, stop, or never were.
 */
#include <pthread.h>
#include <sys/syscall.h>

#include "ring_fixture.h"

/* --- children that have the first lane --- */

static int child_holds(struct fixture *f)
{
    if (!ring_lane_take(&f->ring, 0)) return 1;
    mark(f, 0);
    UNTIL(marked(f, 1)); /* or killed */
    ring_lane_give(&f->ring, 0);
    mark(f, 2);
    UNTIL(marked(f, 3));
    return 0;
}

static pid_t given_holder(struct fixture *f)
{
    pid_t child = child_run(f, child_holds);

    UNTIL(marked(f, 0));
    return child;
}

static uint32_t stuck(const struct fixture *f)
{
    return __atomic_load_n(&f->ring.shared->lanes[0].stuck, __ATOMIC_SEQ_CST);
}

static uint32_t lock_word(const struct fixture *f)
{
    return __atomic_load_n(&f->ring.shared->lanes[0].lock, __ATOMIC_SEQ_CST);
}

/* The lane can be had from whoever died with it, and a scan is flagged. */
static void check_inherited(struct fixture *f)
{
    assert_true(ring_lane_take(&f->ring, 0));
    assert_int_equal(f->ring.shared->scan_wanted, 1);
    assert_int_equal(f->ring.shared->scan_why, RING_SCAN_LOCK);
    ring_lane_give(&f->ring, 0);
    assert_int_equal(lock_word(f), 0);
}

/* --- whose id --- */

static void *tid_of_thread(void *arg)
{
    *(uint32_t *)arg = ring_tid() == (uint32_t)syscall(SYS_gettid) ? ring_tid() : 0;
    return NULL;
}

static int child_tid_is_right(struct fixture *f)
{
    (void)f;
    return ring_tid() == (uint32_t)syscall(SYS_gettid) ? 0 : 1;
}

static void test_ring_tid_of_threads_and_children(void **state)
{
    struct fixture *f = fixture_new(1, 256, false);
    pthread_t thread;
    uint32_t tid;

    (void)state;
    assert_int_equal(ring_tid(), syscall(SYS_gettid));
    assert_int_equal(pthread_create(&thread, NULL, tid_of_thread, &tid), 0);
    pthread_join(thread, NULL);
    assert_int_not_equal(tid, 0);
    assert_int_not_equal(tid, ring_tid());
    child_ends_with(child_run(f, child_tid_is_right), 0);
    fixture_free(f);
}

/* --- taking and giving --- */

static void *takes_and_gives(void *arg)
{
    struct fixture *f = arg;

    if (!ring_lane_take(&f->ring, 0)) return NULL;
    ring_lane_give(&f->ring, 0);
    return f;
}

static void test_ring_lane_give_wakes_who_waits(void **state)
{
    struct fixture *f = fixture_new(1, 256, false);
    pid_t child = given_holder(f);
    bool inherited = true;

    (void)state;
    mark(f, 1);
    assert_true(ring_word_take(&f->ring.shared->lanes[0].lock, PATIENCE_MS, &inherited));
    assert_false(inherited);
    ring_word_give(&f->ring.shared->lanes[0].lock);
    assert_int_equal(lock_word(f), 0);
    assert_int_equal(f->ring.shared->scan_wanted, 0);
    mark(f, 3);
    child_ends_with(child, 0);
    fixture_free(f);
}

static void test_ring_word_give_leaves_anothers_alone(void **state)
{
    uint32_t word = 1;

    (void)state;
    ring_word_give(&word);
    assert_int_equal(word, 1);
    word |= RING_WORD_WAITERS;
    ring_word_give(&word);
    assert_int_equal(word, 1 | RING_WORD_WAITERS);
}

static void test_ring_word_take_words_that_nobody_has(void **state)
{
    /* free but for the bit; ids that cannot be; our own, of a thread that had it before */
    uint32_t words[] = { RING_WORD_WAITERS, 0x7fffffff, 0xffffffff, ring_tid() };
    bool inherited;

    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        assert_true(ring_word_take(&words[i], PATIENCE_MS, &inherited));
        assert_int_equal(inherited, i > 0);
        ring_word_give(&words[i]);
        assert_int_equal(words[i], 0);
    }
}

/* --- owners that die --- */

static void test_ring_lane_take_from_a_killed_owner(void **state)
{
    struct fixture *f = fixture_new(1, 256, false);

    (void)state;
    child_kill(given_holder(f));
    check_inherited(f);
    fixture_free(f);
}

static void test_ring_lane_take_from_a_zombie(void **state)
{
    struct fixture *f = fixture_new(1, 256, false);
    pid_t child = given_holder(f);

    (void)state;
    child_make_zombie(child);
    check_inherited(f);
    assert_int_equal(waitpid(child, NULL, 0), child);
    fixture_free(f);
}

static void *takes_and_ends(void *arg)
{
    struct fixture *f = arg;

    return ring_lane_take(&f->ring, 0) ? f : NULL;
}

static void test_ring_lane_take_from_an_ended_thread(void **state)
{
    struct fixture *f = fixture_new(1, 256, false);
    pthread_t thread;
    void *took;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, takes_and_ends, f), 0);
    pthread_join(thread, &took);
    assert_non_null(took);
    check_inherited(f);
    fixture_free(f);
}

static void test_ring_lane_take_when_the_owner_dies_meanwhile(void **state)
{
    struct fixture *f = fixture_new(1, 256, false);
    pid_t child = given_holder(f);
    bool inherited = false;
    pid_t killer = fork();

    (void)state;
    if (!killer) { /* once somebody waits */
        UNTIL(lock_word(f) & RING_WORD_WAITERS);
        kill(child, SIGKILL);
        _exit(0);
    }
    assert_true(ring_word_take(&f->ring.shared->lanes[0].lock, PATIENCE_MS, &inherited));
    assert_true(inherited);
    ring_word_give(&f->ring.shared->lanes[0].lock);
    child_ends_with(killer, 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    fixture_free(f);
}

/* What an owner appended before it died is there, and the flag behind it. */
static int child_appends_and_holds(struct fixture *f)
{
    struct change change = set_value(U("k"), U("v"), "x", 1);

    if (!ring_lane_take(&f->ring, 0)) return 1;
    ring_append(&f->ring, 0, 0, &change, 0);
    mark(f, 0);
    pause();
    return 1;
}

static void test_ring_cut_inherits_a_lane(void **state)
{
    struct fixture *f = fixture_new(1, 256, false);
    pid_t child = child_run(f, child_appends_and_holds);
    struct ring_batch batch;

    (void)state;
    UNTIL(marked(f, 0));
    child_kill(child);
    cut_of(&f->ring, 1, &batch);
    assert_int_equal(batch.scan_wanted, 1);
    assert_int_equal(batch.number, 2);
    ring_batch_free(&batch);
    fixture_free(f);
}

/* --- owners that live and do not give --- */

static void test_ring_lane_take_gives_up_on_a_stopped_owner(void **state)
{
    struct fixture *f = fixture_new(1, 256, false);
    pid_t child = given_holder(f);
    struct change change = set_value(U("k"), U("v"), "x", 1);

    (void)state;
    kill(child, SIGSTOP);
    assert_int_equal(report(&f->ring, &change), 1);
    assert_int_equal(f->ring.shared->scan_wanted, 1);
    assert_int_equal(stuck(f), child);
    assert_int_equal(f->ring.shared->lanes[0].head, 0);
    child_kill(child);
    fixture_free(f);
}

/*
 * Who comes later does not even begin to sleep: the mark of sleepers is not set again.  Once the
 * owner goes on all is as before.
 */
static void test_ring_lane_take_does_not_wait_for_who_is_stuck(void **state)
{
    struct fixture *f = fixture_new(1, 256, false);
    pid_t child = given_holder(f);
    uint64_t had;

    (void)state;
    kill(child, SIGSTOP);
    assert_false(ring_lane_take(&f->ring, 0));
    assert_int_equal(stuck(f), child);
    assert_int_equal(lock_word(f), (uint32_t)child | RING_WORD_WAITERS);
    f->ring.shared->lanes[0].lock = (uint32_t)child;
    for (int i = 0; i < 1000; i++)
        assert_false(ring_lane_take(&f->ring, 0));
    assert_false(ring_all_take(&f->ring, &had));
    assert_int_equal(had, 0);
    assert_int_equal(lock_word(f), child);
    kill(child, SIGCONT);
    mark(f, 1);
    UNTIL(marked(f, 2));
    assert_int_equal(stuck(f), 0);
    assert_true(ring_lane_take(&f->ring, 0));
    ring_lane_give(&f->ring, 0);
    assert_int_equal(f->ring.shared->scan_wanted, 0);
    mark(f, 3);
    child_ends_with(child, 0);
    fixture_free(f);
}

static void test_ring_lane_take_from_who_was_stuck_and_died(void **state)
{
    struct fixture *f = fixture_new(1, 256, false);
    pid_t child = given_holder(f);

    (void)state;
    kill(child, SIGSTOP);
    assert_false(ring_lane_take(&f->ring, 0));
    assert_int_equal(stuck(f), child);
    child_kill(child);
    check_inherited(f);
    assert_int_equal(stuck(f), 0);
    fixture_free(f);
}

/* An owner that was thought dead, or worse, and gives in the end, gives nothing of another's. */
static void test_ring_lane_give_after_it_was_taken_over(void **state)
{
    struct fixture *f = fixture_new(1, 256, false);
    pid_t child = given_holder(f);

    (void)state;
    f->ring.shared->lanes[0].lock = ring_tid();
    mark(f, 1);
    UNTIL(marked(f, 2));
    assert_int_equal(lock_word(f), ring_tid());
    mark(f, 3);
    child_ends_with(child, 0);
    fixture_free(f);
}

static void test_ring_cut_during_a_laneless_call_is_torn(void **state)
{
    struct fixture *f = fixture_new(2, 1024, false);
    uint32_t process = ring_attach(&f->ring, 1, "x");
    struct ring_batch batch;

    (void)state;
    ring_laneless_begin(&f->ring, process);
    assert_int_equal(ring_cut(&f->ring, &batch), 0);
    assert_true(batch.torn);
    ring_batch_free(&batch);
    ring_laneless_end(&f->ring, process);
    assert_int_equal(ring_cut(&f->ring, &batch), 0);
    assert_false(batch.torn);
    ring_batch_free(&batch);
    fixture_free(f);
}

static void test_ring_cut_without_a_stopped_owners_lane_is_torn(void **state)
{
    struct fixture *f = fixture_new(2, 1024, false);
    struct change change = set_value(U("k"), U("v"), "x", 1);
    pid_t child = given_holder(f);
    struct ring_batch batch;

    (void)state;
    assert_true(ring_lane_take(&f->ring, 1));
    ring_append(&f->ring, 1, 0, &change, 0);
    ring_lane_give(&f->ring, 1);
    kill(child, SIGSTOP);
    assert_int_equal(ring_cut(&f->ring, &batch), 0);
    assert_true(batch.torn);
    assert_int_equal(batch.damaged, 0);
    assert_int_equal(batch.count, 1);
    assert_int_equal(f->ring.shared->lanes[1].lock, 0);
    ring_batch_free(&batch);
    child_kill(child);
    fixture_free(f);
}

static void test_ring_all_take_has_all(void **state)
{
    struct fixture *f = fixture_new(0, 256, false);
    pthread_t thread;
    uint64_t had;
    void *took;

    (void)state;
    assert_true(ring_all_take(&f->ring, &had));
    assert_true(had == UINT64_MAX);
    assert_int_equal(pthread_create(&thread, NULL, takes_and_gives, f), 0);
    pthread_join(thread, &took);
    assert_null(took);
    ring_all_give(&f->ring, had);
    for (unsigned i = 0; i < RING_LANES; i++)
        assert_int_equal(f->ring.shared->lanes[i].lock, 0);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_tid_of_threads_and_children),
        cmocka_unit_test(test_ring_lane_give_wakes_who_waits),
        cmocka_unit_test(test_ring_word_give_leaves_anothers_alone),
        cmocka_unit_test(test_ring_word_take_words_that_nobody_has),
        cmocka_unit_test(test_ring_lane_take_from_a_killed_owner),
        cmocka_unit_test(test_ring_lane_take_from_a_zombie),
        cmocka_unit_test(test_ring_lane_take_from_an_ended_thread),
        cmocka_unit_test(test_ring_lane_take_when_the_owner_dies_meanwhile),
        cmocka_unit_test(test_ring_cut_inherits_a_lane),
        cmocka_unit_test(test_ring_lane_take_gives_up_on_a_stopped_owner),
        cmocka_unit_test(test_ring_lane_take_does_not_wait_for_who_is_stuck),
        cmocka_unit_test(test_ring_lane_take_from_who_was_stuck_and_died),
        cmocka_unit_test(test_ring_lane_give_after_it_was_taken_over),
        cmocka_unit_test(test_ring_cut_during_a_laneless_call_is_torn),
        cmocka_unit_test(test_ring_cut_without_a_stopped_owners_lane_is_torn),
        cmocka_unit_test(test_ring_all_take_has_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
