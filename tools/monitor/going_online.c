/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way online: owning the resource, Wine and a host in it, the restore, the program.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../dlls/libregckpt/leftover.h"
#include "../../dlls/libregckpt/prefix_processes.h"
#include "../../dlls/libregckpt/store_fs.h"
#include "../../dlls/libregckpt/way_out.h"
#include "../../dlls/libregckpt/wrapped.h"
#include "monitor.h"

#define BOOT_US 120000000LL /* a prefix's first boot takes 10 s on a good day */
#define HOST_MS 60000
#define DYING_US 5000000LL  /* a program whose monitor was killed is gone in less */
#define LAUNCHER_US 20000000LL
#define SERVICE_STOPPED 1u

void set_phase(struct monitor *m, enum monitor_phase phase)
{
    m->status.phase = phase;
    monitor_publish(m);
    notify_publish(&m->status, &m->resource);
}

/* This node's boot, so that a pid of an earlier one is not taken for ours. */
static void read_boot_id(char *out, size_t room)
{
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

    *out = 0;
    if (f) {
        if (fgets(out, room, f))
            out[strcspn(out, "\n")] = 0;
        fclose(f);
    }
}

static int write_state_now(struct monitor *m, enum checkpoint_status status, struct error *err)
{
    struct checkpoint_state state = m->state;
    int error;

    state.status = status;
    if (status == CHECKPOINT_ONLINE)
        state.epoch++;
    snprintf(state.node, sizeof(state.node), "%s", m->settings.node);
    read_boot_id(state.boot_id, sizeof(state.boot_id));
    state.pid = getpid();
    state.since = unix_time_us();
    if ((error = checkpoint_begin(m->checkpoint, err)))
        return error;
    if ((error = checkpoint_set_state(m->checkpoint, &state, err)) ||
        (error = checkpoint_commit(m->checkpoint, err))) {
        checkpoint_cancel(m->checkpoint);
        displaced_by(m, err);
        return error;
    }
    m->declared = true;
    return checkpoint_get_state(m->checkpoint, &m->state, err);
}

int write_state(struct monitor *m, enum checkpoint_status status, struct error *err)
{
    int error;

    storage_enter(m);
    error = write_state_now(m, status, err);
    storage_leave(m);
    return error;
}

/* The checkpoint's state as its owner left it. */
static int read_state(const struct monitor *m, struct checkpoint_state *state, struct error *err)
{
    char *path = store_path(m->settings.store, m->name, STORE_CHECKPOINT);
    struct snapshot s;
    int error = path ? snapshot_read(path, SNAPSHOT_HEAD, &s, err)
                     : error_set(err, ENOMEM, "no memory for the checkpoint's path");

    free(path);
    if (error)
        return way_out_tell(m->settings.store, m->name, true, err);
    *state = s.state;
    snapshot_free(&s);
    return 0;
}

/*
 * Displaces who holds the lock, as it was asked for; but nobody on this node, who is known to live.
 * *err says why the lock could not be taken.
 */
static int displace(struct monitor *m, struct error *err)
{
    char owner[OWNER_TEXT_BYTES], boot_id[40];
    struct checkpoint_state state;
    struct error why;
    int error = read_state(m, &state, &why);

    if (error) {
        *err = why;
        return error;
    }
    read_boot_id(boot_id, sizeof(boot_id));
    if (state.status == CHECKPOINT_ONLINE && !strcmp(state.node, m->settings.node) &&
        !strcmp(state.boot_id, boot_id) && state.pid && !kill((pid_t)state.pid, 0))
        return error_prefix(err, "--takeover is for an owner on another node that is off");
    takeover_owner_text(m->settings.store, m->name, owner);
    if (*owner)
        report_displacing(m, owner);
    else
        report_displacing(m, "owned by a process that has not said its name");
    error = takeover_displace(&m->owner, m->takeover, err);
    m->took_by_force = !error;
    return error;
}

/*
 * The lock.  A monitor that was killed leaves a program that is being ended, and holds the lock until
 * it is: that is waited for; what another node holds, or a monitor that lives, is not.  Where nobody
 * is found, who held it may have ended since it was tried: so there is one try more.
 */
static int take_lock(struct monitor *m, struct error *err)
{
    int64_t until = clock_us() + DYING_US;
    bool orphaned = true;
    int error;

    m->owner.store = m->settings.store;
    m->owner.resource = m->name;
    m->owner.node = m->settings.node;
    storage_doing(m, "lock the resource");
    while ((error = takeover_own(&m->owner, err)) == RESULT_OWNED && orphaned) {
        if ((orphaned = lock_is_orphaned(m->settings.store, m->name) && clock_us() < until))
            usleep(20000);
        storage_moves(m);
    }
    return error == RESULT_OWNED && m->takeover ? displace(m, err) : error;
}

/* Opens the checkpoint. */
static int open_owned(struct monitor *m, struct error *err)
{
    int error;

    storage_doing(m, "open the checkpoint");
    if (!(error = takeover_settle(&m->owner, err)))
        error = displaced_open(m, err);
    storage_doing(m, "read the checkpoint");
    return error;
}

/* The lock, the checkpoint with all it holds, and our name in it. */
static int own(struct monitor *m, struct error *err)
{
    char *path = store_path(m->settings.store, m->name, STORE_CHECKPOINT);
    struct snapshot s;
    int error;

    if (!path)
        return error_set(err, ENOMEM, "no memory for the checkpoint's path");
    if ((error = store_check(m->settings.store, err)) || (error = take_lock(m, err))) {
        /* said */
    } else if (open_owned(m, err) || snapshot_read(path, 0, &s, err)) {
        error = way_out_tell(m->settings.store, m->name, true, err);
    } else {
        resource_free(&m->resource);
        error = resource_copy(&m->resource, &s.resource);
        if (error)
            error_set(err, error, "no memory for the properties of %s", m->name);
        else
            error = keys_take(m, &s, err);
        snapshot_free(&s);
    }
    if (!error)
        error = checkpoint_get_state(m->checkpoint, &m->state, err);
    free(path);
    return error;
}

/*
 * Boots the prefix.  A service that starts by itself comes up in there, and its launcher before the
 * boot is over: services.exe waits for it, and the boot for services.exe.
 */
static int boot(struct monitor *m, struct error *err)
{
    int64_t until = clock_us() + BOOT_US;
    int status, tries = WINE_TRIES;
    pid_t pid;

    report_progress(m, "booting Wine in %s", m->place.prefix);
    if ((pid = wine_boot_begin(&m->place, STDERR_FILENO, err)) < 0)
        return RESULT_WINE;
    while (!m->launcher && m->ending == ENDING_NONE && clock_us() < until) {
        if (waitpid(pid, &status, WNOHANG) == pid) {
            if (!wine_server_was_ending(status) || !--tries)
                return wine_boot_result(&m->place, status, err);
            if ((pid = wine_boot_begin(&m->place, STDERR_FILENO, err)) < 0)
                return RESULT_WINE;
        }
        engine_wait(m, clock_us() + 10000);
    }
    if (m->launcher)
        return 0;
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return error_set(err, RESULT_TIMEOUT, "booting %s was not over within %d s, or was broken off",
                     m->place.prefix, (int)(BOOT_US / 1000000));
}

/* Our name in the checkpoint; and whose was there, if nobody had put it down. */
static int declare(struct monitor *m, struct error *err)
{
    struct checkpoint_state before = m->state;
    int error = write_state(m, CHECKPOINT_ONLINE, err);

    if (!error && (before.status == CHECKPOINT_ONLINE || m->took_by_force))
        event(EVENT_TAKEOVER, "took %s over from node %s, %s", m->name, before.node,
              m->took_by_force ? "by force: its owner still had the lock" : "whose owner is gone");
    return error;
}

/* While services.exe waits for its launcher no process of ours can start: then the launcher scans. */
static int get_agent(struct monitor *m, struct error *err)
{
    int64_t until = clock_us() + LAUNCHER_US;
    int error;

    if (m->for_service) {
        while (!m->launcher && m->ending == ENDING_NONE && clock_us() < until)
            engine_wait(m, until);
        if (!m->launcher)
            return error_set(err, RESULT_WINE, "regckpt-host started the monitor of %s and did not "
                             "connect", m->name);
    } else if ((error = boot(m, err))) {
        return error;
    }
    if (m->launcher) {
        m->agent = m->launcher;
    } else {
        if ((error = hostlink_start(&m->agent_link, &m->place, m->dir, STDERR_FILENO, HOST_MS, err)))
            return error;
        m->agent = &m->agent_link;
    }
    m->server_fd = wineserver_pidfd(&m->place);
    m->agent->server_fd = &m->server_fd;
    if (m->server_fd < 0)
        return error_set(err, RESULT_WINE, "cannot find the wineserver of %s", m->place.prefix);
    return 0;
}

/* The service must be there, stopped, and have the host in front; an application must be there. */
static int check_program(struct monitor *m, struct error *err)
{
    struct program_facts facts;
    bool changed, runs = true;
    int error = hostlink_query_program(m->agent, &m->resource, &facts, err);

    if (error)
        return error;
    program_facts_free(&facts);
    /* Wine itself says nothing: such a program "ends" at once with exit code 0. */
    if (facts.exists && facts.bits == 32 &&
        (error = hostlink_runs_32bit(m->agent, &m->place, &runs, err)))
        return error;
    if (!runs)
        return error_set(err, RESULT_UNPROTECTED,
                         "'%s' is a 32-bit program, and none runs here (tried): the 32-bit part of Wine "
                         "is not installed beside %s: 'dpkg --add-architecture i386', 'apt-get install "
                         "wine32:i386', then 'WINEPREFIX=%s wineboot -u'",
                         m->resource.kind == RESOURCE_SERVICE ? m->resource.service
                                                              : m->resource.command,
                         m->place.wine, m->place.prefix);
    if (m->resource.kind == RESOURCE_APPLICATION) {
        if (!facts.exists)
            return error_set(err, RESULT_NOT_INSTALLED,
                             "the program of '%s' is not found in %s: install it on this node, or "
                             "correct the command with 'regckpt set %s --command CMDLINE'",
                             m->resource.command, m->place.prefix, m->name);
        return 0;
    }
    if (!facts.exists)
        return error_set(err, RESULT_NOT_INSTALLED,
                         "the service '%s' is not installed in %s: install it on this node as on the "
                         "others (its setup program, or 'sc create')", m->resource.service,
                         m->place.prefix);
    if (m->launcher) /* services.exe is starting it for us */
        return 0;
    if (facts.state && facts.state != SERVICE_STOPPED)
        return error_set(err, RESULT_PROGRAM,
                         "the service '%s' is already running in %s, unprotected: stop it first ('wine "
                         "net stop %s')", m->resource.service, m->place.prefix, m->resource.service);
    if (wrapped_note(&m->settings, &m->place, &m->resource, m->name, facts.bits, err))
        log_line("%s", err->text); /* only who takes regckpt from this node would miss it */
    error = hostlink_wrap(m->agent, &m->resource, m->name, &m->settings, facts.start_type == 2,
                          &changed, err);
    if (!error && changed)
        log_line("put regckpt-host in front of service %s", m->resource.service);
    return error;
}

/* What is known of the file system, where that is to be known: its locks are what a cluster stands on. */
static void tell_file_system(struct monitor *m)
{
    struct store_fs fs;
    struct error err;

    if (store_fs_find(m->settings.store, &fs, &err) || fs.grade < STORE_FS_DOUBT)
        return;
    if (fs.grade == STORE_FS_BAD)
        event(EVENT_UNPROTECTED, "the store %s is on %s: %s", m->settings.store, fs.type, fs.advice);
    else
        log_line("the store %s is on %s: %s", m->settings.store, fs.type, fs.advice);
}

/* All that comes from the store before anything is done with Wine. */
static int take(struct monitor *m, struct error *err)
{
    int error;

    if (!(m->patience = patience_start(m, err)))
        return err->code;
    storage_enter(m);
    if (!(error = own(m, err)) && !(error = hooked_take_leftover(m, err)))
        tell_file_system(m);
    storage_doing(m, "write to the checkpoint"); /* which it is from here on */
    storage_leave(m);
    return error;
}

static int begin(struct monitor *m, struct error *err)
{
    int error;

    set_phase(m, PHASE_STARTING);
    if ((error = take(m, err)) ||
        (error = wine_place_find(&m->resource, m->prefix_option, &m->settings, &m->place, err)) ||
        (error = hooked_check(m, err)))
        return error;
    m->status.prefix = strdup(m->place.prefix);
    m->status.wine = strdup(m->place.wine);
    if (!(m->front = front_start(m->dir, m->place.uid, m->place.gid, err)))
        return err->code;
    patience_front(m->patience, m->front);
    monitor_publish(m);
    if ((error = declare(m, err)) || (error = get_agent(m, err)) ||
        (error = is_edit(m) ? edit_check_service(m, err) : check_program(m, err)) ||
        (error = keys_tell_host(m, err)))
        return error;
    set_phase(m, PHASE_RESTORING);
    if ((error = restore_all(m, err)) ||
        (error = hostlink_marker(m->agent, m->name, m->state.epoch, err)))
        return error;
    m->marked = true;
    set_phase(m, PHASE_LAUNCHING);
    if ((error = displaced_check(m, err)))
        return error;
    if (is_edit(m))
        edit_prepare_hook(m);
    else if ((error = launch_program(m, err)))
        return error;
    if (m->ending == ENDING_HOST || m->ending == ENDING_SERVER)
        return error_set(err, RESULT_WINE, "Wine ended while %s went online", m->name);
    m->status.online_since = unix_time_us();
    set_phase(m, is_edit(m) ? PHASE_EDITING : PHASE_ONLINE);
    return 0;
}

int go_online(struct monitor *m, struct error *err)
{
    int error;

    notify_begin();
    if ((error = begin(m, err)))
        notify_failure(err->text);
    else
        patience_online(m->patience);
    return error;
}
