/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Putting another file in the place of a damaged checkpoint, or of one that is gone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint_private.h"
#include "checkpoint_repair.h"

#define MOST_KEPT 10000

/* A name for the damaged file that no other has, malloc'ed; NULL: errno. */
static char *free_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    int dir_len = slash ? (int)(slash - path) + 1 : 0;
    unsigned n;
    char *name;

    for (n = 1; n < MOST_KEPT; n++) {
        if (asprintf(&name, "%.*scheckpoint.damaged.%u", dir_len, path, n) < 0) {
            errno = ENOMEM;
            return NULL;
        }
        if (access(name, F_OK)) return name;
        free(name);
    }
    errno = EEXIST;
    return NULL;
}

int checkpoint_replace(const char *path, const char *fresh, char **kept, struct error *err)
{
    int ret;

    *kept = NULL;
    if (access(path, F_OK) && errno == ENOENT) { /* nothing is there to be kept */
        if (rename(fresh, path))
            return error_system(err, errno, "cannot put %s in place of %s", fresh, path);
        if ((ret = sync_parent(path)))
            error_system(err, ret, "cannot sync the directory of %s", path);
        return ret;
    }
    if (!(*kept = free_name(path)))
        return error_system(err, errno, "cannot keep the damaged checkpoint %s under another name",
                            path);
    /* By a second name, so that there is a checkpoint at every moment; where a file can have one
     * name only, there is none for an instant. */
    if (link(path, *kept) && rename(path, *kept)) {
        ret = error_system(err, errno, "cannot keep the damaged checkpoint as %s", *kept);
    } else if ((ret = sync_parent(path)) || (ret = rename(fresh, path) ? errno : 0)) {
        /* synced: a power cut could keep the second rename alone, and the damaged one would be gone */
        error_system(err, ret, "cannot put %s in place of %s", fresh, path);
        if (access(path, F_OK)) rename(*kept, path);
        else unlink(*kept);
    } else if ((ret = sync_parent(path))) {
        error_system(err, ret, "cannot sync the directory of %s", path);
    }
    if (!ret) return 0;
    free(*kept);
    *kept = NULL;
    return ret;
}

/* The epoch that a file says it has, however damaged it is otherwise; false: it cannot be read. */
static bool read_epoch(const char *path, uint64_t *epoch)
{
    struct state_record head;
    bool known = false;
    struct tdbfile f;
    struct unpack u;
    struct pack room;

    *epoch = 0;
    if (tdbfile_open(&f, path, NULL)) return false;
    pack_init(&room);
    if (!tdbfile_load(&f, NULL) && !tdbfile_roll_back_copy(&f, NULL) &&
        !record_find(&f, RECORD_STATE, &room, &u, NULL) && !unpack_state(&u, &head))
        known = true;
    if (known) *epoch = head.state.epoch;
    pack_free(&room);
    tdbfile_close(&f);
    return known;
}

/* Writes all bytes of a loaded file to a new one. 0 or errno. */
static int write_bytes(const struct tdbfile *f, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), ret = 0;
    uint64_t done = 0;
    ssize_t put;

    if (fd < 0) return errno;
    while (!ret && done < f->size_bytes) {
        put = write(fd, f->bytes + done, f->size_bytes - done);
        if (put > 0) done += (uint64_t)put;
        else if (!put) ret = ENOSPC;
        else if (errno != EINTR) ret = errno;
    }
    if (!ret && fsync(fd)) ret = errno;
    if (close(fd) && !ret) ret = errno;
    return ret;
}

/* Makes the copy say that nobody owns it, at an epoch that nobody had. */
static int raise_epoch(const char *copy, const char *damaged, struct error *err)
{
    uint64_t epoch;
    struct checkpoint_state state;
    struct checkpoint *c;
    int ret = checkpoint_open(copy, &c, err);

    if (ret) return ret;
    if (!(ret = checkpoint_begin(c, err)) && !(ret = checkpoint_get_state(c, &state, err))) {
        if (!read_epoch(damaged, &epoch)) state.epoch += EPOCH_LEAP;
        else if (state.epoch < epoch) state.epoch = epoch;
        state.epoch++;
        state.status = CHECKPOINT_OFFLINE;
        if (!(ret = checkpoint_set_state(c, &state, err))) ret = checkpoint_commit(c, err);
    }
    checkpoint_close(c);
    return ret;
}

int checkpoint_put_back(const char *path, const char *last_good, char **kept, struct error *err)
{
    char *copy = NULL;
    struct tdbfile f;
    int ret;

    *kept = NULL;
    if ((ret = checkpoint_verify(last_good, NULL, NULL, err)) ||
        (ret = tdbfile_open(&f, last_good, err)))
        return ret;
    if (asprintf(&copy, "%s.new", path) < 0) {
        copy = NULL;
        ret = error_system(err, ENOMEM, "cannot put %s back", last_good);
    }
    if (!ret && !(ret = tdbfile_load(&f, err))) {
        unlink(copy); /* of somebody who died here */
        if ((ret = write_bytes(&f, copy)))
            error_system(err, ret, "cannot write the checkpoint %s", copy);
    }
    if (!ret && !(ret = raise_epoch(copy, path, err)))
        ret = checkpoint_replace(path, copy, kept, err);
    if (ret && copy) unlink(copy);
    tdbfile_close(&f);
    free(copy);
    return ret;
}
