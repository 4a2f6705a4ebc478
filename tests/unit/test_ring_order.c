/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ring.h: what a cut has is a state that there really was.
 *
 * A played registry: a clock that every call moves on, inside its lane.  Each change carries the
 * time that its call had.  Threads of several processes write, and the test cuts meanwhile.  Then
 * whatever the calls depended on, this must hold:
 *     after each cut the times that were seen are 1, 2, 3 ... without a gap (nothing later is there
 *     without what came earlier), and the changes of one lane, by number, are in order of time.
 * The same with a lane that is not taken, and with a cut that takes none, must be found out.
 */
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "ring_fixture.h"

#define PROCESSES 3
#define THREADS 2
#define LANES 8
#define CLOCK 0 /* of the marks */
#define ENOUGH 1
#define READY 2
#define CUTS 300        /* of what is right */
#define CUTS_WRONG 100000 /* what is wrong is found out long before, on most machines with the first */
#define MOST_S 40       /* on a busy machine hardly a cut may be whole; the children end after 60 s */
#define CHANGES_MAX (1u << 22)

/* How it is done right or wrong. */
struct manner {
    bool (*take)(struct ring *r, uint32_t lane);
    void (*give)(struct ring *r, uint32_t lane);
    int (*cut)(struct ring *r, struct ring_batch *out);
    unsigned cuts; /* so many */
};

static const struct manner *manner;

static bool take_nothing(struct ring *r, uint32_t lane)
{
    (void)r;
    (void)lane;
    return true;
}

static void give_nothing(struct ring *r, uint32_t lane)
{
    (void)r;
    (void)lane;
}

/* Says that the lanes are held, which is not so. */
static int cut_unlocked(struct ring *r, struct ring_batch *out)
{
    return ring_cut_held(r, UINT64_MAX, out);
}

/* Waits while the lane is so full that a change might not fit. */
static void wait_for_room(struct fixture *f, uint32_t lane)
{
    struct ring_lane *l = &f->ring.shared->lanes[lane];

    while (!marked(f, ENOUGH) && __atomic_load_n(&l->head, __ATOMIC_RELAXED) -
           __atomic_load_n(&l->tail, __ATOMIC_RELAXED) > f->ring.lane_bytes / 2)
        sched_yield();
}

/* Writes until it is told that it is enough. */
static void *writes(void *arg)
{
    struct fixture *f = arg;
    unsigned seed = ring_tid();

    mark(f, READY);
    while (!marked(f, ENOUGH)) {
        uint32_t lane = random_below(&seed, LANES), time;
        struct change change = set_value(U("k"), U("v"), &time, sizeof(time));

        wait_for_room(f, lane);
        if (!manner->take(&f->ring, lane)) continue; /* a busy machine: this test is not for that */
        time = __atomic_add_fetch(&f->marks[CLOCK], 1, __ATOMIC_SEQ_CST);
        if (!random_below(&seed, 4)) sched_yield();
        change.key_id = lane;
        ring_append(&f->ring, lane, 0, &change, 0);
        manner->give(&f->ring, lane);
    }
    return NULL;
}

static int child_writes(struct fixture *f)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, writes, f)) return 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}

/* What has been seen. */
struct seen {
    uint8_t *times;
    uint32_t count, latest;
    uint32_t lane_latest[LANES];
};

/* Adds a batch. false: it was not a state that there was. */
static bool add_batch(struct seen *seen, const struct ring_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct change *c = &batch->changes[i].change;
        uint32_t time;

        if (c->size_bytes != sizeof(time) || c->key_id >= LANES) return false;
        memcpy(&time, c->data, sizeof(time));
        if (time >= CHANGES_MAX || seen->times[time] || time <= seen->lane_latest[c->key_id])
            return false;
        seen->times[time] = 1;
        seen->lane_latest[c->key_id] = time;
        seen->count++;
        if (time > seen->latest) seen->latest = time;
    }
    /* A lane that was not to be had in time says so; with the next cut it is there. */
    return !batch->damaged && (batch->torn || seen->count == seen->latest);
}

/* Cuts while children write. Were all cuts states that there were? */
static bool cuts_are_right(const struct manner *how)
{
    struct fixture *f = fixture_new(LANES, 16384, false);
    struct seen seen = { .times = calloc(CHANGES_MAX, 1) };
    time_t end = time(NULL) + MOST_S;
    unsigned cuts = 0;
    pid_t children[PROCESSES];
    bool right = true;

    assert_non_null(seen.times);
    manner = how;
    for (int i = 0; i < PROCESSES; i++)
        children[i] = child_run(f, child_writes);
    UNTIL(marked(f, READY) == PROCESSES * THREADS);
    while (right && cuts < how->cuts && seen.latest < CHANGES_MAX / 2 && time(NULL) < end) {
        struct ring_batch batch;

        assert_int_equal(how->cut(&f->ring, &batch), 0);
        right = add_batch(&seen, &batch);
        ring_release(&f->ring);
        if (batch.count && !batch.torn) cuts++;
        ring_batch_free(&batch);
    }
    mark(f, ENOUGH);
    for (int i = 0; i < PROCESSES; i++)
        child_ends_with(children[i], 0);
    print_message("%u cuts, %u changes\n", cuts, seen.count);
    assert_true(cuts > 0 || !right);
    free(seen.times);
    fixture_free(f);
    return right;
}

static void test_ring_cut_is_a_state_that_was(void **state)
{
    static const struct manner right = { ring_lane_take, ring_lane_give, ring_cut, CUTS };

    (void)state;
    assert_true(cuts_are_right(&right));
}

static void test_ring_order_without_lanes_is_found_out(void **state)
{
    static const struct manner wrong = { take_nothing, give_nothing, ring_cut, CUTS_WRONG };

    (void)state;
    assert_false(cuts_are_right(&wrong));
}

static void test_ring_order_with_an_unlocked_cut_is_found_out(void **state)
{
    static const struct manner wrong = { ring_lane_take, ring_lane_give, cut_unlocked,
                                          CUTS_WRONG };

    (void)state;
    assert_false(cuts_are_right(&wrong));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_cut_is_a_state_that_was),
        cmocka_unit_test(test_ring_order_without_lanes_is_found_out),
        cmocka_unit_test(test_ring_order_with_an_unlocked_cut_is_found_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
