/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ring.h: the file, appending and cutting, the process table.
 */
#include <fcntl.h>
#include <pthread.h>

#include "ring_fixture.h"

/* --- the file --- */

static void open_fails(const struct fixture *f, int result, const char *words)
{
    struct error err = {0};
    struct ring r;

    assert_int_equal(ring_open(f->path, &r, &err), result);
    assert_null(r.shared);
    if (!strstr(err.text, words)) fail_msg("\"%s\" is not in \"%s\"", words, err.text);
}

static void test_ring_create_refuses_sizes(void **state)
{
    static const uint32_t wrong[][2] = { { 65, 0 }, { 1, 255 }, { 1, 768 }, { 64, 1u << 25 },
                                         { 1, 1u << 31 } };
    struct error err;
    struct ring r;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct ring_options options = { .lane_count = wrong[i][0], .lane_bytes = wrong[i][1] };

        assert_int_equal(ring_create("/nonexistent/ring", &options, &r, &err), RESULT_USAGE);
        assert_null(r.shared);
    }
    assert_int_equal(ring_create("/nonexistent/ring", &(struct ring_options){0}, &r, &err), ENOENT);
}

static void test_ring_open_sees_what_was_created(void **state)
{
    struct fixture *f = fixture_new(3, 512, true);
    struct ring other;

    (void)state;
    assert_int_equal(ring_open(f->path, &other, NULL), 0);
    assert_int_equal(other.lane_count, 3);
    assert_int_equal(other.lane_bytes, 512);
    assert_int_equal(other.map_bytes, f->ring.map_bytes);
    assert_int_equal(other.shared->epoch, 7);
    assert_int_equal(other.shared->durable, 1);
    assert_int_equal(other.shared->state, RING_OPEN);
    assert_int_equal(other.shared->monitor_pid, getpid());
    ring_close(&other);
    fixture_free(f);
}

static void test_ring_open_what_is_no_ring(void **state)
{
    struct fixture *f = fixture_new(2, 256, false);
    off_t size = (off_t)f->ring.map_bytes;

    (void)state;
    f->ring.shared->version++;
    open_fails(f, RESULT_NEWER, "version 3");
    f->ring.shared->version--;
    f->ring.shared->lane_count = 1u << 30;
    open_fails(f, RESULT_DAMAGED, "lanes");
    f->ring.shared->lane_count = 2;
    f->ring.shared->lane_bytes = 0;
    open_fails(f, RESULT_DAMAGED, "lanes");
    f->ring.shared->lane_bytes = 256;
    assert_int_equal(truncate(f->path, size + 1), 0);
    open_fails(f, RESULT_DAMAGED, "bytes");
    assert_int_equal(truncate(f->path, size - 1), 0);
    open_fails(f, RESULT_DAMAGED, "bytes");
    f->ring.shared->magic++;
    open_fails(f, RESULT_FOREIGN, "not a ring");
    assert_int_equal(truncate(f->path, 4), 0);
    open_fails(f, RESULT_FOREIGN, "not a ring");
    assert_int_equal(unlink(f->path), 0);
    open_fails(f, RESULT_NOT_FOUND, "no ring");
    assert_int_equal(mkfifo(f->path, 0600), 0);
    open_fails(f, RESULT_FOREIGN, "not a file");
    fixture_free(f);
}

/* --- changes --- */

static void test_ring_cut_gives_back_every_kind(void **state)
{
    static const uint16_t odd[] = { 0, 0xd800, 'x', 0xffff };
    struct utf16 name = { odd, 4 };
    const struct change changes[] = {
        { .kind = CHANGE_CREATE_KEY, .key_id = 9, .path = U("a\\b"), .class = U("class"),
          .key_flags = KEY_FLAG_LINK },
        { .kind = CHANGE_SET_VALUE, .key_id = 9, .path = U(""), .name = name, .type = 0xdeadbeef,
          .data = "12345", .size_bytes = 5 },
        { .kind = CHANGE_SET_VALUE, .key_id = 0, .path = U("a"), .name = U(""), .type = 1 },
        { .kind = CHANGE_DELETE_VALUE, .key_id = 9, .path = U("a"), .name = name },
        { .kind = CHANGE_DELETE_KEY, .key_id = 9, .path = U("a\\b") },
    };
    const size_t count = sizeof(changes) / sizeof(changes[0]);
    struct fixture *f = fixture_new(0, 0, false);
    struct ring_batch batch;

    (void)state;
    for (size_t i = 0; i < count; i++)
        assert_int_equal(report(&f->ring, &changes[i]), i + 1);
    cut_of(&f->ring, count, &batch);
    assert_int_equal(batch.number, count);
    for (size_t i = 0; i < count; i++) {
        const struct change *is = &batch.changes[i].change, *was = &changes[i];

        assert_int_equal(batch.changes[i].number, i + 1);
        assert_int_not_equal(batch.changes[i].time_us, 0);
        assert_int_equal(is->kind, was->kind);
        assert_int_equal(is->key_id, was->key_id);
        assert_true(utf16_equal(is->path, was->path));
        assert_true(utf16_equal(is->class, was->class));
        assert_true(utf16_equal(is->name, was->name));
        assert_int_equal(is->key_flags, was->key_flags);
        assert_int_equal(is->type, was->type);
        assert_int_equal(is->size_bytes, was->size_bytes);
        if (was->size_bytes) assert_memory_equal(is->data, was->data, was->size_bytes);
    }
    assert_int_equal(f->ring.shared->processes[0].changes, count);
    ring_batch_free(&batch);
    cut_of(&f->ring, 0, &batch);
    ring_batch_free(&batch);
    fixture_free(f);
}

static void test_ring_cut_sorts_lanes_by_number(void **state)
{
    struct fixture *f = fixture_new(16, 4096, false);
    struct ring_batch batch;

    (void)state;
    for (uint16_t i = 0; i < 200; i++) {
        uint16_t unit = 'a' + i % 26;
        struct change change = set_value((struct utf16){ &unit, 1 }, U("v"), &i, sizeof(i));

        report(&f->ring, &change);
    }
    cut_of(&f->ring, 200, &batch);
    for (uint16_t i = 0; i < 200; i++) {
        assert_int_equal(batch.changes[i].number, i + 1);
        assert_memory_equal(batch.changes[i].change.data, &i, sizeof(i));
    }
    ring_batch_free(&batch);
    fixture_free(f);
}

/* Many laps with records of all sizes: each comes back whole, across the buffer's end too. */
static void test_ring_append_wraps(void **state)
{
    struct fixture *f = fixture_new(1, 512, false);
    unsigned seed = random_seed(), waiting = 0;
    uint8_t data[160];
    uint32_t next = 0, read = 0;
    struct ring_batch batch;

    (void)state;
    print_message("TEST_SEED=%u\n", seed);
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t len = 4 + random_below(&seed, sizeof(data) - 4);
        struct change change = set_value(U("k"), U("v"), data, len);
        uint32_t flags = f->ring.shared->scan_wanted;

        memset(data, (int)(next & 0xff), sizeof(data));
        memcpy(data, &next, 4);
        report(&f->ring, &change);
        if (f->ring.shared->scan_wanted == flags) {
            next++;
            waiting++;
        }
        if (f->ring.shared->scan_wanted == flags && random_below(&seed, 3)) continue;
        cut_of(&f->ring, waiting, &batch);
        for (unsigned n = 0; n < waiting; n++, read++) {
            const struct change *c = &batch.changes[n].change;

            assert_memory_equal(c->data, &read, 4);
            assert_int_equal(((const uint8_t *)c->data)[c->size_bytes - 1],
                             c->size_bytes > 4 ? read & 0xff : read >> 24);
        }
        waiting = 0;
        ring_batch_free(&batch);
    }
    assert_true(f->ring.shared->lanes[0].head > 100 * 512);
    fixture_free(f);
}

static void test_ring_cut_stays_until_released(void **state)
{
    struct fixture *f = fixture_new(1, 256, false);
    struct change change = set_value(U("k"), U("v"), "x", 1);
    struct ring_batch batch;
    struct ring next;

    (void)state;
    report(&f->ring, &change);
    assert_int_equal(ring_cut(&f->ring, &batch), 0);
    assert_int_equal(batch.count, 1);
    ring_batch_free(&batch);
    assert_int_equal(ring_cut(&f->ring, &batch), 0); /* each change once */
    assert_int_equal(batch.count, 0);
    assert_int_equal(ring_open(f->path, &next, NULL), 0);
    assert_int_equal(ring_cut(&next, &batch), 0); /* a monitor that comes after a killed one */
    assert_int_equal(batch.count, 1);
    ring_batch_free(&batch);
    ring_close(&next);
    ring_release(&f->ring);
    assert_int_equal(ring_open(f->path, &next, NULL), 0);
    cut_of(&next, 0, &batch);
    ring_close(&next);
    fixture_free(f);
}

static void test_ring_append_full_lane_flags_a_scan(void **state)
{
    struct fixture *f = fixture_new(1, 256, false);
    struct change change = set_value(U("k"), U("v"), "x", 1);
    struct ring_batch batch;
    uint64_t number;
    size_t fit = 0;

    (void)state;
    while (report(&f->ring, &change), !f->ring.shared->scan_wanted)
        fit++;
    assert_int_equal(f->ring.shared->scan_why, RING_SCAN_FULL);
    number = ring_last_number(&f->ring);
    assert_int_equal(number, fit + 1);
    cut_of(&f->ring, fit, &batch);
    assert_int_equal(batch.number, number);
    assert_int_equal(batch.scan_wanted, 1);
    ring_batch_free(&batch);
    report(&f->ring, &change); /* there is room again */
    cut_of(&f->ring, 1, &batch);
    assert_int_equal(batch.scan_wanted, 1);
    ring_batch_free(&batch);
    fixture_free(f);
}

static void test_ring_append_too_large_flags_a_scan(void **state)
{
    struct fixture *f = fixture_new(1, 256, false);
    static uint8_t data[256];
    struct change change = set_value(U(""), U(""), data, 200);
    struct ring_batch batch;

    (void)state;
    report(&f->ring, &change); /* 56 and 200 bytes: all there is */
    assert_int_equal(f->ring.shared->scan_wanted, 0);
    cut_of(&f->ring, 1, &batch);
    ring_batch_free(&batch);
    change.size_bytes = 201;
    report(&f->ring, &change);
    assert_int_equal(f->ring.shared->scan_wanted, 1);
    change.size_bytes = UINT32_MAX;
    report(&f->ring, &change);
    change.size_bytes = 0;
    change.name.len = SIZE_MAX / 2;
    report(&f->ring, &change);
    change.name.len = 0;
    change.path.units = (const uint16_t *)data;
    change.path.len = 101;
    report(&f->ring, &change);
    assert_int_equal(f->ring.shared->scan_wanted, 4);
    cut_of(&f->ring, 0, &batch);
    ring_batch_free(&batch);
    fixture_free(f);
}

static void test_ring_append_rings_when_half_full(void **state)
{
    struct fixture *f = fixture_new(1, 1024, false);
    struct change change = set_value(U("k"), U("v"), "123456789", 9); /* 64 bytes */
    uint32_t seen = 0;

    (void)state;
    for (int i = 0; i < 7; i++)
        report(&f->ring, &change);
    assert_false(ring_listen(&f->ring, &seen, 0));
    report(&f->ring, &change);
    assert_true(ring_listen(&f->ring, &seen, 0));
    report(&f->ring, &change); /* once is enough */
    assert_false(ring_listen(&f->ring, &seen, 0));
    fixture_free(f);
}

static int child_listens(struct fixture *f)
{
    uint32_t seen = 0;

    return ring_listen(&f->ring, &seen, PATIENCE_MS) ? 0 : 1;
}

static void test_ring_ring_wakes_a_listener(void **state)
{
    struct fixture *f = fixture_new(1, 1024, false);
    pid_t child = child_run(f, child_listens);

    (void)state;
    UNTIL(__atomic_load_n(&f->ring.shared->listening, __ATOMIC_SEQ_CST));
    ring_ring(&f->ring);
    child_ends_with(child, 0);
    fixture_free(f);
}

static void test_ring_batch_join(void **state)
{
    struct fixture *f = fixture_new(2, 1024, false);
    struct change change = set_value(U("k"), U("v"), "x", 1);
    struct ring_batch all = {0}, more;
    uint64_t had;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        report(&f->ring, &change);
        assert_true(ring_all_take(&f->ring, &had));
        assert_int_equal(ring_cut_held(&f->ring, had, &more), 0);
        ring_all_give(&f->ring, had);
        assert_int_equal(more.count, 1);
        assert_int_equal(ring_batch_join(&all, &more), 0);
        assert_null(more.changes);
    }
    assert_int_equal(ring_cut_held(&f->ring, 1, &more), 0); /* one lane is not held */
    assert_true(more.torn);
    more.damaged = 2;
    assert_int_equal(ring_batch_join(&all, &more), 0);
    assert_true(all.torn);
    assert_int_equal(all.damaged, 2);
    assert_int_equal(all.count, 3);
    assert_int_equal(all.number, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(all.changes[i].number, i + 1);
    ring_batch_free(&all);
    fixture_free(f);
}

static void test_ring_lane_of_last_component_ignoring_case(void **state)
{
    struct fixture *f = fixture_new(0, 0, false);
    uint64_t used = 0;

    (void)state;
    assert_int_equal(ring_lane_of(&f->ring, U("a\\b\\Key")), ring_lane_of(&f->ring, U("kEY")));
    assert_int_equal(ring_lane_of(&f->ring, U("\u00c9")), ring_lane_of(&f->ring, U("x\\\u00e9")));
    for (uint16_t i = 0; i < 1000; i++) {
        uint16_t units[] = { 'k', '0' + i / 100, '0' + i / 10 % 10, '0' + i % 10 };
        uint32_t lane = ring_lane_of(&f->ring, (struct utf16){ units, 4 });

        assert_in_range(lane, 0, RING_LANES - 1);
        used |= 1ull << lane;
    }
    assert_true(used == UINT64_MAX);
    fixture_free(f);
}

/* --- the process table --- */

static int child_attaches(struct fixture *f)
{
    uint32_t place = ring_attach(&f->ring, 77, "prog\xc3\xa9.exe");

    ring_attach_ready(&f->ring, place);
    mark(f, 0);
    pause();
    return (int)place;
}

static void test_ring_attach_and_reap(void **state)
{
    struct fixture *f = fixture_new(1, 256, false);
    pid_t child = child_run(f, child_attaches);
    struct ring_process p;

    (void)state;
    UNTIL(marked(f, 0));
    assert_true(ring_process_get(&f->ring, 0, &p));
    assert_int_equal(p.pid, child);
    assert_int_equal(p.win_pid, 77);
    assert_int_equal(p.bits, sizeof(void *) * 8);
    assert_int_equal(p.ready, 1);
    assert_string_equal(p.name, "prog\xc3\xa9.exe");
    ring_processes_reap(&f->ring);
    assert_true(ring_process_get(&f->ring, 0, &p));
    child_make_zombie(child);
    ring_processes_reap(&f->ring); /* found dead: what it reported last may still have to be cut */
    assert_true(ring_process_get(&f->ring, 0, &p));
    ring_processes_reap(&f->ring);
    assert_false(ring_process_get(&f->ring, 0, &p));
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_false(ring_process_get(&f->ring, RING_PROCESSES, &p));
    fixture_free(f);
}

static void *pauses(void *arg)
{
    struct fixture *f = arg;

    mark(f, 0);
    pause();
    return NULL;
}

/* Ends its first thread. */
static int child_first_thread_ends(struct fixture *f)
{
    pthread_t thread;

    ring_attach(&f->ring, 1, "x");
    if (pthread_create(&thread, NULL, pauses, f)) return 1;
    pthread_exit(NULL);
}

static void test_ring_reap_first_thread_ended_is_alive(void **state)
{
    struct fixture *f = fixture_new(1, 256, false);
    pid_t child = child_run(f, child_first_thread_ends);
    char path[64], text[200] = "";
    struct ring_process p;

    (void)state;
    UNTIL(marked(f, 0));
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)child);
    do {
        FILE *stat = fopen(path, "r");

        assert_non_null(stat);
        assert_non_null(fgets(text, sizeof(text), stat));
        fclose(stat);
    } while (!strstr(text, ") Z"));
    ring_processes_reap(&f->ring);
    ring_processes_reap(&f->ring);
    assert_true(ring_process_get(&f->ring, 0, &p));
    child_kill(child);
    fixture_free(f);
}

static void test_ring_attach_full_table_shares_the_last(void **state)
{
    struct fixture *f = fixture_new(1, 256, false);

    (void)state;
    for (unsigned i = 0; i < RING_PROCESSES; i++)
        f->ring.shared->processes[i].pid = 1;
    assert_int_equal(ring_attach(&f->ring, 5, "x"), RING_PROCESSES - 1);
    assert_int_equal(f->ring.shared->processes[RING_PROCESSES - 1].pid, 1);
    f->ring.shared->processes[17].pid = 0;
    assert_int_equal(ring_attach(&f->ring, 5, "x"), 17);
    assert_int_equal(ring_attach(&f->ring, 6, "x"), 17); /* the same process once more */
    assert_int_equal(f->ring.shared->processes[17].win_pid, 6);
    fixture_free(f);
}

static void test_ring_process_get_cleans_the_name(void **state)
{
    static const char *const names[][2] = {
        { "a\033[1m", "a?[1m" }, { "\xff.exe", "?.exe" }, { "\xc2\x9b" "x", "??x" },
        { "a", "a" },
    };
    struct fixture *f = fixture_new(1, 256, false);
    struct ring_process p;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        f->ring.shared->processes[3].pid = 1;
        memcpy(f->ring.shared->processes[3].name, names[i][0], strlen(names[i][0]) + 1);
        assert_true(ring_process_get(&f->ring, 3, &p));
        assert_string_equal(p.name, names[i][1]);
    }
    f->ring.shared->processes[3].pid = 0x80000001;
    assert_false(ring_process_get(&f->ring, 3, &p));
    fixture_free(f);
}

static void test_ring_note_unhooked_cuts_between_characters(void **state)
{
    struct fixture *f = fixture_new(1, 256, false);

    (void)state;
    ring_note_unhooked(&f->ring, "0123456789012345678901234567890123\xc3\xa9", "because");
    assert_string_equal(f->ring.shared->unhooked_name, "0123456789012345678901234567890123");
    assert_string_equal(f->ring.shared->unhooked_why, "because");
    assert_int_equal(f->ring.shared->unhooked, 1);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_create_refuses_sizes),
        cmocka_unit_test(test_ring_open_sees_what_was_created),
        cmocka_unit_test(test_ring_open_what_is_no_ring),
        cmocka_unit_test(test_ring_cut_gives_back_every_kind),
        cmocka_unit_test(test_ring_cut_sorts_lanes_by_number),
        cmocka_unit_test(test_ring_append_wraps),
        cmocka_unit_test(test_ring_cut_stays_until_released),
        cmocka_unit_test(test_ring_append_full_lane_flags_a_scan),
        cmocka_unit_test(test_ring_append_too_large_flags_a_scan),
        cmocka_unit_test(test_ring_append_rings_when_half_full),
        cmocka_unit_test(test_ring_ring_wakes_a_listener),
        cmocka_unit_test(test_ring_batch_join),
        cmocka_unit_test(test_ring_lane_of_last_component_ignoring_case),
        cmocka_unit_test(test_ring_attach_and_reap),
        cmocka_unit_test(test_ring_reap_first_thread_ended_is_alive),
        cmocka_unit_test(test_ring_attach_full_table_shares_the_last),
        cmocka_unit_test(test_ring_process_get_cleans_the_name),
        cmocka_unit_test(test_ring_note_unhooked_cuts_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
