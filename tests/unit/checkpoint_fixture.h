/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For tests of the checkpoint: a temporary directory with a checkpoint in it, and short words for
 * changes.  Everything fails the test by itself.
 */
#ifndef REGCKPT_TEST_CHECKPOINT_FIXTURE_H
#define REGCKPT_TEST_CHECKPOINT_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "checkpoint.h"
#include "random_image.h"

/* A call that has to work; its error is shown. */
#define WORKS(call) \
    do { \
        struct error works_error = { 0, "" }, *err = &works_error; \
        int works_result = (call); \
        if (works_result) fail_msg("%s: %d %s", #call, works_result, err->text); \
    } while (0)

/* A call that has to fail in this way, with a text that holds these words. */
#define FAILS(result, words, call) \
    do { \
        struct error fails_error = { 0, "" }, *err = &fails_error; \
        assert_int_equal((call), (result)); \
        assert_int_equal(err->code, (result)); \
        if (!strstr(err->text, (words))) fail_msg("\"%s\" is not in \"%s\"", (words), err->text); \
    } while (0)

struct fixture {
    char dir[64];
    char path[128];
    struct checkpoint *c;
    uint32_t id;
};

static const struct checkpoint_origin test_origin = { 1234567, "prog.exe", 42, "node1" };

/* A directory of its own. */
static inline struct fixture *fixture_dir(void)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    strcpy(f->dir, "/tmp/regckpt-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof(f->path), "%s/checkpoint.tdb", f->dir);
    return f;
}

/* A checkpoint with one captured key, open. */
static inline struct fixture *fixture_new(void)
{
    struct registered_key key = { .view = VIEW_64, .path = (char *)"Software\\Vendor",
                                  .flags = KEY_CAPTURED };
    struct fixture *f = fixture_dir();
    struct resource r;

    resource_init(&r);
    WORKS(resource_set(&r, "service", "Svc", err));
    WORKS(checkpoint_create(f->path, &r, err));
    resource_free(&r);
    WORKS(checkpoint_open(f->path, &f->c, err));
    WORKS(checkpoint_begin(f->c, err));
    WORKS(checkpoint_put_key(f->c, &key, err));
    WORKS(checkpoint_commit(f->c, err));
    f->id = key.id;
    return f;
}

/* Closes, removes everything. */
static inline void fixture_free(struct fixture *f)
{
    char command[128];

    checkpoint_close(f->c);
    snprintf(command, sizeof(command), "rm -rf %s", f->dir);
    assert_int_equal(system(command), 0);
    free(f);
}

static inline int make_key(struct fixture *f, struct utf16 path, const struct checkpoint_origin *o,
                           struct error *err)
{
    struct change c = { .kind = CHANGE_CREATE_KEY, .key_id = f->id, .path = path };

    return checkpoint_change(f->c, &c, o, err);
}

static inline int set_value(struct fixture *f, struct utf16 path, struct utf16 name, uint32_t type,
                            const void *data, size_t size, const struct checkpoint_origin *o,
                            struct error *err)
{
    struct change c = { .kind = CHANGE_SET_VALUE, .key_id = f->id, .path = path, .name = name,
                        .type = type, .data = data, .size_bytes = (uint32_t)size };

    return checkpoint_change(f->c, &c, o, err);
}

struct apply_to {
    struct checkpoint *c;
    const struct checkpoint_origin *origin;
};

/* A change_fn that records each change. */
static inline int record_change(const struct change *change, void *arg)
{
    struct apply_to *to = arg;

    return checkpoint_change(to->c, change, to->origin, NULL);
}

#define EMPTY ((struct utf16){ NULL, 0 })

#endif
