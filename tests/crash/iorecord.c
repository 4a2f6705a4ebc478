/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recording a process's calls by ptrace: each is looked at when it begins, and written down when it has
 * succeeded.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "iorecord.h"
#include "iotrace.h"

#define LOST_SYNC (-1000) /* an fsync of this number minus a descriptor */

/* A call between its begin and its end. */
struct call {
    uint64_t nr, args[6];
    char path[PATH_MAX], to[PATH_MAX];
    bool there;      /* what is to be opened */
    uint8_t *seen;
};

static void *need(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

void iorecord_sync_is_lost(int fd)
{
    syscall(SYS_fsync, LOST_SYNC - fd);
}

/* A path as it is given to a call with a directory's descriptor. */
static void read_path(pid_t pid, int dir, uint64_t at, char path[PATH_MAX])
{
    char name[PATH_MAX], link[64];
    ssize_t len = 0;

    iotrace_text(pid, at, name);
    *path = 0;
    if (*name != '/') {
        if (dir == AT_FDCWD) snprintf(link, sizeof(link), "/proc/%d/cwd", (int)pid);
        else snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, dir);
        if ((len = readlink(link, path, PATH_MAX - 1)) < 0) len = 0;
        path[len] = 0;
    }
    if (len + strlen(name) + 2 > PATH_MAX) abort();
    snprintf(path + len, PATH_MAX - (size_t)len, "%s%s", *name == '/' ? "" : "/", name);
}

/* Which file does a descriptor of the process have open?  0: none. */
static uint64_t file_of(pid_t pid, int fd, char path[PATH_MAX], bool *is_dir)
{
    char link[64];
    struct stat st;
    ssize_t len;

    snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, fd);
    len = readlink(link, path, PATH_MAX - 1);
    path[len > 0 ? len : 0] = 0;
    if (stat(link, &st)) return 0;
    *is_dir = S_ISDIR(st.st_mode);
    return st.st_ino;
}

/* The part of a path behind the directory; NULL: it is elsewhere. */
static const char *below(const struct iorecord *r, const char *path)
{
    size_t len = strlen(r->dir);

    if (strncmp(path, r->dir, len)) return NULL;
    return path[len] == '/' ? path + len + 1 : path[len] ? NULL : "";
}

static struct io *add(struct iorecord *r, enum io_kind kind, struct call *c)
{
    struct io *op;

    if (!(r->count & (r->count - 1)))
        r->ops = need(realloc(r->ops, (r->count ? 2 * r->count : 1) * sizeof(*r->ops)));
    op = &r->ops[r->count++];
    memset(op, 0, sizeof(*op));
    op->kind = kind;
    op->seen = c->seen;
    c->seen = NULL;
    return op;
}

/* A call on names. */
static void add_names(struct iorecord *r, enum io_kind kind, struct call *c)
{
    const char *path = below(r, c->path), *to = below(r, c->to);
    struct io *op;

    if (!path || ((kind == IO_RENAME || kind == IO_LINK) && !to)) return;
    op = add(r, kind, c);
    op->path = need(strdup(path));
    if (kind == IO_RENAME || kind == IO_LINK) op->to = need(strdup(to));
}

/* A call on an open file; is it one of those that are recorded? */
static struct io *add_file(struct iorecord *r, pid_t pid, int fd, enum io_kind kind, struct call *c)
{
    char path[PATH_MAX];
    bool is_dir = false;
    uint64_t file = file_of(pid, fd, path, &is_dir);
    struct io *op;

    if (!file || !below(r, path)) return NULL;
    op = add(r, is_dir && kind == IO_SYNC ? IO_SYNC_DIR : kind, c);
    op->file = file;
    if (op->kind == IO_SYNC_DIR) op->path = need(strdup(below(r, path)));
    return op;
}

static void add_write(struct iorecord *r, pid_t pid, struct call *c, uint64_t at, uint64_t len)
{
    struct io *op = add_file(r, pid, (int)c->args[0], IO_WRITE, c);
    struct iovec here, there = {(void *)(uintptr_t)c->args[1], len};

    if (!op) return;
    op->at = at;
    op->len = len;
    op->bytes = need(malloc(len + 1));
    here = (struct iovec){op->bytes, len};
    if (process_vm_readv(pid, &here, 1, &there, 1, 0) != (ssize_t)len) abort();
}

static void add_size(struct iorecord *r, pid_t pid, struct call *c, uint64_t size)
{
    struct io *op = add_file(r, pid, (int)c->args[0], IO_SIZE, c);

    if (op) op->at = size;
}

/* Where a plain write has just ended. */
static uint64_t position(pid_t pid, int fd)
{
    unsigned long long at = 0;
    char path[64];
    FILE *in;

    snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)pid, fd);
    if (!(in = fopen(path, "r")) || fscanf(in, "pos: %llu", &at) != 1) abort();
    fclose(in);
    return at;
}

static void add_open(struct iorecord *r, pid_t pid, struct call *c, int flags, int fd)
{
    char path[PATH_MAX];
    struct io *op;
    bool is_dir;

    if (flags & O_CREAT && !c->there && below(r, c->path)) {
        op = add(r, IO_CREATE, c);
        op->path = need(strdup(below(r, c->path)));
        op->file = file_of(pid, fd, path, &is_dir);
    } else if (flags & O_TRUNC) {
        c->args[0] = (uint64_t)fd;
        add_size(r, pid, c, 0);
    }
}

/* A call begins: what is known of it only now. */
static void begin(const struct iorecord *r, pid_t pid, struct call *c)
{
    struct stat st;
    int dir = (int)c->args[0];

    *c->path = *c->to = 0;
    switch (c->nr) {
    case SYS_openat:
    case SYS_unlinkat:
    case SYS_mkdirat:
        read_path(pid, dir, c->args[1], c->path);
        break;
    case SYS_renameat:
    case SYS_renameat2:
    case SYS_linkat:
        read_path(pid, dir, c->args[1], c->path);
        read_path(pid, (int)c->args[2], c->args[3], c->to);
        break;
#ifdef SYS_open
    case SYS_rename:
    case SYS_link:
        read_path(pid, AT_FDCWD, c->args[1], c->to);
        /* fall through */
    case SYS_open:
    case SYS_unlink:
    case SYS_mkdir:
    case SYS_rmdir:
        read_path(pid, AT_FDCWD, c->args[0], c->path);
        break;
#endif
    }
    c->there = *c->path && !lstat(c->path, &st);
    c->seen = need(malloc(r->watched_len + 1));
    memcpy(c->seen, r->watched, r->watched_len);
}

/* The last byte that a call on a range of a file reaches makes it longer, if it is not so long. */
static void add_range(struct iorecord *r, pid_t pid, struct call *c)
{
    char link[64];
    struct stat st;

    snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, (int)c->args[0]);
    if (c->args[1] == 0 && !stat(link, &st) && (uint64_t)st.st_size == c->args[2] + c->args[3])
        add_size(r, pid, c, c->args[2] + c->args[3]);
}

/* A call has succeeded. */
static void end(struct iorecord *r, pid_t pid, struct call *c, int64_t result)
{
    switch (c->nr) {
    case SYS_openat:
        add_open(r, pid, c, (int)c->args[2], (int)result);
        break;
    case SYS_unlinkat:
        add_names(r, c->args[2] & AT_REMOVEDIR ? IO_RMDIR : IO_UNLINK, c);
        break;
    case SYS_mkdirat:
        add_names(r, IO_MKDIR, c);
        break;
    case SYS_renameat:
    case SYS_renameat2:
        add_names(r, IO_RENAME, c);
        break;
    case SYS_linkat:
        add_names(r, IO_LINK, c);
        break;
#ifdef SYS_open
    case SYS_open:
        add_open(r, pid, c, (int)c->args[1], (int)result);
        break;
    case SYS_rename:
        add_names(r, IO_RENAME, c);
        break;
    case SYS_link:
        add_names(r, IO_LINK, c);
        break;
    case SYS_unlink:
        add_names(r, IO_UNLINK, c);
        break;
    case SYS_mkdir:
        add_names(r, IO_MKDIR, c);
        break;
    case SYS_rmdir:
        add_names(r, IO_RMDIR, c);
        break;
#endif
    case SYS_write:
        if (result > 0)
            add_write(r, pid, c, position(pid, (int)c->args[0]) - (uint64_t)result,
                      (uint64_t)result);
        break;
    case SYS_pwrite64:
        add_write(r, pid, c, c->args[3], (uint64_t)result);
        break;
    case SYS_ftruncate:
        add_size(r, pid, c, c->args[1]);
        break;
    case SYS_fallocate:
        add_range(r, pid, c);
        break;
    case SYS_fsync:
    case SYS_fdatasync:
        add_file(r, pid, (int)c->args[0], IO_SYNC, c);
        break;
    }
}

/* One stop of the child at a call's begin or end. */
static void look(struct iorecord *r, pid_t pid, struct call *c)
{
    struct __ptrace_syscall_info info;
    int lost;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) <= 0) abort();
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        c->nr = info.entry.nr;
        memcpy(c->args, info.entry.args, sizeof(c->args));
        begin(r, pid, c);
    } else if (info.op == PTRACE_SYSCALL_INFO_EXIT && c->seen) {
        lost = LOST_SYNC - (int)c->args[0];
        if (c->nr == SYS_fsync && lost >= 0 && (int)c->args[0] <= LOST_SYNC)
            add_file(r, pid, lost, IO_SYNC_LOST, c);
        else if (!info.exit.is_error)
            end(r, pid, c, info.exit.rval);
        free(c->seen);
        c->seen = NULL;
    }
}

void iorecord_run(struct iorecord *r, pid_t pid, const char *dir, const void *watched,
                  size_t watched_len)
{
    struct call c = {.seen = NULL};
    int pass = 0;

    memset(r, 0, sizeof(*r));
    snprintf(r->dir, sizeof(r->dir), "%s", dir);
    r->watched = watched;
    r->watched_len = watched_len;
    if (waitpid(pid, &r->status, 0) != pid || !WIFSTOPPED(r->status)) abort(); /* its own stop */
    ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC |
                                                  PTRACE_O_EXITKILL));
    for (;;) {
        if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(uintptr_t)pass)) abort();
        if (waitpid(pid, &r->status, 0) != pid) abort();
        if (!WIFSTOPPED(r->status)) break;
        pass = 0;
        if (WSTOPSIG(r->status) == (SIGTRAP | 0x80)) look(r, pid, &c);
        else if (WSTOPSIG(r->status) != SIGTRAP) pass = WSTOPSIG(r->status);
    }
    free(c.seen); /* of the call that ended it */
    r->last_seen = need(malloc(watched_len + 1));
    memcpy(r->last_seen, watched, watched_len);
}

void iorecord_free(struct iorecord *r)
{
    for (size_t i = 0; i < r->count; i++) {
        free(r->ops[i].path);
        free(r->ops[i].to);
        free(r->ops[i].bytes);
        free(r->ops[i].seen);
    }
    free(r->ops);
    free(r->last_seen);
    memset(r, 0, sizeof(*r));
}
