/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ring.h against a shared memory that holds anything: no crash, no endless loop, nothing read or
 * written outside (the sanitizers see that), and a lane that held nonsense works again.
 */
#include "image.h"
#include "ring_fixture.h"

#define ROUNDS 4000

/* Two good changes, of which the test spoils the second. */
static struct ring_record *given_two_changes(struct fixture *f)
{
    struct change change = set_value(U("sub\\key"), U("v"), "12345678", 8);

    report(&f->ring, &change);
    report(&f->ring, &change);
    return (struct ring_record *)(f->ring.buffers + f->ring.shared->lanes[0].head / 2);
}

/* The first change is there, the second is not, and the lane works again. */
static void check_damaged(struct fixture *f, size_t left)
{
    struct change change = set_value(U("k"), U("v"), "x", 1);
    struct ring_batch batch;

    assert_int_equal(ring_cut(&f->ring, &batch), 0);
    assert_int_equal(batch.count, left);
    assert_int_equal(batch.damaged, 1);
    assert_true(batch.torn);
    ring_release(&f->ring);
    ring_batch_free(&batch);
    report(&f->ring, &change);
    cut_of(&f->ring, 1, &batch);
    ring_batch_free(&batch);
}

/* Spoils one field of a record in one way after the other. */
#define SPOIL(field, ...) \
    do { \
        const uint64_t values[] = { __VA_ARGS__ }; \
        for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) { \
            struct fixture *f = fixture_new(1, 1024, false); \
            struct ring_record *record = given_two_changes(f); \
            print_message(#field " %llu\n", (unsigned long long)values[v]); \
            record->field = (__typeof__(record->field))values[v]; \
            check_damaged(f, 1); \
            fixture_free(f); \
        } \
    } while (0)

static void test_ring_cut_every_field_spoiled(void **state)
{
    (void)state;
    SPOIL(bytes, 0, 1, 8, 48, 64, 80, 1024, 0x80000000, 0xfffffff8, UINT32_MAX);
    SPOIL(kind, RING_FILLER, 2, UINT16_MAX);
    SPOIL(change, 0, CHANGE_CREATE_KEY, CHANGE_DELETE_KEY, CHANGE_DELETE_VALUE, 5, UINT16_MAX);
    SPOIL(number, 0, 3, UINT64_MAX);
    SPOIL(process, RING_PROCESSES, UINT32_MAX);
    SPOIL(flags, 4, UINT32_MAX);
    SPOIL(path_units, 0, 4, 16, 0x7fffffff, 0x80000000, UINT32_MAX);
    SPOIL(name_units, 5, 0x7fffffff, 0x80000000, UINT32_MAX);
    SPOIL(data_bytes, 0, 17, 0x7fffffff, UINT32_MAX);
}

/* A record that is sound in itself, but longer than what was appended. */
static void test_ring_cut_record_beyond_the_head(void **state)
{
    struct fixture *f = fixture_new(1, 1024, false);
    struct ring_record *record = given_two_changes(f);

    (void)state;
    record->bytes += 8;
    record->data_bytes += 8;
    check_damaged(f, 1);
    fixture_free(f);
}

static void test_ring_cut_paths_and_names_that_cannot_be(void **state)
{
    static uint16_t units[IMAGE_MAX_NAME_CHARS + 1];
    const struct change wrong[] = {
        set_value(U("\\a"), U(""), "", 0), set_value(U("a\\"), U(""), "", 0),
        set_value(U("a\\\\b"), U(""), "", 0), set_value(U("\\"), U(""), "", 0),
        set_value((struct utf16){ units, IMAGE_MAX_KEY_NAME_CHARS + 1 }, U(""), "", 0),
        set_value(U("a"), (struct utf16){ units, IMAGE_MAX_NAME_CHARS + 1 }, "", 0),
        { .kind = CHANGE_CREATE_KEY, .path = U("a"), .key_flags = 2 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct fixture *f = fixture_new(1, 65536, false);

        report(&f->ring, &wrong[i]);
        check_damaged(f, 0);
        fixture_free(f);
    }
}

static void test_ring_cut_fillers_that_cannot_be(void **state)
{
    static const uint32_t wrong[] = { 0, 4, 64, 248, 264, 512, UINT32_MAX };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct fixture *f = fixture_new(1, 256, false);

        memcpy(f->ring.buffers, &(struct ring_record){ .bytes = wrong[i] }, 8);
        f->ring.shared->lanes[0].head = 256;
        check_damaged(f, 0);
        memset(f->ring.buffers, 0, 256);
        fixture_free(f);
    }
}

static void test_ring_cut_heads_that_cannot_be(void **state)
{
    static const uint64_t heads[] = { 264, 257, 1, 7, 1ull << 32, 1ull << 63, UINT64_MAX,
                                      UINT64_MAX - 7 };

    (void)state;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        struct fixture *f = fixture_new(1, 256, false);
        struct change change = set_value(U("k"), U("v"), "x", 1);

        f->ring.shared->lanes[0].head = heads[i];
        report(&f->ring, &change);
        assert_int_equal(f->ring.shared->lanes[0].head, heads[i]);
        assert_int_equal(f->ring.shared->scan_why, RING_SCAN_FULL);
        check_damaged(f, 0);
        fixture_free(f);
    }
}

/* A tail that somebody moved lets a writer write over what is not read: no more than that. */
static void test_ring_append_writes_nowhere_else(void **state)
{
    struct fixture *f = fixture_new(3, 256, false);
    unsigned seed = random_seed();
    uint8_t *lanes = f->ring.buffers, data[256] = {0};

    (void)state;
    print_message("TEST_SEED=%u\n", seed);
    memset(lanes, 0xee, 3 * 256);
    for (unsigned i = 0; i < 100000; i++) {
        struct change change = set_value(U("k"), U("v"), data, random_below(&seed, 256));
        struct ring_lane *lane = &f->ring.shared->lanes[1];

        lane->head = ((uint64_t)random_below(&seed, 2) << 32) + random_below(&seed, 600);
        lane->tail = lane->head - random_below(&seed, 300) + random_below(&seed, 2) * 8;
        ring_append(&f->ring, 1, 0, &change, 0);
        for (unsigned n = 0; n < 256; n++)
            if (lanes[n] != 0xee || lanes[512 + n] != 0xee) fail_msg("round %u, byte %u", i, n);
    }
    fixture_free(f);
}

/* Touches all that a batch has. */
static uint32_t use_batch(const struct ring_batch *batch)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < batch->count; i++) {
        const struct change *c = &batch->changes[i].change;
        const uint8_t *data = c->data;

        if (i && batch->changes[i - 1].number > batch->changes[i].number) fail();
        for (size_t n = 0; n < c->path.len; n++) sum += c->path.units[n];
        for (size_t n = 0; n < c->name.len; n++) sum += c->name.units[n];
        for (size_t n = 0; n < c->class.len; n++) sum += c->class.units[n];
        for (size_t n = 0; n < c->size_bytes; n++) sum += data[n];
    }
    return sum;
}

static void cut_and_use(struct ring *r, uint32_t *sum)
{
    struct ring_batch batch;

    assert_int_equal(ring_cut(r, &batch), 0);
    *sum += use_batch(&batch);
    ring_batch_free(&batch);
    ring_release(r);
}

/* A number that is small, or near a power of two, or any. */
static uint64_t odd_number(unsigned *seed)
{
    uint64_t near = (uint64_t)1 << random_below(seed, 64);

    switch (random_below(seed, 3)) {
    case 0: return random_below(seed, 64);
    case 1: return near - 8 + random_below(seed, 16);
    default: return (uint64_t)rand_r(seed) << 32 ^ (uint64_t)rand_r(seed);
    }
}

/* Writes an odd number of 4 or 8 bytes somewhere into the given part of the mapping. */
static void scribble(uint8_t *part, size_t bytes, unsigned *seed)
{
    uint64_t number = odd_number(seed);
    size_t len = random_below(seed, 2) ? 8 : 4;

    memcpy(part + random_below(seed, (unsigned)(bytes / 8)) * 8, &number, len);
}

static void test_ring_cut_scribbled_lanes(void **state)
{
    struct fixture *f = fixture_new(4, 1024, false);
    unsigned seed = random_seed();
    uint32_t sum = 0;

    (void)state;
    print_message("TEST_SEED=%u\n", seed);
    for (unsigned i = 0; i < ROUNDS; i++) {
        for (unsigned n = random_below(&seed, 40); n; n--) {
            uint16_t unit = 'a' + random_below(&seed, 26);
            struct change change = set_value((struct utf16){ &unit, 1 }, U("v"), "data", 4);

            report(&f->ring, &change);
        }
        for (unsigned n = random_below(&seed, 4); n; n--)
            scribble(f->ring.buffers, 4 * 1024, &seed);
        if (!random_below(&seed, 4))
            scribble((uint8_t *)&f->ring.shared->lanes[random_below(&seed, 4)].head, 16, &seed);
        cut_and_use(&f->ring, &sum);
    }
    print_message("sum %u\n", sum);
    fixture_free(f);
}

static int child_scribbles(struct fixture *f)
{
    unsigned seed = f->marks[2];

    while (!marked(f, 1)) {
        mark(f, 0);
        scribble((uint8_t *)f->ring.shared, f->ring.map_bytes, &seed);
        scribble((uint8_t *)f->ring.shared, offsetof(struct ring_shared, processes), &seed);
        scribble((uint8_t *)f->ring.shared->lanes, 4 * sizeof(struct ring_lane), &seed);
        scribble(f->ring.buffers, 4 * 1024, &seed);
    }
    return 0;
}

/* Everything at once, while another process writes into all of it. */
static void test_ring_all_calls_while_somebody_scribbles(void **state)
{
    struct fixture *f = fixture_new(4, 1024, true);
    struct change change = set_value(U("k"), U("v"), "data", 4);
    const struct ring_key key = { 1, U("Machine\\a") };
    uint32_t sum = 0, seen = 0;
    pid_t child;

    (void)state;
    f->marks[2] = random_seed();
    print_message("TEST_SEED=%u\n", f->marks[2]);
    child = child_run(f, child_scribbles);
    UNTIL(marked(f, 0) > 100);
    for (unsigned i = 0; i < 100; i++) {
        struct ring_process process;
        struct ring_key *keys;
        size_t count;
        void *block;
        uint64_t number = report(&f->ring, &change);

        f->ring.shared->wait_ms = 1;
        ring_wait_durable(&f->ring, number);
        cut_and_use(&f->ring, &sum);
        ring_keys_set(&f->ring, &key, 1, NULL);
        if (i % 16 == 0 && !ring_keys_get(&f->ring, &keys, &count, &block)) {
            for (size_t n = 0; n < count; n++)
                sum += keys[n].path.len ? keys[n].path.units[keys[n].path.len - 1] : 0;
            free(block);
        }
        ring_attach(&f->ring, 1, "x");
        if (ring_process_get(&f->ring, i, &process)) sum += (uint32_t)strlen(process.name);
        ring_processes_reap(&f->ring);
        ring_listen(&f->ring, &seen, 0);
        ring_set_durable(&f->ring, number);
        ring_set_state(&f->ring, RING_OPEN);
    }
    mark(f, 1);
    child_ends_with(child, 0);
    print_message("sum %u\n", sum);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_cut_every_field_spoiled),
        cmocka_unit_test(test_ring_cut_record_beyond_the_head),
        cmocka_unit_test(test_ring_cut_paths_and_names_that_cannot_be),
        cmocka_unit_test(test_ring_cut_fillers_that_cannot_be),
        cmocka_unit_test(test_ring_cut_heads_that_cannot_be),
        cmocka_unit_test(test_ring_append_writes_nowhere_else),
        cmocka_unit_test(test_ring_cut_scribbled_lanes),
        cmocka_unit_test(test_ring_all_calls_while_somebody_scribbles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
