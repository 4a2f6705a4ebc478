/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "progress.h"
#include "query.h"

#define PATHS "/usr/sbin:/usr/bin:/sbin:/bin"
#define NOT_INSTALLED 127
#define PAUSE_MS 10

/* The child's whole life. */
static void become(const char *const argv[], int out)
{
    const char *path = getenv("PATH");
    int null = open("/dev/null", O_RDWR);
    char *whole;

    dup2(null, 0);
    dup2(out, 1);
    dup2(null, 2);
    signal(SIGPIPE, SIG_DFL);
    setenv("LC_ALL", "C", 1);
    if (asprintf(&whole, "%s%s" PATHS, path ? path : "", path && *path ? ":" : "") >= 0)
        setenv("PATH", whole, 1);
    execvp(argv[0], (char **)argv);
    _exit(NOT_INSTALLED);
}

/* Reads to the end; false: not within the bound. */
static bool read_answer(int fd, int64_t deadline_ms, char *answer)
{
    size_t len = 0;
    ssize_t got = 1;

    while (got) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int64_t left = deadline_ms - progress_now_ms();
        char part[4096];

        if (left <= 0)
            return false;
        if (poll(&wait, 1, (int)left) <= 0)
            continue;
        if ((got = read(fd, part, sizeof(part))) < 0 && errno != EINTR)
            return false;
        for (ssize_t i = 0; i < got && len < QUERY_BYTES_MAX; i++)
            answer[len++] = part[i];
    }
    answer[len] = 0;
    return true;
}

int query_program(const char *const argv[], int timeout_ms, char **answer)
{
    int64_t deadline_ms = progress_now_ms() + timeout_ms;
    int ends[2], status = -1;
    bool whole;
    pid_t pid;

    if (!(*answer = malloc(QUERY_BYTES_MAX + 1)) || pipe2(ends, O_CLOEXEC)) {
        free(*answer);
        *answer = NULL;
        return -1;
    }
    fflush(NULL);
    if (!(pid = fork()))
        become(argv, ends[1]);
    close(ends[1]);
    whole = pid > 0 && read_answer(ends[0], deadline_ms, *answer);
    close(ends[0]);
    while (whole && waitpid(pid, &status, WNOHANG) == 0) {
        whole = progress_now_ms() < deadline_ms;
        poll(NULL, 0, PAUSE_MS);
    }
    if (!whole && pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    if (whole && WIFEXITED(status) && WEXITSTATUS(status) != NOT_INSTALLED)
        return WEXITSTATUS(status);
    free(*answer);
    *answer = NULL;
    return -1;
}
