/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ring's shortest ways (see ring.h), inline in the hook of the call that matters most.
 *
 * When a registry call returns, the CPU's caches hold what wineserver and the kernel did: every line of
 * code and every page that the hook touches has to be fetched anew, and that is what it costs, much
 * more than instructions.  So a call that meets nothing out of the ordinary goes straight through one
 * short function, and everything else is left to the others.
 */
#ifndef REGCKPT_RING_QUICK_H
#define REGCKPT_RING_QUICK_H

#include <string.h>

#include "ring.h"

#define RING_QUICK_BYTES 256 /* the longest record that is written here */

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

/* A lane that is held. */
struct ring_quick {
    struct ring_lane *lane;
    uint64_t head;
    uint8_t *to; /* where there is room for a record, of which nobody need be told; or NULL */
};

/*
 * As ring_lane_take, of a lane that is free, by a thread that knows its id: tid is its ring_own_tid.
 *
 * What the caller is going to append comes behind its real call.  The monitor has read the buffer's
 * cache lines when it went round the last time, and getting them back to write to costs more than the
 * appending: so that is begun now and over when the real call is.  Not by storing to them, for which
 * the kernel would wait at the real call's first locked instruction.
 */
static inline bool ring_quick_take(struct ring *r, uint32_t index, uint32_t tid, struct ring_quick *q)
{
    struct ring_lane *lane = &r->shared->lanes[index];
    uint32_t lane_bytes = r->lane_bytes, at;
    uint64_t used;

    if (!tid || !ring_word_try(&lane->lock, tid)) return false;
    q->lane = lane;
    q->to = NULL;
    q->head = __atomic_load_n(&lane->head, __ATOMIC_RELAXED);
    used = q->head - __atomic_load_n(&lane->tail, __ATOMIC_ACQUIRE);
    at = (uint32_t)q->head & (lane_bytes - 1);
    if (used + RING_QUICK_BYTES < lane_bytes / 2 && at + RING_QUICK_BYTES <= lane_bytes && !(at % 8)) {
        q->to = r->buffers + (size_t)index * lane_bytes + at;
        __builtin_prefetch(q->to, 1);
        __builtin_prefetch(q->to + RING_CACHE_LINE, 1);
    }
    return true;
}

/* As ring_lane_give, where nobody waits for the lane, or has. */
static inline bool ring_quick_give(const struct ring_quick *q, uint32_t tid)
{
    return !__atomic_load_n(&q->lane->stuck, __ATOMIC_RELAXED) &&
           __atomic_compare_exchange_n(&q->lane->lock, &tid, 0, false, __ATOMIC_RELEASE,
                                       __ATOMIC_RELAXED);
}

/* --- records --- */

/*
 * A record is there when the lane's head is moved behind it, and not before: who dies before has
 * appended nothing.
 */
static inline void ring_move_head(struct ring_lane *lane, uint64_t head)
{
    __atomic_store_n(&lane->head, head, __ATOMIC_RELEASE);
}

/* What the records of all values set in a key begin with. */
struct ring_start {
    struct ring_record fixed; /* without bytes, number, name_units, type, data_bytes */
    uint16_t path[];
};

static inline void ring_start_fill(struct ring_start *start, uint32_t process, uint32_t key_id,
                                   struct utf16 path)
{
    start->fixed = (struct ring_record){
        .kind = RING_CHANGE,
        .change = CHANGE_SET_VALUE,
        .key_id = key_id,
        .process = process,
        .path_units = (uint32_t)path.len,
    };
    if (path.len) memcpy(start->path, path.units, 2 * path.len);
}

/*
 * Adds few bytes to a record, by the shortest code there is.  Not by the C library, whose copying is on
 * other pages; and where it is not called, a function of WINAPI need not save the ten registers that its
 * convention keeps and the C library's does not.
 */
static inline uint8_t *ring_put_few(uint8_t *to, const void *from, size_t len)
{
#if defined(__x86_64__) || defined(__i386__)
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(len) : : "memory");
    return to;
#else
    return (uint8_t *)memcpy(to, from, len) + len;
#endif
}

/*
 * As ring_append of a value set, of a short record where there is room; otherwise 0, and nothing is
 * done.  Not where the server reports.
 */
static inline uint64_t ring_quick_append(struct ring *r, const struct ring_quick *q,
                                         const struct ring_start *start, struct utf16 name,
                                         uint32_t type, const void *data, uint32_t size_bytes)
{
    uint32_t start_bytes = sizeof(*start) + 2 * start->fixed.path_units;
    uint64_t bytes = (start_bytes + 2 * (uint64_t)name.len + size_bytes + 7) & ~7ull, number;
    struct ring_record *record = (struct ring_record *)q->to;
    uint8_t *to;

    if (!record || bytes > RING_QUICK_BYTES) return 0;
    number = __atomic_add_fetch(&r->shared->counter, 1, __ATOMIC_SEQ_CST);
    *record = start->fixed;
    to = q->to + sizeof(*record);
    if (start->fixed.path_units) to = ring_put_few(to, start->path, 2 * start->fixed.path_units);
    to = ring_put_few(to, name.units, 2 * name.len);
    if (size_bytes == sizeof(uint32_t)) memcpy(to, data, sizeof(uint32_t));
    else ring_put_few(to, data, size_bytes);
    record->bytes = (uint32_t)bytes;
    record->number = number;
    record->name_units = (uint32_t)name.len;
    record->type = type;
    record->data_bytes = size_bytes;
    ring_move_head(q->lane, q->head + bytes);
    return number;
}

#endif
