/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ring_quick.h: what the quick ways do is what the others would have done, and they leave to these all
 * that is out of the ordinary.
 */
#include <pthread.h>

#include "ring_fixture.h"
#include "ring_quick.h"

#define STEPS 20000
#define LANE_BYTES 1024

/* As the hook of NtSetValueKey; *quick counts. */
static uint64_t append(struct ring *r, const struct change *change, unsigned *quick)
{
    struct ring_start *start = test_malloc(sizeof(*start) + 2 * change->path.len);
    struct ring_quick q = {0};
    uint64_t number;

    ring_start_fill(start, 0, change->key_id, change->path);
    assert_true(ring_quick_take(r, 0, ring_tid(), &q));
    number = ring_quick_append(r, &q, start, change->name, change->type, change->data,
                               change->size_bytes);
    *quick += number != 0;
    if (!number) number = ring_append(r, 0, 0, change, 0);
    assert_true(ring_quick_give(&q, ring_tid()));
    test_free(start);
    return number;
}

static void same_cut(struct ring *quick, struct ring *usual)
{
    struct ring_batch a, b;

    assert_int_equal(ring_cut(quick, &a), 0);
    assert_int_equal(ring_cut(usual, &b), 0);
    assert_int_equal(a.count, b.count);
    assert_int_equal(a.number, b.number);
    assert_int_equal(a.scan_wanted, b.scan_wanted);
    assert_int_equal(a.damaged, 0);
    for (size_t i = 0; i < a.count; i++) {
        const struct change *x = &a.changes[i].change, *y = &b.changes[i].change;

        assert_int_equal(a.changes[i].number, b.changes[i].number);
        assert_int_equal(x->kind, y->kind);
        assert_int_equal(x->key_id, y->key_id);
        assert_int_equal(x->type, y->type);
        assert_true(utf16_equal(x->path, y->path));
        assert_true(utf16_equal(x->name, y->name));
        assert_int_equal(x->size_bytes, y->size_bytes);
        if (x->size_bytes) assert_memory_equal(x->data, y->data, x->size_bytes);
    }
    ring_batch_free(&a);
    ring_batch_free(&b);
}

/* Lengths around every limit, and a reader that comes early, late, and too late. */
static void test_ring_quick_append_does_what_ring_append_does(void **state)
{
    unsigned seed = random_seed(), quick = 0;
    struct fixture *a = fixture_new(1, LANE_BYTES, false), *b = fixture_new(1, LANE_BYTES, false);
    uint8_t data[LANE_BYTES];

    (void)state;
    print_message("TEST_SEED=%u\n", seed);
    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)rand_r(&seed);
    for (unsigned i = 0; i < STEPS; i++) {
        uint32_t size = random_below(&seed, random_below(&seed, 8) ? 40 : sizeof(data));
        uint16_t units[2][4];
        struct change change = set_value(random_name(&seed, units[0], true),
                                         random_name(&seed, units[1], false), data, size);

        assert_int_equal(append(&a->ring, &change, &quick), ring_append(&b->ring, 0, 0, &change, 0));
        assert_int_equal(a->ring.shared->lanes[0].head, b->ring.shared->lanes[0].head);
        assert_int_equal(a->ring.shared->doorbell, b->ring.shared->doorbell);
        assert_int_equal(a->ring.shared->processes[0].changes, b->ring.shared->processes[0].changes);
        if (!random_below(&seed, 6)) {
            same_cut(&a->ring, &b->ring);
            if (random_below(&seed, 4)) {
                ring_release(&a->ring);
                ring_release(&b->ring);
            }
        }
    }
    print_message("%u of %u were quick\n", quick, STEPS);
    assert_in_range(quick, STEPS / 8, STEPS - STEPS / 8);
    fixture_free(a);
    fixture_free(b);
}

/* Whatever stands in the lane: nothing is written outside it, and most of it is left alone. */
static void test_ring_quick_append_hostile_lane(void **state)
{
    static const uint64_t odd[] = { 1, 7, LANE_BYTES - 8, LANE_BYTES + 8, 1ull << 31, 1ull << 32,
                                    UINT64_MAX - 7, UINT64_MAX };
    const size_t count = sizeof(odd) / sizeof(odd[0]);
    struct fixture *f = fixture_new(3, LANE_BYTES, false);
    struct ring_start *start = test_malloc(sizeof(*start) + sizeof(uint16_t));
    struct ring_quick q = {0};

    (void)state;
    ring_start_fill(start, 0, 1, U("k"));
    for (size_t i = 0; i < count * count; i++) {
        struct ring_lane *lane = &f->ring.shared->lanes[1];

        lane->head = odd[i % count];
        lane->tail = odd[i / count];
        assert_true(ring_quick_take(&f->ring, 1, ring_tid(), &q));
        ring_quick_append(&f->ring, &q, start, U("value"), 3, "12345678", 8);
        assert_true(ring_quick_give(&q, ring_tid()));
    }
    for (uint32_t i = 0; i < LANE_BYTES; i++) {
        assert_int_equal(f->ring.buffers[i], 0);
        assert_int_equal(f->ring.buffers[2 * LANE_BYTES + i], 0);
    }
    test_free(start);
    fixture_free(f);
}

static void *take_as_new_thread(void *arg)
{
    struct fixture *f = arg;
    struct ring_quick q = {0};

    f->marks[0] = ring_quick_take(&f->ring, 0, ring_own_tid, &q);
    ring_tid();
    f->marks[1] = ring_quick_take(&f->ring, 0, ring_own_tid, &q);
    f->marks[2] = ring_quick_give(&q, ring_own_tid);
    return NULL;
}

/* A thread that does not know its id yet, and then does. */
static void test_ring_quick_take_by_whom(void **state)
{
    struct fixture *f = fixture_new(1, LANE_BYTES, false);
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, take_as_new_thread, f), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_false(f->marks[0]);
    assert_true(f->marks[1]);
    assert_true(f->marks[2]);
    assert_int_equal(f->ring.shared->lanes[0].lock, 0);
    fixture_free(f);
}

/* A lane that is held, waited for, taken over, or was thought to be stuck. */
static void test_ring_quick_take_and_give_leave_the_rest(void **state)
{
    struct fixture *f = fixture_new(1, LANE_BYTES, false);
    struct ring_lane *lane = &f->ring.shared->lanes[0];
    uint32_t tid = ring_tid();
    struct ring_quick q = {0}, none;

    (void)state;
    assert_true(ring_quick_take(&f->ring, 0, tid, &q));
    assert_int_equal(lane->lock, tid);
    assert_false(ring_quick_take(&f->ring, 0, tid, &none));
    lane->lock = tid | RING_WORD_WAITERS;
    assert_false(ring_quick_give(&q, tid));
    assert_int_equal(lane->lock, tid | RING_WORD_WAITERS);
    lane->lock = tid + 1;
    assert_false(ring_quick_give(&q, tid));
    assert_int_equal(lane->lock, tid + 1);
    lane->lock = tid;
    lane->stuck = tid;
    assert_false(ring_quick_give(&q, tid));
    ring_lane_give(&f->ring, 0);
    assert_int_equal(lane->stuck, 0);
    assert_int_equal(lane->lock, 0);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_quick_append_does_what_ring_append_does),
        cmocka_unit_test(test_ring_quick_append_hostile_lane),
        cmocka_unit_test(test_ring_quick_take_by_whom),
        cmocka_unit_test(test_ring_quick_take_and_give_leave_the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
