/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "startmonitor.h"

#define TICK_MS 200
#define TALK_BYTES_MAX 65536

/* The monitor's command line; fd_text: NULL in the foreground.  argv has room for 16. */
static void monitor_arguments(const struct cli *cli, const char *name, const struct start *s,
                              char *program, char *fd_text, char *session_text, char **argv)
{
    int count = 0;

    argv[count++] = program;
    argv[count++] = (char *)"--store";
    argv[count++] = cli->settings.store;
    argv[count++] = (char *)"--resource";
    argv[count++] = (char *)name;
    if (s->prefix) {
        argv[count++] = (char *)"--prefix";
        argv[count++] = (char *)s->prefix;
    }
    if (s->takeover) {
        argv[count++] = (char *)"--takeover";
        argv[count++] = (char *)s->takeover;
    }
    argv[count++] = (char *)"--conf";
    argv[count++] = cli->settings.conf;
    if (fd_text) {
        argv[count++] = (char *)"--ready-fd";
        argv[count++] = fd_text;
    } else {
        argv[count++] = (char *)"--foreground";
    }
    if (s->session_fd) {
        argv[count++] = (char *)"--edit-fd";
        argv[count++] = session_text;
    }
    argv[count] = NULL;
}

/* Why a program could not be executed, through the pipe, as the monitor itself would say it. */
static void say_no_exec(int fd, const char *program)
{
    char text[PATH_MAX + 200];
    int len =
        snprintf(text, sizeof(text), "fail %d Starting %s: %s", errno, program, strerror(errno));

    if (len > 0 && write(fd, text, (size_t)len) < 0)
        _exit(127);
    _exit(126);
}

/* Starts the monitor with the writing end of a pipe; returns its pid, or -1 with err. */
static pid_t spawn(const struct cli *cli, const char *name, const struct start *s, char *program,
                   int *ready_fd, struct error *err)
{
    char *argv[16], fd_text[16], session_text[16];
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC)) {
        error_system(err, errno, "Starting %s: a pipe for its answer", program);
        return -1;
    }
    snprintf(fd_text, sizeof(fd_text), "%d", ends[1]);
    snprintf(session_text, sizeof(session_text), "%d", s->session_fd ? *s->session_fd : -1);
    monitor_arguments(cli, name, s, program, fd_text, session_text, argv);
    fflush(NULL);
    if (!(pid = fork())) {
        signal(SIGPIPE, SIG_DFL);
        fcntl(ends[1], F_SETFD, 0);
        if (s->session_fd)
            fcntl(*s->session_fd, F_SETFD, 0);
        execv(program, argv);
        say_no_exec(ends[1], program);
    }
    close(ends[1]);
    if (pid < 0) {
        error_system(err, errno, "Starting %s", program);
        close(ends[0]);
        return -1;
    }
    *ready_fd = ends[0];
    return pid;
}

/* Takes "fail CODE TEXT", which may run over many lines, apart. */
static int read_failure(const char *talk, struct error *err)
{
    char *end;
    long code = strtol(talk + strlen("fail "), &end, 10);

    if (!code || code < -1000 || code > 4096)
        code = RESULT_PROGRAM;
    end += strspn(end, " ");
    error_set(err, (int)code, "%s", end);
    while (err->text[0] && err->text[strlen(err->text) - 1] == '\n')
        err->text[strlen(err->text) - 1] = 0;
    return err->code;
}

/* Goes through the whole lines of what was said; true: "ok" was among them. */
static bool read_lines(char *talk, size_t *len, struct start *s, struct progress *p)
{
    char *line = talk, *end;
    bool ok = false;

    while (strncmp(line, "fail ", 5) && (end = memchr(line, '\n', *len - (size_t)(line - talk)))) {
        *end = 0;
        if (!strcmp(line, "ok"))
            ok = true;
        else if (!strncmp(line, "progress ", 9))
            progress_say(p, line + 9);
        else if (!strncmp(line, "displacing ", 11))
            snprintf(s->displaced, sizeof(s->displaced), "%s", line + 11);
        line = end + 1;
    }
    *len -= (size_t)(line - talk);
    memmove(talk, line, *len + 1);
    return ok;
}

/* Where the monitor's log is, for messages. */
static int say_log(const struct cli *cli, const char *name, int code, const char *what,
                   struct error *err)
{
    char *dir = settings_resource_dir(&cli->settings, name);
    int result = error_set(err, code, "%s Its log is %s/log.", what, dir ? dir : "");

    free(dir);
    return result;
}

/* Listens to the monitor until it has said how it went. */
static int listen_to(const struct cli *cli, const char *name, int fd, struct start *s,
                     struct progress *p, struct error *err)
{
    int64_t deadline_ms = progress_now_ms() + s->timeout_ms;
    char *talk = malloc(TALK_BYTES_MAX + 1);
    size_t len = 0;
    int result = 1; /* nothing yet */

    if (!talk)
        return error_system(err, ENOMEM, "Waiting for the monitor");
    talk[0] = 0;
    while (result == 1) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = poll(&wait, 1, TICK_MS);
        ssize_t got;

        progress_tick(p);
        if (ready <= 0) {
            if (s->timeout_ms >= 0 && progress_now_ms() >= deadline_ms)
                result = error_set(err, RESULT_TIMEOUT,
                                   "%s is not online after %d s. The monitor goes on with it: "
                                   "\"regckpt status %s\" tells how far it is, \"regckpt offline "
                                   "%s\" ends it.",
                                   name, s->timeout_ms / 1000, name, name);
            continue;
        }
        got = read(fd, talk + len, TALK_BYTES_MAX - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got > 0) {
            len += (size_t)got;
            talk[len] = 0;
            if (read_lines(talk, &len, s, p))
                result = RESULT_OK;
            else if (len == TALK_BYTES_MAX)
                got = 0;
        }
        if (got <= 0 && result == 1)
            result = !strncmp(talk, "fail ", 5)
                         ? read_failure(talk, err)
                         : say_log(cli, name, RESULT_PROGRAM,
                                   "The monitor ended without saying why.", err);
    }
    free(talk);
    return result;
}

int monitor_start(const struct cli *cli, const char *name, struct start *s, struct progress *p,
                  struct error *err)
{
    char *program = settings_find_program("regckpt-monitor", err);
    int ready_fd, result;
    pid_t pid;

    if (!program)
        return err->code;
    if ((pid = spawn(cli, name, s, program, &ready_fd, err)) < 0) {
        result = err->code;
    } else {
        result = listen_to(cli, name, ready_fd, s, p, err);
        close(ready_fd);
        /* It has made itself a daemon, or has failed and is about to end; never wait for it longer.
         */
        waitpid(pid, NULL, WNOHANG);
    }
    free(program);
    return result;
}

int monitor_become(const struct cli *cli, const char *name, const char *prefix, struct error *err)
{
    char *program = settings_find_program("regckpt-monitor", err), *argv[16];
    const struct start s = {.prefix = prefix};
    int result;

    if (!program)
        return err->code;
    monitor_arguments(cli, name, &s, program, NULL, NULL, argv);
    fflush(NULL);
    signal(SIGPIPE, SIG_DFL);
    execv(program, argv);
    result = error_system(err, errno, "Starting %s", program);
    free(program);
    return result;
}

int own_exit_code(const struct error *err)
{
    switch (err->code) {
    case RESULT_OWNED:
        return 120;
    case RESULT_DAMAGED:
    case RESULT_NEWER:
    case RESULT_FOREIGN:
    case RESULT_INEXACT:
        return 121;
    case RESULT_PROGRAM:
    case RESULT_NOT_INSTALLED:
        return 122;
    case RESULT_WINE:
    case RESULT_UNPROTECTED:
    case RESULT_FORBIDDEN:
    case RESULT_TIMEOUT:
        return 124;
    case RESULT_USAGE:
    case RESULT_NOT_FOUND:
    case RESULT_INVALID:
        return EXIT_USAGE;
    default:
        return 123;
    }
}
