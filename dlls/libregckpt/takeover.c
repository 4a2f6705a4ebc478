/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Taking ownership over (takeover.h).
 *
 * Why no lock on the takeover itself: its holder could be frozen too, and would have to be displaced
 * in turn.  Rename does it.  Two who displace the same owner both have their new lock file beside the
 * old one; the first to rename removes the other's, and the other finds either that or the token
 * changed.  If both renamed before either removed, the last one owns, and the first learns it from the
 * check behind its removal.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <xxhash.h>

#include "store_private.h"
#include "takeover.h"

#define OWNS "owned by"
#define TAKES "being taken over by" /* the checkpoint may still be the displaced owner's file */
#define DOUBTS "left in doubt by"   /* what the file shows may not be on storage */
#define NEW_FILE ".new"

/* Fills the text: unique, by the time. */
static void make_text(struct owner *o, const char *word)
{
    struct timespec now;
    char when[40];
    struct tm tm;

    clock_gettime(CLOCK_REALTIME, &now);
    if (!gmtime_r(&now.tv_sec, &tm) || !strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm))
        *when = 0;
    memset(o->text, 0, sizeof(o->text));
    snprintf(o->text, sizeof(o->text), "%s process %d of node %s since %s.%09ld UTC", word,
             (int)getpid(), o->node, when, now.tv_nsec);
}

static bool begins(const char *text, const char *word)
{
    return !strncmp(text, word, strlen(word));
}

/* All of it, zeros too: one text is written over another. 0 or errno. */
static int write_text(const struct owner *o)
{
    ssize_t put = pwrite(o->lock_fd, o->text, sizeof(o->text), 0);

    if (put < 0) return errno;
    if (put != (ssize_t)sizeof(o->text)) return ENOSPC;
    return fsync(o->lock_fd) ? errno : 0;
}

static void read_text(int fd, char text[OWNER_TEXT_BYTES])
{
    memset(text, 0, OWNER_TEXT_BYTES);
    if (pread(fd, text, OWNER_TEXT_BYTES - 1, 0) < 0) *text = 0;
}

/* Opens the lock file as it is now. -1: errno. */
static int open_now(const char *store, const char *resource)
{
    char *path = store_path(store, resource, STORE_LOCK);
    int fd = -1;

    errno = ENOMEM;
    if (path) fd = open(path, O_RDONLY | O_CLOEXEC);
    free(path);
    return fd;
}

int takeover_token(const char *store, const char *resource, char token[OWNER_TOKEN_BYTES],
                   struct error *err)
{
    char text[OWNER_TEXT_BYTES];
    int fd = open_now(store, resource), errnum = errno;
    struct stat st;

    if (fd >= 0 && fstat(fd, &st)) {
        errnum = errno;
        close(fd);
        fd = -1;
    }
    if (fd < 0)
        return error_system(err, errnum, "cannot look at the lock file of \"%s\"", resource);
    read_text(fd, text);
    close(fd);
    snprintf(token, OWNER_TOKEN_BYTES, "%llu-%016llx", (unsigned long long)st.st_ino,
             (unsigned long long)XXH64(text, sizeof(text), 0));
    return 0;
}

void takeover_owner_text(const char *store, const char *resource, char text[OWNER_TEXT_BYTES])
{
    int fd = open_now(store, resource);

    *text = 0;
    if (fd < 0) return;
    read_text(fd, text);
    close(fd);
}

int takeover_check(const struct owner *o, struct error *err)
{
    char text[OWNER_TEXT_BYTES];
    struct stat held, now;
    bool same;
    int fd = open_now(o->store, o->resource), ret = errno;

    if (fd < 0 && ret == ENOENT && !store_check(o->store, NULL))
        return error_set(err, RESULT_OWNED, "the lock file of \"%s\" is gone", o->resource);
    /* Else the whole store is: not mounted any more, which says nothing about the owner. */
    if (fd >= 0 && fstat(fd, &now)) {
        ret = errno;
        close(fd);
        fd = -1;
    }
    if (fd < 0)
        return error_system(err, ret, "cannot tell whether \"%s\" is still owned by this node",
                            o->resource);
    read_text(fd, text);
    close(fd);
    same = !fstat(o->lock_fd, &held) && held.st_dev == now.st_dev && held.st_ino == now.st_ino;
    if (same && !strcmp(text, o->text)) return 0;
    return error_set(err, RESULT_OWNED, "the resource \"%s\" was taken from this node: it is %s now",
                     o->resource, *text ? text : "owned by another");
}

/* The names of what somebody was about to rename into place. 0 or errno. */
static int list_new_files(const char *dir, char ***names, size_t *count)
{
    DIR *in = opendir(dir);
    struct dirent *entry;
    char **bigger;
    int ret = 0;

    *names = NULL;
    *count = 0;
    if (!in) return errno;
    while (!ret && (entry = readdir(in))) {
        if (!strstr(entry->d_name, NEW_FILE)) continue;
        bigger = realloc(*names, (*count + 1) * sizeof(*bigger));
        if (bigger) *names = bigger;
        if (bigger && (bigger[*count] = strdup(entry->d_name))) ++*count;
        else ret = ENOMEM;
    }
    closedir(in);
    return ret;
}

/*
 * Removes what others were about to rename into place, as the owner: what is listed before the check
 * is of others who came before.
 */
static int remove_new_files(const struct owner *o, struct error *err)
{
    char *dir = store_path(o->store, o->resource, STORE_RESOURCE_DIR), *path, **names = NULL;
    size_t count = 0, i;
    int ret = dir ? list_new_files(dir, &names, &count) : ENOMEM;

    if (ret) error_system(err, ret, "cannot list the directory of \"%s\"", o->resource);
    else ret = takeover_check(o, err);
    for (i = 0; i < count && !ret; i++) {
        if (asprintf(&path, "%s/%s", dir, names[i]) < 0) {
            ret = error_system(err, ENOMEM, "cannot take \"%s\" over", o->resource);
            break;
        }
        if (unlink(path) && errno != ENOENT) ret = error_system(err, errno, "cannot remove %s", path);
        free(path);
    }
    store_list_free(names, count);
    free(dir);
    /* whose file that was renamed it before, and owns, or cannot any more */
    return ret ? ret : takeover_check(o, err);
}

/* Ends what was begun and failed. */
static int give_up(struct owner *o, int ret)
{
    if (o->lock_fd >= 0) store_disown(o->lock_fd);
    o->lock_fd = -1;
    return ret;
}

int takeover_own(struct owner *o, struct error *err)
{
    char before[OWNER_TEXT_BYTES];
    int ret = store_own(o->store, o->resource, &o->lock_fd, err);

    if (ret) return ret;
    read_text(o->lock_fd, before);
    make_text(o, begins(before, TAKES) || begins(before, DOUBTS) ? TAKES : OWNS);
    if ((ret = write_text(o)))
        error_system(err, ret, "cannot write to the lock file of \"%s\"", o->resource);
    else
        ret = remove_new_files(o, err);
    return ret ? give_up(o, ret) : 0;
}

/* "PATH.new-PID-TIME", malloc'ed: nobody else's. */
static char *new_name(const char *path)
{
    struct timespec now;
    char *name;

    clock_gettime(CLOCK_REALTIME, &now);
    return asprintf(&name, "%s" NEW_FILE "-%d-%lld%09ld", path, (int)getpid(),
                    (long long)now.tv_sec, now.tv_nsec) < 0 ? NULL : name;
}

/* The new lock file, locked. */
static int make_lock(struct owner *o, const char *path, struct error *err)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int ret;

    make_text(o, TAKES);
    if ((o->lock_fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0 ||
        fcntl(o->lock_fd, F_OFD_SETLK, &lock))
        return error_system(err, errno, "cannot make the lock file %s", path);
    if ((ret = write_text(o))) return error_system(err, ret, "cannot write the lock file %s", path);
    return 0;
}

/* Is the owner still who the token was read from? */
static int check_token(const struct owner *o, const char *token, struct error *err)
{
    char now[OWNER_TOKEN_BYTES], text[OWNER_TEXT_BYTES];
    int ret = takeover_token(o->store, o->resource, now, err);

    if (ret || !strcmp(now, token)) return ret;
    takeover_owner_text(o->store, o->resource, text);
    return error_set(err, RESULT_OWNED, "the resource \"%s\" is not taken over: its owner is not the "
                     "one it had when that was asked for. It is %s now", o->resource,
                     *text ? text : "another's");
}

int takeover_displace(struct owner *o, const char *token, struct error *err)
{
    char *path = store_path(o->store, o->resource, STORE_LOCK), *fresh = path ? new_name(path) : NULL;
    int ret;

    o->lock_fd = -1;
    if (!fresh) {
        free(path);
        return error_system(err, ENOMEM, "cannot take \"%s\" over", o->resource);
    }
    if (!(ret = make_lock(o, fresh, err)) && !(ret = check_token(o, token, err))) {
        if (rename(fresh, path)) {
            ret = errno == ENOENT
                ? error_set(err, RESULT_OWNED, "another was faster to take over \"%s\"", o->resource)
                : error_system(err, errno, "cannot put a new lock file in place of %s", path);
        } else if ((ret = sync_parent(path))) {
            error_system(err, ret, "cannot sync the directory of %s", path);
        } else {
            ret = remove_new_files(o, err);
        }
    }
    if (ret) unlink(fresh);
    free(path);
    free(fresh);
    return ret ? give_up(o, ret) : 0;
}

int takeover_renew(struct owner *o, struct error *err)
{
    char *path = store_path(o->store, o->resource, STORE_CHECKPOINT), *fresh;
    int ret;

    if (!path || !(fresh = new_name(path))) {
        free(path);
        return error_system(err, ENOMEM, "cannot copy the checkpoint of \"%s\"", o->resource);
    }
    if (!(ret = checkpoint_copy(path, fresh, err)) && !(ret = takeover_check(o, err))) {
        if (rename(fresh, path))
            ret = error_system(err, errno, "cannot put a copy in place of the checkpoint %s", path);
        else if ((ret = sync_parent(path)))
            error_system(err, ret, "cannot sync the directory of %s", path);
    }
    if (ret) unlink(fresh);
    free(path);
    free(fresh);
    return ret;
}

int takeover_settle(struct owner *o, struct error *err)
{
    int ret;

    if (!begins(o->text, TAKES)) return 0;
    if ((ret = takeover_renew(o, err))) return ret;
    make_text(o, OWNS);
    if ((ret = write_text(o)))
        error_system(err, ret, "cannot write to the lock file of \"%s\"", o->resource);
    return ret;
}

void takeover_doubt(struct owner *o)
{
    if (!begins(o->text, OWNS)) return;
    make_text(o, DOUBTS);
    write_text(o);
}

void takeover_release(struct owner *o)
{
    /* A text that says more than whose it was is for the next owner. */
    if (begins(o->text, OWNS)) {
        memset(o->text, 0, sizeof(o->text));
        write_text(o);
    }
    store_disown(o->lock_fd);
    o->lock_fd = -1;
}
