/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ring's shortest ways (see ring.h), inline in the functions of ring_lane.c and ring_write.c, and in
 * the hook of the call that matters most.
 *
 * When a registry call returns, the CPU's caches hold what wineserver and the kernel did: every line of
 * code and every page that the hook touches has to be fetched anew, and that is what it costs, much
 * more than instructions.  So a call that meets nothing out of the ordinary goes straight through one
 * function, and everything else is left to the others.
 */
#ifndef REGCKPT_RING_QUICK_H
#define REGCKPT_RING_QUICK_H

#include <string.h>

#include "ring.h"

#define RING_FEW_BYTES 128
#define RING_LINES_BYTES (2 * RING_CACHE_LINE) /* where most records of a short value lie */

/*
 * The thread's id, 0 before it is asked for.  Without a call of the loader's: four bytes of what each C
 * library keeps for libraries that are loaded later.
 */
extern __thread uint32_t ring_own_tid
    __attribute__((visibility("hidden"), tls_model("initial-exec")));

/* Takes a lock word that is free. */
static inline bool ring_word_try(uint32_t *word, uint32_t tid)
{
    uint32_t nobody = 0;

    return __atomic_compare_exchange_n(word, &nobody, tid, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

/*
 * What the caller is going to append comes behind its real call.  The monitor has read the buffer's
 * cache lines when it went round the last time, and getting them back to write to costs more than the
 * appending: so that is begun now and over when the real call is.
 */
static inline void ring_call_lines_back(struct ring *r, uint32_t index)
{
    struct ring_lane *lane = &r->shared->lanes[index];
    uint64_t head = __atomic_load_n(&lane->head, __ATOMIC_RELAXED);
    uint64_t used = head - __atomic_load_n(&lane->tail, __ATOMIC_ACQUIRE);
    volatile uint8_t *buffer = r->buffers + (size_t)index * r->lane_bytes;

    if (used > r->lane_bytes || r->lane_bytes - used < RING_LINES_BYTES)
        return;
    for (uint32_t i = 0; i < RING_LINES_BYTES; i += RING_CACHE_LINE)
        buffer[(head + i) & (r->lane_bytes - 1)] = 0;
}

/* As ring_lane_take, of a lane that is free, by a thread that knows its id. */
static inline bool ring_quick_take(struct ring *r, uint32_t index)
{
    uint32_t tid = ring_own_tid;

    if (!tid || !ring_word_try(&r->shared->lanes[index].lock, tid)) return false;
    ring_call_lines_back(r, index);
    return true;
}

/* As ring_lane_give, where nobody waits for the lane, or has. */
static inline bool ring_quick_give(struct ring *r, uint32_t index)
{
    struct ring_lane *lane = &r->shared->lanes[index];
    uint32_t seen = ring_own_tid;

    return !__atomic_load_n(&lane->stuck, __ATOMIC_RELAXED) &&
           __atomic_compare_exchange_n(&lane->lock, &seen, 0, false, __ATOMIC_RELEASE,
                                       __ATOMIC_RELAXED);
}

/* --- records --- */

/* Adds bytes to a record; few without the C library, whose copying is on other pages. */
static inline uint8_t *ring_put_few(uint8_t *to, const void *bytes, size_t len)
{
    const uint8_t *from = bytes;

    for (; len >= sizeof(uint64_t); len -= sizeof(uint64_t)) {
        __builtin_memcpy(to, from, sizeof(uint64_t));
        to += sizeof(uint64_t);
        from += sizeof(uint64_t);
    }
    while (len--)
        *to++ = *from++;
    return to;
}

static inline uint8_t *ring_put(uint8_t *to, const void *bytes, size_t len, bool few)
{
    if (few || len <= RING_FEW_BYTES) return ring_put_few(to, bytes, len);
    memcpy(to, bytes, len);
    return to + len;
}

/* What follows the path in a record: the value's name, or the key's class; and the value's data. */
static inline struct utf16 ring_record_name(const struct change *change)
{
    return change->kind == CHANGE_CREATE_KEY ? change->class : change->name;
}

static inline uint32_t ring_record_data_bytes(const struct change *change)
{
    return change->kind == CHANGE_SET_VALUE ? change->size_bytes : 0;
}

/* The bytes of a change as a record, with padding; of lengths whose sum is a length. */
static inline uint64_t ring_record_bytes(const struct change *change)
{
    return (sizeof(struct ring_record) + ring_record_data_bytes(change) + 7 +
            2 * ((uint64_t)change->path.len + ring_record_name(change).len)) & ~7ull;
}

/*
 * Writes a record of so many bytes where there is room for it, at the buffer's byte `at`, and moves the
 * lane's head behind it: only then it is there, and who dies before has appended nothing.
 * few, a constant: no part of it is long.  Where the C library is not called, a function of WINAPI need
 * not save the ten registers that its convention keeps and the C library's does not.
 */
static inline void ring_put_record(struct ring *r, uint32_t index, uint64_t at, uint32_t bytes,
                                   uint32_t process, const struct change *change, uint64_t number,
                                   uint32_t flags, bool few)
{
    struct ring_process *p = &r->shared->processes[process];
    uint8_t *to = r->buffers + (size_t)index * r->lane_bytes + ((uint32_t)at & (r->lane_bytes - 1));
    struct utf16 name = ring_record_name(change);
    uint32_t data_bytes = ring_record_data_bytes(change);

    *(struct ring_record *)to = (struct ring_record){
        .bytes = bytes,
        .kind = RING_CHANGE,
        .change = (uint16_t)change->kind,
        .number = number,
        .key_id = change->key_id,
        .process = process,
        .flags = flags,
        .path_units = (uint32_t)change->path.len,
        .name_units = (uint32_t)name.len,
        .type = change->kind == CHANGE_CREATE_KEY ? change->key_flags
                : change->kind == CHANGE_SET_VALUE ? change->type : 0,
        .data_bytes = data_bytes,
    };
    to = ring_put(to + sizeof(struct ring_record), change->path.units, 2 * change->path.len, few);
    to = ring_put(to, name.units, 2 * name.len, few);
    ring_put(to, change->data, data_bytes, few);
    __atomic_store_n(&r->shared->lanes[index].head, at + bytes, __ATOMIC_RELEASE);
    /* About: threads that count at one instant count once.  A locked addition costs as much as the rest. */
    __atomic_store_n(&p->changes, __atomic_load_n(&p->changes, __ATOMIC_RELAXED) + 1,
                     __ATOMIC_RELAXED);
}

/*
 * As ring_append, of a short record that fits in behind the last one and of which nobody need be told;
 * otherwise 0, and nothing is done.  Not where the server reports.
 */
static inline uint64_t ring_quick_append(struct ring *r, uint32_t index, uint32_t process,
                                         const struct change *change)
{
    struct ring_lane *lane = &r->shared->lanes[index];
    uint64_t head = __atomic_load_n(&lane->head, __ATOMIC_RELAXED), number;
    uint64_t used = head - __atomic_load_n(&lane->tail, __ATOMIC_ACQUIRE);
    uint64_t limit = used < r->lane_bytes / 2 ? r->lane_bytes / 2 : r->lane_bytes;
    uint64_t bytes = ring_record_bytes(change);

    if (bytes > 2 * RING_FEW_BYTES || used > limit || limit - used <= bytes || head % 8 ||
        r->lane_bytes - (head & (r->lane_bytes - 1)) < bytes)
        return 0;
    number = __atomic_add_fetch(&r->shared->counter, 1, __ATOMIC_SEQ_CST);
    ring_put_record(r, index, head, (uint32_t)bytes, process, change, number, 0, true);
    return number;
}

#endif
