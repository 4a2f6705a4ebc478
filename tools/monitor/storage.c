/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Storage that refuses, and storage that is back.  What a failed commit left in memory is not
 * trusted: the keys are read from the file again, and the next scan finds what is missing there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "monitor.h"

#define STORAGE_RETRY_US 1000000LL

/* An I/O error may have been a sync's. */
static void note_doubt(struct monitor *m, const struct error *err)
{
    m->in_doubt |= err->code == EIO || (m->checkpoint && checkpoint_is_in_doubt(m->checkpoint));
}

void storage_failed(struct monitor *m, const struct error *err)
{
    note_doubt(m, err);
    if (!displaced_by(m, err) && !m->status.storage_failing_since) {
        m->status.storage_failing_since = unix_time_us();
        bool stop = m->resource.on_storage_error == STORAGE_STOP || !m->resource.lag_ms;

        event(EVENT_STORAGE_FAILED, "storage fails: %s. %s", err->text,
              !stop                ? "The program goes on, unprotected"
              : m->resource.lag_ms ? "on-storage-error is 'stop': ending the program"
                                   : "With lag 0 nothing goes on without storage: ending the program");
        if (stop) {
            hooked_refuse(m);
            if (m->ending == ENDING_NONE)
                m->ending = ENDING_STORAGE;
        }
    }
    note_error(m, err);
    hooked_failed(m);
    checkpoint_close(m->checkpoint);
    m->checkpoint = NULL;
    m->next_storage_try_us = clock_us() + STORAGE_RETRY_US;
    monitor_publish(m);
    notify_publish(&m->status, &m->resource);
}

int keys_from_file(struct monitor *m, struct error *err)
{
    char *path = store_path(m->settings.store, m->name, STORE_CHECKPOINT);
    struct snapshot s;
    int error = path ? snapshot_read(path, 0, &s, err)
                     : error_set(err, ENOMEM, "no memory for the checkpoint's path");

    free(path);
    if (error)
        return error;
    error = keys_take(m, &s, err);
    snapshot_free(&s);
    return error;
}

static int retry(struct monitor *m, struct error *err)
{
    struct checkpoint_state state;
    int error = m->in_doubt ? takeover_renew(&m->owner, err) : 0;

    m->next_storage_try_us = clock_us() + STORAGE_RETRY_US;
    if (!error) {
        m->in_doubt = false;
        error = displaced_open(m, err);
    }
    if (!error)
        error = checkpoint_get_state(m->checkpoint, &state, err);
    if (!error && state.epoch != m->state.epoch) {
        error = error_set(err, RESULT_OWNED, "the checkpoint of %s has epoch %llu, not %llu: another "
                          "node has taken the resource over", m->name,
                          (unsigned long long)state.epoch, (unsigned long long)m->state.epoch);
    }
    if (!error)
        error = keys_from_file(m, err);
    if (error) {
        displaced_by(m, err);
        note_doubt(m, err);
        checkpoint_close(m->checkpoint);
        m->checkpoint = NULL;
        return error;
    }
    m->state = state;
    return 0;
}

int storage_retry(struct monitor *m, struct error *err)
{
    int error;

    storage_enter(m);
    error = retry(m, err);
    storage_leave(m);
    return error;
}

/* While storage fails, everything is due as soon as it may be tried again. */
int storage_ready(struct monitor *m, bool *all, struct error *err)
{
    int error;

    if (m->checkpoint)
        return 0;
    if ((error = storage_retry(m, err)))
        return error;
    *all = true;
    return 0;
}
