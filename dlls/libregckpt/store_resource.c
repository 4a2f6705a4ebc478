/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making and deleting a resource in the store.
 *
 * The order makes both harmless when interrupted: a resource is there when its checkpoint is, which
 * comes last; deleting takes the checkpoint first and the lock last, under the lock.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store.h"
#include "store_private.h"

/* The paths of one resource. */
struct paths {
    char *dir, *lock, *checkpoint, *last_good;
};

/* Frees them. */
static void paths_free(struct paths *p)
{
    free(p->dir);
    free(p->lock);
    free(p->checkpoint);
    free(p->last_good);
}

/* Makes them. */
static int paths_make(struct paths *p, const char *store, const char *name, struct error *err)
{
    p->dir = store_path(store, name, STORE_RESOURCE_DIR);
    p->lock = store_path(store, name, STORE_LOCK);
    p->checkpoint = store_path(store, name, STORE_CHECKPOINT);
    p->last_good = store_path(store, name, STORE_LAST_GOOD);
    if (p->dir && p->lock && p->checkpoint && p->last_good) return 0;
    paths_free(p);
    return error_system(err, ENOMEM, "cannot look at the store %s", store);
}

/* Removes a file and what an interrupted writer may have left beside it. 0 or errno. */
static int remove_file(const char *path)
{
    char *temporary = malloc(strlen(path) + sizeof(".new"));
    int ret = 0;

    if (!temporary) return ENOMEM;
    strcpy(temporary, path);
    strcat(temporary, ".new");
    if ((unlink(path) && errno != ENOENT) || (unlink(temporary) && errno != ENOENT)) ret = errno;
    free(temporary);
    return ret;
}

/* Makes the lock file and takes it, so that nobody sees a resource half made. */
static int make_lock(const char *store, const char *name, const char *path, int *lock_fd,
                     struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0) return error_system(err, errno, "cannot make the lock file %s", path);
    close(fd);
    return store_own(store, name, lock_fd, err);
}

int store_create_resource(const char *store, const char *name, const struct resource *resource,
                          struct error *err)
{
    bool made_dir = false;
    int ret, lock_fd = -1;
    struct paths p;

    if ((ret = resource_name_check(name, err)) || (ret = store_check(store, err)) ||
        (ret = paths_make(&p, store, name, err)))
        return ret;
    if (!mkdir(p.dir, 0700)) {
        made_dir = true;
    } else if (errno != EEXIST) {
        ret = error_system(err, errno, "cannot make the directory %s", p.dir);
        goto done;
    } else if (!access(p.checkpoint, F_OK)) {
        ret = error_set(err, RESULT_EXISTS, "there is a resource \"%s\" in the store %s already",
                        name,
                        store);
        goto done;
    }
    if (!(ret = make_lock(store, name, p.lock, &lock_fd, err)) &&
        !(ret = checkpoint_create(p.checkpoint, resource, err)) && (ret = sync_parent(p.dir)))
        error_system(err, ret, "cannot sync the store %s", store);
    if (ret && ret != RESULT_EXISTS && ret != RESULT_OWNED && made_dir) {
        remove_file(p.checkpoint);
        remove_file(p.lock);
        rmdir(p.dir);
    }
    if (lock_fd >= 0) store_disown(lock_fd);
done:
    paths_free(&p);
    return ret;
}

/* Is the descriptor one of the resource's lock file? */
static bool is_lock_of(int lock_fd, const char *path)
{
    struct stat held, there;

    return !fstat(lock_fd, &held) && !stat(path, &there) && held.st_dev == there.st_dev &&
           held.st_ino == there.st_ino;
}

/* Deletes the checkpoint, and damaged ones that a repair kept, for good. 0 or errno. */
static int remove_checkpoints(const char *dir)
{
    struct dirent *entry;
    int ret = 0;
    DIR *in = opendir(dir);

    if (!in) return errno;
    while (!ret && (entry = readdir(in)))
        if (!strncmp(entry->d_name, "checkpoint.", strlen("checkpoint.")) &&
            unlinkat(dirfd(in), entry->d_name, 0) && errno != ENOENT)
            ret = errno;
    /* The lock goes later in a power cut too: without it nobody could delete what came back. */
    if (!ret && fsync(dirfd(in))) ret = errno;
    closedir(in);
    return ret;
}

/*
 * Removes the lock, which is open.  NFS keeps such a file under another name beside it until it is closed, and
 * its directory could not be removed: so it leaves that before.  0 or errno.
 */
static int remove_lock(const char *store, const char *lock)
{
    char *away;
    int ret = 0;

    if (asprintf(&away, "%s/" STORE_PROBE "%ld-lock", store, (long)getpid()) < 0) return ENOMEM;
    if (rename(lock, away) || unlink(away)) ret = errno;
    free(away);
    return ret;
}

int store_delete_resource(const char *store, const char *name, int lock_fd, struct error *err)
{
    struct paths p;
    int ret = paths_make(&p, store, name, err);

    if (ret) return ret;
    if (!is_lock_of(lock_fd, p.lock)) {
        ret = error_set(err, RESULT_INVALID, "the resource \"%s\" cannot be deleted: the lock "
                        "that is held is not that of %s", name, p.lock);
    } else if ((ret = remove_checkpoints(p.dir)) || (ret = remove_file(p.last_good)) ||
               (ret = remove_lock(store, p.lock)) || (ret = rmdir(p.dir) ? errno : 0) ||
               (ret = sync_parent(p.dir))) {
        error_system(err, ret, "cannot delete %s", p.dir);
    }
    paths_free(&p);
    return ret;
}
