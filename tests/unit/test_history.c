/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The history: what changed, who did it, and that it stays within its size.
 */
#include "checkpoint_fixture.h"
#include "checkpoint_record.h"

#include <sys/types.h>

#include <tdb.h>

/* Starts with a key that is there, in an open transaction. */
static struct fixture *history_new(const char *limit)
{
    struct fixture *f = fixture_new();
    struct resource r;

    resource_init(&r);
    WORKS(resource_set(&r, "history", limit, err));
    WORKS(checkpoint_begin(f->c, err));
    WORKS(checkpoint_set_resource(f->c, &r, err));
    WORKS(make_key(f, EMPTY, NULL, err));
    WORKS(checkpoint_commit(f->c, err));
    WORKS(checkpoint_begin(f->c, err));
    resource_free(&r);
    return f;
}

/* Commits and reads. */
static struct snapshot history_read(struct fixture *f)
{
    struct snapshot s;

    WORKS(checkpoint_commit(f->c, err));
    WORKS(checkpoint_verify(f->path, NULL, NULL, err));
    WORKS(snapshot_read(f->path, SNAPSHOT_HISTORY, &s, err));
    return s;
}

static void test_history_set_value_old_and_new(void **state)
{
    struct fixture *f = history_new("1M");
    struct snapshot s;

    (void)state;
    WORKS(set_value(f, EMPTY, U("v"), 1, "one", 3, &test_origin, err));
    WORKS(set_value(f, EMPTY, U("v"), 4, "four", 4, &test_origin, err));
    s = history_read(f);
    assert_int_equal(s.history_count, 2);
    assert_false(s.history[0].had_old);
    assert_int_equal(s.history[1].index, s.history[0].index + 1);
    assert_int_equal(s.history[1].time, 1234567);
    assert_int_equal(s.history[1].pid, 42);
    assert_string_equal(s.history[1].who, "prog.exe");
    assert_string_equal(s.history[1].node, "node1");
    assert_int_equal(s.history[1].change.kind, CHANGE_SET_VALUE);
    assert_int_equal(s.history[1].change.type, 4);
    assert_memory_equal(s.history[1].change.data, "four", 4);
    assert_true(s.history[1].had_old);
    assert_int_equal(s.history[1].old_type, 1);
    assert_int_equal(s.history[1].old_size_bytes, 3);
    assert_memory_equal(s.history[1].old_data, "one", 3);
    assert_false(s.history[1].data_left_out || s.history[1].old_data_left_out);
    snapshot_free(&s);
    fixture_free(f);
}

static void test_history_deletions(void **state)
{
    struct change value = { .kind = CHANGE_DELETE_VALUE, .path = U("k"), .name = U("V") };
    struct change key = { .kind = CHANGE_DELETE_KEY, .path = U("K") };
    struct change made = { .kind = CHANGE_CREATE_KEY, .path = U("k"), .class = U("Class"),
                           .key_flags = KEY_FLAG_LINK };
    struct fixture *f = history_new("1M");
    struct snapshot s;

    (void)state;
    value.key_id = key.key_id = made.key_id = f->id;
    WORKS(checkpoint_change(f->c, &made, &test_origin, err));
    WORKS(set_value(f, U("k"), U("v"), 3, "old", 3, NULL, err));
    WORKS(checkpoint_change(f->c, &value, &test_origin, err));
    WORKS(checkpoint_change(f->c, &value, &test_origin, err)); /* not there: no entry */
    WORKS(checkpoint_change(f->c, &key, &test_origin, err));
    WORKS(checkpoint_change(f->c, &key, &test_origin, err));
    s = history_read(f);
    assert_int_equal(s.history_count, 3);
    assert_int_equal(s.history[0].change.kind, CHANGE_CREATE_KEY);
    assert_int_equal(s.history[1].change.kind, CHANGE_DELETE_VALUE);
    assert_memory_equal(s.history[1].old_data, "old", 3);
    assert_int_equal(s.history[2].change.kind, CHANGE_DELETE_KEY);
    assert_true(s.history[2].had_old);
    assert_true(utf16_equal(s.history[2].old_name, U("k")));
    assert_true(utf16_equal(s.history[2].old_class, U("Class")));
    assert_int_equal(s.history[2].old_flags, KEY_FLAG_LINK);
    assert_false(s.history[0].had_old);
    assert_true(utf16_equal(s.history[1].old_name, U("v"))); /* its case, not the deletion's */
    assert_int_equal(s.keys[0].image.value_count, 0);
    snapshot_free(&s);
    fixture_free(f);
}

static void test_history_stays_within_its_size(void **state)
{
    struct fixture *f = history_new("4K");
    struct snapshot s;
    uint32_t i;

    (void)state;
    for (i = 0; i < 200; i++) WORKS(set_value(f, EMPTY, U("v"), 4, &i, 4, &test_origin, err));
    s = history_read(f);
    assert_in_range(s.history_count, 10, 60);
    assert_int_equal(s.history[s.history_count - 1].index, 199);
    assert_int_equal(s.history[0].index, 200 - s.history_count);
    snapshot_free(&s);
    fixture_free(f);
}

/* Commits of one change and of more than fit, in turn, over a limit that becomes smaller between. */
static void test_history_is_the_last_of_all_commits(void **state)
{
    struct fixture *f = history_new("4K");
    uint32_t total = 0, i, round;
    struct resource r;
    struct snapshot s;

    (void)state;
    for (round = 0; round < 20; round++) {
        for (i = 0; i < (round % 4 == 3 ? 100 : round % 4); i++, total++)
            WORKS(set_value(f, EMPTY, U("v"), 4, &total, 4, &test_origin, err));
        if (round == 13) {
            resource_init(&r);
            WORKS(resource_set(&r, "history", "2K", err));
            WORKS(checkpoint_set_resource(f->c, &r, err));
            resource_free(&r);
            for (i = 0; i < 3; i++, total++)
                WORKS(set_value(f, EMPTY, U("v"), 4, &total, 4, &test_origin, err));
        }
        s = history_read(f);
        assert_int_equal(s.history_next, total);
        assert_int_equal(s.history_next - s.history_first, s.history_count);
        for (i = 0; i < s.history_count; i++)
            assert_int_equal(s.history[i].index, s.history_first + i);
        if (total > 100)
            assert_in_range(s.history_count, round < 13 ? 30 : 15, round < 13 ? 60 : 30);
        else
            assert_int_equal(s.history_count, total);
        snapshot_free(&s);
        WORKS(checkpoint_begin(f->c, err));
    }
    fixture_free(f);
}

/* The time of a large commit grows with the holes in the file, through which libtdb looks. */
static void test_history_of_many_changes_leaves_no_holes(void **state)
{
    struct fixture *f = history_new("4K");
    struct tdb_context *tdb;
    uint16_t units[16];
    char text[16];
    uint32_t i;

    (void)state;
    for (i = 0; i < 3000; i++) {
        struct utf16 name = { units, (size_t)snprintf(text, sizeof(text), "%u", i) };

        for (size_t at = 0; at < name.len; at++) units[at] = (uint16_t)text[at];
        WORKS(set_value(f, EMPTY, name, 3, text, (uint32_t)(i % sizeof(text)), &test_origin, err));
    }
    WORKS(checkpoint_commit(f->c, err));
    checkpoint_close(f->c);
    f->c = NULL;
    tdb = tdb_open(f->path, 0, TDB_NOMMAP, O_RDWR, 0);
    assert_non_null(tdb);
    assert_in_range(tdb_freelist_size(tdb), 0, 10);
    tdb_close(tdb);
    fixture_free(f);
}

static void test_history_large_data_is_left_out(void **state)
{
    static uint8_t large[HISTORY_DATA_MAX_BYTES + 1];
    struct fixture *f = history_new("128K");
    struct snapshot s;

    (void)state;
    memset(large, 7, sizeof(large));
    WORKS(set_value(f, EMPTY, U("v"), 3, large, sizeof(large), &test_origin, err));
    WORKS(set_value(f, EMPTY, U("v"), 3, large, 10, &test_origin, err));
    s = history_read(f);
    assert_int_equal(s.history_count, 2);
    assert_true(s.history[0].data_left_out);
    assert_null(s.history[0].change.data);
    assert_int_equal(s.history[0].change.size_bytes, sizeof(large));
    assert_true(s.history[0].data_xxh64 == record_checksum(NULL, 0, large, sizeof(large)));
    assert_false(s.history[1].data_left_out);
    assert_true(s.history[1].old_data_left_out);
    assert_null(s.history[1].old_data);
    assert_int_equal(s.history[1].old_size_bytes, sizeof(large));
    assert_true(s.history[1].old_data_xxh64 == s.history[0].data_xxh64);
    snapshot_free(&s);
    fixture_free(f);
}

static void test_history_none_is_kept(void **state)
{
    struct fixture *f = history_new("0");
    struct snapshot s;

    (void)state;
    WORKS(set_value(f, EMPTY, U("v"), 1, "x", 1, &test_origin, err));
    s = history_read(f);
    assert_int_equal(s.history_count, 0);
    assert_int_equal(s.keys[0].image.value_count, 1);
    snapshot_free(&s);
    fixture_free(f);
}

static void test_history_switched_on_again_has_a_gap(void **state)
{
    struct fixture *f = history_new("0");
    struct resource r;
    struct snapshot s;

    (void)state;
    WORKS(set_value(f, EMPTY, U("v"), 1, "x", 1, &test_origin, err));
    resource_init(&r);
    WORKS(resource_set(&r, "history", "1M", err));
    WORKS(checkpoint_set_resource(f->c, &r, err));
    resource_free(&r);
    WORKS(set_value(f, EMPTY, U("v"), 1, "y", 1, &test_origin, err));
    s = history_read(f);
    assert_int_equal(s.history_count, 1);
    assert_int_equal(s.history[0].index, 1);
    snapshot_free(&s);
    fixture_free(f);
}

static void test_history_smaller_limit_trims_at_once(void **state)
{
    struct fixture *f = history_new("1M");
    struct resource r;
    struct snapshot s;
    uint32_t i;

    (void)state;
    for (i = 0; i < 50; i++) WORKS(set_value(f, EMPTY, U("v"), 4, &i, 4, &test_origin, err));
    resource_init(&r);
    WORKS(resource_set(&r, "history", "1K", err));
    WORKS(checkpoint_set_resource(f->c, &r, err));
    resource_free(&r);
    s = history_read(f);
    assert_in_range(s.history_count, 3, 15);
    assert_int_equal(s.history[s.history_count - 1].index, 49);
    snapshot_free(&s);
    fixture_free(f);
}

static void test_history_cancelled_is_not_written(void **state)
{
    struct fixture *f = history_new("1M");
    struct snapshot s;

    (void)state;
    WORKS(set_value(f, EMPTY, U("v"), 1, "x", 1, &test_origin, err));
    checkpoint_cancel(f->c);
    WORKS(checkpoint_begin(f->c, err));
    WORKS(set_value(f, EMPTY, U("w"), 1, "x", 1, &test_origin, err));
    s = history_read(f);
    assert_int_equal(s.history_count, 1);
    assert_int_equal(s.history[0].index, 0);
    snapshot_free(&s);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_history_set_value_old_and_new),
        cmocka_unit_test(test_history_deletions),
        cmocka_unit_test(test_history_stays_within_its_size),
        cmocka_unit_test(test_history_is_the_last_of_all_commits),
        cmocka_unit_test(test_history_of_many_changes_leaves_no_holes),
        cmocka_unit_test(test_history_large_data_is_left_out),
        cmocka_unit_test(test_history_none_is_kept),
        cmocka_unit_test(test_history_switched_on_again_has_a_gap),
        cmocka_unit_test(test_history_smaller_limit_trims_at_once),
        cmocka_unit_test(test_history_cancelled_is_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
