/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that change files, with faults.  The kernel is called directly: what would be found behind
 * these names may be a sanitizer's, or these functions again.
 */
/* Both names of each call are defined below: the headers must not make one of them the other. */
#undef _FILE_OFFSET_BITS
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "iofault.h"
#include "iorecord.h"

/* The names exist twice on a 64-bit system; both are declared here, not by the headers. */
ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t at);
int ftruncate64(int fd, off_t size);
int open64(const char *path, int flags, ...);
int posix_fallocate64(int fd, off_t at, off_t len);

static enum fault fault;
static unsigned long fault_at;
static struct fault_report *report;

void fault_set(enum fault which, unsigned long n, struct fault_report *into)
{
    fault = which;
    fault_at = n;
    report = into;
}

/* What is to be done with a call. */
enum action { PASS, HALF, FULL };

/* Is this libtdb calling? */
static bool is_tdb(const void *caller)
{
    Dl_info info;

    return dladdr(caller, &info) && info.dli_fname && strstr(info.dli_fname, "libtdb");
}

/* Ends the process, as a loss of power does. */
static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* Counts a call and says what becomes of it. */
static enum action count_call(bool writes, const void *caller)
{
    bool full = fault == FAULT_FULL || fault == FAULT_FULL_ONCE;

    if (!report) return PASS;
    report->calls++;
    report->writes += writes;
    report->tdb_calls += is_tdb(caller);
    if (fault == FAULT_NONE || fault == FAULT_SYNC || fault == FAULT_SYNC_LOST || (full && !writes))
        return PASS;
    if ((full ? report->writes : report->calls) < fault_at) return PASS;
    if (fault == FAULT_FULL_ONCE && report->fired) return PASS;
    report->fired = true;
    if (fault == FAULT_KILL) die();
    return full ? FULL : HALF;
}

/* A call without a half: done, then the end. */
static long finish(enum action action, long result)
{
    if (action == HALF) die();
    return result;
}

/*
 * How much of a write is done when the process ends in it: half, in whole sectors of the file.  A
 * sector is written or not, by a disk as by the kernel's cache, and TDB counts on that.
 */
static size_t half(size_t len, off_t at)
{
    size_t end = ((size_t)at + len / 2) / 512 * 512;

    return end > (size_t)at ? end - (size_t)at : len;
}

#define CALLER __builtin_return_address(0)

static ssize_t do_pwrite(int fd, const void *bytes, size_t len, off_t at, const void *caller)
{
    enum action action = count_call(true, caller);

    if (action == FULL) {
        errno = ENOSPC;
        return -1;
    }
    return finish(action, syscall(SYS_pwrite64, fd, bytes, action == HALF ? half(len, at) : len, at));
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    return do_pwrite(fd, bytes, len, at, CALLER);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t at)
{
    return do_pwrite(fd, bytes, len, at, CALLER);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    enum action action = count_call(true, CALLER);

    if (action == FULL) {
        errno = ENOSPC;
        return -1;
    }
    return finish(action, syscall(SYS_write, fd, bytes, action == HALF ? half(len, 0) : len));
}

static int do_fallocate(int fd, off_t at, off_t len, const void *caller)
{
    enum action action = count_call(true, caller);

    if (action == FULL) return ENOSPC;
    return (int)finish(action, syscall(SYS_fallocate, fd, 0, at, len) ? errno : 0);
}

int posix_fallocate(int fd, off_t at, off_t len)
{
    return do_fallocate(fd, at, len, CALLER);
}

int posix_fallocate64(int fd, off_t at, off_t len)
{
    return do_fallocate(fd, at, len, CALLER);
}

int ftruncate(int fd, off_t size)
{
    return (int)finish(count_call(false, CALLER), syscall(SYS_ftruncate, fd, size));
}

int ftruncate64(int fd, off_t size)
{
    return (int)finish(count_call(false, CALLER), syscall(SYS_ftruncate, fd, size));
}

static int do_sync(int fd, const void *caller)
{
    enum action action = count_call(false, caller);

    if (report && ++report->syncs == fault_at && (fault == FAULT_SYNC || fault == FAULT_SYNC_LOST)) {
        report->fired = true;
        if (fault == FAULT_SYNC_LOST) iorecord_sync_is_lost(fd);
        errno = EIO;
        return -1;
    }
    return (int)finish(action, syscall(SYS_fsync, fd));
}

int fsync(int fd)
{
    return do_sync(fd, CALLER);
}

int fdatasync(int fd)
{
    return do_sync(fd, CALLER);
}

int rename(const char *from, const char *to)
{
    return (int)finish(count_call(false, CALLER),
                       syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int unlink(const char *path)
{
    return (int)finish(count_call(false, CALLER), syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

/* The mode is there only if a file may be made. */
#define OPEN(path, flags) \
    do { \
        va_list args; \
        mode_t mode; \
        va_start(args, flags); \
        mode = flags & O_CREAT ? va_arg(args, mode_t) : 0; \
        va_end(args); \
        return (int)finish(count_call(false, CALLER), \
                           syscall(SYS_openat, AT_FDCWD, path, flags, mode)); \
    } while (0)

int open(const char *path, int flags, ...)
{
    OPEN(path, flags);
}

int open64(const char *path, int flags, ...)
{
    OPEN(path, flags);
}

/* Nobody else writes in these tests: pauses before another look are skipped. */
int nanosleep(const struct timespec *pause, struct timespec *left)
{
    (void)pause;
    (void)left;
    return 0;
}
