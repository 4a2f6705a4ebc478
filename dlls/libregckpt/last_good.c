/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keeping a copy of a checkpoint that was left in good order.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint_private.h"
#include "content.h"

/* What is wrong with the copy, in one sentence. */
struct finding {
    const char *path;
    struct error *err;
};

/* The first problem is enough: a damaged checkpoint must not take the place of a good one. */
static int find(uint32_t id, const struct item *item, const char *what, void *arg)
{
    struct finding *f = arg;
    char *name = item ? record_name(item->record.key, item->record.key_len) : NULL;

    (void)id;
    error_set(f->err, RESULT_DAMAGED, "%s is damaged and is not kept as the last good one: "
              "%s%s%s%s",
              f->path, name ? "its record \"" : "", name ? name : "", name ? "\" " : "", what);
    free(name);
    return RESULT_DAMAGED;
}

/* Is every record whole, and all of them of one commit? */
static int check_copy(const struct tdbfile *f, struct error *err)
{
    struct finding finding = { f->path, err };
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
    char *temporary = NULL;
    struct tdbfile f;
    int ret;

    if (c->inside)
        return error_set(err, RESULT_INVALID, "%s cannot be kept inside a transaction", c->path);
    if ((ret = tdbfile_open(&f, c->path, err))) return ret;
    if ((ret = tdbfile_load(&f, err)) || (ret = check_copy(&f, err))) goto done;
    if (asprintf(&temporary, "%s.new", last_good_path) < 0) {
        temporary = NULL;
        ret = error_system(err, ENOMEM, "cannot keep %s", c->path);
        goto done;
    }
    unlink(temporary); /* of somebody who died here */
    if ((ret = write_copy(&f, temporary)) ||
        (ret = rename(temporary, last_good_path) ? errno : 0)) {
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
