/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The reader of checkpoints: the input is the file.  What cannot be read whole must not pass
 * verify.
 *
 * Most inputs are made by changing one record's key or content and sealing the file again, so that
 * they get past the checksums (tdbseal.h).
 */
#include <stdlib.h>
#include <string.h>

#include "checkpoint.h"
#include "fuzz.h"
#include "tdblayout.h"
#include "tdbseal.h"

#define RECORD_MAX_BYTES 4096

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t len, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t room, unsigned seed);

/* The place of one record, any of them; 0: there is none. */
static size_t choose_record(const uint8_t *bytes, size_t len, unsigned seed)
{
    struct tdb_head head;
    size_t at = 0, count = 0, chosen = 0;

    while (tdb_record_next(bytes, len, &at)) {
        if (rand_r(&seed) % ++count == 0) chosen = at;
        tdb_head_read(bytes + at, &head);
        at += TDB_RECORD_BYTES + head.rec_len;
    }
    return chosen;
}

/* Changes one record's key or data, which may grow or shrink; what is behind it moves. */
static size_t mutate_record(uint8_t *bytes, size_t len, size_t room, unsigned seed)
{
    size_t at = choose_record(bytes, len, seed), start, old_len, new_len, most;
    uint8_t part[RECORD_MAX_BYTES];
    bool of_key = seed % 8 == 0;
    struct tdb_head head;

    if (!at) return LLVMFuzzerMutate(bytes, len, room);
    tdb_head_read(bytes + at, &head);
    start = at + TDB_RECORD_BYTES + (of_key ? 0 : head.key_len);
    old_len = of_key ? head.key_len : head.data_len;
    most = old_len + (room - len) < sizeof(part) ? old_len + (room - len) : sizeof(part);
    if (!old_len || old_len > most) return len;
    memcpy(part, bytes + start, old_len);
    new_len = LLVMFuzzerMutate(part, old_len, most);
    memmove(bytes + start + new_len, bytes + start + old_len, len - start - old_len);
    memcpy(bytes + start, part, new_len);
    head.rec_len += (uint32_t)(new_len - old_len);
    *(of_key ? &head.key_len : &head.data_len) = (uint32_t)new_len;
    memcpy(bytes + at, &head, sizeof(head));
    len += new_len - old_len;
    tdb_seal(bytes, len);
    return len;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t room, unsigned seed)
{
    switch (seed % 5) {
    case 0:
        return LLVMFuzzerMutate(bytes, len, room);
    case 1:
        len = LLVMFuzzerMutate(bytes, len, room);
        tdb_seal(bytes, len);
        return len;
    default:
        return mutate_record(bytes, len, room, seed / 5);
    }
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
    FUZZ_HOLDS(fuzz_open_descriptors() == before);
    return 0;
}
