/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opening and making checkpoints, and transactions.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <tdb.h>

#include "checkpoint_private.h"

/*
 * Chains: a prime.  A look-up reads half a chain, three system calls for two records, and a commit of
 * one change takes seven walks, libtdb's own included; with 1,000,000 records a chain has sixteen.
 * But libtdb also reads all chains' heads (256 KiB) when it begins a transaction, and they are the size
 * of every empty checkpoint.
 */
#define CHAINS 64007

/*
 * NOMMAP: a write is a call, whose failure is seen.  Reading and writing calls also work on file
 * systems where a mapping is not coherent between machines.
 */
#define OPEN_FLAGS (TDB_NOMMAP | TDB_INCOMPATIBLE_HASH | TDB_DISALLOW_NESTING)

/* Keeps what libtdb says first, with the errno of that moment: later calls of it hide both. */
__attribute__((format(printf, 3, 4)))
static void hear(struct tdb_context *tdb, enum tdb_debug_level level, const char *format, ...)
{
    struct checkpoint *c = tdb_get_logging_private(tdb);
    int errnum = errno;
    size_t len;
    va_list args;

    if (strstr(format, "fsync failed") && !c->sync_errno) c->sync_errno = errnum ? errnum : EIO;
    if (level > TDB_DEBUG_ERROR || c->tdb_text[0]) return;
    c->tdb_errno = errnum;
    va_start(args, format);
    vsnprintf(c->tdb_text, sizeof(c->tdb_text), format, args);
    va_end(args);
    len = strlen(c->tdb_text);
    if (len && c->tdb_text[len - 1] == '\n') c->tdb_text[len - 1] = 0;
    errno = errnum;
}

void checkpoint_listen(struct checkpoint *c)
{
    c->tdb_text[0] = 0;
    c->tdb_errno = 0;
    c->sync_errno = 0;
    errno = 0;
}

int checkpoint_failed(struct checkpoint *c, struct error *err, const char *what)
{
    int errnum = c->tdb_errno ? c->tdb_errno : errno;
    const char *advice = "";

    if (!errnum && tdb_error(c->tdb) == TDB_ERR_CORRUPT)
        return error_set(err, RESULT_DAMAGED, "cannot %s the checkpoint %s: its structure is "
                         "damaged (%s); \"regckpt verify\" tells more", what, c->path, c->tdb_text);
    /* libtdb grows the file by posix_fallocate(), which leaves errno alone. */
    if (!errnum && (strstr(c->tdb_text, "recovery area") || strstr(c->tdb_text, "expan")))
        errnum = ENOSPC;
    if (errnum == ENOSPC || errnum == EDQUOT)
        advice = "; nothing of this change is in the checkpoint. Make room on that file system (a "
                 "checkpoint can have up to 4 GiB)";
    return error_system(err, errnum, "cannot %s the checkpoint %s (%s)%s", what, c->path,
                        c->tdb_text[0] ? c->tdb_text : tdb_errorstr(c->tdb), advice);
}

/* A name for what a descriptor has open. */
static void name_descriptor(int fd, char where[OWN_FILE_BYTES])
{
    snprintf(where, OWN_FILE_BYTES, "/proc/self/fd/%d", fd);
}

void checkpoint_own_file(const struct checkpoint *c, char where[OWN_FILE_BYTES])
{
    name_descriptor(tdb_fd(c->tdb), where);
}

int checkpoint_ask_guard(const struct checkpoint *c, struct error *err)
{
    return c->guard ? c->guard(c->guard_arg, err) : 0;
}

/* Opens the file with libtdb. */
static int open_tdb(struct checkpoint *c, const char *where, int open_flags, struct error *err)
{
    struct tdb_logging_context log = { hear, c };

    /* Who sets this means tests of something else; a checkpoint without syncs is none. */
    if (getenv("TDB_NO_FSYNC")) unsetenv("TDB_NO_FSYNC");
    checkpoint_listen(c);
    c->tdb = tdb_open_ex(where, CHAINS, OPEN_FLAGS, open_flags, 0600, &log, NULL);
    if (c->tdb) return 0;
    return error_system(err, errno, "cannot open the checkpoint %s for writing%s%s%s", c->path,
                        c->tdb_text[0] ? " (" : "", c->tdb_text, c->tdb_text[0] ? ")" : "");
}

/* A handle without a file. */
static struct checkpoint *handle_new(const char *path, struct error *err)
{
    struct checkpoint *c = calloc(1, sizeof(*c));

    if (c && !(c->path = strdup(path))) {
        free(c);
        c = NULL;
    }
    if (!c) error_system(err, ENOMEM, "cannot open the checkpoint %s", path);
    return c;
}

int sync_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *parent = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    int fd, ret = 0;

    if (!parent) return ENOMEM;
    if ((fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 || fsync(fd)) ret = errno;
    if (fd >= 0) close(fd);
    free(parent);
    return ret;
}

/* Writes the three head records of an empty checkpoint and makes them durable. */
static int write_new(struct checkpoint *c, const struct resource *resource, struct error *err)
{
    int ret;

    c->head.next_id = 1;
    c->history_limit = resource->history_bytes;
    if ((ret = checkpoint_begin(c, err))) return ret;
    pack_reset(&c->key);
    pack_raw(&c->key, RECORD_FORMAT, strlen(RECORD_FORMAT));
    record_begin(&c->data);
    pack_format(&c->data);
    if ((ret = checkpoint_put(c, NULL, err)) || (ret = checkpoint_set_resource(c, resource, err)))
        return ret;
    if ((ret = checkpoint_commit(c, err))) return ret;
    /* The header and the empty chains were written outside of the transaction. */
    return fsync(tdb_fd(c->tdb)) ? error_system(err, errno, "cannot sync %s", c->path) : 0;
}

int checkpoint_create(const char *path, const struct resource *resource, struct error *err)
{
    struct checkpoint *c = NULL;
    struct stat st;
    char *temporary;
    int ret = 0;

    if (!lstat(path, &st))
        return error_set(err, RESULT_EXISTS, "there is a checkpoint %s already", path);
    if (asprintf(&temporary, "%s.new", path) < 0)
        return error_system(err, ENOMEM, "cannot make the checkpoint %s", path);
    unlink(temporary); /* of somebody who died here */
    if (!(c = handle_new(temporary, err))) ret = ENOMEM;
    if (!ret) ret = open_tdb(c, temporary, O_RDWR | O_CREAT | O_EXCL, err);
    if (!ret) ret = write_new(c, resource, err);
    checkpoint_close(c);
    if (!ret && rename(temporary, path))
        ret = error_system(err, errno, "cannot rename %s to %s", temporary, path);
    if (ret) unlink(temporary);
    else if ((ret = sync_parent(path)))
        error_system(err, ret, "cannot sync the directory of %s", path);
    free(temporary);
    return ret;
}

/*
 * Is it ours, and are its head records whole?  Looks at a copy where the file itself has to be
 * repaired first: what is not ours is not repaired.
 */
static int check_heads(struct checkpoint *c, const char *where, bool *interrupted,
                       struct error *err)
{
    struct resource resource;
    struct tdbfile f;
    struct unpack u;
    struct pack room;
    uint32_t version;
    int ret;

    pack_init(&room);
    if ((ret = tdbfile_open_as(&f, where, c->path, err))) return ret;
    *interrupted = f.interrupted;
    if (f.interrupted && !(ret = tdbfile_load(&f, err))) ret = tdbfile_roll_back_copy(&f, err);
    if (!ret) ret = record_check_format(&f, &version, err);
    if (!ret && !(ret = record_find(&f, RECORD_STATE, &room, &u, err)) &&
        (ret = unpack_state(&u, &c->head)))
        error_set(err, ret, "%s is damaged: its record \"state\" is malformed", c->path);
    c->head_buried = ret ? 0 : c->head.records;
    if (!ret && !(ret = record_find(&f, RECORD_RESOURCE, &room, &u, err))) {
        if ((ret = unpack_resource(&u, &resource))) {
            error_set(err, ret, "%s is damaged: its record \"resource\" is malformed", c->path);
        } else {
            c->history_limit = resource.history_bytes;
            resource_free(&resource);
        }
    }
    pack_free(&room);
    tdbfile_close(&f);
    return ret;
}

/* Opens what has the name `where`, which is the checkpoint. */
static int open_handle(struct checkpoint *c, const char *where, struct error *err)
{
    bool interrupted = false;
    int ret = check_heads(c, where, &interrupted, err);

    if (!ret && interrupted) ret = tdbfile_roll_back(where, c->path, err);
    return ret ? ret : open_tdb(c, where, O_RDWR, err);
}

int checkpoint_open(const char *path, struct checkpoint **out, struct error *err)
{
    struct checkpoint *c = handle_new(path, err);
    int ret;

    *out = NULL;
    if (!c) return ENOMEM;
    if ((ret = open_handle(c, path, err))) checkpoint_close(c);
    else *out = c;
    return ret;
}

int checkpoint_open_guarded(const char *path, checkpoint_guard *guard, void *arg,
                            struct checkpoint **out, struct error *err)
{
    struct checkpoint *c = handle_new(path, err);
    char where[OWN_FILE_BYTES];
    int fd, ret;

    *out = NULL;
    if (!c) return ENOMEM;
    c->guard = guard;
    c->guard_arg = arg;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        ret = error_set(err, RESULT_NOT_FOUND, "there is no checkpoint %s", path);
    } else if (fd < 0) {
        ret = error_system(err, errno, "cannot open the checkpoint %s", path);
    } else if (!(ret = checkpoint_ask_guard(c, err))) {
        name_descriptor(fd, where);
        ret = open_handle(c, where, err);
    }
    if (fd >= 0) close(fd);
    if (ret) checkpoint_close(c);
    else *out = c;
    return ret;
}

bool checkpoint_is_in_doubt(const struct checkpoint *c)
{
    return c->in_doubt;
}

void checkpoint_close(struct checkpoint *c)
{
    if (!c) return;
    checkpoint_cancel(c);
    if (c->tdb) tdb_close(c->tdb);
    pack_free(&c->key);
    pack_free(&c->data);
    pack_free(&c->old);
    pack_free(&c->pending.entries);
    free(c->path);
    free(c);
}

/* What the file looks like: when it was written last, and how long it is. */
static void look_at_file(struct checkpoint *c, uint64_t *changed_ns, uint64_t *size_bytes)
{
    struct stat st;

    *changed_ns = *size_bytes = 0;
    if (fstat(tdb_fd(c->tdb), &st)) return;
    *changed_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
    *size_bytes = (uint64_t)st.st_size;
}

/*
 * Reads the state record, if there is one yet and it is not known: among a million records finding
 * it costs a tenth of a commit.  There is one writer at a time, so it is known from our own last
 * commit; a file that has changed since is read all the same.
 */
static int read_head(struct checkpoint *c, struct error *err)
{
    uint64_t changed_ns, size_bytes;
    struct old_record old;
    struct unpack u;
    int ret;

    look_at_file(c, &changed_ns, &size_bytes);
    if (c->head_known && changed_ns && changed_ns == c->changed_ns && size_bytes == c->size_bytes)
        return 0;
    c->head_known = false;

    pack_reset(&c->key);
    pack_raw(&c->key, RECORD_STATE, strlen(RECORD_STATE));
    if ((ret = checkpoint_look(c, &old, err)) || !old.found) return ret;
    unpack_init(&u, old.content, old.len);
    if ((ret = unpack_state(&u, &c->head)))
        error_set(err, ret, "%s is damaged: its record \"state\" is malformed", c->path);
    return ret;
}

int checkpoint_begin(struct checkpoint *c, struct error *err)
{
    int ret;

    if (c->inside)
        return error_set(err, RESULT_INVALID, "a transaction on %s is open already", c->path);
    if (c->broken)
        return error_set(err, RESULT_STORAGE, "a commit to %s failed; it has to be closed and "
                         "opened again", c->path);
    checkpoint_listen(c);
    if (tdb_transaction_start(c->tdb)) return checkpoint_failed(c, err, "begin a transaction on");
    memset(&c->doomed, 0, sizeof(c->doomed));
    c->inside = true;
    if ((ret = read_head(c, err))) checkpoint_cancel(c);
    return ret;
}

/*
 * Every commit looks for the state record, twice in libtdb, and libtdb inserts in front: a record that was
 * there before a million others stands behind some sixteen of them.  Deleted and stored again it is the
 * first of its chain.  Where so many came there is free space to be tidied, too.
 */
static bool head_is_deep(const struct checkpoint *c)
{
    return c->head_buried >= CHAINS;
}

/* Stores the state record, whose key and data are in c->key and c->data. */
static int put_head(struct checkpoint *c, struct error *err)
{
    TDB_DATA key = {.dptr = c->key.bytes, .dsize = c->key.len};
    TDB_DATA data = {.dptr = c->data.bytes, .dsize = c->data.len};
    bool deep = head_is_deep(c);

    checkpoint_listen(c);
    if ((deep && tdb_delete(c->tdb, key)) || tdb_store(c->tdb, key, data, deep ? TDB_INSERT : 0))
        return checkpoint_failed(c, err, "write to");
    if (!deep) return 0;
    c->head_buried = 0;
    return checkpoint_tidy(c, err);
}

int checkpoint_commit(struct checkpoint *c, struct error *err)
{
    uint64_t changed_ns, size_bytes;
    char where[OWN_FILE_BYTES];
    bool undone;
    int ret;

    if ((ret = checkpoint_ready(c, err)) || (ret = checkpoint_history_flush(c, err))) {
        checkpoint_cancel(c);
        return ret;
    }
    look_at_file(c, &changed_ns, &size_bytes);
    c->head.state.sequence++;
    pack_reset(&c->key);
    pack_raw(&c->key, RECORD_STATE, strlen(RECORD_STATE));
    record_begin(&c->data);
    pack_state(&c->data, &c->head);
    record_end(&c->data, c->key.bytes, c->key.len);
    if (c->data.failed || c->key.failed) {
        checkpoint_cancel(c);
        return error_system(err, ENOMEM, "cannot write to the checkpoint %s", c->path);
    }
    if ((ret = put_head(c, err))) {
        checkpoint_cancel(c);
        return ret;
    }
    undone = tdb_transaction_commit(c->tdb);
    c->inside = false; /* libtdb has ended it in any case */
    if (!undone && !c->sync_errno && !(ret = tdbfile_finish_commit(tdb_fd(c->tdb)))) {
        look_at_file(c, &c->changed_ns, &c->size_bytes);
        c->head_known = true;
        c->broken = (ret = checkpoint_ask_guard(c, err)) != 0;
        return ret;
    }
    c->in_doubt |= c->sync_errno || !undone;
    if (!undone) c->tdb_errno = c->sync_errno ? c->sync_errno : ret;
    ret = checkpoint_failed(c, err, "commit to");
    c->broken = true;
    checkpoint_own_file(c, where);
    if (undone && size_bytes) tdbfile_cut(where, size_bytes);
    return ret;
}

void checkpoint_cancel(struct checkpoint *c)
{
    if (!c->inside) return;
    tdb_transaction_cancel(c->tdb);
    checkpoint_history_cancel(c);
    c->inside = false;
    c->head_known = false; /* it may have been changed for what is not committed now */
}
