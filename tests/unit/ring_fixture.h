/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For tests of the ring: a ring in a temporary directory, short words for changes, and children that
 * use it.  Everything fails the test by itself; waiting is for conditions, bounded.
 */
#ifndef REGCKPT_TEST_RING_FIXTURE_H
#define REGCKPT_TEST_RING_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "random_image.h"
#include "ring.h"

#define MARKS 16
#define PATIENCE_MS 60000

struct fixture {
    char dir[64], path[128];
    struct ring ring;
    uint32_t *marks; /* shared with children */
};

static inline struct fixture *fixture_new(uint32_t lane_count, uint32_t lane_bytes, bool durable)
{
    struct ring_options options = { .lane_count = lane_count, .lane_bytes = lane_bytes, .epoch = 7,
                                    .durable = durable, .uid = getuid(), .gid = getgid() };
    struct fixture *f = calloc(1, sizeof(*f));
    struct error err = {0};

    assert_non_null(f);
    strcpy(f->dir, "/tmp/regckpt-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof(f->path), "%s/ring", f->dir);
    if (ring_create(f->path, &options, &f->ring, &err)) fail_msg("%s", err.text);
    f->marks = mmap(NULL, MARKS * sizeof(*f->marks), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(f->marks != MAP_FAILED);
    return f;
}

static inline void fixture_free(struct fixture *f)
{
    ring_close(&f->ring);
    munmap(f->marks, MARKS * sizeof(*f->marks));
    unlink(f->path);
    assert_int_equal(rmdir(f->dir), 0);
    free(f);
}

/* --- marks: what a child has reached --- */

static inline void mark(struct fixture *f, unsigned which)
{
    __atomic_add_fetch(&f->marks[which], 1, __ATOMIC_SEQ_CST);
}

static inline uint32_t marked(const struct fixture *f, unsigned which)
{
    return __atomic_load_n(&f->marks[which], __ATOMIC_SEQ_CST);
}

#define UNTIL(condition) \
    do { \
        int until_ms = 0; \
        while (!(condition)) { \
            if (until_ms++ > PATIENCE_MS) fail_msg("never came: %s", #condition); \
            usleep(1000); \
        } \
    } while (0)

/* --- children --- */

/* Runs a function in a child; what it returns is the exit code. */
static inline pid_t child_run(struct fixture *f, int (*run)(struct fixture *f))
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (!pid) {
        alarm(PATIENCE_MS / 1000); /* whatever happens to the test, no child stays */
        _exit(run(f));
    }
    return pid;
}

static inline void child_ends_with(pid_t pid, int code)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != code) fail_msg("status 0x%x", status);
}

static inline void child_kill(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Kills and leaves a zombie, that somebody has to reap. */
static inline void child_make_zombie(pid_t pid)
{
    siginfo_t info;

    kill(pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

/* --- changes --- */

static inline struct change set_value(struct utf16 path, struct utf16 name, const void *data,
                                      uint32_t size_bytes)
{
    return (struct change){ .kind = CHANGE_SET_VALUE, .key_id = 1, .path = path, .name = name,
                            .type = 3, .data = data, .size_bytes = size_bytes };
}

/* As a hooked call does it. */
static inline uint64_t report(struct ring *r, const struct change *change)
{
    uint32_t lane = ring_lane_of(r, change->path);
    uint64_t number;

    if (!ring_lane_take(r, lane)) return ring_flag_scan(r, RING_SCAN_LOCK);
    number = ring_append(r, lane, 0, change, 0);
    ring_lane_give(r, lane);
    return number;
}

/* A cut with so many changes, that is not torn; released. */
static inline void cut_of(struct ring *r, size_t count, struct ring_batch *batch)
{
    assert_int_equal(ring_cut(r, batch), 0);
    assert_int_equal(batch->count, count);
    assert_int_equal(batch->damaged, 0);
    assert_false(batch->torn);
    ring_release(r);
}

#endif
