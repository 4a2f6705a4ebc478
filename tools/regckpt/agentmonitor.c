/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "keytext.h"
#include "leftover.h"
#include "wineside.h"

#define BUSY_US 5000000 /* a call to storage that takes longer is a failure for now */
#define SERVICE_STOPPED 1u
#define SERVICE_STOP_PENDING 3u

/* Tells that it runs and is not well. */
static enum ocf_code degraded(const struct agent *a, const char *why)
{
    cli_note(&a->cli, "%s runs, and is not well: %s", a->name, why);
    return OCF_DEGRADED;
}

/* No monitor is here: nothing of it, or what one left. */
static enum ocf_code no_monitor(const struct agent *a)
{
    struct error err = {0};

    if (!lock_is_orphaned(a->cli.settings.store, a->name))
        return OCF_NOT_RUNNING;
    error_set(&err, RESULT_PROGRAM, "%s: its monitor is gone, and processes of this node still hold it.",
              a->name);
    return agent_fail(a, &err);
}

/* A process's state as the kernel names it; 0: it is gone. */
static char process_state(uint32_t pid)
{
    char path[64], line[512], *end;
    char state = 0;
    FILE *in;

    snprintf(path, sizeof(path), "/proc/%u/stat", pid);
    if (!(in = fopen(path, "re")))
        return 0;
    if (fgets(line, sizeof(line), in) && (end = strrchr(line, ')')) && end[1] == ' ')
        state = end[2];
    fclose(in);
    return state;
}

/* The program itself: there, and not stopped by a signal. */
static int check_process(const struct agent *a, const struct monitor_status *m, struct error *err)
{
    char state = m->program_pid ? process_state(m->program_pid) : 'S';

    if (state == 'T' || state == 't')
        return error_set(err, RESULT_PROGRAM, "The program of %s, process %u, is stopped by a signal or "
                         "a debugger.", a->name, m->program_pid);
    if (!state || state == 'Z' || state == 'X')
        return error_set(err, RESULT_PROGRAM, "The program of %s, process %u, is gone.", a->name,
                         m->program_pid);
    return RESULT_OK;
}

/* What Wine's service manager says of it, asked by a host of our own. */
static int check_service(const struct agent *a, const struct monitor_status *m,
                         const struct resource *r, struct error *err)
{
    struct program_facts facts = {0};
    struct wineside wine;
    int result = wineside_open(&a->cli, a->name, r, m->prefix, NULL, &wine, err);

    if (result)
        return result;
    result = hostlink_query_program(&wine.link, r, &facts, err);
    if (!result && (facts.state == SERVICE_STOPPED || facts.state == SERVICE_STOP_PENDING))
        result = error_set(err, RESULT_PROGRAM, "Wine's service manager says that the service %s is %s.",
                           r->service, facts.state == SERVICE_STOPPED ? "stopped" : "stopping");
    program_facts_free(&facts);
    wineside_close(&wine);
    return result;
}

/* Depth 10. */
static enum ocf_code check_program(const struct agent *a, const struct monitor_status *m)
{
    struct error err = {0};
    struct snapshot s;
    int result = check_process(a, m, &err);

    if (result)
        return agent_fail(a, &err);
    if (access_read(&a->cli, a->name, SNAPSHOT_HEAD, &s, &err))
        return degraded(a, err.text);
    if (s.resource.kind == RESOURCE_SERVICE) {
        *a->asks_wine = true;
        result = check_service(a, m, &s.resource, &err);
        *a->asks_wine = false;
    }
    snapshot_free(&s);
    return result ? agent_fail(a, &err) : OCF_SUCCESS;
}

/*
 * Depth 20.  Nothing here is a failure: the registry may be the only place that has what is not saved,
 * and a restart would put the checkpoint over it.
 */
static enum ocf_code check_protection(const struct agent *a, const struct monitor_status *m)
{
    const char *error = m->last_error ? m->last_error : "";
    char text[ERROR_TEXT_BYTES], room[32];
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (m->storage_failing_since)
        return degraded(a, *error ? error : "storage fails");
    if (m->busy_since && m->busy_since + BUSY_US < (uint64_t)now.tv_sec * 1000000)
        return degraded(a, "storage does not answer");
    if (*error) {
        snprintf(text, sizeof(text), "what changes is not all saved since %s: %s",
                 time_text(m->error_since, room), error);
        return degraded(a, text);
    }
    if (m->lag_us / 1000 > a->max_lag_ms) {
        snprintf(text, sizeof(text), "the last changes took %.1f s into the checkpoint, and %.1f s are "
                 "allowed", (double)m->lag_us / 1e6, a->max_lag_ms / 1e3);
        return degraded(a, text);
    }
    return OCF_SUCCESS;
}

enum ocf_code agent_monitor(const struct agent *a)
{
    enum ocf_code code = OCF_SUCCESS;
    struct monitor_status m = {0};
    struct error err = {0};
    int there = agent_ask(a, &m, &err);

    if (there < 0)
        return agent_fail(a, &err);
    if (!there)
        return no_monitor(a);
    if (m.phase > PHASE_ONLINE)
        code = agent_fail(a, (error_set(&err, RESULT_PROGRAM, "%s is being stopped.", a->name), &err));
    else if (m.phase == PHASE_ONLINE && a->depth >= 10)
        code = check_program(a, &m);
    if (code == OCF_SUCCESS && m.phase == PHASE_ONLINE && a->depth >= 20)
        code = check_protection(a, &m);
    monitor_status_free(&m);
    return code;
}
