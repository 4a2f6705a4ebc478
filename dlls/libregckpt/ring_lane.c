/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ring's locks (see ring.h).
 *
 * A lock word is a futex: 0, or the owner's thread id, with RING_WORD_WAITERS if somebody may sleep
 * on it.  Who has slept takes it with that bit set, because others may sleep still; at worst one
 * wake is for nobody.  A wake can get lost too, when the one that was woken is killed: that is why
 * nobody sleeps longer than LOOK_AGAIN_US at a time.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ring_private.h"
#include "ring_quick.h"

/*
 * When an owner is first looked at: the calls it makes under its lane take microseconds, so most
 * waits are over before.
 */
#define LOOK_FIRST_US 1000
#define LOOK_AGAIN_US 5000

__thread uint32_t ring_own_tid;

/* In the child of a fork: its one thread has another id. */
static void forget_tid(void)
{
    ring_own_tid = 0;
}

__attribute__((constructor)) static void forget_tid_after_fork(void)
{
    pthread_atfork(NULL, NULL, forget_tid);
}

uint32_t ring_tid(void)
{
    if (__builtin_expect(!ring_own_tid, 0)) ring_own_tid = (uint32_t)syscall(SYS_gettid);
    return ring_own_tid;
}

struct attempt {
    int64_t begun_us, until_us;
    uint32_t stuck;  /* an owner that is not waited for, only looked at */
    uint32_t owner;  /* out: the last one that was seen */
    bool inherited;  /* out: taken from a dead owner */
};

/* Is the word free, or its owner no more? */
static bool is_to_be_had(struct attempt *a, int64_t now_us, int64_t *look_us)
{
    /*
     * Our own id: of a thread that had it before us and died.  Locks are never taken twice, and if
     * one were, its outer owner would find at the end that it has it no more: see ring_word_give.
     */
    if (!a->owner || a->owner == ring_tid()) return true;
    if (now_us < *look_us && a->owner != a->stuck) return false;
    *look_us = now_us + LOOK_AGAIN_US;
    return ring_thread_is_dead(a->owner);
}

/* Takes a word that may not be free; at least one try. */
static bool take_patiently(uint32_t *word, struct attempt *a)
{
    int64_t now_us, look_us = a->begun_us + LOOK_FIRST_US;
    uint32_t seen;

    do {
        seen = __atomic_load_n(word, __ATOMIC_RELAXED);
        a->owner = seen & ~RING_WORD_WAITERS;
        now_us = ring_now_us();
        if (is_to_be_had(a, now_us, &look_us)) {
            a->inherited = a->owner != 0;
            if (__atomic_compare_exchange_n(word, &seen, ring_tid() | RING_WORD_WAITERS, false,
                                            __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
                return true;
            continue;
        }
        if (a->owner == a->stuck) break;
        if (!(seen & RING_WORD_WAITERS) &&
            !__atomic_compare_exchange_n(word, &seen, seen | RING_WORD_WAITERS, false,
                                         __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            continue;
        ring_sleep(word, a->owner | RING_WORD_WAITERS,
                   (look_us < a->until_us ? look_us : a->until_us) - now_us);
    } while (now_us < a->until_us);
    return false;
}

bool ring_word_take(uint32_t *word, int wait_ms, bool *inherited)
{
    struct attempt a = {0};
    bool taken = ring_word_try(word, ring_tid());

    if (!taken) {
        a.begun_us = ring_now_us();
        a.until_us = a.begun_us + (int64_t)wait_ms * 1000;
        taken = take_patiently(word, &a);
    }
    *inherited = taken && a.inherited;
    return taken;
}

/* A word that was taken over from us meanwhile is left alone. */
void ring_word_give(uint32_t *word)
{
    uint32_t tid = ring_tid(), seen = tid;

    if (__atomic_compare_exchange_n(word, &seen, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED) ||
        seen != (tid | RING_WORD_WAITERS))
        return;
    if (__atomic_compare_exchange_n(word, &seen, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ring_wake(word, 1);
}

uint32_t ring_lane_of(const struct ring *r, struct utf16 path)
{
    uint32_t hash = 2166136261u; /* FNV-1a, a unit at a time */

    for (size_t i = path.len; i && path.units[i - 1] != '\\'; i--)
        hash = (hash ^ utf16_fold_unit(path.units[i - 1])) * 16777619u;
    return (hash ^ hash >> 16) % r->lane_count;
}

/* Takes a lane that was not free at once. */
static bool take_lane(struct ring *r, struct ring_lane *lane, int64_t now_us, int64_t until_us)
{
    struct attempt a = { .begun_us = now_us, .until_us = until_us,
                         .stuck = __atomic_load_n(&lane->stuck, __ATOMIC_RELAXED) };

    if (take_patiently(&lane->lock, &a)) {
        if (a.inherited) ring_flag_scan(r, RING_SCAN_LOCK);
        return true;
    }
    /* Not after a short wait at the end of ring_all_take's time: that says little. */
    if (until_us - now_us >= RING_LANE_WAIT_MS * 1000 / 2)
        __atomic_store_n(&lane->stuck, a.owner, __ATOMIC_RELAXED);
    return false;
}

bool ring_lane_take(struct ring *r, uint32_t index)
{
    struct ring_lane *lane = &r->shared->lanes[index];
    int64_t now_us;

    if (__builtin_expect(ring_word_try(&lane->lock, ring_tid()), 1)) return true;
    now_us = ring_now_us();
    return take_lane(r, lane, now_us, now_us + RING_LANE_WAIT_MS * 1000);
}

void ring_lane_give(struct ring *r, uint32_t index)
{
    struct ring_lane *lane = &r->shared->lanes[index];

    /* Whoever was thought to be stuck: the lane moves. */
    if (__builtin_expect(__atomic_load_n(&lane->stuck, __ATOMIC_RELAXED), 0))
        __atomic_store_n(&lane->stuck, 0, __ATOMIC_RELAXED);
    ring_word_give(&lane->lock);
}

bool ring_all_take(struct ring *r, uint64_t *had)
{
    int64_t until_us = ring_now_us() + RING_LANE_WAIT_MS * 1000;
    bool all = true;

    *had = 0;
    for (uint32_t i = 0; i < r->lane_count; i++) {
        struct ring_lane *lane = &r->shared->lanes[i];

        if (ring_word_try(&lane->lock, ring_tid()) || take_lane(r, lane, ring_now_us(), until_us))
            *had |= 1ull << i;
        else
            all = false;
    }
    return all;
}

void ring_all_give(struct ring *r, uint64_t had)
{
    for (uint32_t i = 0; i < r->lane_count; i++)
        if (had >> i & 1) ring_lane_give(r, i);
}
