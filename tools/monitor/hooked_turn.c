/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine's turns at the ring: every half lag, or when it is rung for.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monitor.h"

#define TURN_LONGEST_US 500000LL
#define SHORTEST_PACE_US 1000LL
#define FEW_PARTS 64 /* what is less of a lane than this part tells no rate */
#define DURABLE_TURN_US 200000LL /* with lag 0 who waits rings; this is for news only */
#define NEWS_US 100000LL /* between looks at what no call waits for: the watch, the processes */
#define BUSY_US 20000LL  /* so long after a call has waited the next one is likely */
#define ANSWER_SLICE_US 5000
#define GATHER_MOST_US 1000LL /* for calls to come that can share a commit */

/*
 * How many calls wait for a commit; a hint, since a process that is killed while it waits leaves it too
 * high.
 */
static uint32_t waiting(const struct monitor *m)
{
    return __atomic_load_n(&m->hooked.ring.shared->waiting, __ATOMIC_ACQUIRE);
}

/*
 * As many calls as waited for the last commit are likely to come again at once.  Without this who is
 * first has a commit alone, during which all the others come and wait for the next.
 */
static void gather(const struct monitor *m)
{
    int64_t until_us, most_us = (int64_t)m->status.commit_us / 2; /* so it costs less than it saves */

    if (m->resource.lag_ms || m->hooked.waited < 2 || !waiting(m))
        return;
    until_us = clock_us() + (most_us < GATHER_MOST_US ? most_us : GATHER_MOST_US);
    while (waiting(m) < m->hooked.waited && clock_us() < until_us)
        sched_yield();
}

static int64_t pace_us(const struct monitor *m)
{
    int64_t pace = m->resource.lag_ms ? (int64_t)m->resource.lag_ms * 500 : DURABLE_TURN_US;

    return pace < TURN_LONGEST_US ? pace : TURN_LONGEST_US;
}

/*
 * When the next turn has to begin, for its commit to end before a lane is half full, if all goes on as
 * between the last two cuts: from there on the program rings, which costs it as much as some calls.
 * Nothing of before is free earlier than that either.
 */
static int64_t filling_until_us(const struct monitor *m, const uint64_t *read_before,
                                uint64_t cut_before_us)
{
    const struct ring *r = &m->hooked.ring;
    uint64_t most = 0, half_us;

    for (uint32_t i = 0; i < r->lane_count; i++)
        if (r->read[i] - read_before[i] > most)
            most = r->read[i] - read_before[i];
    if (most <= r->lane_bytes / FEW_PARTS || r->cut_us <= cut_before_us)
        return INT64_MAX;
    half_us = (r->cut_us - cut_before_us) * (r->lane_bytes / 2) / most;
    return (int64_t)(r->cut_us + half_us * 3 / 4) - (int64_t)m->status.commit_us;
}

bool hooked_is_busy(const struct monitor *m)
{
    return m->hooked.listener && clock_us() < m->hooked.busy_until_us;
}

int64_t hooked_due_us(const struct monitor *m)
{
    if (!m->hooked.ring.shared || !m->checkpoint)
        return INT64_MAX;
    return m->hooked.rung ? 0 : m->hooked.next_cut_us;
}

void hooked_heard(struct monitor *m, struct held_key *k)
{
    if (hooked_by_server(m)) { /* of before it reported */
        return;
    } else if (hooked_is_on(m)) {
        if (!k->notified)
            k->notified_us = clock_us();
        k->notified = true;
    } else if (!k->dirty) {
        k->dirty = true;
        k->dirty_since_us = clock_us();
    }
}

/*
 * A watch that fired.  No hooked change since it was armed: somebody else wrote.  Else it may have been
 * one of ours, or somebody else beside it: armed again, to be settled by one scan for all such times.
 * Arming is a request to the host: where calls wait for their commits, not behind each of them.
 */
static int look_into(struct monitor *m, struct held_key *k, struct error *err)
{
    bool exists = true;
    int error;

    if (k->touched_number > k->armed_number) {
        if (!m->resource.lag_ms && clock_us() < k->notified_us + NEWS_US)
            return 0;
        k->notified = false;
        if ((error = hostlink_arm(m->agent, k->key.id, &exists, err)))
            return error_prefix(err, "watching HKLM\\%s", k->key.path);
        k->armed_number = m->hooked.number;
        if (!k->unsure_since_us)
            k->unsure_since_us = k->notified_us;
        if (exists)
            return 0;
    }
    k->notified = false;
    if (!k->dirty)
        k->dirty_since_us = k->notified_us;
    k->dirty = true;
    return 0;
}

void hooked_refuse(struct monitor *m)
{
    int64_t until_us = clock_us() + ANSWER_US;

    if (!m->hooked.ring.shared)
        return;
    ring_set_state(&m->hooked.ring, RING_REFUSING);
    while (waiting(m)) {
        usleep(ANSWER_SLICE_US); /* also for what the program does with the answer */
        if (clock_us() >= until_us)
            break;
    }
}

/* The policy "stop" was applied by a call that waited too long for storage. */
static void look_for_refusal(struct monitor *m)
{
    if (__atomic_load_n(&m->hooked.ring.shared->state, __ATOMIC_ACQUIRE) == RING_REFUSING &&
        m->ending == ENDING_NONE) {
        event(EVENT_STORAGE_FAILED,
              "a call waited %u ms for its change to be saved, in vain: ending the program",
              m->hooked.ring.shared->wait_ms);
        m->ending = ENDING_STORAGE;
    }
}

/* Places of dead processes are free again; not before the history has what they reported last. */
static void reap_processes(struct hooked *h)
{
    if (!h->pending_count && !h->holds_back && ring_last_number(&h->ring) == h->number)
        ring_processes_reap(&h->ring);
}

int hooked_turn(struct monitor *m, struct error *err)
{
    struct hooked *h = &m->hooked;
    uint64_t read_before[RING_LANES], cut_before_us = h->ring.cut_us;
    int64_t now_us, filling_us;
    bool waits;
    int error;

    h->rung = false;
    look_for_refusal(m);
    gather(m);
    memcpy(read_before, h->ring.read, sizeof(read_before));
    if ((error = hooked_cut(m, NULL, NULL, NULL, err)))
        return error;
    waits = waiting(m) != 0;
    /* also where only a lane fills: there is room in it again when what it holds is committed */
    if ((error = capture_pending(m, err)))
        return error;
    if (hooked_by_server(m) && !__atomic_load_n(&h->ring.shared->server_pid, __ATOMIC_ACQUIRE)) {
        hooked_server_lost(m);
        return 0;
    }
    now_us = clock_us();
    filling_us = filling_until_us(m, read_before, cut_before_us);
    h->next_cut_us = now_us + pace_us(m);
    if (filling_us < h->next_cut_us)
        h->next_cut_us = filling_us > now_us + SHORTEST_PACE_US ? filling_us : now_us + SHORTEST_PACE_US;
    if (waits)
        h->busy_until_us = clock_us() + BUSY_US;
    for (size_t i = 0; i < m->key_count; i++)
        if (m->keys[i].notified && (error = look_into(m, &m->keys[i], err)))
            return error;
    if (clock_us() >= h->next_news_us) {
        h->next_news_us = clock_us() + NEWS_US;
        reap_processes(h);
        hooked_note(m);
        monitor_publish(m);
    }
    return 0;
}

int hooked_keep(struct monitor *m, struct error *err)
{
    struct hooked *h = &m->hooked;
    int error;

    h->rung = false;
    h->next_cut_us = clock_us() + pace_us(m);
    if ((error = hooked_cut(m, NULL, NULL, NULL, err)))
        return error;
    ring_release_to(&h->ring, h->read);
    ring_set_durable(&h->ring, h->number);
    hooked_note(m);
    monitor_publish(m);
    return 0;
}

void hooked_save_rest(struct monitor *m)
{
    struct error err;

    if (!m->hooked.ring.shared || !m->checkpoint)
        return;
    if (hooked_cut(m, NULL, NULL, NULL, &err) || capture_pending(m, &err))
        log_line("what the program had reported last could not be saved: %s", err.text);
    else if (hooked_needs_scan(m))
        log_line("a scan was due that cannot be made any more: the changes since the last commit are "
                 "not saved");
}
