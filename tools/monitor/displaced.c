/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Being displaced: another node was told that this one is off, and has taken the resource over
 * (takeover.h).  From then on nothing is acknowledged and nothing saved; the program is ended.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "monitor.h"

#define LOOK_US 1000000LL /* where nothing is committed, that asks anyway */

/* Takes note of it, once. */
static void note(struct monitor *m, const struct error *err)
{
    if (m->displaced)
        return;
    m->displaced = true;
    event(EVENT_DISPLACED, "DISPLACED: %s. Nothing more is saved or acknowledged here, and the program is ended",
          err->text);
    if (m->ending == ENDING_NONE)
        m->ending = ENDING_DISPLACED;
    if (m->hooked.ring.shared)
        ring_set_state(&m->hooked.ring, RING_REFUSING);
    note_error(m, err);
    monitor_publish(m);
}

bool displaced_by(struct monitor *m, const struct error *err)
{
    if (err->code == RESULT_OWNED)
        note(m, err);
    return m->displaced;
}

int displaced_check(struct monitor *m, struct error *err)
{
    int error;

    storage_enter(m);
    error = takeover_check(&m->owner, err);
    storage_leave(m);
    m->owner_look_us = clock_us() + LOOK_US;
    if (error)
        displaced_by(m, err);
    return error;
}

void displaced_look(struct monitor *m)
{
    struct error err;

    if (!m->displaced && clock_us() >= m->owner_look_us)
        displaced_check(m, &err); /* storage that does not answer: the next commit will say so */
}

/* The checkpoint's question after each commit. */
static int guard(void *arg, struct error *err)
{
    return displaced_check(arg, err);
}

int displaced_open(struct monitor *m, struct error *err)
{
    char *path = store_path(m->settings.store, m->name, STORE_CHECKPOINT);
    int error = path ? checkpoint_open_guarded(path, guard, m, &m->checkpoint, err)
                     : error_set(err, ENOMEM, "no memory for the checkpoint's path");

    free(path);
    return error;
}
