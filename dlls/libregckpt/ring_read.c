/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ring as the monitor reads it (see ring.h).
 *
 * Where the server writes (ring.h), the counter is noted first, and what is there beyond it counts too.
 *
 * Else a cut in this order: under the lanes note how far each is filled, then the counter, then the
 * count of flags.  So all changes that are noted have numbers up to the counter, also those of a
 * lane that could not be had; and who raised a flag before it took its number has its flag seen.
 * What is between tail and head is the reader's until it moves the tail: it is copied after the
 * lanes are given back, and stays there until ring_release, for who reads the ring if we are
 * killed.  It is looked at in the copy only: in the ring it may be written to by anybody at any
 * time.  For the same reason where the last cut ended is kept in private memory; the tail is only
 * told.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "ring_private.h"

#define ALL_LANES(r) ((r)->lane_count == 64 ? UINT64_MAX : (1ull << (r)->lane_count) - 1)

#define FILLER_BYTES offsetof(struct ring_record, number) /* all positions are multiples of it */

/* What of a lane belongs to a cut. */
struct span {
    uint64_t tail, head;
    bool damaged;
};

/* --- the cut --- */

/* Notes how far a lane is filled.  One that cannot be is set right, where it is held. */
static void note_lane(struct ring_lane *lane, uint32_t lane_bytes, uint64_t read, bool held,
                      struct span *span)
{
    span->head = __atomic_load_n(&lane->head, __ATOMIC_ACQUIRE);
    span->tail = read;
    span->damaged = span->head - span->tail > lane_bytes || (span->head | span->tail) % 8;
    if (!span->damaged) return;
    if (held && span->head % 8) {
        span->head = 0;
        __atomic_store_n(&lane->head, 0, __ATOMIC_RELEASE);
    }
    span->tail = span->head;
}

/*
 * A call in flight that has no lane.  A thread that is ended in the middle of one leaves this so until
 * its process is gone: then every commit takes a scan, and none is wrong.
 */
static bool somebody_is_laneless(const struct ring_shared *s)
{
    for (uint32_t i = 0; i < RING_PROCESSES; i++)
        if (__atomic_load_n(&s->processes[i].pid, __ATOMIC_RELAXED) &&
            __atomic_load_n(&s->processes[i].laneless, __ATOMIC_SEQ_CST))
            return true;
    return false;
}

/* Returns the counter as it was behind the lanes. */
static uint64_t note_lanes(struct ring *r, uint64_t had, struct span *spans, struct ring_batch *out)
{
    uint64_t before = __atomic_load_n(&r->shared->counter, __ATOMIC_SEQ_CST), behind;

    for (uint32_t i = 0; i < r->lane_count; i++)
        note_lane(&r->shared->lanes[i], r->lane_bytes, r->read[i], had >> i & 1, &spans[i]);
    behind = __atomic_load_n(&r->shared->counter, __ATOMIC_SEQ_CST);
    out->number = r->by_server ? before : behind;
    /* a call that is not laneless any more has raised its flag: so this before the flags */
    out->torn = somebody_is_laneless(r->shared) || (had & ALL_LANES(r)) != ALL_LANES(r);
    out->scan_wanted = __atomic_load_n(&r->shared->scan_wanted, __ATOMIC_SEQ_CST);
    return behind;
}

/* --- one lane --- */

/* Is it what a key's path can be? Components that are not empty, and not too long. */
static bool is_path(const uint16_t *units, size_t len)
{
    size_t begin = 0;

    if (!len) return true;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && units[i] != '\\') continue;
        if (i == begin || i - begin > IMAGE_MAX_KEY_NAME_CHARS) return false;
        begin = i + 1;
    }
    return true;
}

/* Does the record's kind of change have what it says it has? */
static bool is_sound(const struct ring_record *record)
{
    if (record->process >= RING_PROCESSES || record->flags & ~(RING_VOLATILE | RING_OPENED)) return false;
    switch (record->change) {
    case CHANGE_CREATE_KEY:
        return !(record->type & ~KEY_FLAG_LINK) && !record->data_bytes;
    case CHANGE_DELETE_KEY:
        return !record->name_units && !record->data_bytes;
    case CHANGE_DELETE_VALUE:
        return record->name_units <= IMAGE_MAX_NAME_CHARS && !record->data_bytes;
    case CHANGE_SET_VALUE:
        return record->name_units <= IMAGE_MAX_NAME_CHARS;
    }
    return false;
}

/* Reads a record of a private copy; `left`: the bytes that it may have. false: it is nonsense. */
static bool read_record(const uint8_t *at, uint64_t left, uint64_t last_number,
                        struct ring_change *out)
{
    struct ring_record record;
    const uint16_t *path;
    struct utf16 name;
    uint64_t need;

    if (left < sizeof(record)) return false;
    memcpy(&record, at, sizeof(record));
    need = sizeof(record) + 2 * ((uint64_t)record.path_units + record.name_units) +
           record.data_bytes;
    if (record.kind != RING_CHANGE || record.bytes > left || record.bytes != ((need + 7) & ~7ull) ||
        !record.number || record.number > last_number || !is_sound(&record))
        return false;
    path = (const uint16_t *)(at + sizeof(record));
    if (!is_path(path, record.path_units)) return false;
    name = (struct utf16){ path + record.path_units, record.name_units };
    *out = (struct ring_change){
        .number = record.number,
        .process = record.process,
        .flags = record.flags,
        .change = {
            .kind = record.change,
            .key_id = record.key_id,
            .path = { path, record.path_units },
        },
    };
    if (record.change == CHANGE_CREATE_KEY) {
        out->change.key_flags = record.type;
        out->change.class = name;
    } else {
        out->change.name = name;
    }
    if (record.change == CHANGE_SET_VALUE) {
        out->change.type = record.type;
        out->change.data = name.units + name.len;
        out->change.size_bytes = record.data_bytes;
    }
    return true;
}

/* The last number that a change in a lane can have, where the counter was so far. */
static uint64_t last_number(const struct ring *r, const struct span *span, uint64_t counter)
{
    if (!r->by_server) return counter;
    return counter + (span->head - span->tail) / sizeof(struct ring_record);
}

/* Adds to what a process has reported; the server counts by itself. */
static void count_change(struct ring *r, uint32_t process)
{
    if (!r->by_server && process < RING_PROCESSES) r->shared->processes[process].changes++;
}

/* Reads a lane's copy as far as it makes sense. false: it does not to its end. */
static bool read_lane(struct ring *r, const uint8_t *copy, const struct span *span,
                      uint64_t counter, struct ring_batch *out)
{
    uint64_t at = span->tail, last = last_number(r, span, counter);
    uint32_t lane_bytes = r->lane_bytes;
    struct ring_record head; /* of it only what a filler has too */

    while (at != span->head) {
        uint64_t left = span->head - at, to_end = lane_bytes - (at & (lane_bytes - 1));
        const uint8_t *from = copy + (at - span->tail);

        if (left > to_end) left = to_end;
        memcpy(&head, from, FILLER_BYTES);
        if (head.kind == RING_FILLER) {
            if (head.bytes != to_end || left != to_end) return false;
        } else {
            if (!read_record(from, left, last, &out->changes[out->count])) return false;
            count_change(r, out->changes[out->count++].process);
        }
        at += head.bytes;
    }
    return true;
}

/* Copies what a lane holds. */
static void copy_lane(const uint8_t *buffer, uint32_t lane_bytes, const struct span *span,
                      uint8_t *to)
{
    size_t at = span->tail & (lane_bytes - 1), len = span->head - span->tail;
    size_t first = len < lane_bytes - at ? len : lane_bytes - at;

    memcpy(to, buffer + at, first);
    memcpy(to + first, buffer, len - first);
}

/* --- a batch --- */

static int by_number(const void *a, const void *b)
{
    const struct ring_change *x = a, *y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}

/* Makes room for the copies of all lanes and as many changes as they can hold. */
static int make_room(const struct span *spans, uint32_t count, struct ring_batch *out)
{
    size_t bytes = 0;

    for (uint32_t i = 0; i < count; i++)
        bytes += spans[i].head - spans[i].tail;
    if (!bytes) return 0;
    out->memory = malloc(sizeof(*out->memory));
    out->changes = malloc((bytes / sizeof(struct ring_record) + 1) * sizeof(*out->changes));
    if (!out->memory || !out->changes || !(out->memory[0] = malloc(bytes))) {
        ring_batch_free(out);
        return ENOMEM;
    }
    out->memory_count = 1;
    return 0;
}

/*
 * Reads what was noted.  When a change was made is not in the ring, a clock would cost the program more
 * than the rest of its report: behind the cut before this one, that is, all the same.
 */
static int read_spans(struct ring *r, struct span *spans, uint64_t counter, uint64_t begun_us,
                      struct ring_batch *out)
{
    uint64_t since_us = r->cut_us;
    struct ring_change *smaller;
    uint8_t *copy;

    if (make_room(spans, r->lane_count, out)) return ENOMEM;
    copy = out->memory ? out->memory[0] : NULL;
    for (uint32_t i = 0; i < r->lane_count; i++) {
        struct span *span = &spans[i];

        if (span->head != span->tail) {
            copy_lane(r->buffers + (size_t)i * r->lane_bytes, r->lane_bytes, span, copy);
            if (!read_lane(r, copy, span, counter, out)) span->damaged = true;
            copy += span->head - span->tail;
        }
        out->damaged += span->damaged;
        r->read[i] = span->head;
    }
    r->cut_us = begun_us;
    if (out->damaged) out->torn = true;
    if (!out->count) return 0;
    for (size_t i = 0; i < out->count; i++)
        out->changes[i].time_us = since_us;
    qsort(out->changes, out->count, sizeof(*out->changes), by_number);
    if (out->number < out->changes[out->count - 1].number) /* the server, in the middle of a request */
        out->number = out->changes[out->count - 1].number;
    smaller = realloc(out->changes, out->count * sizeof(*out->changes));
    if (smaller) out->changes = smaller;
    return 0;
}

int ring_cut_held(struct ring *r, uint64_t had, struct ring_batch *out)
{
    uint64_t begun_us = (uint64_t)ring_now_us(), counter;
    struct span spans[RING_LANES];

    memset(out, 0, sizeof(*out));
    counter = note_lanes(r, had, spans, out);
    return read_spans(r, spans, counter, begun_us, out);
}

int ring_cut(struct ring *r, struct ring_batch *out)
{
    uint64_t begun_us = (uint64_t)ring_now_us(), counter, had;
    struct span spans[RING_LANES];

    memset(out, 0, sizeof(*out));
    ring_all_take(r, &had);
    counter = note_lanes(r, had, spans, out);
    ring_all_give(r, had);
    return read_spans(r, spans, counter, begun_us, out);
}

void ring_release_to(struct ring *r, const uint64_t *read)
{
    for (uint32_t i = 0; i < r->lane_count; i++)
        __atomic_store_n(&r->shared->lanes[i].tail, read[i], __ATOMIC_RELEASE);
}

void ring_release(struct ring *r)
{
    ring_release_to(r, r->read);
}

int ring_batch_join(struct ring_batch *batch, struct ring_batch *more)
{
    struct ring_change *changes;
    void **memory;

    if (more->memory_count) {
        memory = realloc(batch->memory,
                         (batch->memory_count + more->memory_count) * sizeof(*memory));
        if (!memory) return ENOMEM;
        batch->memory = memory;
    }
    if (more->count) {
        changes = realloc(batch->changes, (batch->count + more->count) * sizeof(*changes));
        if (!changes) return ENOMEM;
        batch->changes = changes;
        memcpy(changes + batch->count, more->changes, more->count * sizeof(*changes));
    }
    if (more->memory_count)
        memcpy(batch->memory + batch->memory_count, more->memory,
               more->memory_count * sizeof(*more->memory));
    batch->count += more->count;
    batch->memory_count += more->memory_count;
    batch->number = more->number;
    batch->scan_wanted = more->scan_wanted;
    batch->torn |= more->torn;
    batch->damaged += more->damaged;
    free(more->changes);
    free(more->memory);
    memset(more, 0, sizeof(*more));
    return 0;
}

void ring_batch_free(struct ring_batch *b)
{
    for (size_t i = 0; i < b->memory_count; i++)
        free(b->memory[i]);
    free(b->memory);
    free(b->changes);
    memset(b, 0, sizeof(*b));
}
