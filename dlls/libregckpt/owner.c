/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ownership: an OFD lock on a resource's lock file.
 *
 * OFD and not POSIX locks, because those belong to a process: they would end with the monitor while
 * the program still runs, and be dropped by any close of the file in the monitor.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "leftover.h"
#include "store.h"
#include "store_private.h"
#include "takeover.h"

#define SHOWN_BYTES 600

/* The whole file. */
static struct flock whole_file(short type)
{
    struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

    return lock;
}

/* Appends to a text of SHOWN_BYTES, as far as there is room. */
__attribute__((format(printf, 2, 3)))
static void append(char *text, const char *format, ...)
{
    size_t len = strlen(text);
    va_list args;

    va_start(args, format);
    vsnprintf(text + len, SHOWN_BYTES - len, format, args);
    va_end(args);
}

/* RESULT_NOT_FOUND with the names there are. */
static int no_resource(const char *store, const char *name, struct error *err)
{
    char there[SHOWN_BYTES] = "";
    char **names;
    size_t count, i;
    int ret = store_list(store, &names, &count, err);

    if (ret) return ret;
    for (i = 0; i < count; i++) append(there, "%s%s", i ? ", " : "", names[i]);
    store_list_free(names, count);
    return error_set(err, RESULT_NOT_FOUND, "there is no resource \"%s\" in the store %s; %s%s",
                     name, store, count ? "there are: " : "there are none yet, \"regckpt create\" "
                     "makes one", there);
}

/* Opens the lock file, to lock it or (O_RDONLY) to look at its lock. -1: err. */
static int open_lock(const char *store, const char *name, int mode, struct error *err)
{
    char *path;
    int fd, errnum;

    if (resource_name_check(name, NULL)) {
        no_resource(store, name, err);
        return -1;
    }
    if (!(path = store_path(store, name, STORE_LOCK))) {
        error_system(err, ENOMEM, "cannot look at the resource \"%s\"", name);
        return -1;
    }
    fd = open(path, mode | O_CLOEXEC);
    errnum = errno;
    if (fd < 0 && errnum == ENOENT) no_resource(store, name, err);
    else if (fd < 0) error_system(err, errnum, "cannot open the lock file %s", path);
    free(path);
    return fd;
}

/* Says who owns the resource, as far as the checkpoint and this node know. */
static void describe_owner(const char *store, const char *name, char *text)
{
    char *path = store_path(store, name, STORE_CHECKPOINT), process[32], when[40];
    char owner[OWNER_TEXT_BYTES];
    struct snapshot s;
    time_t since;
    struct tm tm;
    size_t count = 0, i;
    int *pids = NULL;

    *text = 0;
    if (path && !snapshot_read(path, SNAPSHOT_HEAD, &s, NULL)) {
        since = (time_t)(s.state.since / 1000000);
        if (s.state.status == CHECKPOINT_ONLINE && s.state.node[0] && gmtime_r(&since, &tm) &&
            strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm))
            append(text, " Its checkpoint says: online on node %s since %s, by process %u there.",
                   s.state.node, when, s.state.pid);
        snapshot_free(&s);
    }
    free(path);
    takeover_owner_text(store, name, owner);
    if (*owner) append(text, " Its lock says: %s.", owner);
    if (!store_lock_holders(store, name, &pids, &count) && count) {
        append(text, " On this node its lock is open in:");
        for (i = 0; i < count; i++) {
            process_name(pids[i], process, sizeof(process));
            append(text, "%s %d (%s)", i ? "," : "", pids[i], process);
        }
        append(text, ".");
    } else {
        append(text, " No process of this node that may be looked at has its lock open.");
    }
    free(pids);
}

/* Does the resource's lock file still have the name it was opened by? */
static bool is_lock_now(const char *store, const char *name, int fd)
{
    struct stat held, now;
    int again = open_lock(store, name, O_RDONLY, NULL);
    bool same = again >= 0 && !fstat(fd, &held) && !fstat(again, &now) &&
                held.st_dev == now.st_dev && held.st_ino == now.st_ino;

    if (again >= 0) close(again);
    return same;
}

int store_own(const char *store, const char *name, int *lock_fd, struct error *err)
{
    struct flock lock = whole_file(F_WRLCK);
    struct error why = { 0, "" };
    char who[SHOWN_BYTES];
    int fd, errnum;

    *lock_fd = -1;
    for (;;) {
        if ((fd = open_lock(store, name, O_RDWR, &why)) < 0) {
            if (err) *err = why;
            return why.code;
        }
        if (fcntl(fd, F_OFD_SETLK, &lock)) break;
        if (is_lock_now(store, name, fd)) {
            *lock_fd = fd;
            return 0;
        }
        /* Deleted or replaced between opening and locking: a lock on what has not its name is none. */
        close(fd);
    }
    errnum = errno;
    close(fd);
    if (errnum != EAGAIN && errnum != EACCES)
        return error_system(err, errnum, "cannot lock the resource \"%s\" in the store %s", name,
                            store);
    describe_owner(store, name, who);
    return error_set(err, RESULT_OWNED, "the resource \"%s\" is owned by another.%s Take it "
                     "offline there (\"regckpt offline %s\"), or end what still holds it",
                     name, who, name);
}

void store_disown(int lock_fd)
{
    struct flock lock = whole_file(F_UNLCK);

    /* Before closing: children that inherited the descriptor would keep the lock. */
    fcntl(lock_fd, F_OFD_SETLK, &lock);
    close(lock_fd);
}

int store_is_owned(const char *store, const char *name, struct error *err)
{
    struct flock lock = whole_file(F_WRLCK);
    int fd = open_lock(store, name, O_RDONLY, err), ret;

    if (fd < 0) return -1;
    if ((ret = fcntl(fd, F_OFD_GETLK, &lock)))
        error_system(err, errno, "cannot look at the lock of the resource \"%s\"", name);
    close(fd);
    return ret ? -1 : lock.l_type != F_UNLCK;
}

/* Has a process the file open? */
static bool has_open(const char *pid, const struct stat *file)
{
    char path[300];
    struct dirent *entry;
    struct stat st;
    bool found = false;
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    if (!(dir = opendir(path))) return false; /* gone, or another user's */
    while (!found && (entry = readdir(dir)))
        found = entry->d_name[0] != '.' && !fstatat(dirfd(dir), entry->d_name, &st, 0) &&
                st.st_dev == file->st_dev && st.st_ino == file->st_ino;
    closedir(dir);
    return found;
}

int processes_with_open(const struct stat *file, int **pids, size_t *count)
{
    struct dirent *entry;
    int *bigger, ret = 0;
    DIR *dir;

    *pids = NULL;
    *count = 0;
    if (!(dir = opendir("/proc"))) return errno;
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || !has_open(entry->d_name, file))
            continue;
        if (!(bigger = realloc(*pids, (*count + 1) * sizeof(**pids)))) {
            ret = ENOMEM;
            break;
        }
        *pids = bigger;
        bigger[(*count)++] = atoi(entry->d_name);
    }
    closedir(dir);
    if (ret) {
        free(*pids);
        *pids = NULL;
        *count = 0;
    }
    return ret;
}

int store_lock_holders(const char *store, const char *name, int **pids, size_t *count)
{
    char *path = store_path(store, name, STORE_LOCK);
    struct stat file;
    int ret = 0;

    *pids = NULL;
    *count = 0;
    if (!path) return ENOMEM;
    if (stat(path, &file)) ret = errno == ENOENT ? RESULT_NOT_FOUND : errno;
    free(path);
    return ret ? ret : processes_with_open(&file, pids, count);
}
