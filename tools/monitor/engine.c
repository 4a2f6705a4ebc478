/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of an online resource: online, watching, to its release.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../dlls/libregckpt/prefix_processes.h"
#include "monitor.h"

#define FAILURE_PAUSE_US 1000000LL
#define EARLY_US 30000000LL
#define LOST_WAIT_US 50000LL
#define SAVE_TRIES 5 /* of a final save that storage refuses, a second apart */

/* A scan or commit that failed: said once for each reason, tried again after a pause. */
static void note_failure(struct monitor *m, const struct error *err)
{
    if (!m->status.last_error || strcmp(m->status.last_error, err->text))
        log_line("%s", err->text);
    note_error(m, err);
    if (m->agent->sock < 0 && m->ending == ENDING_NONE)
        m->ending = ENDING_HOST;
}

bool engine_has_registry(const struct monitor *m)
{
    return m->ending != ENDING_SERVER && m->agent && m->agent->sock >= 0;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void engine_turn(struct monitor *m, int64_t until_us)
{
    struct error err = {.code = 0};
    int64_t scan_us, ring_us, now = clock_us();
    uint64_t changes = 0;
    int error = 0;

    if (m->displaced) { /* nothing counts any more but the end */
        engine_wait(m, sooner(until_us, now + LOST_WAIT_US));
        return;
    }
    if (!engine_has_registry(m) && m->ending == ENDING_NONE)
        m->ending = ENDING_HOST; /* a request found it dead */
    if (!engine_has_registry(m) || m->server_fd < 0) {
        engine_wait(m, sooner(until_us, now + LOST_WAIT_US));
        return;
    }
    scan_us = capture_due_us(m);
    ring_us = hooked_due_us(m);
    if (sooner(scan_us, ring_us) > now || m->turn_not_before_us > now) {
        int64_t due = sooner(scan_us, ring_us);
        engine_wait(m, sooner(until_us, due > m->turn_not_before_us ? due : m->turn_not_before_us));
    } else if (ring_us <= now) {
        error = hooked_turn(m, &err);
    } else {
        bool all = now >= m->next_full_scan_us;
        error = capture_run(m, all, true, all ? "full scan" : "watch", &changes, &err);
    }
    if (error) {
        note_failure(m, &err);
        m->turn_not_before_us = clock_us() + FAILURE_PAUSE_US;
    }
}

/* Was it the host, or its wineserver?  What hangs without a server is ended by us (release). */
static void look_for_server(struct monitor *m)
{
    if (m->ending == ENDING_HOST && m->server_fd >= 0)
        engine_wait(m, clock_us() + LOST_WAIT_US);
}

/* Until something ends it: does what is due, answers requests. */
static void stay_online(struct monitor *m)
{
    if (!hooked_is_on(m)) /* with it, that was done before the program ran */
        m->next_full_scan_us = clock_us();
    for (;;) {
        displaced_look(m); /* first: we may have stood still for hours */
        if (m->ending != ENDING_NONE)
            break;
        engine_turn(m, m->owner_look_us);
        if (!m->displaced)
            requests_answer(m);
    }
}

int engine_save(struct monitor *m, uint64_t *changes, struct error *err)
{
    int error = 0;

    *changes = 0;

    set_phase(m, PHASE_SAVING);
    for (int i = 0; i < SAVE_TRIES; i++) {
        error = capture_run(m, true, false, "final", changes, err);
        if (!error || error == RESULT_OWNED || !engine_has_registry(m))
            break;
        sleep(1);
    }
    if (error)
        return error_prefix(err, "the last changes of %s could not be saved", m->name);
    m->saved = true;
    log_line("saved: %llu keys, %llu values, %llu changes since the last commit",
             (unsigned long long)m->status.keys, (unsigned long long)m->status.values,
             (unsigned long long)*changes);
    return 0;
}

static void close_links(struct monitor *m)
{
    struct pack p;

    patience_guard(m->patience, -1, -1);
    if (m->launcher && m->launcher->sock >= 0) { /* its exit code is what services.exe sees */
        pack_init(&p);
        pack_u32(&p, m->exited ? m->exit_code : 1);
        hostlink_ask(m->launcher, HOST_EXIT, &p, -1, 5000, NULL, NULL, NULL);
        pack_free(&p);
    }
    if (m->agent && m->agent != m->launcher)
        hostlink_close(m->agent);
    if (m->launcher)
        hostlink_close(m->launcher);
    m->agent = m->launcher = NULL;
}

/* The lock, last. */
static void release_owner(struct monitor *m)
{
    storage_enter(m);
    m->in_doubt |= m->checkpoint && checkpoint_is_in_doubt(m->checkpoint);
    checkpoint_close(m->checkpoint);
    m->checkpoint = NULL;
    front_hide(m->front); /* from here on the next monitor's socket may stand there */
    if (m->in_doubt)
        takeover_doubt(&m->owner);
    takeover_release(&m->owner);
    storage_leave(m);
}

/* All is saved, or it is not and the registry stays as it is; said: so does the checkpoint. */
static void end_stay(struct monitor *m, bool said)
{
    bool in_order = m->saved && said && !m->displaced && engine_has_registry(m);

    if (in_order && !m->restore_local)
        restore_not_asked(m);
    else if (in_order)
        restore_before(m, &m->local);
    else if (m->restore_local)
        error_set(&m->local, RESULT_WINE, "%s did not end with all of it saved: this node's registry is as "
                  "it is. 'regckpt offline %s --restore-local' puts back what it held before", m->name,
                  m->name);
    if (m->local.code)
        log_line("%s", m->local.text);
}

void engine_release(struct monitor *m, bool keep_good)
{
    bool declared = m->declared;
    struct error err = {.code = 0};
    char *last_good = store_path(m->settings.store, m->name, STORE_LAST_GOOD);

    if (m->checkpoint && m->declared && !m->displaced) {
        storage_enter(m);
        declared = !write_state(m, CHECKPOINT_OFFLINE, &err);
        if (!declared)
            log_line("cannot say in the checkpoint that %s is offline: %s", m->name, err.text);
        else if (keep_good && last_good && checkpoint_keep_last_good(m->checkpoint, last_good, &err))
            log_line("cannot keep the last good checkpoint: %s", err.text);
        storage_leave(m);
        displaced_by(m, &err);
    }
    free(last_good);
    hooked_finish(m);
    end_stay(m, declared);
    /* First what hangs without its server: closing the links would wait for an answer of each. */
    if (m->server_fd < 0 && m->place.prefix && (m->ending == ENDING_SERVER || m->ending == ENDING_HOST)) {
        int fd = wineserver_pidfd(&m->place);
        if (fd < 0)
            reap_prefix(&m->place);
        else
            close(fd);
    }
    close_links(m);
    if (m->owner.lock_fd >= 0) {
        if (m->started || is_edit(m))
            reap_lock_holders(m);
        release_owner(m);
    }
    patience_stop(m->patience);
    m->patience = NULL;
}

/*
 * The program ended so soon after its registry was put back that what was put back may be why.  Then
 * the way back is named; and an end with an error code does not make that content the last good one.
 */
static bool ended_early(const struct monitor *m, int64_t online_us)
{
    if (m->ending != ENDING_PROGRAM || clock_us() - online_us >= EARLY_US)
        return false;
    log_line("the program ended within %d s of its registry being restored. If what was restored is "
             "why: 'regckpt log %s' shows what changed and when, 'regckpt rollback %s' puts back the "
             "last good checkpoint, and '--to POINT' any other content the history holds",
             (int)(EARLY_US / 1000000), m->name, m->name);
    return true;
}

int engine_run(struct monitor *m)
{
    struct error err = {.code = 0}, failure = {.code = 0};
    bool clean = false, early;
    uint64_t changes;
    int64_t online_us;
    int code, error = go_online(m, &err);

    if (error) {
        failure = err;
        code = exit_code_of_failure(error);
        look_for_server(m);
        stop_program(m);
        if (m->started && m->marked && engine_has_registry(m) && !m->displaced) { /* what it had written counts */
            struct error late;
            if (engine_save(m, &changes, &late))
                event(EVENT_SAVE_FAILED, "%s", late.text);
        }
        if (m->ending == ENDING_REQUEST) /* what was asked for */
            err.code = 0;
    } else {
        event(EVENT_ONLINE, "%s is online, epoch %llu", m->name, (unsigned long long)m->state.epoch);
        report_online(m);
        online_us = clock_us();
        patience_guard(m->patience, m->agent->sock, m->launcher->sock);
        stay_online(m);
        early = ended_early(m, online_us);
        set_phase(m, PHASE_STOPPING);
        look_for_server(m);
        stop_program(m);
        code = exit_code_of_ending(m);
        if (m->displaced) {
            log_line("the checkpoint is another node's: nothing of this one is saved any more");
        } else if (!engine_has_registry(m)) {
            code = m->ending == ENDING_STORAGE ? EXIT_STORAGE : EXIT_WINE;
            hooked_save_rest(m);
            event(EVENT_REGISTRY_LOST,
                  "the registry is gone: the checkpoint stays as of the last commit");
            error_set(&err, RESULT_WINE, "wineserver or regckpt-host of %s had gone: the checkpoint "
                      "holds what was committed until then", m->name);
        } else if ((error = engine_save(m, &changes, &err))) {
            event(EVENT_SAVE_FAILED, "%s", err.text);
            code = m->ending == ENDING_STORAGE ? EXIT_STORAGE : exit_code_of_failure(error);
        } else {
            err.code = 0; /* of a try before */
            clean = !early || !m->exit_code;
        }
    }
    engine_release(m, clean);
    if (failure.code) /* not before another node can have it */
        report_failure(m, &failure);
    if (!err.code)
        err = m->local;
    if (m->displaced && !err.code) {
        error_set(&err, RESULT_OWNED, "%s was taken over by another node meanwhile%s%s", m->name,
                  m->status.last_error ? ": " : "", m->status.last_error ? m->status.last_error : "");
        code = EXIT_OWNED;
    }
    if (m->status.online_since)
        event(EVENT_OFFLINE, "%s is offline", m->name);
    else
        log_line("%s is offline", m->name);
    requests_finish(m, err.code ? &err : NULL);
    front_stop(m->front);
    m->front = NULL;
    return code;
}
