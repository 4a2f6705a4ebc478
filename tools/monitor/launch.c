/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starting and stopping the program.
 *
 * A Generic Application is started by the agent.  A Generic Service is started by services.exe,
 * which starts regckpt-host in its place (the launcher), which connects here and is told to start
 * the real program as its child.  Either way the program holds the lock's open file.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monitor.h"

#define SERVICE_STOPPED 1u
#define SERVICE_START_PENDING 2u
#define SERVICE_RUNNING 4u
#define SERVICE_DATABASE_LOCKED 1055u /* Win32 error */
#define START_MS 30000   /* CreateProcess, by a prefix under load */
#define POLL_US 50000
#define KILL_US 10000000LL

/* The program's Unix pid: who else holds the lock now. */
static uint32_t program_pid(const struct monitor *m)
{
    size_t count = 0;
    uint32_t found = 0;
    int *pids = NULL;

    if (store_lock_holders(m->settings.store, m->name, &pids, &count))
        return 0;
    for (size_t i = 0; i < count && !found; i++)
        if (pids[i] != getpid() && pids[i] != m->agent->pid && pids[i] != m->launcher->pid)
            found = pids[i];
    free(pids);
    return found;
}

/* What ran in the program before the hook: static imports, TLS callbacks.  Storage may come later. */
static int capture_before_running(struct monitor *m, struct error *err)
{
    uint64_t changes = 0;
    int error = capture_run(m, true, true, "start", &changes, err);

    return error == RESULT_STORAGE && m->ending == ENDING_NONE ? 0 : error;
}

static int start_by(struct monitor *m, struct hostlink *link, const char *command, struct error *err)
{
    char *why_not = NULL;
    int error = hostlink_start_program(link, command, m->resource.directory, hooked_prepare(m),
                                       m->owner.lock_fd, 0, &why_not, err);

    m->started = !error;
    if (error == RESULT_WINE && link->sock >= 0) /* Wine works: it is the program */
        return err->code = RESULT_PROGRAM;
    if (error)
        return error;
    m->status.program_pid = program_pid(m);
    error = hooked_started(m, why_not, err);
    free(why_not);
    if (!error && hooked_is_on(m))
        error = capture_before_running(m, err);
    return error ? error : hostlink_resume(link, err);
}

int service_ask(struct monitor *m, enum host_message what, struct error *err)
{
    struct pack p;
    int error;

    m->agent->service_done = false;
    pack_init(&p);
    pack_text(&p, m->resource.service);
    error = hostlink_ask(m->agent, what, &p, -1, START_MS, NULL, NULL, err);
    pack_free(&p);
    return error;
}

/*
 * services.exe starts our launcher; whatever it answers, the launcher's coming is what counts.  It starts
 * one service at a time, and refuses after 3 s while it starts another (services/services.c,
 * scmdatabase_lock_startup): that time is not the service's.
 */
static int wait_for_launcher(struct monitor *m, int64_t *until, struct error *err)
{
    while (!m->launcher) {
        if (m->ending != ENDING_NONE)
            return error_set(err, RESULT_PROGRAM, "%s was told to go offline while service %s started",
                             m->name, m->resource.service);
        if (m->agent->service_done && m->agent->service_error == SERVICE_DATABASE_LOCKED) {
            if (service_ask(m, HOST_START_SERVICE, err))
                return err->code;
            *until = clock_us() + m->resource.start_timeout_s * 1000000LL;
            engine_wait(m, clock_us() + POLL_US);
            continue;
        }
        if (m->agent->service_done && m->agent->service_error)
            return error_set(err, RESULT_PROGRAM,
                             "services.exe could not start service %s (Win32 error %u); its ImagePath "
                             "and the prefix's log have the reason", m->resource.service,
                             m->agent->service_error);
        if (clock_us() >= *until)
            return error_set(err, RESULT_PROGRAM,
                             "services.exe did not start service %s within %u s", m->resource.service,
                             m->resource.start_timeout_s);
        engine_wait(m, clock_us() + POLL_US);
    }
    return 0;
}

/* Until the service says RUNNING, or ends, or says nothing for too long (which is only logged). */
static int wait_for_running(struct monitor *m, int64_t until, struct error *err)
{
    struct program_facts facts;
    int error;

    while (m->ending == ENDING_NONE && clock_us() < until) {
        if ((error = hostlink_query_program(m->agent, &m->resource, &facts, err)))
            return error;
        program_facts_free(&facts);
        if (facts.state == SERVICE_RUNNING)
            return 0;
        engine_turn(m, clock_us() + POLL_US);
    }
    if (m->exited)
        return error_set(err, RESULT_PROGRAM,
                         "service %s ended with exit code %u before it was running",
                         m->resource.service, m->exit_code);
    if (m->ending == ENDING_NONE)
        log_line("service %s is not RUNNING after %u s; it goes on starting", m->resource.service,
                 m->resource.start_timeout_s);
    return 0;
}

int launch_program(struct monitor *m, struct error *err)
{
    int64_t until = clock_us() + m->resource.start_timeout_s * 1000000LL;
    int error = 0;

    if (m->resource.kind == RESOURCE_APPLICATION) {
        m->launcher = m->agent;
        report_progress(m, "starting %s", m->resource.command);
        return start_by(m, m->agent, m->resource.command, err);
    }
    report_progress(m, "starting service %s", m->resource.service);
    if (!m->launcher) {
        if ((error = service_ask(m, HOST_START_SERVICE, err)) ||
            (error = wait_for_launcher(m, &until, err)))
            return error;
    }
    if ((error = start_by(m, m->launcher, "", err)))
        return error;
    monitor_publish(m);
    return wait_for_running(m, until, err);
}

static bool program_runs(const struct monitor *m)
{
    return m->started && !m->exited && m->launcher && m->launcher->sock >= 0;
}

static void wait_for_exit(struct monitor *m, int64_t until)
{
    while (program_runs(m) && clock_us() < until && m->server_fd >= 0)
        engine_turn(m, clock_us() + POLL_US);
}

/*
 * The service is asked through the SCM; what does not end in its time is ended.  At once, if we were
 * displaced: it may run on another node already.
 */
void stop_program(struct monitor *m)
{
    int64_t until = clock_us() + m->resource.stop_timeout_s * 1000000LL;
    struct error err;
    struct pack p;

    /* Without wineserver no host answers, though it may hang with its socket open: release() ends it. */
    if (!program_runs(m) || m->server_fd < 0)
        return;
    if (m->resource.kind == RESOURCE_SERVICE && m->agent->sock >= 0 && !m->displaced) {
        log_line("stopping service %s", m->resource.service);
        if (service_ask(m, HOST_STOP_SERVICE, &err))
            log_line("stopping service %s: %s", m->resource.service, err.text);
        while (program_runs(m) && clock_us() < until && m->server_fd >= 0) {
            engine_turn(m, clock_us() + POLL_US);
            if (m->agent->service_done && m->agent->service_error) {
                log_line("service %s does not stop by itself (Win32 error %u)", m->resource.service,
                         m->agent->service_error);
                break;
            }
        }
    }
    if (!program_runs(m) || m->server_fd < 0)
        return;
    log_line("ending the program");
    pack_init(&p);
    pack_u32(&p, 1);
    if (hostlink_ask(m->launcher, HOST_TERMINATE, &p, -1, START_MS, NULL, NULL, &err))
        log_line("ending the program: %s", err.text);
    pack_free(&p);
    wait_for_exit(m, clock_us() + KILL_US);
    if (program_runs(m) && m->launcher->pid > 1) {
        log_line("the program does not end: ending regckpt-host %d", (int)m->launcher->pid);
        kill(m->launcher->pid, SIGKILL);
    }
}
