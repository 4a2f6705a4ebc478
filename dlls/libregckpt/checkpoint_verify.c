/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checking all of a checkpoint, telling all that is wrong and not only the first.
 *
 * Everything is done to a private copy, in which an interrupted commit is undone first: the file
 * itself may be in use, or be evidence.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <fcntl.h>
#include <unistd.h>

#include <tdb.h>

#include "content.h"

/* Where problems go. */
struct telling {
    verify_fn *fn;
    void *arg;
    const struct snapshot *snapshot;
    unsigned long count;
};

/* The path of a registered key, "" if it is not known. */
static const char *path_of(const struct snapshot *s, uint32_t id)
{
    size_t i;

    for (i = 0; i < s->key_count; i++)
        if (s->keys[i].key.id == id) return s->keys[i].key.path;
    return "";
}

/* Passes one problem on, and goes on. */
static int tell(uint32_t id, const struct item *item, const char *what, void *arg)
{
    struct telling *t = arg;
    char *name = NULL, *text = NULL;

    t->count++;
    if (!t->fn) return 0;
    if (item) name = record_name(item->record.key, item->record.key_len);
    if (item && asprintf(&text, "the record \"%s\" %s", name ? name : "?", what) < 0) text = NULL;
    t->fn(path_of(t->snapshot, id), text ? text : what, t->arg);
    free(text);
    free(name);
    return 0;
}

/* What libtdb says about the structure. */
struct hearing {
    char text[256];
};

/* Keeps the first thing it says. */
__attribute__((format(printf, 3, 4)))
static void hear(struct tdb_context *tdb, enum tdb_debug_level level, const char *format, ...)
{
    struct hearing *h = tdb_get_logging_private(tdb);
    va_list args;
    size_t len;

    if (level > TDB_DEBUG_ERROR || h->text[0]) return;
    va_start(args, format);
    vsnprintf(h->text, sizeof(h->text), format, args);
    va_end(args);
    len = strlen(h->text);
    if (len && h->text[len - 1] == '\n') h->text[len - 1] = 0;
}

/* Puts the copy into a file in memory that libtdb can open. -1: errno. */
static int memory_file(const struct tdbfile *f)
{
    int fd = memfd_create("checkpoint", MFD_CLOEXEC), saved;
    size_t done = 0;
    ssize_t put;

    while (fd >= 0 && done < f->size_bytes) {
        put = write(fd, f->bytes + done, f->size_bytes - done);
        if (put > 0) {
            done += (size_t)put;
        } else if (put == 0 || errno != EINTR) {
            saved = put ? errno : ENOSPC;
            close(fd);
            errno = saved;
            return -1;
        }
    }
    return fd;
}

/* TDB's own check of chains, records and free space. */
static int check_structure(const struct tdbfile *f, struct telling *t, struct error *err)
{
    struct hearing h = { "" };
    struct tdb_logging_context log = { hear, &h };
    struct tdb_context *tdb;
    char path[64], what[400];
    int fd = memory_file(f);

    if (fd < 0) return error_system(err, errno, "cannot make a copy of %s in memory", f->path);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    tdb = tdb_open_ex(path, 0, TDB_NOLOCK | TDB_INCOMPATIBLE_HASH, O_RDONLY, 0, &log, NULL);
    if (!tdb || tdb_check(tdb, NULL, NULL)) {
        snprintf(what, sizeof(what), "the structure of the TDB file is damaged%s%s",
                 h.text[0] ? ": " : "", h.text);
        tell(0, NULL, what, t);
    }
    if (tdb) tdb_close(tdb);
    close(fd);
    return 0;
}

/* Everything about a copy, problem by problem. */
static int check_copy(const struct tdbfile *f, struct telling *t, struct error *err)
{
    struct snapshot s;
    struct content c;
    struct error why;
    int ret;

    memset(&s, 0, sizeof(s));
    t->snapshot = &s;
    if ((ret = check_structure(f, t, err))) return ret;
    ret = content_read(&c, f, tell, t, &why);
    if (ret == RESULT_DAMAGED) {
        tell(0, NULL, why.text, t);
        return content_name_suspects(f, tell, t);
    }
    if (ret) return error_system(err, ret, "cannot read %s", f->path);
    if (!(ret = content_take_heads(&c, SNAPSHOT_HISTORY, &s))) ret = content_build_images(&c, &s);
    if (ret) error_system(err, ret, "cannot read %s", f->path);
    else if (t->count) content_name_suspects(f, tell, t);
    content_free(&c);
    snapshot_free(&s);
    return ret;
}

/* Everything about the file that f has open, of which it has a copy then; tells all that is wrong. */
static int examine(struct tdbfile *f, struct telling *t, struct error *err)
{
    struct error first = { 0, "" };
    struct snapshot none;
    uint32_t format;
    int ret;

    memset(&none, 0, sizeof(none));
    t->snapshot = &none;
    t->count = 0;
    if ((!f->bytes && (ret = tdbfile_load(f, &first))) || (ret = tdbfile_roll_back_copy(f, &first))) {
        if (ret == RESULT_DAMAGED) tell(0, NULL, first.text, t);
    } else if (!(ret = record_check_format(f, &format, &first)) || ret == RESULT_DAMAGED) {
        int checked = check_copy(f, t, &first);

        if (checked) ret = checked;
        if (!checked && t->count)
            ret = error_set(&first, RESULT_DAMAGED, "%s is damaged (%lu problem%s)", f->path,
                            t->count, t->count == 1 ? "" : "s");
    }
    if (ret && err) *err = first;
    return ret;
}

int checkpoint_verify(const char *path, verify_fn *fn, void *arg, struct error *err)
{
    struct tdbfile_looks looks = { 0 };
    struct telling t = { NULL, arg, NULL, 0 };
    struct tdbfile f;
    int ret;

    for (;;) {
        if (!(ret = tdbfile_open(&f, path, err))) ret = examine(&f, &t, err);
        if (!tdbfile_look_again(&looks, &f, ret)) break;
        tdbfile_close(&f);
    }
    if (ret == RESULT_DAMAGED && fn && f.fd >= 0) { /* it stays: now it is told, of the same copy */
        t.fn = fn;
        ret = examine(&f, &t, err);
    }
    tdbfile_close(&f);
    return ret;
}
