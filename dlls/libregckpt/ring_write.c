/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ring as a hooked process uses it (see ring.h).
 *
 * What is read from the shared memory is checked here too: whatever somebody wrote there, nothing
 * is written outside the lane's buffer.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "ring_private.h"
#include "ring_quick.h"

#define WAIT_SLICE_US 200000 /* how often a wait looks whether the monitor lives */
#define WAIT_MAX_MS 60000    /* a longer bound is not one that the monitor sets */

/* --- the process table --- */

void ring_put_text(char *to, size_t room, const char *text)
{
    size_t len = strlen(text);

    if (len >= room) {
        len = room - 1;
        while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
    }
    memcpy(to, text, len);
    memset(to + len, 0, room - len);
}

/* A place that is free, or was left by a dead process of our id. */
static uint32_t take_place(struct ring_shared *s, uint32_t pid)
{
    for (uint32_t i = 0; i < RING_PROCESSES; i++) {
        uint32_t seen = 0;

        if (__atomic_compare_exchange_n(&s->processes[i].pid, &seen, pid, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED) || seen == pid)
            return i;
    }
    return RING_PROCESSES;
}

uint32_t ring_attach(struct ring *r, uint32_t win_pid, const char *name)
{
    uint32_t place = take_place(r->shared, (uint32_t)getpid());
    struct ring_process *p;

    if (place == RING_PROCESSES) return RING_PROCESSES - 1;
    p = &r->shared->processes[place];
    p->ready = 0;
    p->win_pid = win_pid;
    p->bits = sizeof(void *) * CHAR_BIT;
    __atomic_store_n(&p->laneless, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&p->changes, 0, __ATOMIC_RELAXED);
    ring_put_text(p->name, sizeof(p->name), name);
    return place;
}

void ring_attach_ready(struct ring *r, uint32_t process)
{
    __atomic_store_n(&r->shared->processes[process].ready, 1, __ATOMIC_RELEASE);
}

void ring_laneless_begin(struct ring *r, uint32_t process)
{
    __atomic_fetch_add(&r->shared->processes[process].laneless, 1, __ATOMIC_SEQ_CST);
}

void ring_laneless_end(struct ring *r, uint32_t process)
{
    __atomic_fetch_sub(&r->shared->processes[process].laneless, 1, __ATOMIC_SEQ_CST);
}

void ring_note_unhooked(struct ring *r, const char *name, const char *why)
{
    struct ring_shared *s = r->shared;

    ring_put_text(s->unhooked_name, sizeof(s->unhooked_name), name);
    ring_put_text(s->unhooked_why, sizeof(s->unhooked_why), why);
    __atomic_fetch_add(&s->unhooked, 1, __ATOMIC_RELEASE);
}

/* --- changes --- */

/*
 * A number that is given while the lane is held, or behind a raised flag: see ring_flag_scan.  Where
 * the server counts, the one that its changes have reached.
 */
static uint64_t take_number(struct ring *r)
{
    if (r->by_server) return ring_last_number(r);
    return __atomic_add_fetch(&r->shared->counter, 1, __ATOMIC_SEQ_CST);
}

/* What follows the path in a record: the value's name, or the key's class; and the value's data. */
static struct utf16 record_name(const struct change *change)
{
    return change->kind == CHANGE_CREATE_KEY ? change->class : change->name;
}

static uint32_t record_data_bytes(const struct change *change)
{
    return change->kind == CHANGE_SET_VALUE ? change->size_bytes : 0;
}

/* The bytes of a change as a record, with padding; UINT64_MAX: more than any has. */
static uint64_t record_bytes(const struct change *change, uint32_t lane_bytes)
{
    struct utf16 name = record_name(change);

    if (change->path.len > lane_bytes || name.len > lane_bytes) return UINT64_MAX;
    return (sizeof(struct ring_record) + record_data_bytes(change) + 7 +
            2 * ((uint64_t)change->path.len + name.len)) & ~7ull;
}

static uint8_t *put(uint8_t *to, const void *bytes, size_t len)
{
    if (len) memcpy(to, bytes, len);
    return to + len;
}

/*
 * Where a record of so many bytes begins, or UINT64_MAX if there is no room.  It never wraps round:
 * what is left at the buffer's end becomes a filler.
 */
static uint64_t make_room(struct ring *r, uint8_t *buffer, uint64_t head, uint64_t used,
                          uint64_t bytes)
{
    struct ring_record *filler;
    uint32_t at = (uint32_t)head & (r->lane_bytes - 1), left = r->lane_bytes - at;

    if (bytes > r->lane_bytes || used > r->lane_bytes || head % 8) return UINT64_MAX;
    if (bytes <= left) return r->lane_bytes - used >= bytes ? head : UINT64_MAX;
    if (r->lane_bytes - used < left + bytes) return UINT64_MAX;
    filler = (struct ring_record *)(buffer + at); /* 8 bytes of it are there */
    filler->bytes = left;
    filler->kind = RING_FILLER;
    filler->change = 0;
    return head + left;
}

static void put_record(uint8_t *to, uint32_t bytes, uint32_t process, const struct change *change,
                       uint64_t number, uint32_t flags)
{
    struct utf16 name = record_name(change);
    uint32_t data_bytes = record_data_bytes(change);

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
    to = put(to + sizeof(struct ring_record), change->path.units, 2 * change->path.len);
    to = put(to, name.units, 2 * name.len);
    put(to, change->data, data_bytes);
}

uint64_t ring_append(struct ring *r, uint32_t index, uint32_t process, const struct change *change,
                     uint32_t flags)
{
    struct ring_lane *lane = &r->shared->lanes[index];
    uint8_t *buffer = r->buffers + (size_t)index * r->lane_bytes;
    uint64_t bytes = record_bytes(change, r->lane_bytes);
    uint64_t head = __atomic_load_n(&lane->head, __ATOMIC_RELAXED);
    uint64_t used = head - __atomic_load_n(&lane->tail, __ATOMIC_ACQUIRE), number;
    uint64_t at = make_room(r, buffer, head, used, bytes);

    if (at == UINT64_MAX) return ring_flag_scan(r, RING_SCAN_FULL);
    number = take_number(r);
    put_record(buffer + ((uint32_t)at & (r->lane_bytes - 1)), (uint32_t)bytes, process, change, number,
               flags);
    ring_move_head(lane, at + bytes);
    if (used < r->lane_bytes / 2 && at + bytes - head + used >= r->lane_bytes / 2) ring_ring(r);
    return number;
}

uint64_t ring_flag_scan(struct ring *r, enum ring_scan why)
{
    struct ring_shared *s = r->shared;
    uint64_t number;

    __atomic_store_n(&s->scan_why, why, __ATOMIC_RELAXED);
    __atomic_fetch_add(&s->scan_wanted, 1, __ATOMIC_SEQ_CST);
    /* In this order: a cut that has the number (see ring_read.c) sees the flag. */
    number = take_number(r);
    ring_ring(r);
    return number;
}

void ring_bump_generation(struct ring *r)
{
    __atomic_fetch_add(&r->shared->generation, 1, __ATOMIC_SEQ_CST);
}

uint64_t ring_last_number(struct ring *r)
{
    return __atomic_load_n(&r->shared->counter, __ATOMIC_SEQ_CST);
}

void ring_ring(struct ring *r)
{
    __atomic_fetch_add(&r->shared->doorbell, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&r->shared->listening, __ATOMIC_SEQ_CST))
        ring_wake(&r->shared->doorbell, INT_MAX);
}

/* --- waiting for a commit --- */

/* The bound of a wait, from memory that anybody may have written to. */
static int64_t wait_bound_us(const struct ring_shared *s)
{
    uint32_t ms = __atomic_load_n(&s->wait_ms, __ATOMIC_RELAXED);

    return (int64_t)(!ms ? RING_DURABLE_WAIT_MS : ms > WAIT_MAX_MS ? WAIT_MAX_MS : ms) * 1000;
}

/* Is there an answer already? */
static bool is_answered(const struct ring_shared *s, uint64_t number, enum ring_wait *answer)
{
    uint32_t state;

    *answer = RING_WAIT_DONE;
    if (__atomic_load_n(&s->durable_number, __ATOMIC_SEQ_CST) >= number) return true;
    state = __atomic_load_n(&s->state, __ATOMIC_SEQ_CST);
    *answer = state == RING_REFUSING ? RING_WAIT_REFUSED : RING_WAIT_GONE;
    return state != RING_OPEN;
}

/*
 * Nobody answered.  Whoever waits besides us, or comes after, would wait in vain too: where a
 * change must be committed before its call returns, all are told to refuse.
 */
static void refuse(struct ring *r)
{
    uint32_t open = RING_OPEN;

    if (!__atomic_load_n(&r->shared->durable, __ATOMIC_RELAXED)) return;
    if (__atomic_compare_exchange_n(&r->shared->state, &open, RING_REFUSING, false,
                                    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
        __atomic_fetch_add(&r->shared->durable_bell, 1, __ATOMIC_SEQ_CST);
        ring_wake(&r->shared->durable_bell, INT_MAX);
    }
}

/*
 * Waits in slices.  No slice counts for more than its length: after a stop of the process or of the
 * whole machine the monitor gets its time.
 */
static enum ring_wait wait_for_answer(struct ring *r, uint64_t number, int64_t left_us)
{
    struct ring_shared *s = r->shared;
    int64_t unseen_us = 0; /* since the monitor was looked at */
    enum ring_wait answer;

    for (;;) {
        uint32_t bell = __atomic_load_n(&s->durable_bell, __ATOMIC_SEQ_CST);
        int64_t slice_us = left_us < WAIT_SLICE_US ? left_us : WAIT_SLICE_US, begun_us, spent_us;

        if (is_answered(s, number, &answer)) return answer;
        if (left_us <= 0) break;
        if (unseen_us >= WAIT_SLICE_US) {
            if (ring_process_is_dead(__atomic_load_n(&s->monitor_pid, __ATOMIC_RELAXED)))
                return is_answered(s, number, &answer) ? answer : RING_WAIT_GONE;
            unseen_us = 0;
        }
        begun_us = ring_now_us();
        ring_sleep(&s->durable_bell, bell, slice_us);
        spent_us = ring_now_us() - begun_us;
        if (spent_us > slice_us) spent_us = slice_us;
        unseen_us += spent_us;
        left_us -= spent_us;
    }
    refuse(r);
    return RING_WAIT_TIMEOUT;
}

enum ring_wait ring_wait_durable(struct ring *r, uint64_t number)
{
    int64_t bound_us = wait_bound_us(r->shared);
    enum ring_wait answer;

    if (is_answered(r->shared, number, &answer)) return answer;
    /* A hint for the monitor, no more: who dies in here leaves it raised. */
    __atomic_fetch_add(&r->shared->waiting, 1, __ATOMIC_SEQ_CST);
    ring_ring(r);
    answer = wait_for_answer(r, number, bound_us);
    __atomic_fetch_sub(&r->shared->waiting, 1, __ATOMIC_SEQ_CST);
    return answer;
}
