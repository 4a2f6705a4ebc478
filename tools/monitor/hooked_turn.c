/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine's turns at the ring: every half lag, or when it is rung for.
 */
#include <stdlib.h>
#include <string.h>

#include "monitor.h"

#define TURN_LONGEST_US 500000LL
#define DURABLE_TURN_US 200000LL /* with lag 0 who waits rings; this is for news only */

/* Calls wait for a commit; a hint, since a process that is killed while it waits leaves it too high. */
static bool somebody_waits(const struct monitor *m)
{
    return __atomic_load_n(&m->hooked.ring.shared->waiting, __ATOMIC_ACQUIRE) != 0;
}

static int64_t pace_us(const struct monitor *m)
{
    int64_t pace = m->resource.lag_ms ? (int64_t)m->resource.lag_ms * 500 : DURABLE_TURN_US;

    return pace < TURN_LONGEST_US ? pace : TURN_LONGEST_US;
}

int64_t hooked_due_us(const struct monitor *m)
{
    if (!m->hooked.ring.shared || !m->checkpoint)
        return INT64_MAX;
    return m->hooked.rung ? 0 : m->hooked.next_cut_us;
}

void hooked_heard(struct monitor *m, struct held_key *k)
{
    if (hooked_is_on(m)) {
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
 */
static int look_into(struct monitor *m, struct held_key *k, struct error *err)
{
    bool exists = true;
    int error;

    k->notified = false;
    if (k->touched_number > k->armed_number) {
        if ((error = hostlink_arm(m->agent, k->key.id, &exists, err)))
            return error_prefix(err, "watching HKLM\\%s", k->key.path);
        k->armed_number = m->hooked.number;
        if (!k->unsure_since_us)
            k->unsure_since_us = k->notified_us;
        if (exists)
            return 0;
    }
    if (!k->dirty)
        k->dirty_since_us = k->notified_us;
    k->dirty = true;
    return 0;
}

/* The policy "stop" was applied by a call that waited too long for storage. */
static void look_for_refusal(struct monitor *m)
{
    if (__atomic_load_n(&m->hooked.ring.shared->state, __ATOMIC_ACQUIRE) == RING_REFUSING &&
        m->ending == ENDING_NONE) {
        log_line("a call waited %u ms for its change to be saved, in vain: ending the program",
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
    int error;

    h->rung = false;
    look_for_refusal(m);
    if ((error = hooked_cut(m, NULL, NULL, NULL, err))) {
        storage_failed(m, err);
        return error;
    }
    for (size_t i = 0; i < m->key_count; i++)
        if (m->keys[i].notified && (error = look_into(m, &m->keys[i], err)))
            return error;
    /* a lane that fills is emptied at once; that is no reason to commit more often */
    if (clock_us() >= h->next_cut_us || !m->resource.lag_ms || somebody_waits(m)) {
        error = capture_pending(m, err);
        h->next_cut_us = clock_us() + pace_us(m);
        reap_processes(h);
        hooked_note(m);
        monitor_publish(m);
    }
    return error;
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
