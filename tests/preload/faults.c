/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The calls that a monitor reaches its store by, with the faults of faults.h.  The kernel is called
 * directly: what would be found behind these names may be a sanitizer's.
 */
/* Both names of each call are defined below: the headers must not make one of them the other. */
#undef _FILE_OFFSET_BITS
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "faults.h"

/* The names exist twice on a 64-bit system; both are declared here, not by the headers. */
ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t at);
ssize_t pread64(int fd, void *bytes, size_t len, off_t at);
int ftruncate64(int fd, off_t size);
int open64(const char *path, int flags, ...);
int posix_fallocate64(int fd, off_t at, off_t len);
int access(const char *path, int mode);

static struct faults *faults;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("FAULTS");
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0) : -1;
    void *at = fd < 0 ? MAP_FAILED
                      : mmap(NULL, sizeof(*faults), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (fd >= 0) syscall(SYS_close, fd);
    if (at != MAP_FAILED) faults = at;
}

enum doing { READS, CHANGES, SYNCS };

static void rest(unsigned ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

    syscall(SYS_nanosleep, &t, NULL);
}

/* What becomes of a call below the directory: 0: it is made; else its errno. */
static int fail(enum doing doing, bool by_path)
{
    uint32_t storage = __atomic_load_n(&faults->storage, __ATOMIC_ACQUIRE);

    if (storage == STORAGE_WORKS) return 0;
    __atomic_fetch_add(&faults->hit, 1, __ATOMIC_RELAXED);
    switch (storage) {
    case STORAGE_WRITES_FAIL:
        return doing == READS ? 0 : EIO;
    case STORAGE_FAILS:
        return EIO;
    case STORAGE_READ_ONLY:
        return doing == CHANGES ? EROFS : 0;
    case STORAGE_GONE:
        return by_path ? ENOENT : EIO;
    case STORAGE_HANGS_LATER:
        if (faults->calls) {
            faults->calls--;
            return 0;
        }
        __atomic_store_n(&faults->storage, faults->server ? STORAGE_WORKS : STORAGE_HANGS,
                         __ATOMIC_RELEASE);
        if (faults->server) {
            syscall(SYS_kill, faults->server, SIGSTOP);
            return 0;
        }
        /* fall through */
    case STORAGE_HANGS:
        while (__atomic_load_n(&faults->storage, __ATOMIC_ACQUIRE) == STORAGE_HANGS) rest(5);
        return 0;
    case STORAGE_SLOW:
        rest(faults->slow_ms);
        return 0;
    case STORAGE_SYNC_FAILS:
        if (doing != SYNCS || faults->syncs-- > 0) return 0;
        __atomic_store_n(&faults->storage, STORAGE_WORKS, __ATOMIC_RELEASE);
        return EIO;
    default:
        return 0;
    }
}

static bool is_below(const char *path)
{
    return !strncmp(path, faults->dir, strlen(faults->dir));
}

/* Counts as failed already, with errno set? */
static bool fails_at(const char *path, enum doing doing)
{
    int errnum = faults && is_below(path) ? fail(doing, true) : 0;

    if (errnum) errno = errnum;
    return errnum != 0;
}

static int errno_of(int fd, enum doing doing)
{
    char link[40], path[PATH_MAX];
    long len;

    if (!faults || __atomic_load_n(&faults->storage, __ATOMIC_ACQUIRE) == STORAGE_WORKS) return 0;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof(path) - 1);
    path[len > 0 ? len : 0] = 0;
    return is_below(path) ? fail(doing, false) : 0;
}

static bool fails_on(int fd, enum doing doing)
{
    int errnum = errno_of(fd, doing);

    if (errnum) errno = errnum;
    return errnum != 0;
}

/* Both names of a call, of the same arguments. */
#define TWICE(type, name, parameters, arguments) \
    type name parameters { return do_##name arguments; } \
    type name##64 parameters { return do_##name arguments; }

static ssize_t do_pread(int fd, void *bytes, size_t len, off_t at)
{
    return fails_on(fd, READS) ? -1 : syscall(SYS_pread64, fd, bytes, len, at);
}

static ssize_t do_pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    return fails_on(fd, CHANGES) ? -1 : syscall(SYS_pwrite64, fd, bytes, len, at);
}

static int do_ftruncate(int fd, off_t size)
{
    return fails_on(fd, CHANGES) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

static int do_posix_fallocate(int fd, off_t at, off_t len)
{
    int errnum = errno_of(fd, CHANGES);

    if (errnum) return errnum;
    return syscall(SYS_fallocate, fd, 0, at, len) ? errno : 0;
}

TWICE(ssize_t, pread, (int fd, void *bytes, size_t len, off_t at), (fd, bytes, len, at))
TWICE(ssize_t, pwrite, (int fd, const void *bytes, size_t len, off_t at), (fd, bytes, len, at))
TWICE(int, ftruncate, (int fd, off_t size), (fd, size))
TWICE(int, posix_fallocate, (int fd, off_t at, off_t len), (fd, at, len))

ssize_t read(int fd, void *bytes, size_t len)
{
    return fails_on(fd, READS) ? -1 : syscall(SYS_read, fd, bytes, len);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    return fails_on(fd, CHANGES) ? -1 : syscall(SYS_write, fd, bytes, len);
}

int fsync(int fd)
{
    return fails_on(fd, SYNCS) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return fails_on(fd, SYNCS) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int rename(const char *from, const char *to)
{
    return fails_at(to, CHANGES) ? -1
                                 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
    return fails_at(path, CHANGES) ? -1 : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int access(const char *path, int mode)
{
    return fails_at(path, READS) ? -1 : (int)syscall(SYS_faccessat, AT_FDCWD, path, mode);
}

/* The mode is there only if a file may be made.  Opening to write fails where nothing can be written. */
#define OPEN(path, flags) \
    do { \
        va_list args; \
        mode_t mode; \
        va_start(args, flags); \
        mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0; \
        va_end(args); \
        if (fails_at(path, (flags & O_ACCMODE) == O_RDONLY ? READS : CHANGES)) return -1; \
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode); \
    } while (0)

int open(const char *path, int flags, ...)
{
    OPEN(path, flags);
}

int open64(const char *path, int flags, ...)
{
    OPEN(path, flags);
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
    int ret = (int)syscall(SYS_clock_gettime, clock, t);

    if (!ret && clock == CLOCK_REALTIME && faults)
        t->tv_sec += __atomic_load_n(&faults->clock_offset_s, __ATOMIC_RELAXED);
    return ret;
}
