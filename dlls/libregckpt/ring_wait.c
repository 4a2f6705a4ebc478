/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sleeping on a word of the ring, and who is dead (see ring_private.h).
 *
 * The futexes are not private: the word is found by the file's page, so that processes of both
 * widths meet.  On 32 bits SYS_futex takes the 32-bit struct timespec, which is what glibc has
 * there unless asked for 64-bit times.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "ring_private.h"

int64_t ring_now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void ring_sleep(uint32_t *word, uint32_t seen, int64_t timeout_us)
{
    struct timespec t;
    int saved = errno;

    if (timeout_us <= 0) return;
    t.tv_sec = timeout_us / 1000000;
    t.tv_nsec = timeout_us % 1000000 * 1000;
    syscall(SYS_futex, word, FUTEX_WAIT, seen, &t, NULL, 0);
    errno = saved;
}

void ring_wake(uint32_t *word, int count)
{
    int saved = errno;

    syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
    errno = saved;
}

/*
 * Reads the state letter and the number of threads of a thread's process.  false: they are not to
 * be read, which says nothing.
 */
static bool read_stat(uint32_t tid, char *state, unsigned *threads)
{
    char path[32], text[512];
    const char *at;
    ssize_t len;
    int fd;

    snprintf(path, sizeof(path), "/proc/%u/stat", tid);
    if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0) return false;
    len = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (len <= 0) return false;
    text[len] = 0;
    /* The name before it may hold anything, parentheses too; 16 fields lie between the two. */
    return (at = strrchr(text, ')')) &&
           sscanf(at + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %u",
                  state, threads) == 2;
}

static bool is_dead(uint32_t id, bool whole_process)
{
    unsigned threads;
    char state;

    /* An id that cannot be: kill() would take it for a group of processes. */
    if (!id || id > INT_MAX) return true;
    if (kill((pid_t)id, 0)) return errno == ESRCH;
    if (!read_stat(id, &state, &threads)) return false;
    return strchr("ZXx", state) && (!whole_process || threads <= 1);
}

bool ring_thread_is_dead(uint32_t tid)
{
    int saved = errno;
    bool dead = is_dead(tid, false);

    errno = saved;
    return dead;
}

bool ring_process_is_dead(uint32_t pid)
{
    int saved = errno;
    bool dead = is_dead(pid, true);

    errno = saved;
    return dead;
}
