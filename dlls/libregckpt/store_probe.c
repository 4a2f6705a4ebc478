/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Does a file system do what a store needs?  Each thing is tried, in the directory itself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store_private.h"

#define LEAST_FREE_BYTES (64ull << 20)

static const char *const advice = "use a file system that the nodes share with these "
    "properties, such as NFS version 4, a cluster file system (GFS2, OCFS2), or a local "
    "one on a replicated or switched disk";

/* A file to test with. -1: errno. */
static int probe_file(const char *path)
{
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

/* Two open file descriptions of one file must not both get its lock. */
static int probe_locks(const char *store, const char *path, struct error *err)
{
    struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int a = probe_file(path), b = probe_file(path), ret = 0;

    if (a < 0 || b < 0) {
        ret = error_system(err, errno, "%s cannot hold a store: a file cannot be made there "
                           "(check its owner and that it is not mounted read-only)", store);
    } else if (fcntl(a, F_OFD_SETLK, &all)) {
        ret = error_system(err, errno, "%s cannot hold a store: a file there cannot be locked (OFD "
                           "lock); %s", store, advice);
    } else if (!fcntl(b, F_OFD_SETLK, &all)) {
        ret = error_set(err, RESULT_STORAGE, "%s cannot hold a store: a lock on a file there does "
                        "not keep another out, so two nodes would run the same program; %s", store,
                        advice);
    }
    if (a >= 0) close(a);
    if (b >= 0) close(b);
    return ret;
}

/* A file written, synced and renamed over another must be there whole. */
static int probe_rename(const char *store, const char *from, const char *to, struct error *err)
{
    int old = probe_file(to), fd = probe_file(from), ret = 0;
    char text[8] = "";

    if (old < 0 || fd < 0)
        ret = error_system(err, errno, "%s cannot hold a store: a file cannot be made there",
                           store);
    else if (write(fd, "renamed", 8) != 8)
        ret = error_system(err, errno, "%s cannot hold a store: a file there cannot be written",
                           store);
    else if (fsync(fd))
        ret = error_system(err, errno, "%s cannot hold a store: a file there cannot be synced "
                           "(fsync); %s", store, advice);
    else if (rename(from, to))
        ret = error_system(err, errno, "%s cannot hold a store: a file there cannot be renamed "
                           "over another; %s", store, advice);
    if (old >= 0) close(old);
    if (fd >= 0) close(fd);
    if (ret) return ret;
    fd = open(to, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, 8) != 8 || strcmp(text, "renamed"))
        ret = error_set(err, RESULT_STORAGE, "%s cannot hold a store: after renaming a file over "
                        "another, the old one is still there; %s", store, advice);
    if (fd >= 0) close(fd);
    if (!ret && (ret = sync_parent(to)))
        error_system(err, ret, "%s cannot hold a store: the directory cannot be synced (fsync); %s",
                     store, advice);
    return ret;
}

/* Is there room for more than a handful of values? */
static int probe_space(const char *store, struct error *err)
{
    struct statvfs fs;
    unsigned long long room;

    if (statvfs(store, &fs))
        return error_system(err, errno, "cannot look at the file system of %s", store);
    room = (unsigned long long)fs.f_bavail * fs.f_frsize;
    if (room >= LEAST_FREE_BYTES) return 0;
    return error_set(err, ENOSPC, "%s cannot hold a store: only %llu MiB are free there, and %llu "
                     "are the least to begin with; make room or use another file system",
                     store, room >> 20,
                     LEAST_FREE_BYTES >> 20);
}

int store_probe(const char *store, struct error *err)
{
    char *from = NULL, *to = NULL;
    int ret;

    /* The process id: two nodes may test at the same time, and meeting would fail both. */
    if (asprintf(&from, "%s/" STORE_PROBE "%ld-from", store, (long)getpid()) < 0) from = NULL;
    if (asprintf(&to, "%s/" STORE_PROBE "%ld-to", store, (long)getpid()) < 0) to = NULL;
    if (!from || !to) {
        ret = error_system(err, ENOMEM, "cannot test the store %s", store);
    } else {
        if (!(ret = probe_locks(store, from, err)) && !(ret = probe_rename(store, from, to, err)))
            ret = probe_space(store, err);
        unlink(from);
        unlink(to);
    }
    free(from);
    free(to);
    return ret;
}
