/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /proc/PID/syscall has the number of the call a process is blocked in, its arguments, stack and place.
 * Nothing here touches the store: a descriptor's path is what the kernel remembers of it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "storecall.h"

/* What its arguments name the file by. */
enum by { BY_FD, BY_PATH, BY_DIR_AND_PATH };

static const struct call {
    long number;
    enum by by;
    const char *words;
} calls[] = {
    {SYS_read, BY_FD, "read"},
    {SYS_readv, BY_FD, "read"},
    {SYS_pread64, BY_FD, "read"},
    {SYS_write, BY_FD, "write"},
    {SYS_writev, BY_FD, "write"},
    {SYS_pwrite64, BY_FD, "write"},
    {SYS_fsync, BY_FD, "sync"},
    {SYS_fdatasync, BY_FD, "sync"},
    {SYS_ftruncate, BY_FD, "change the size of"},
    {SYS_fallocate, BY_FD, "make room in"},
    {SYS_fstat, BY_FD, "look at"},
    {SYS_fstatfs, BY_FD, "look at the file system of"},
    {SYS_lseek, BY_FD, "read"},
    {SYS_getdents64, BY_FD, "list"},
    {SYS_fcntl, BY_FD, "lock"},
    {SYS_flock, BY_FD, "lock"},
    {SYS_fchmod, BY_FD, "change the rights of"},
    {SYS_fchown, BY_FD, "change the rights of"},
    {SYS_copy_file_range, BY_FD, "copy"},
    {SYS_close, BY_FD, "close"},
    {SYS_statfs, BY_PATH, "look at the file system of"},
    {SYS_truncate, BY_PATH, "change the size of"},
    {SYS_chdir, BY_PATH, "go to"},
    {SYS_openat, BY_DIR_AND_PATH, "open"},
    {SYS_newfstatat, BY_DIR_AND_PATH, "look at"},
    {SYS_statx, BY_DIR_AND_PATH, "look at"},
    {SYS_faccessat, BY_DIR_AND_PATH, "look at"},
#ifdef SYS_faccessat2
    {SYS_faccessat2, BY_DIR_AND_PATH, "look at"},
#endif
    {SYS_readlinkat, BY_DIR_AND_PATH, "look at"},
    {SYS_renameat2, BY_DIR_AND_PATH, "rename"},
    {SYS_linkat, BY_DIR_AND_PATH, "link"},
    {SYS_unlinkat, BY_DIR_AND_PATH, "remove"},
    {SYS_mkdirat, BY_DIR_AND_PATH, "make"},
    {SYS_fchmodat, BY_DIR_AND_PATH, "change the rights of"},
    {SYS_fchownat, BY_DIR_AND_PATH, "change the rights of"},
    {SYS_utimensat, BY_DIR_AND_PATH, "change the times of"},
#ifdef SYS_open /* the older ones, which newer machines do not have */
    {SYS_open, BY_PATH, "open"},
    {SYS_stat, BY_PATH, "look at"},
    {SYS_lstat, BY_PATH, "look at"},
    {SYS_access, BY_PATH, "look at"},
    {SYS_readlink, BY_PATH, "look at"},
    {SYS_rename, BY_PATH, "rename"},
    {SYS_link, BY_PATH, "link"},
    {SYS_unlink, BY_PATH, "remove"},
    {SYS_mkdir, BY_PATH, "make"},
    {SYS_rmdir, BY_PATH, "remove"},
    {SYS_chmod, BY_PATH, "change the rights of"},
    {SYS_chown, BY_PATH, "change the rights of"},
#endif
};

static const struct call *find_call(long number)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (calls[i].number == number)
            return &calls[i];
    return NULL;
}

/* A small file of /proc; false: it is not there, or not for us. */
static bool read_text(pid_t pid, const char *name, char *text, size_t room)
{
    char path[64];
    ssize_t got;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return false;
    got = read(fd, text, room - 1);
    close(fd);
    text[got > 0 ? got : 0] = 0;
    return got > 0;
}

/* 'D': in a call that cannot be interrupted, 'T' or 't': stopped; 0: it is gone. */
static char state_of(pid_t pid)
{
    char text[512], *behind;

    if (!read_text(pid, "stat", text, sizeof(text)) || !(behind = strrchr(text, ')')) || !behind[1])
        return 0;
    return behind[2];
}

/* Where a link of /proc leads; false: nowhere. */
static bool read_link(pid_t pid, const char *name, char *to, size_t room)
{
    char path[64];
    ssize_t got;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    got = readlink(path, to, room - 1);
    to[got > 0 ? got : 0] = 0;
    return got > 0;
}

static bool read_descriptor(pid_t pid, int fd, char *to, size_t room)
{
    char name[32];

    snprintf(name, sizeof(name), "fd/%d", fd);
    return read_link(pid, name, to, room);
}

/* A text in the process's memory, which may end shortly before what is not there. */
static bool read_memory(pid_t pid, uintptr_t at, char *text, size_t room)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t done = 0;

    while (done < room) {
        size_t part = page - (at + done) % page;
        struct iovec here = {text + done, part < room - done ? part : room - done};
        struct iovec there = {(void *)(at + done), here.iov_len};

        if (process_vm_readv(pid, &here, 1, &there, 1, 0) != (ssize_t)here.iov_len)
            return false;
        if (memchr(text + done, 0, here.iov_len))
            return true;
        done += here.iov_len;
    }
    return false;
}

/* The path that a call was given, absolute as far as can be said; false: not known. */
static bool read_path(pid_t pid, int dir_fd, uintptr_t at, char *path, size_t room)
{
    char given[PATH_MAX], dir[PATH_MAX];
    int fd, len = 0;

    if (!read_memory(pid, at, given, sizeof(given)))
        return false;
    if (sscanf(given, "/proc/self/fd/%d%n", &fd, &len) == 1 && read_descriptor(pid, fd, dir, sizeof(dir)))
        snprintf(path, room, "%s%s", dir, given + len);
    else if (given[0] == '/')
        snprintf(path, room, "%s", given);
    else if (dir_fd == AT_FDCWD ? read_link(pid, "cwd", dir, sizeof(dir))
                                : read_descriptor(pid, dir_fd, dir, sizeof(dir)))
        snprintf(path, room, "%s/%s", dir, given);
    else
        return false;
    return true;
}

static bool is_below(const char *path, const char *dir)
{
    size_t len = strlen(dir);

    return len && !strncmp(path, dir, len) && (!path[len] || path[len] == '/' || path[len] == ' ');
}

/* Is what the call is on in the store?  What is not known is taken for it. */
static bool is_in_store(pid_t pid, const struct call *call, const unsigned long long *args,
                        const struct store_place *place, char *what, size_t room)
{
    char path[2 * PATH_MAX] = "";
    bool known = call->by == BY_FD     ? read_descriptor(pid, (int)args[0], path, sizeof(path))
                 : call->by == BY_PATH ? read_path(pid, AT_FDCWD, args[0], path, sizeof(path))
                                       : read_path(pid, (int)args[0], args[1], path, sizeof(path));

    snprintf(what, room, "%s %s", call->words, known ? path : "a file there");
    return !known || is_below(path, place->named) || is_below(path, place->real);
}

/* How many reads and writes it has made: slow storage is not storage that does not answer. */
static unsigned long long count_calls(pid_t pid)
{
    unsigned long long reads = 0, writes = 0;
    char text[512], *at;

    if (read_text(pid, "io", text, sizeof(text))) {
        if ((at = strstr(text, "syscr: ")))
            sscanf(at, "syscr: %llu", &reads);
        if ((at = strstr(text, "syscw: ")))
            sscanf(at, "syscw: %llu", &writes);
    }
    return reads + writes;
}

bool store_call_read(pid_t pid, const struct store_place *place, struct store_call *call)
{
    const struct call *found;
    unsigned long long args[2];
    char state = state_of(pid);
    long number;

    *call = (struct store_call){0};
    if (!state || state == 'T' || state == 't' || state == 'Z')
        return false;
    call->count = count_calls(pid);
    if (!read_text(pid, "syscall", call->where, sizeof(call->where))) {
        strcpy(call->what, "reach it");
        return state == 'D';
    }
    if (sscanf(call->where, "%ld %llx %llx", &number, &args[0], &args[1]) != 3)
        return false; /* it runs */
    if (number == SYS_exit_group) {
        strcpy(call->what, "close what is open there");
        return true;
    }
    return (found = find_call(number)) &&
           is_in_store(pid, found, args, place, call->what, sizeof(call->what));
}

bool store_call_is_same(const struct store_call *a, const struct store_call *b)
{
    return a->count == b->count && !strcmp(a->where, b->where) && !strcmp(a->what, b->what);
}
