/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The reader of checkpoints: the input is the file.  What cannot be read whole must not pass
 * verify.
 */
#include <stdio.h>
#include <string.h>

#include "checkpoint.h"
#include "fuzz.h"
#include "tdbfile.h"
#include "tdbmutate.h"

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t room, unsigned seed)
{
    return tdb_mutate(bytes, len, room, seed);
}

static int count_change(const struct change *change, void *arg)
{
    fuzz_use(change->data, change->size_bytes);
    ++*(size_t *)arg;
    return 0;
}

/* Looks at all that was read. */
static void use_snapshot(const struct snapshot *s)
{
    struct image nothing;
    size_t changes = 0;

    image_init(&nothing);
    for (size_t i = 0; i < s->key_count; i++)
        FUZZ_HOLDS(!image_diff(&nothing, &s->keys[i].image, 1, count_change, &changes));
    for (size_t i = 0; i < s->history_count; i++) {
        const struct history_entry *h = &s->history[i];

        fuzz_use(h->who, strlen(h->who));
        fuzz_use(h->node, strlen(h->node));
        fuzz_use(h->change.path.units, 2 * h->change.path.len);
        fuzz_use(h->change.name.units, 2 * h->change.name.len);
        if (h->change.data) fuzz_use(h->change.data, h->change.size_bytes);
        if (h->old_data) fuzz_use(h->old_data, h->old_size_bytes);
    }
}

static void use_problem(const char *where, const char *what, void *arg)
{
    (void)arg;
    fuzz_use(where, strlen(where));
    fuzz_use(what, strlen(what));
}

/* A commit is undone in the file, not in a reader's copy: what could be read still can. */
static void check_roll_back(const char *path, int read_before)
{
    struct error err = { 0, "" };
    struct snapshot s;
    int read;

    if (tdbfile_roll_back(path, path, &err)) return;
    if (!(read = snapshot_read(path, SNAPSHOT_HISTORY, &s, &err))) snapshot_free(&s);
    if (read && !read_before) fprintf(stderr, "%s\n", err.text);
    FUZZ_HOLDS(!read || read_before);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const unsigned all_flags[] = { SNAPSHOT_HEAD, SNAPSHOT_HEAD | SNAPSHOT_HISTORY, 0,
                                          SNAPSHOT_HISTORY };
    const char *path = fuzz_file(bytes, len);
    struct error err;
    struct snapshot s;
    int read = 0, verified, before;

    before = fuzz_open_descriptors();
    for (size_t i = 0; i < sizeof(all_flags) / sizeof(all_flags[0]); i++) {
        err.code = 0;
        read = snapshot_read(path, all_flags[i], &s, &err);
        FUZZ_HOLDS(read == err.code);
        if (!read) use_snapshot(&s);
        if (!read) snapshot_free(&s);
    }
    verified = checkpoint_verify(path, use_problem, NULL, &err);
    FUZZ_HOLDS(!read || verified);
    check_roll_back(path, read);
    FUZZ_HOLDS(fuzz_open_descriptors() == before);
    return 0;
}
