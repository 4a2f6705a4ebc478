/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ring.h: a hooked process that is killed in the middle of a call.
 *
 * A child takes a lane, makes its (played) call, appends, gives the lane back, one instruction at a
 * time.  After each instruction what it has written so far is what its death there would leave; a
 * copy of that is read.  The change must be there as a whole or not at all, and if the call was
 * made and the change is not there, a scan must be flagged.
 */
#include <sys/ptrace.h>

#include "ring_fixture.h"

#define CALLED 0 /* marks */
#define OVER 1
#define LANE 0      /* the next change here goes round the buffer's end */
#define LANE_BYTES 256
#define DATA_BYTES 61
#define NO_THREAD 0x7fffffff

static struct change the_change(void)
{
    static uint8_t data[DATA_BYTES];

    memset(data, 0x5a, sizeof(data));
    return set_value(U("key"), U("value"), data, sizeof(data));
}

static int child_is_watched(struct fixture *f)
{
    struct change change = the_change();

    /* Once before, so that what is done once only (the linker's work) is done. */
    if (!ring_lane_take(&f->ring, 1)) return 1;
    ring_append(&f->ring, 1, 0, &change, 0);
    ring_lane_give(&f->ring, 1);
    mark(f, CALLED);
    f->marks[CALLED] = 0;
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL)) return 2;
    raise(SIGSTOP);
    if (!ring_lane_take(&f->ring, LANE)) return 3;
    mark(f, CALLED);
    ring_append(&f->ring, LANE, 0, &change, 0);
    ring_lane_give(&f->ring, LANE);
    mark(f, OVER);
    return 0;
}

/* Leaves a lane so that a record does not fit before its buffer's end. */
static void given_lane_near_its_end(struct fixture *f)
{
    struct change change = the_change();
    struct ring_batch batch;

    change.size_bytes = 80;
    change.data = memset(malloc(80), 0, 80);
    assert_true(ring_lane_take(&f->ring, LANE));
    ring_append(&f->ring, LANE, 0, &change, 0);
    ring_lane_give(&f->ring, LANE);
    cut_of(&f->ring, 1, &batch);
    ring_batch_free(&batch);
    assert_in_range(f->ring.shared->lanes[LANE].head, LANE_BYTES / 2, LANE_BYTES - 8);
    free((void *)change.data);
}

/* Reads the ring as if the child had died just now. true: its change is there. */
static bool check_dead(const struct fixture *f, struct ring_shared *copy)
{
    struct change want = the_change();
    struct ring ring = f->ring;
    struct ring_batch batch;
    bool there;

    memcpy(copy, f->ring.shared, f->ring.map_bytes);
    ring.shared = copy;
    ring.buffers = (uint8_t *)copy + (f->ring.buffers - (uint8_t *)f->ring.shared);
    if (copy->lanes[LANE].lock)
        copy->lanes[LANE].lock = copy->lanes[LANE].stuck = NO_THREAD; /* not waited for */
    cut_of(&ring, 1 + (copy->lanes[LANE].head != ring.read[LANE]), &batch);
    there = batch.count == 2;
    for (size_t i = 0; i < batch.count; i++) {
        const struct change *is = &batch.changes[i].change;

        assert_true(utf16_equal(is->path, want.path));
        assert_true(utf16_equal(is->name, want.name));
        assert_int_equal(is->size_bytes, want.size_bytes);
        assert_memory_equal(is->data, want.data, want.size_bytes);
    }
    if (marked(f, CALLED)) assert_true(there || batch.scan_wanted);
    else assert_false(there);
    ring_batch_free(&batch);
    return there;
}

static void test_ring_append_killed_at_every_instruction(void **state)
{
    struct fixture *f = fixture_new(2, LANE_BYTES, false);
    struct ring_shared *copy = malloc(f->ring.map_bytes), *last = calloc(1, f->ring.map_bytes);
    unsigned steps = 0, states = 0, there = 0, called = 0;
    pid_t child;
    int status;

    (void)state;
    assert_non_null(copy);
    assert_non_null(last);
    given_lane_near_its_end(f);
    child = child_run(f, child_is_watched);
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 2) {
        print_message("skip: ptrace is not allowed here\n");
        free(last);
        free(copy);
        fixture_free(f);
        skip();
    }
    assert_true(WIFSTOPPED(status));
    for (; !marked(f, OVER); steps++) {
        /* Quickly: the child loops until the kernel leaves its clock alone for a moment. */
        if (called != marked(f, CALLED) || memcmp(last, f->ring.shared, f->ring.map_bytes)) {
            called = marked(f, CALLED);
            memcpy(last, f->ring.shared, f->ring.map_bytes);
            states++;
            there += check_dead(f, copy);
        }
        assert_int_equal(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSTOPPED(status));
    }
    assert_int_equal(ptrace(PTRACE_CONT, child, NULL, NULL), 0);
    child_ends_with(child, 0);
    print_message("%u instructions, %u states, the change is there in the last %u\n", steps, states,
                  there);
    assert_in_range(there, 1, states - 1);
    free(last);
    free(copy);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_append_killed_at_every_instruction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
