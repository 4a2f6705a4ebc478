/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the monitor says in the ring, hears there, and knows of the processes (see ring.h).
 */
#define _GNU_SOURCE
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "ring_private.h"

/* --- the calls that wait for a commit --- */

/* Always by a system call: `waiting` is a hint, and one call a commit is nothing. */
static void wake_waiters(struct ring_shared *s)
{
    __atomic_fetch_add(&s->durable_bell, 1, __ATOMIC_SEQ_CST);
    ring_wake(&s->durable_bell, INT_MAX);
}

void ring_set_durable(struct ring *r, uint64_t number)
{
    __atomic_store_n(&r->shared->durable_number, number, __ATOMIC_SEQ_CST);
    wake_waiters(r->shared);
}

void ring_set_state(struct ring *r, enum ring_state state)
{
    __atomic_store_n(&r->shared->state, state, __ATOMIC_SEQ_CST);
    wake_waiters(r->shared);
}

/* --- the doorbell --- */

/* Has it been rung since it was last looked at? */
static bool was_rung(struct ring_shared *s, uint32_t *seen)
{
    uint32_t now = __atomic_load_n(&s->doorbell, __ATOMIC_SEQ_CST), before = *seen;

    *seen = now;
    return now != before;
}

bool ring_listen(struct ring *r, uint32_t *seen, int timeout_ms)
{
    struct ring_shared *s = r->shared;
    int64_t now_us = ring_now_us(), until_us = now_us + (int64_t)timeout_ms * 1000;
    bool rung;

    while (!(rung = was_rung(s, seen)) && now_us < until_us) {
        /* Raised before the doorbell is looked at, by the kernel: see ring_ring. */
        __atomic_store_n(&s->listening, 1, __ATOMIC_SEQ_CST);
        ring_sleep(&s->doorbell, *seen, until_us - now_us);
        __atomic_store_n(&s->listening, 0, __ATOMIC_SEQ_CST);
        now_us = ring_now_us();
    }
    return rung;
}

/* --- the process table --- */

/* Makes a text from the ring fit to be shown: no control characters, nothing that are not UTF-8. */
static void clean_text(char *text, size_t room)
{
    struct utf16 units = {0};
    char *shown = NULL;

    text[room - 1] = 0;
    if (!utf16_from_utf8(text, strlen(text), &units)) shown = utf16_for_display(units);
    if (!shown || strcmp(shown, text))
        for (char *c = text; *c; c++)
            if (*c < 0x20 || *c > 0x7e) *c = '?';
    free(shown);
    free((void *)units.units);
}

bool ring_process_get(struct ring *r, uint32_t process, struct ring_process *out)
{
    if (process >= RING_PROCESSES) return false;
    memcpy(out, &r->shared->processes[process], sizeof(*out));
    clean_text(out->name, sizeof(out->name));
    return out->pid && out->pid <= INT_MAX;
}

void ring_processes_reap(struct ring *r)
{
    for (uint32_t i = 0; i < RING_PROCESSES; i++) {
        struct ring_process *p = &r->shared->processes[i];
        uint32_t pid = __atomic_load_n(&p->pid, __ATOMIC_ACQUIRE);

        if (!pid || !ring_process_is_dead(pid)) continue;
        if (r->dead[i] != pid) {
            r->dead[i] = pid;
            continue;
        }
        r->dead[i] = 0;
        p->ready = 0;
        __atomic_compare_exchange_n(&p->pid, &pid, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    }
}
