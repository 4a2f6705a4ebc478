/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of the registered keys (see ring.h): one entry behind the other, a head and the units
 * of the path, padded to 4 bytes.  A sequence lock: who reads copies, and tries again where the
 * sequence was odd or has moved.  The monitor alone writes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ring_private.h"

#define READ_TRIES 200
#define READ_PAUSE_NS 50000 /* 10 ms in all */

struct entry {
    uint32_t id, units;
};

/* The bytes of an entry with so many units, at most RING_TABLE_BYTES of them. */
static uint32_t entry_bytes(uint32_t units)
{
    return (uint32_t)sizeof(struct entry) + (2 * units + 3) / 4 * 4;
}

/* Writes the entries into a buffer of RING_TABLE_BYTES. false: they do not fit. */
static bool pack_keys(uint8_t *table, const struct ring_key *keys, size_t count, uint32_t *used)
{
    uint32_t at = 0;

    for (size_t i = 0; i < count; i++) {
        struct entry e = { keys[i].id, (uint32_t)keys[i].path.len };

        if (keys[i].path.len > RING_TABLE_BYTES || entry_bytes(e.units) > RING_TABLE_BYTES - at)
            return false;
        memcpy(table + at, &e, sizeof(e));
        if (e.units) memcpy(table + at + sizeof(e), keys[i].path.units, 2 * (size_t)e.units);
        at += entry_bytes(e.units);
    }
    *used = at;
    return true;
}

int ring_keys_set(struct ring *r, const struct ring_key *keys, size_t count, struct error *err)
{
    struct ring_shared *s = r->shared;
    uint8_t *table = calloc(1, RING_TABLE_BYTES);
    uint32_t used, sequence;
    uint64_t had;
    int ret = 0;

    if (!table) return error_system(err, ENOMEM, "cannot tell the hook the registered keys");
    if (!pack_keys(table, keys, count, &used)) {
        ret = error_set(err, RESULT_USAGE, "the names of the %zu registered keys are too long for "
                        "the hook: together at most %u units", count, RING_TABLE_BYTES / 2);
        goto done;
    }
    /* A call that is in flight without its lane may go by the old table. */
    if (!ring_all_take(r, &had)) ring_flag_scan(r, RING_SCAN_LOCK);
    sequence = __atomic_load_n(&s->table_sequence, __ATOMIC_RELAXED) | 1;
    __atomic_store_n(&s->table_sequence, sequence, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    memcpy(s->table, table, used);
    __atomic_store_n(&s->table_used, used, __ATOMIC_RELAXED);
    __atomic_store_n(&s->table_sequence, sequence + 1, __ATOMIC_RELEASE);
    ring_bump_generation(r);
    ring_all_give(r, had);
done:
    free(table);
    return ret;
}

/*
 * Copies the table behind room for as many keys as it could hold.  RESULT_INVALID: try again;
 * ENOMEM.
 */
static int copy_table(struct ring_shared *s, uint8_t **block, uint8_t **table, uint32_t *used)
{
    uint32_t sequence = __atomic_load_n(&s->table_sequence, __ATOMIC_ACQUIRE);
    size_t keys_bytes;

    *used = __atomic_load_n(&s->table_used, __ATOMIC_RELAXED);
    if (sequence & 1 || *used > RING_TABLE_BYTES) return RESULT_INVALID;
    keys_bytes = (*used / sizeof(struct entry) + 1) * sizeof(struct ring_key);
    if (!(*block = malloc(keys_bytes + *used))) return ENOMEM;
    *table = *block + keys_bytes;
    memcpy(*table, s->table, *used);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (__atomic_load_n(&s->table_sequence, __ATOMIC_RELAXED) == sequence) return 0;
    free(*block);
    return RESULT_INVALID;
}

/* Makes the keys of a private copy. false: it is not a table. */
static bool unpack_keys(const uint8_t *table, uint32_t used, struct ring_key *keys, size_t *count)
{
    uint32_t at = 0;
    struct entry e;

    for (*count = 0; at < used; ++*count) {
        if (used - at < sizeof(e)) return false;
        memcpy(&e, table + at, sizeof(e));
        if (e.units > RING_TABLE_BYTES || entry_bytes(e.units) > used - at) return false;
        keys[*count].id = e.id;
        keys[*count].path = (struct utf16){ (const uint16_t *)(table + at + sizeof(e)), e.units };
        at += entry_bytes(e.units);
    }
    return true;
}

int ring_keys_get(struct ring *r, struct ring_key **keys, size_t *count, void **block)
{
    static const struct timespec pause = { 0, READ_PAUSE_NS };

    for (int i = 0; i < READ_TRIES; i++) {
        uint8_t *copy, *table;
        uint32_t used;
        int ret = copy_table(r->shared, &copy, &table, &used);

        if (ret == ENOMEM) return ret;
        if (!ret) {
            *keys = (struct ring_key *)copy;
            *block = copy;
            if (unpack_keys(table, used, *keys, count)) return 0;
            free(copy);
        }
        nanosleep(&pause, NULL);
    }
    return RESULT_INVALID;
}
