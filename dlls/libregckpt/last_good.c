/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Copies of a checkpoint: of one that was left in good order, and of one that is taken over.
 *
 * An owner that can be displaced writes the last good one under a name that nobody else uses, asks
 * its guard, and renames.  Who displaces it removes all such names (takeover.c): so if the owner stops
 * for long between asking and renaming, what it would rename is gone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "checkpoint_private.h"
#include "content.h"

#define COPY_TRIES 20
#define COPY_PAUSE_NS 50000000

/* What is wrong with the copy, in one sentence. */
struct finding {
    const char *path, *not_done;
    struct error *err;
};

/* The first problem is enough: a damaged checkpoint must not take the place of a good one. */
static int find(uint32_t id, const struct item *item, const char *what, void *arg)
{
    struct finding *f = arg;
    char *name = item ? record_name(item->record.key, item->record.key_len) : NULL;

    (void)id;
    error_set(f->err, RESULT_DAMAGED, "%s is damaged and is not %s: %s%s%s%s", f->path, f->not_done,
              name ? "its record \"" : "", name ? name : "", name ? "\" " : "", what);
    free(name);
    return RESULT_DAMAGED;
}

/* Is every record whole, and all of them of one commit? */
static int check_copy(const struct tdbfile *f, const char *not_done, struct error *err)
{
    struct finding finding = { f->path, not_done, err };
    struct snapshot s;
    struct content c;
    int ret = content_read(&c, f, find, &finding, err);

    if (ret) return ret;
    memset(&s, 0, sizeof(s));
    if ((ret = content_take_heads(&c, 0, &s)) == ENOMEM)
        error_system(err, ret, "cannot read %s", f->path);
    content_free(&c);
    snapshot_free(&s);
    return ret;
}

/* Writes the copy to a new file and makes it durable. 0 or errno. */
static int write_copy(const struct tdbfile *f, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), ret = 0;
    size_t done = 0;
    ssize_t put;

    if (fd < 0) return errno;
    while (!ret && done < f->size_bytes) {
        put = write(fd, f->bytes + done, f->size_bytes - done);
        if (put > 0) done += (size_t)put;
        else if (!put) ret = ENOSPC;
        else if (errno != EINTR) ret = errno;
    }
    if (!ret && fsync(fd)) ret = errno;
    if (close(fd) && !ret) ret = errno;
    return ret;
}

int checkpoint_keep_last_good(struct checkpoint *c, const char *last_good_path, struct error *err)
{
    char *temporary = NULL, where[OWN_FILE_BYTES], own[48] = "";
    struct tdbfile f;
    int ret;

    if (c->inside)
        return error_set(err, RESULT_INVALID, "%s cannot be kept inside a transaction", c->path);
    checkpoint_own_file(c, where);
    if ((ret = tdbfile_open_as(&f, where, c->path, err))) return ret;
    if ((ret = tdbfile_load(&f, err)) || (ret = check_copy(&f, "kept as the last good one", err)))
        goto done;
    if (c->guard)
        snprintf(own, sizeof(own), "-%llu-%d", (unsigned long long)c->head.state.epoch,
                 (int)getpid());
    if (asprintf(&temporary, "%s.new%s", last_good_path, own) < 0) {
        temporary = NULL;
        ret = error_system(err, ENOMEM, "cannot keep %s", c->path);
        goto done;
    }
    unlink(temporary); /* of somebody who died here */
    if (!(ret = write_copy(&f, temporary)) && (ret = checkpoint_ask_guard(c, err))) {
        unlink(temporary);
        goto done;
    }
    if (ret || (ret = rename(temporary, last_good_path) ? errno : 0)) {
        error_system(err, ret, "cannot keep a copy of the checkpoint as %s; the copy that was "
                     "there stays", last_good_path);
        unlink(temporary);
    } else if ((ret = sync_parent(last_good_path))) {
        error_system(err, ret, "cannot sync the directory of %s", last_good_path);
    }
done:
    free(temporary);
    tdbfile_close(&f);
    return ret;
}

/* Copies once. */
static int copy_once(const char *path, const char *to, struct error *err)
{
    struct tdbfile f;
    int ret = tdbfile_open(&f, path, err);

    if (ret) return ret;
    if (!(ret = tdbfile_load(&f, err)) && !(ret = tdbfile_roll_back_copy(&f, err)) &&
        !(ret = check_copy(&f, "taken over", err)) && (ret = write_copy(&f, to))) {
        error_system(err, ret, "cannot copy the checkpoint to %s", to);
        unlink(to);
    }
    tdbfile_close(&f);
    return ret;
}

int checkpoint_copy(const char *path, const char *to, struct error *err)
{
    static const struct timespec pause = { 0, COPY_PAUSE_NS };
    int ret = copy_once(path, to, err), tries;

    /* Half of its owner's last commit: it ends soon, or stands still and is undone. */
    for (tries = 1; ret == RESULT_DAMAGED && tries < COPY_TRIES; tries++) {
        nanosleep(&pause, NULL);
        ret = copy_once(path, to, err);
    }
    return ret;
}
