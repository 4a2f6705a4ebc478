/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ring.h: the table of the registered keys.
 */
#include "ring_fixture.h"

#define SETS 3000

static void set_keys(struct fixture *f, const struct ring_key *keys, size_t count)
{
    struct error err = {0};

    if (ring_keys_set(&f->ring, keys, count, &err)) fail_msg("%s", err.text);
}

static void test_ring_keys_get_what_was_set(void **state)
{
    const struct ring_key keys[] = { { 1, U("Machine\\Software\\a") }, { 9, U("") },
                                     { 3, U("xy") } };
    struct fixture *f = fixture_new(2, 256, false);
    struct ring_key *got;
    size_t count;
    void *block;

    (void)state;
    assert_int_equal(ring_keys_get(&f->ring, &got, &count, &block), 0);
    assert_int_equal(count, 0);
    free(block);
    set_keys(f, keys, 3);
    assert_int_equal(f->ring.shared->generation, 1);
    assert_int_equal(ring_keys_get(&f->ring, &got, &count, &block), 0);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(got[i].id, keys[i].id);
        assert_true(utf16_equal(got[i].path, keys[i].path));
    }
    free(block);
    set_keys(f, keys, 0);
    assert_int_equal(f->ring.shared->generation, 2);
    assert_int_equal(ring_keys_get(&f->ring, &got, &count, &block), 0);
    assert_int_equal(count, 0);
    free(block);
    assert_int_equal(f->ring.shared->lanes[1].lock, 0);
    assert_int_equal(f->ring.shared->scan_wanted, 0);
    fixture_free(f);
}

static void test_ring_keys_set_as_many_as_fit(void **state)
{
    const size_t units = (RING_TABLE_BYTES - 8) / 2;
    uint16_t *path = calloc(units + 1, sizeof(*path));
    struct ring_key keys[] = { { 1, { path, units } }, { 2, { path, 0 } } };
    struct fixture *f = fixture_new(1, 256, false);
    struct error err = {0};
    struct ring_key *got;
    size_t count;
    void *block;

    (void)state;
    assert_non_null(path);
    set_keys(f, keys, 1);
    assert_int_equal(ring_keys_set(&f->ring, keys, 2, &err), RESULT_USAGE);
    assert_non_null(strstr(err.text, "too long"));
    keys[0].path.len++;
    assert_int_equal(ring_keys_set(&f->ring, keys, 1, &err), RESULT_USAGE);
    keys[0].path.len = SIZE_MAX / 2;
    assert_int_equal(ring_keys_set(&f->ring, keys, 1, &err), RESULT_USAGE);
    assert_int_equal(ring_keys_get(&f->ring, &got, &count, &block), 0); /* the old table */
    assert_int_equal(count, 1);
    assert_int_equal(got[0].path.len, units);
    free(block);
    free(path);
    fixture_free(f);
}

/* Key i of a table of n keys has id n, and n units of the value n. */
static int child_reads(struct fixture *f)
{
    struct ring_key *keys;
    size_t count;
    void *block;

    mark(f, 0);
    while (!marked(f, 1)) {
        if (ring_keys_get(&f->ring, &keys, &count, &block)) continue; /* always in between */
        for (size_t i = 0; i < count; i++) {
            if (keys[i].id != count || keys[i].path.len != count) return 1;
            for (size_t n = 0; n < count; n++)
                if (keys[i].path.units[n] != count) return 2;
        }
        free(block);
        mark(f, 2);
    }
    return 0;
}

static void test_ring_keys_get_while_they_are_set(void **state)
{
    struct fixture *f = fixture_new(1, 256, false);
    pid_t children[] = { child_run(f, child_reads), child_run(f, child_reads) };
    uint16_t units[40];
    struct ring_key keys[40];
    uint32_t sets = 0;

    (void)state;
    UNTIL(marked(f, 0) == 2);
    for (; sets < SETS || marked(f, 2) < SETS; sets++) {
        uint32_t count = 1 + sets % 40;

        for (uint32_t i = 0; i < count; i++) {
            units[i] = (uint16_t)count;
            keys[i] = (struct ring_key){ count, { units, count } };
        }
        set_keys(f, keys, count);
        if (sets % 8 == 0) usleep(1);
    }
    mark(f, 1);
    child_ends_with(children[0], 0);
    child_ends_with(children[1], 0);
    assert_int_equal(f->ring.shared->generation, sets);
    fixture_free(f);
}

static void test_ring_keys_get_what_is_no_table(void **state)
{
    const struct ring_key keys[] = { { 1, U("abcd") } };
    struct fixture *f = fixture_new(1, 256, false);
    struct ring_shared *s = f->ring.shared;
    static const uint32_t units[] = { 5, RING_TABLE_BYTES / 2, 0x7fffffff, 0x80000000, UINT32_MAX };
    struct ring_key *got;
    size_t count;
    void *block;

    (void)state;
    set_keys(f, keys, 1);
    s->table_sequence++; /* its writer died */
    assert_int_equal(ring_keys_get(&f->ring, &got, &count, &block), RESULT_INVALID);
    set_keys(f, keys, 1);
    assert_int_equal(s->table_sequence % 2, 0);
    for (uint32_t used = 1; used < 16; used++) {
        s->table_used = used;
        assert_int_equal(ring_keys_get(&f->ring, &got, &count, &block), RESULT_INVALID);
    }
    s->table_used = RING_TABLE_BYTES + 1;
    assert_int_equal(ring_keys_get(&f->ring, &got, &count, &block), RESULT_INVALID);
    s->table_used = 16;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        memcpy(s->table + 4, &units[i], 4);
        assert_int_equal(ring_keys_get(&f->ring, &got, &count, &block), RESULT_INVALID);
    }
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_keys_get_what_was_set),
        cmocka_unit_test(test_ring_keys_set_as_many_as_fit),
        cmocka_unit_test(test_ring_keys_get_while_they_are_set),
        cmocka_unit_test(test_ring_keys_get_what_is_no_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
