/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "access.h"
#include "leftover.h"
#include "runcommand.h"

#define HOST_START_MS 60000
#define LOOK_MS 1000           /* should nothing tell of an end */
#define TOLD_MS 2000           /* what is waited for longer is named */
#define LEFT_MAX 32
#define CONTROL_C_EXIT 0xc000013au /* STATUS_CONTROL_C_EXIT */

/* The command while it runs. */
struct running {
    const struct command *c;
    struct hostlink host;  /* of a Windows program; sock -1: none */
    pid_t child;           /* a Unix command; 0: none, or it has ended */
    int signals;           /* a signalfd */
    int lock_fd;           /* until it is started; -1 */
    bool told_left;
    uint32_t exit_code;
};

/* Once it is started: who holds the lock is what the command left running. */
static void drop_lock(struct running *r)
{
    if (r->lock_fd >= 0)
        close(r->lock_fd);
    r->lock_fd = -1;
}

/* What becomes of what it has done, where it was broken off. */
static const char *fate(const struct running *r)
{
    return r->c->session >= 0 ? "Nothing of this edit is saved: the checkpoint is as it was before."
                              : "What it had changed is captured as any change.";
}

/* --- what may happen meanwhile --- */

static int told_to_end(const struct running *r, unsigned signo, struct error *err)
{
    return error_set(err, RESULT_PROGRAM, "Ended by signal %u (%s) before the command had ended. %s",
                     signo, strsignal((int)signo), fate(r));
}

/*
 * The other end has something to say, or is gone: nothing will be saved.  Gone without a word it cannot
 * end the command's processes; until they have ended nobody else can have the lock that they hold.
 */
static int session_ended(const struct running *r, struct error *err)
{
    struct message m = {.fd = -1};
    struct unpack u;
    char *text = NULL;
    int code = 0;

    if (!message_receive(r->c->session, &m, CTL_QUICK_MS)) {
        unpack_init(&u, m.payload, m.len_bytes);
        code = (int)unpack_u32(&u);
        text = unpack_text(&u);
    }
    if (code && text) {
        error_set(err, code, "%s", text);
    } else {
        lock_reap(r->c->cli->settings.store, r->c->name, NULL, NULL);
        code = error_set(err, RESULT_WINE, "The monitor of %s is gone. %s", r->c->name, fate(r));
    }
    free(text);
    message_free(&m);
    return code;
}

/* A signal: the command has its own of those that the terminal sends. */
static int take_signal(const struct running *r, bool waits_for_left, struct error *err)
{
    struct signalfd_siginfo info;

    if (read(r->signals, &info, sizeof(info)) != sizeof(info) || info.ssi_signo == SIGCHLD ||
        info.ssi_signo == SIGQUIT || (info.ssi_signo == SIGINT && !waits_for_left))
        return RESULT_OK;
    return told_to_end(r, info.ssi_signo, err);
}

/* Waits for a signal, the session, or one of some more; an error: it is over. */
static int wait_for(const struct running *r, struct pollfd *more, size_t more_count, int timeout_ms,
                    bool waits_for_left, struct error *err)
{
    struct pollfd p[2 + LEFT_MAX] = {{.fd = r->signals, .events = POLLIN},
                                     {.fd = r->c->session, .events = POLLIN}};
    int result = RESULT_OK;

    memcpy(&p[2], more, more_count * sizeof(*more));
    if (poll(p, 2 + more_count, timeout_ms) <= 0)
        return RESULT_OK;
    if (p[1].revents)
        return session_ended(r, err);
    if (p[0].revents)
        result = take_signal(r, waits_for_left, err);
    return result;
}

/* --- what a command leaves running --- */

static void tell_left(struct running *r, const int *pids, size_t count)
{
    char list[400] = "", name[64];

    for (size_t i = 0; i < count; i++) {
        process_name(pids[i], name, sizeof(name));
        if (*name && strncmp(name, "regckpt-", 8) && strlen(list) + strlen(name) + 32 < sizeof(list))
            snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s (%d)", *list ? ", " : "",
                     name, pids[i]);
    }
    if (*list)
        cli_note(r->c->cli, "The command has ended; waiting for what it started: %s. Ctrl-C gives the "
                            "edit up.", list);
    r->told_left = true;
}

/* Until no process of the command holds the lock any more. */
static int wait_for_left(struct running *r, struct error *err)
{
    int64_t tell_ms = progress_now_ms() + TOLD_MS;
    int result = RESULT_OK;

    while (r->c->session >= 0 && !result) {
        struct pollfd ends[LEFT_MAX];
        size_t watched = 0, count;
        int *pids;

        if (!(count = lock_left(r->c->cli->settings.store, r->c->name, &pids))) {
            free(pids);
            break;
        }
        if (!r->told_left && progress_now_ms() >= tell_ms)
            tell_left(r, pids, count);
        for (size_t i = 0; i < count && watched < LEFT_MAX; i++) {
            int fd = (int)syscall(SYS_pidfd_open, pids[i], 0);
            if (fd >= 0)
                ends[watched++] = (struct pollfd){.fd = fd, .events = POLLIN};
        }
        free(pids);
        result = wait_for(r, ends, watched, LOOK_MS, true, err);
        while (watched)
            close(ends[--watched].fd);
    }
    return result;
}

/* --- Windows programs --- */

/* Is it there, and can this Wine run it?  *found false: it is not. */
static int query(struct running *r, const char *line, bool *found, struct error *err)
{
    struct resource as = {.kind = RESOURCE_APPLICATION, .command = (char *)line};
    struct program_facts facts;
    bool runs = true;
    int result = hostlink_query_program(&r->host, &as, &facts, err);

    if (result)
        return result;
    *found = facts.exists;
    if (facts.exists && facts.bits == 32)
        result = hostlink_runs_32bit(&r->host, r->c->place, &runs, err);
    if (!result && !runs)
        result = error_set(err, RESULT_UNPROTECTED,
                           "\"%s\" is a 32-bit program, and none runs here (tried): the 32-bit part of Wine "
                           "is not installed beside %s (Debian's package wine32:i386).", r->c->words[0],
                           r->c->place->wine);
    program_facts_free(&facts);
    return result;
}

/* Starts it, hooked where there is a ring. */
static int start_program(struct running *r, const char *line, const char *dir, struct error *err)
{
    char *why_not = NULL;
    int result = RESULT_OK;

    if (r->c->regedit_key)
        result = hostlink_prepare_regedit(&r->host, r->c->regedit_key, r->c->window_title, err);
    if (!result)
        result = hostlink_start_program(&r->host, line, "", dir, r->lock_fd, HOST_START_WAITS,
                                        &why_not, err);
    if (result == RESULT_WINE && r->host.sock >= 0) /* Wine works: it is the program */
        result = err->code = RESULT_PROGRAM;
    drop_lock(r);
    free(why_not); /* without the hook the watch, or the scan at the end, has it all */
    return result ? result : hostlink_resume(&r->host, err);
}

static int wait_for_program(struct running *r, struct error *err)
{
    int64_t tell_ms = INT64_MAX;
    int result = RESULT_OK;

    while (!r->host.exited && !result) {
        struct pollfd link = {.fd = r->host.sock, .events = POLLIN};

        result = wait_for(r, &link, 1, LOOK_MS, r->host.left, err);
        if (!result)
            result = hostlink_poll(&r->host, err);
        if (r->host.left && tell_ms == INT64_MAX)
            tell_ms = progress_now_ms() + TOLD_MS;
        if (!r->told_left && progress_now_ms() >= tell_ms) {
            int *pids;
            size_t count = lock_left(r->c->cli->settings.store, r->c->name, &pids);

            tell_left(r, pids, r->c->session >= 0 ? count : 0);
            free(pids);
        }
    }
    r->exit_code = r->host.exit_code;
    if (!result && r->c->regedit_key && !r->host.window)
        result = error_set(err, RESULT_WINE, "regedit ended without a window. Does the X server of "
                           "DISPLAY=%s let this user in (XAUTHORITY)?", getenv("DISPLAY"));
    if (!result && r->exit_code == CONTROL_C_EXIT)
        result = error_set(err, RESULT_PROGRAM, "The command was ended by Ctrl-C. %s", fate(r));
    return result;
}

/* *found false: it was not run, as Wine finds no such program. */
static int run_windows(struct running *r, const char *dir, bool *found, struct error *err)
{
    char *line = command_line(r->c->words);
    int result;

    if (!line)
        return error_system(err, ENOMEM, "Starting \"%s\"", r->c->words[0]);
    result = hostlink_start(&r->host, r->c->place, dir, WINE_OUR_STREAMS, HOST_START_MS, err);
    if (!result && !(result = query(r, line, found, err)) && *found &&
        !(result = start_program(r, line, dir, err)))
        result = wait_for_program(r, err);
    hostlink_close(&r->host); /* ends what is left of its job */
    free(line);
    return result;
}

/* --- Unix commands --- */

/* A Wine of its own comes first, so that "wine" in a shell is the one that serves the prefix. */
static void set_path(const struct command *c)
{
    const char *path = getenv("PATH"), *slash = strrchr(c->place->wine, '/');
    char longer[2 * PATH_MAX];

    if (c->own_wine && slash &&
        snprintf(longer, sizeof(longer), "%.*s:%s", (int)(slash - c->place->wine), c->place->wine,
                 path ? path : "/usr/bin:/bin") < (int)sizeof(longer))
        setenv("PATH", longer, 1);
}

static int run_unix(struct running *r, struct error *err)
{
    const struct command *c = r->c;
    int status, result = RESULT_OK;
    pid_t parent = getpid();

    fflush(NULL);
    if ((r->child = fork()) < 0)
        return error_system(err, errno, "Starting \"%s\"", c->words[0]);
    if (!r->child) {
        int lock_fd = r->lock_fd >= 0 ? dup(r->lock_fd) : -1; /* without FD_CLOEXEC */

        wine_become(c->place, WINE_OUR_STREAMS, lock_fd);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(127);
        set_path(c);
        execvp(c->words[0], c->words);
        fprintf(stderr, "regckpt: Starting \"%s\": %s\n", c->words[0], strerror(errno));
        _exit(errno == ENOENT ? 127 : 126);
    }
    drop_lock(r);
    while (!result && waitpid(r->child, &status, WNOHANG) == 0)
        result = wait_for(r, NULL, 0, -1, false, err);
    if (result) {
        kill(r->child, SIGKILL);
        waitpid(r->child, &status, 0);
    } else if (WIFSIGNALED(status)) {
        result = error_set(err, RESULT_PROGRAM, "The command was ended by signal %d (%s). %s",
                           WTERMSIG(status), strsignal(WTERMSIG(status)), fate(r));
    } else {
        r->exit_code = (uint32_t)WEXITSTATUS(status);
    }
    return result;
}

/* --- all of it --- */

static int run_of_kind(struct running *r, enum command_kind kind, const char *dir, struct error *err)
{
    const char *word = r->c->words[0];
    bool found = false;
    int result = RESULT_OK;

    if (kind != COMMAND_UNIX && ((result = run_windows(r, dir, &found, err)) || found))
        return result;
    if (kind == COMMAND_WINDOWS)
        return error_set(err, RESULT_PROGRAM, "Wine finds no program \"%s\" in the prefix %s.", word,
                         r->c->place->prefix);
    if (kind == COMMAND_BARE && !command_in_path(word))
        return error_set(err, RESULT_PROGRAM, "Neither Wine, in the prefix %s, nor PATH has a command "
                         "\"%s\".", r->c->place->prefix, word);
    return run_unix(r, err);
}

int command_run(const struct command *c, uint32_t *exit_code, struct error *err)
{
    struct running r = {.c = c, .host.sock = -1, .signals = -1, .lock_fd = c->lock_fd};
    char *dir = settings_resource_dir(&c->cli->settings, c->name);
    enum command_kind kind;
    sigset_t ours, before;
    int result;

    sigemptyset(&ours);
    for (const int *s = (const int[]){SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGCHLD, 0}; *s; s++)
        sigaddset(&ours, *s);
    sigprocmask(SIG_BLOCK, &ours, &before);
    if (!dir)
        result = error_system(err, ENOMEM, "Starting the command");
    else if ((r.signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        result = error_system(err, errno, "Starting the command: watching for signals");
    else if (!(result = command_kind(c->words[0], &kind, err)) &&
             !(result = run_of_kind(&r, kind, dir, err)))
        result = wait_for_left(&r, err);
    drop_lock(&r);
    if (r.signals >= 0)
        close(r.signals);
    sigprocmask(SIG_SETMASK, &before, NULL);
    free(dir);
    *exit_code = r.exit_code;
    return result;
}
