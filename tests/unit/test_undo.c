/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Undoing the history: every point of a random life comes back as it was recorded.
 */
#include "checkpoint_fixture.h"
#include "checkpoint_record.h"
#include "undo.h"

#define STEPS 40 /* commits of a random life */

/* An empty registered key and a history of so many bytes. */
static struct fixture *undo_new(const char *history)
{
    struct fixture *f = fixture_new();
    struct resource r;

    resource_init(&r);
    WORKS(resource_set(&r, "history", history, err));
    WORKS(checkpoint_begin(f->c, err));
    WORKS(checkpoint_set_resource(f->c, &r, err));
    WORKS(make_key(f, EMPTY, NULL, err));
    WORKS(checkpoint_commit(f->c, err));
    resource_free(&r);
    return f;
}

/* One value set in a commit of its own, at a time. */
static void set_at(struct fixture *f, uint64_t time, const void *data, size_t size)
{
    struct checkpoint_origin origin = test_origin;

    origin.time = time;
    WORKS(checkpoint_begin(f->c, err));
    WORKS(set_value(f, EMPTY, U("v"), 3, data, size, &origin, err));
    WORKS(checkpoint_commit(f->c, err));
}

/* The snapshot as it was after a change. */
static void read_back(struct fixture *f, uint64_t number, struct snapshot *s, struct undone *u)
{
    WORKS(snapshot_read(f->path, SNAPSHOT_HISTORY, s, err));
    WORKS(snapshot_undo(s, number, u, err));
}

static void test_snapshot_undo_random_life(void **state)
{
    unsigned seed = random_seed(), start = seed;
    struct fixture *f = undo_new("64M");
    struct apply_to to = { f->c, &test_origin };
    struct image images[STEPS];
    uint64_t numbers[STEPS];
    struct snapshot s;
    struct undone u;
    int i;

    (void)state;
    printf("TEST_SEED=%u\n", start);
    WORKS(snapshot_read(f->path, SNAPSHOT_HISTORY, &s, err));
    images[0] = s.keys[0].image;
    image_init(&s.keys[0].image);
    numbers[0] = s.history_next;
    snapshot_free(&s);
    for (i = 1; i < STEPS; i++) {
        if (random_below(&seed, 8)) random_image(&seed, &images[i], 0);
        else image_init(&images[i]); /* the registered key itself is deleted */
        WORKS(checkpoint_begin(f->c, err));
        assert_int_equal(image_diff(&images[i - 1], &images[i], f->id, record_change, &to), 0);
        WORKS(checkpoint_commit(f->c, err));
        WORKS(snapshot_read(f->path, SNAPSHOT_HISTORY, &s, err));
        assert_true(image_equal(&s.keys[0].image, &images[i]));
        numbers[i] = s.history_next;
        assert_int_equal(s.history_count, s.history_next);
        snapshot_free(&s);
    }
    for (i = STEPS - 1; i >= 0; i--) {
        read_back(f, numbers[i], &s, &u);
        if (!image_equal(&s.keys[0].image, &images[i]))
            fail_msg("TEST_SEED=%u: the content after commit %d (change %llu) is another", start, i,
                     (unsigned long long)numbers[i]);
        assert_int_equal(u.hole_count, 0);
        assert_int_equal(u.count, numbers[STEPS - 1] - numbers[i]);
        undone_free(&u);
        snapshot_free(&s);
    }
    for (i = 0; i < STEPS; i++) image_free(&images[i]);
    fixture_free(f);
}

static void test_snapshot_undo_to_and_fro(void **state)
{
    struct fixture *f = undo_new("1M");
    struct apply_to to = { f->c, &test_origin };
    struct snapshot now, then;
    struct undone u;

    (void)state;
    set_at(f, 1, "one", 3);
    set_at(f, 2, "two", 3);
    WORKS(snapshot_read(f->path, SNAPSHOT_HISTORY, &now, err));
    read_back(f, 1, &then, &u);
    undone_free(&u);
    /* The way back is a commit like any other, and can be undone itself. */
    WORKS(checkpoint_begin(f->c, err));
    assert_int_equal(image_diff(&now.keys[0].image, &then.keys[0].image, f->id, record_change,
                                &to), 0);
    WORKS(checkpoint_commit(f->c, err));
    snapshot_free(&then);
    read_back(f, 2, &then, &u);
    assert_int_equal(u.count, 1);
    assert_true(image_equal(&then.keys[0].image, &now.keys[0].image));
    undone_free(&u);
    snapshot_free(&then);
    snapshot_free(&now);
    fixture_free(f);
}

static void test_snapshot_undo_no_such_change(void **state)
{
    struct fixture *f = undo_new("1M");
    struct snapshot s;
    struct undone u;

    (void)state;
    set_at(f, 1, "one", 3);
    WORKS(snapshot_read(f->path, SNAPSHOT_HISTORY, &s, err));
    FAILS(RESULT_NOT_FOUND, "the last one is change 1", snapshot_undo(&s, 2, &u, err));
    snapshot_free(&s);
    fixture_free(f);
}

static void test_snapshot_undo_beyond_the_history(void **state)
{
    struct fixture *f = undo_new("1K");
    uint64_t number;
    struct snapshot s;
    struct undone u;
    uint32_t i;

    (void)state;
    for (i = 1; i <= 50; i++) set_at(f, i * 1000000, &i, 4);
    WORKS(snapshot_read(f->path, SNAPSHOT_HISTORY, &s, err));
    assert_in_range(s.history_first, 1, 49);
    FAILS(RESULT_DIFFERENT, "the oldest change it holds is",
          snapshot_undo(&s, s.history_first - 1, &u, err));
    FAILS(RESULT_DIFFERENT, "1970-01-01", snapshot_change_at(&s, 500000, &number, err));
    i = (uint32_t)s.history_first;
    WORKS(snapshot_undo(&s, i, &u, err)); /* the very last point that it reaches */
    assert_memory_equal(s.keys[0].image.root->values[0].data, &i, 4);
    undone_free(&u);
    snapshot_free(&s);
    fixture_free(f);
}

static void test_snapshot_undo_data_not_kept_is_a_hole(void **state)
{
    static uint8_t large[HISTORY_DATA_MAX_BYTES + 1];
    struct fixture *f = undo_new("1M");
    struct snapshot s;
    struct undone u;

    (void)state;
    set_at(f, 1, "one", 3);
    set_at(f, 2, large, sizeof(large));
    set_at(f, 3, "three", 5);
    read_back(f, 2, &s, &u);
    assert_int_equal(u.hole_count, 1);
    assert_int_equal(u.holes[0].size_bytes, sizeof(large));
    assert_true(utf16_equal(u.holes[0].name, U("v")));
    undone_free(&u);
    snapshot_free(&s);
    read_back(f, 1, &s, &u); /* filled by the step before */
    assert_int_equal(u.hole_count, 0);
    assert_memory_equal(s.keys[0].image.root->values[0].data, "one", 3);
    undone_free(&u);
    snapshot_free(&s);
    read_back(f, 0, &s, &u);
    assert_int_equal(u.hole_count, 0);
    assert_int_equal(s.keys[0].image.value_count, 0);
    undone_free(&u);
    snapshot_free(&s);
    fixture_free(f);
}

static void test_snapshot_undo_passes_over_removed_keys(void **state)
{
    struct fixture *f = undo_new("1M");
    struct snapshot s;
    struct undone u;

    (void)state;
    set_at(f, 1, "one", 3);
    WORKS(checkpoint_begin(f->c, err));
    WORKS(checkpoint_remove_key(f->c, f->id, err));
    WORKS(checkpoint_commit(f->c, err));
    read_back(f, 0, &s, &u);
    assert_int_equal(u.count, 0);
    undone_free(&u);
    snapshot_free(&s);
    fixture_free(f);
}

static void test_snapshot_undo_leaves_the_first_capture(void **state)
{
    struct checkpoint_origin capture = { 1, UNDO_CAPTURE, 1, "node1" };
    struct fixture *f = undo_new("1M");
    struct snapshot s;
    struct undone u;

    (void)state;
    WORKS(checkpoint_begin(f->c, err));
    WORKS(set_value(f, EMPTY, U("v"), 1, "captured", 8, &capture, err));
    WORKS(checkpoint_commit(f->c, err));
    set_at(f, 2, "later", 5);
    read_back(f, 0, &s, &u);
    assert_int_equal(u.count, 1);
    assert_memory_equal(s.keys[0].image.root->values[0].data, "captured", 8);
    undone_free(&u);
    snapshot_free(&s);
    fixture_free(f);
}

static void test_snapshot_change_at_times(void **state)
{
    static const struct { uint64_t time, number; } rows[] = {
        { 0, 0 }, { 999, 0 }, { 1000, 1 }, { 1999, 1 }, { 2000, 2 }, { 3000, 3 }, { 9000, 3 },
    };
    struct fixture *f = undo_new("1M");
    uint64_t number;
    struct snapshot s;
    size_t i;

    (void)state;
    for (i = 1; i <= 3; i++) set_at(f, i * 1000, &i, 4);
    WORKS(snapshot_read(f->path, SNAPSHOT_HISTORY, &s, err));
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        number = 99;
        WORKS(snapshot_change_at(&s, rows[i].time, &number, err));
        assert_int_equal(number, rows[i].number);
    }
    snapshot_free(&s);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_snapshot_undo_random_life),
        cmocka_unit_test(test_snapshot_undo_to_and_fro),
        cmocka_unit_test(test_snapshot_undo_no_such_change),
        cmocka_unit_test(test_snapshot_undo_beyond_the_history),
        cmocka_unit_test(test_snapshot_undo_data_not_kept_is_a_hole),
        cmocka_unit_test(test_snapshot_undo_passes_over_removed_keys),
        cmocka_unit_test(test_snapshot_undo_leaves_the_first_capture),
        cmocka_unit_test(test_snapshot_change_at_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
