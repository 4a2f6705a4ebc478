/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For `regckpt edit`: own, restore, let a command change the registry, save, release.
 *
 * The command is started by who waits for it at the other end of the session, not by us.  Nothing
 * it does is committed before all of it has ended; then everything is one transaction.  Whatever
 * ends the edit before leaves the checkpoint as it was: what the hook reports is kept in memory, and
 * a ring that an edit leaves behind is not applied (hooked.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monitor.h"

#define SERVICE_STOPPED 1u
#define POLL_US 50000
#define REPLY_MS 10000
#define NOTE_BYTES 512

bool is_edit(const struct monitor *m)
{
    return m->session_fd >= 0;
}

/* Does the resource's service run?  An application's processes are not to be told from others. */
static int service_runs(struct monitor *m, bool *runs, struct error *err)
{
    struct program_facts facts;
    int error;

    *runs = false;
    if (m->resource.kind != RESOURCE_SERVICE)
        return 0;
    if ((error = hostlink_query_program(m->agent, &m->resource, &facts, err)))
        return error;
    *runs = facts.exists && facts.state && facts.state != SERVICE_STOPPED;
    program_facts_free(&facts);
    return 0;
}

int edit_check_service(struct monitor *m, struct error *err)
{
    bool runs;
    int error = service_runs(m, &runs, err);

    if (!error && runs)
        error = error_set(err, RESULT_PROGRAM,
                          "the service '%s' is running in %s, unprotected: stop it first ('wine net "
                          "stop %s'), or take %s online and edit it there", m->resource.service,
                          m->place.prefix, m->resource.service, m->name);
    return error;
}

void edit_prepare_hook(struct monitor *m)
{
    hooked_prepare(m);
    if (!m->hooked.ring.shared)
        log_line("without the hook: %s The final scan finds what was changed", m->hooked.why_not.text);
}

/* Gives the other end the lock's descriptor: the command may begin. */
static void say_ready(struct monitor *m)
{
    struct pack nothing;

    pack_init(&nothing);
    if (message_send(m->session_fd, CTL_EDIT_READY, 0, &nothing, m->owner.lock_fd, REPLY_MS))
        m->ending = ENDING_GIVEN_UP;
    pack_free(&nothing);
}

/* Says how it ended: err of code 0, it is saved. */
static void reply(struct monitor *m, const struct error *err, uint64_t changes, const char *note)
{
    struct pack p;

    pack_init(&p);
    pack_u32(&p, (uint32_t)err->code);
    pack_text(&p, err->code ? err->text : "");
    pack_u64(&p, changes);
    pack_text(&p, note);
    message_send(m->session_fd, CTL_REPLY, m->session_tag, &p, -1, REPLY_MS); /* or nobody hears it */
    pack_free(&p);
}

void edit_say_given_up(struct monitor *m, const char *why)
{
    struct error err = {0};

    error_set(&err, RESULT_STORAGE, "%s", why);
    if (m->session_fd >= 0)
        reply(m, &err, 0, "");
}

/* While the command runs. */
static void serve(struct monitor *m)
{
    struct error err;

    while (m->ending == ENDING_NONE) {
        displaced_look(m);
        if (m->ending == ENDING_NONE && !engine_has_registry(m))
            m->ending = ENDING_HOST;
        if (hooked_due_us(m) <= clock_us() && hooked_keep(m, &err))
            log_line("%s", err.text); /* a scan is flagged: the one at the end has it all */
        engine_wait(m, hooked_due_us(m) < m->owner_look_us ? hooked_due_us(m) : m->owner_look_us);
        requests_answer(m);
    }
}

/* A setup program starts its service; offline is offline.  note: what to know about it. */
static void stop_service(struct monitor *m, char note[NOTE_BYTES])
{
    int64_t until = clock_us() + m->resource.stop_timeout_s * 1000000LL;
    struct error err = {.code = 0};
    bool runs;

    if (service_runs(m, &runs, &err) || !runs)
        return;
    log_line("the command started service %s: stopping it", m->resource.service);
    if (service_ask(m, HOST_STOP_SERVICE, &err))
        log_line("stopping service %s: %s", m->resource.service, err.text);
    while (!service_runs(m, &runs, &err) && runs && clock_us() < until && engine_has_registry(m))
        engine_wait(m, clock_us() + POLL_US);
    snprintf(note, NOTE_BYTES, runs ? "The command started the service %s, and it does not stop: it "
             "runs unprotected. Stop it ('wine net stop %s')."
                                    : "The command had started the service %s; it was stopped, as %s "
             "is offline.", m->resource.service, runs ? m->resource.service : m->name);
}

/* The command's changes, or why they are not saved. */
static int finish(struct monitor *m, uint64_t *changes, char note[NOTE_BYTES], struct error *err)
{
    static const char none[] = "Nothing of this edit is saved: the checkpoint is as it was before.";
    struct error why = {.code = 0};

    if (m->ending == ENDING_EDITED && engine_has_registry(m)) {
        set_phase(m, PHASE_STOPPING);
        stop_service(m, note);
        if (!engine_save(m, changes, &why))
            return 0;
        return error_set(err, why.code, "%s. %s", why.text, none);
    }
    if (m->displaced)
        return error_set(err, RESULT_OWNED, "%s was taken over by another node meanwhile. %s", m->name,
                         none);
    if (!engine_has_registry(m))
        return error_set(err, RESULT_WINE, "wineserver or regckpt-host of %s has gone. %s", m->name,
                         none);
    return error_set(err, RESULT_PROGRAM, "The edit of %s was given up (%s). %s", m->name,
                     m->ending == ENDING_REQUEST ? "by \"regckpt offline\", or a signal to its monitor"
                                                 : "nobody waits for its command any more", none);
}

int edit_run(struct monitor *m)
{
    struct error err = {.code = 0};
    char note[NOTE_BYTES] = "";
    uint64_t changes = 0;
    bool ready = !go_online(m, &err);

    if (ready) {
        log_line("%s is being edited, epoch %llu", m->name, (unsigned long long)m->state.epoch);
        say_ready(m);
        report_online(m);
        serve(m);
        err.code = 0;
        if (finish(m, &changes, note, &err)) {
            log_line("%s", err.text);
            reply(m, &err, 0, ""); /* before what the command left running is ended */
        }
    }
    engine_release(m, false); /* the last good one stays the way back from this edit */
    if (!ready)
        report_failure(m, &err); /* not before another node can have it */
    else if (!err.code)
        reply(m, &err, changes, note);
    log_line("%s is offline", m->name);
    requests_finish(m, m->local.code ? &m->local : NULL);
    front_stop(m->front);
    m->front = NULL;
    return err.code ? exit_code_of_failure(err.code) : 0;
}
