/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "progress.h"
#include "storecall.h"
#include "storewatch.h"

#define LOOK_MS 250

static const int passed_on[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};

struct watch {
    const struct cli *cli;
    struct store_place place;
    pid_t pid;
    struct store_call call; /* the one it was in at the last look */
    int64_t looked_ms, stuck_ms;
    bool said;
};

void store_say_waiting(const struct cli *cli)
{
    cli_note(cli, "Waiting for the store %s, which does not answer.", cli->settings.store);
}

/* Ends as the child has. */
static _Noreturn void end_as(int status)
{
    const struct rlimit none = {0, 0};
    sigset_t set;

    if (WIFEXITED(status))
        _exit(WEXITSTATUS(status));
    setrlimit(RLIMIT_CORE, &none); /* the child has left one, if any */
    signal(WTERMSIG(status), SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, WTERMSIG(status));
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(WTERMSIG(status));
    _exit(128 + WTERMSIG(status));
}

/* Leaves it behind: what is in a call that does not return dies when it does. */
static _Noreturn void give_up(const struct watch *w)
{
    const struct settings *s = &w->cli->settings;
    struct error err;
    int code;

    error_set(&err, RESULT_STORAGE,
              "The store %s (from %s) has not answered for %u s (storage_timeout) to an attempt to %s. Is "
              "the shared storage there: mounted, its server up, the network? What was to be changed may be "
              "changed or not: look once \"regckpt status\" can read the store again. Until then process %d "
              "is left behind, and may hold the lock.",
              s->store, s->store_source, s->storage_timeout_s, w->call.what, (int)w->pid);
    kill(w->pid, SIGKILL);
    code = w->cli->fail ? w->cli->fail(&err) : cli_fail(w->cli, &err);
    fflush(NULL);
    _exit(code);
}

/* Has it moved since the last look? */
static void look(struct watch *w)
{
    int64_t now_ms = progress_now_ms(), passed_ms = now_ms - w->looked_ms;
    struct store_call call;
    bool in_store = store_call_read(w->pid, &w->place, &call);

    if (!in_store || !store_call_is_same(&call, &w->call))
        w->stuck_ms = 0;
    else /* more than that, and this process was stopped, too */
        w->stuck_ms += passed_ms < 2 * LOOK_MS ? passed_ms : LOOK_MS;
    w->call = in_store ? call : (struct store_call){0};
    w->looked_ms = now_ms;
    if (w->stuck_ms >= w->cli->settings.storage_timeout_s * 1000LL)
        give_up(w);
    if (w->stuck_ms >= STORE_WAITING_MS && !w->said) {
        store_say_waiting(w->cli);
        w->said = true;
    }
}

static _Noreturn void stay(struct watch *w, const sigset_t *signals)
{
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
    int status;

    w->looked_ms = progress_now_ms();
    for (;;) {
        siginfo_t info;
        int signo = sigtimedwait(signals, &info, &pause);

        if (waitpid(w->pid, &status, WNOHANG) == w->pid)
            end_as(status);
        if (signo > 0 && signo != SIGCHLD && info.si_code <= 0) /* the terminal's reach the child, too */
            kill(w->pid, signo);
        if (progress_now_ms() - w->looked_ms >= LOOK_MS)
            look(w);
    }
}

int store_watch(const struct cli *cli, const char *real, struct error *err)
{
    struct watch w = {.cli = cli, .place = {cli->settings.store, real}};
    pid_t parent = getpid();
    sigset_t signals, before;

    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
        sigaddset(&signals, passed_on[i]);
    fflush(NULL);
    sigprocmask(SIG_BLOCK, &signals, &before);
    w.pid = fork();
    if (w.pid > 0) {
        signal(SIGCHLD, SIG_DFL);
        close_range(STDERR_FILENO + 1, ~0u, 0); /* who reads from us waits for the child alone */
        stay(&w, &signals);
    }
    if (!w.pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(EXIT_FAILURE);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return w.pid ? error_system(err, errno, "Starting a process that works on the store") : RESULT_OK;
}
