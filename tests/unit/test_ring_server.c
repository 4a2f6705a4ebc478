/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A ring that wineserver writes to (ring.h): one lane, its numbers after its changes.
 */
#include "ring_fixture.h"

static const uint16_t letter[] = {'a'};

static struct fixture *given_server_ring(void)
{
    struct ring_options options = {.epoch = 7, .uid = getuid(), .gid = getgid(), .by_server = true};
    struct fixture *f = fixture_new(1, 4096, false);
    struct error err;

    ring_close(&f->ring);
    if (ring_create(f->path, &options, &f->ring, &err)) fail_msg("%s", err.text);
    return f;
}

/* A change with a number, as wineserver makes its record; it counts later. */
static void put(struct ring *r, uint64_t number)
{
    struct utf16 name = {letter, 1};
    struct change change = set_value((struct utf16){0}, name, "1", 1);
    uint64_t counter = r->shared->counter;

    r->shared->counter = number; /* what ring_append gives it here */
    ring_append(r, 0, 0, &change, 0);
    r->shared->counter = counter;
}

static void test_create_gives_one_large_lane(void **state)
{
    struct fixture *f = given_server_ring();
    struct ring other;
    struct error err;

    (void)state;
    assert_int_equal(f->ring.lane_count, 1);
    assert_int_equal(f->ring.lane_bytes, RING_SERVER_BYTES);
    assert_int_equal(ring_open(f->path, &other, &err), 0);
    assert_true(other.by_server);
    ring_close(&other);
    fixture_free(f);
}

static void test_create_refuses_more_lanes(void **state)
{
    struct ring_options options = {.lane_count = 2, .by_server = true};
    struct fixture *f = given_server_ring();
    struct ring other;
    struct error err;

    (void)state;
    assert_int_equal(ring_create(f->path, &options, &other, &err), RESULT_USAGE);
    fixture_free(f);
}

static void test_open_refuses_an_unknown_source(void **state)
{
    struct fixture *f = given_server_ring();
    struct ring other;
    struct error err;

    (void)state;
    f->ring.shared->source = 2;
    assert_int_equal(ring_open(f->path, &other, &err), RESULT_DAMAGED);
    fixture_free(f);
}

static void test_cut_counts_changes_that_are_ahead_of_the_counter(void **state)
{
    struct fixture *f = given_server_ring();
    struct ring_batch batch;

    (void)state;
    put(&f->ring, 1);
    f->ring.shared->counter = 1;
    put(&f->ring, 2);
    put(&f->ring, 3); /* two of one request */
    cut_of(&f->ring, 3, &batch);
    assert_int_equal(batch.number, 3);
    ring_batch_free(&batch);
    fixture_free(f);
}

static void test_cut_refuses_numbers_that_cannot_have_been_reached(void **state)
{
    struct fixture *f = given_server_ring();
    struct ring_batch batch;

    (void)state;
    put(&f->ring, 1000);
    assert_int_equal(ring_cut(&f->ring, &batch), 0);
    assert_int_equal(batch.damaged, 1);
    assert_true(batch.torn);
    assert_int_equal(batch.number, 0);
    ring_batch_free(&batch);
    fixture_free(f);
}

static void test_flag_leaves_the_servers_counter(void **state)
{
    struct fixture *f = given_server_ring();

    (void)state;
    f->ring.shared->counter = 5;
    assert_int_equal(ring_flag_scan(&f->ring, RING_SCAN_FULL), 5);
    assert_int_equal(f->ring.shared->counter, 5);
    assert_int_equal(f->ring.shared->scan_wanted, 1);
    fixture_free(f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_gives_one_large_lane),
        cmocka_unit_test(test_create_refuses_more_lanes),
        cmocka_unit_test(test_open_refuses_an_unknown_source),
        cmocka_unit_test(test_cut_counts_changes_that_are_ahead_of_the_counter),
        cmocka_unit_test(test_cut_refuses_numbers_that_cannot_have_been_reached),
        cmocka_unit_test(test_flag_leaves_the_servers_counter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
