/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Counting a process's calls by ptrace.
 */
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "iotrace.h"

#define PAGE_BYTES 4096 /* of memory, or a part of a larger one */

void iotrace_me(void)
{
    const char *options = getenv("ASAN_OPTIONS");
    char more[1024];

    /* a program that looks for leaks at its end traces itself, which only one can do */
    snprintf(more, sizeof(more), "%s:detect_leaks=0", options ? options : "");
    setenv("ASAN_OPTIONS", *more == ':' ? more + 1 : more, 1);
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL)) { /* a stop would never be heard of */
        perror("ptrace is not allowed here");
        _exit(1);
    }
    raise(SIGSTOP);
}

void iotrace_text(pid_t pid, uint64_t at, char text[PATH_MAX])
{
    size_t len = 0, step;
    struct iovec here, there;
    ssize_t got;

    while (len < PATH_MAX - 1) {
        /* page by page: the text may go on in the next one, which need not be there */
        step = PAGE_BYTES - (at + len) % PAGE_BYTES;
        if (step > PATH_MAX - 1 - len) step = PATH_MAX - 1 - len;
        here = (struct iovec){text + len, step};
        there = (struct iovec){(void *)(uintptr_t)(at + len), step};
        if ((got = process_vm_readv(pid, &here, 1, &there, 1, 0)) <= 0) break;
        if (memchr(text + len, 0, (size_t)got)) return;
        len += (size_t)got;
    }
    text[len] = 0;
}

static void read_descriptor(pid_t pid, uint64_t fd, char text[PATH_MAX])
{
    char path[64];
    ssize_t len;

    snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, (int)fd);
    len = readlink(path, text, PATH_MAX - 1);
    text[len > 0 ? len : 0] = 0;
}

/* Which file does a call reach?  "": none that counts. */
static void file_of(pid_t pid, const struct __ptrace_syscall_info *i, char text[PATH_MAX])
{
    *text = 0;
    switch (i->entry.nr) {
    case SYS_openat:
    case SYS_unlinkat:
    case SYS_renameat:
    case SYS_renameat2:
    case SYS_mkdirat:
        iotrace_text(pid, i->entry.args[1], text);
        break;
#ifdef SYS_open
    case SYS_open:
    case SYS_unlink:
    case SYS_rename:
    case SYS_mkdir:
        iotrace_text(pid, i->entry.args[0], text);
        break;
#endif
    case SYS_write:
    case SYS_pwrite64:
    case SYS_fsync:
    case SYS_fdatasync:
    case SYS_ftruncate:
    case SYS_fallocate:
    case SYS_fcntl:
        read_descriptor(pid, i->entry.args[0], text);
        break;
    }
}

/* Takes a look at the call that is about to be made; true: it counts. */
static bool count(pid_t pid, const char *dir, struct iotrace *out)
{
    struct __ptrace_syscall_info info;
    char file[PATH_MAX];

    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) <= 0 ||
        info.op != PTRACE_SYSCALL_INFO_ENTRY)
        return false;
    file_of(pid, &info, file);
    if (strncmp(file, dir, strlen(dir)))
        return false;
    out->calls++;
    out->checkpoint = strstr(file, "/checkpoint.tdb") &&
                      (info.entry.nr == SYS_pwrite64 || info.entry.nr == SYS_fsync ||
                       info.entry.nr == SYS_fdatasync);
    return true;
}

/* The next stop of the child. */
static int wait_for(pid_t pid, void (*idle)(void))
{
    int status;

    /* most stops come at once */
    for (unsigned n = 0; waitpid(pid, &status, idle ? WNOHANG : 0) != pid; n++) {
        idle();
        if (n > 20)
            poll(NULL, 0, 1);
        else
            sched_yield();
    }
    return status;
}

bool iotrace_run(pid_t pid, const char *dir, unsigned long n, int signal, void (*idle)(void),
                 struct iotrace *out)
{
    int pass = 0;

    memset(out, 0, sizeof(*out));
    waitpid(pid, &out->status, 0); /* its own stop */
    if (!WIFSTOPPED(out->status))
        return false;
    ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC));
    for (;;) {
        if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(uintptr_t)pass))
            abort();
        out->status = wait_for(pid, idle);
        pass = 0;
        if (WIFEXITED(out->status) || WIFSIGNALED(out->status))
            return false;
        if (WSTOPSIG(out->status) == (SIGTRAP | 0x80)) {
            if (!count(pid, dir, out) || out->calls < n)
                continue;
            kill(pid, signal);
            ptrace(PTRACE_DETACH, pid, NULL, NULL);
            return true;
        }
        if (WSTOPSIG(out->status) != SIGTRAP)
            pass = WSTOPSIG(out->status);
    }
}
