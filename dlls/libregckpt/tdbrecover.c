/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rolling back a commit whose writer died in it.
 *
 * TDB's commit: (1) write what will be overwritten into the recovery area, sync; (2) set the area's
 * magic, sync; (3) overwrite, sync; (4) clear the magic, sync.  So the magic means: the file is
 * somewhere between old and new, and the area holds the old.
 *
 * In the file, the order of our own steps is what makes them repeatable: the old bytes go back and
 * are synced first, while the magic still stands; then either the area lies behind the old end, and
 * cutting the file there removes the magic with it (a start that points behind the end is then all
 * that is left to clear), or it lies within, and its magic is cleared last.
 *
 * The pieces are whole blocks, so one at the area's edge holds a part of the area itself, as it was
 * before.  That part must not go back: it would take the undo information (and its magic) away
 * while it is being used.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tdbfile.h"
#include "tdblayout.h"

/* The next piece of a recovery area. */
struct piece {
    uint32_t offset, len;
    const uint8_t *bytes;
};

/* The pieces still to come. */
struct area {
    const uint8_t *at, *end;
    uint64_t first, behind; /* where the area itself lies in the file */
    uint64_t cut;           /* where the file ended before, or the area ends, if it stays */
    struct piece rest;      /* what of a piece lies behind the area */
};

/* Takes the next piece; false at the end. The lengths were checked by area_check. */
static bool area_next(struct area *a, struct piece *p)
{
    uint64_t end;

    if (a->rest.len) {
        *p = a->rest;
        a->rest.len = 0;
        return true;
    }
    if (a->end - a->at <= 8) return false;
    p->offset = le32(a->at);
    p->len = le32(a->at + 4);
    p->bytes = a->at + 8;
    a->at += 8 + (size_t)p->len;
    end = (uint64_t)p->offset + p->len;
    if (p->offset < a->behind && end > a->first) {
        if (end > a->behind) {
            a->rest.offset = (uint32_t)a->behind;
            a->rest.len = (uint32_t)(end - a->behind);
            a->rest.bytes = p->bytes + (a->behind - p->offset);
        }
        p->len = p->offset < a->first ? (uint32_t)(a->first - p->offset) : 0;
    }
    return true;
}

/* Would a piece make another kind of file of it?  No commit changes how the header begins. */
static bool changes_kind(const struct tdbfile *f, uint64_t offset, uint64_t len,
                         const uint8_t *bytes)
{
    if (offset >= TDB_HEADER_RECOVERY) return false;
    if (len > TDB_HEADER_RECOVERY - offset) len = TDB_HEADER_RECOVERY - offset;
    return len && memcmp(f->bytes + offset, bytes, len);
}

/* Finds the area in the loaded copy and checks all of it before anybody trusts any of it. */
static int area_check(const struct tdbfile *f, struct area *a, struct error *err)
{
    uint64_t start = f->recovery_start, room;
    const uint8_t *at;
    struct tdb_head head;

    if (start + TDB_RECORD_BYTES > f->size_bytes) goto bad;
    tdb_head_read(f->bytes + start, &head);
    room = f->size_bytes - start - TDB_RECORD_BYTES;
    if (head.data_len > room || head.rec_len > room || head.data_len > head.rec_len ||
        head.key_len < tdb_data_start(f->hash_size) || head.key_len > f->size_bytes)
        goto bad;
    a->at = f->bytes + start + TDB_RECORD_BYTES;
    a->end = a->at + head.data_len;
    a->first = start;
    a->behind = start + TDB_RECORD_BYTES + head.rec_len;
    a->cut = head.key_len;
    /* An area at the old end may have been made longer in place. */
    if (start < a->cut && a->behind > a->cut) a->cut = a->behind;
    a->rest.len = 0;
    for (at = a->at; a->end - at > 8;) {
        uint64_t offset = le32(at), len = le32(at + 4);

        if (len > (uint64_t)(a->end - at) - 8 || offset + len > f->size_bytes) goto bad;
        if (changes_kind(f, offset, len, at + 8)) goto bad;
        at += 8 + len;
    }
    return 0;
bad:
    return error_set(err, RESULT_DAMAGED, "%s is damaged: its writer died in the middle of a "
                     "commit, and what would undo that commit is damaged too", f->path);
}

/* Stores a little-endian number. */
static void put_le32(uint8_t *at, uint32_t v)
{
    at[0] = (uint8_t)v;
    at[1] = (uint8_t)(v >> 8);
    at[2] = (uint8_t)(v >> 16);
    at[3] = (uint8_t)(v >> 24);
}

int tdbfile_roll_back_copy(struct tdbfile *f, struct error *err)
{
    struct piece p;
    struct area a;
    int ret;

    if (!f->interrupted) return 0;
    if (f->recovery_start < f->size_bytes) {
        if ((ret = area_check(f, &a, err))) return ret;
        while (area_next(&a, &p)) memcpy(f->bytes + p.offset, p.bytes, p.len);
        if (a.cut > f->recovery_start)
            put_le32(f->bytes + f->recovery_start + TDB_RECORD_MAGIC, 0);
        else
            put_le32(f->bytes + TDB_HEADER_RECOVERY, 0);
        f->size_bytes = a.cut;
    } else {
        put_le32(f->bytes + TDB_HEADER_RECOVERY, 0);
    }
    ret = tdbfile_read_header(f, err);
    f->interrupted = false;
    return ret;
}

/* Writes all of it. */
static int write_at(int fd, const void *bytes, size_t len, uint64_t at)
{
    size_t done = 0;
    ssize_t put;

    while (done < len) {
        put = pwrite(fd, (const uint8_t *)bytes + done, len - done, (off_t)(at + done));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return errno;
        if (!put) return ENOSPC;
        done += (size_t)put;
    }
    return 0;
}

/* The steps on the file itself; f is the loaded copy as it was. */
static int roll_back_file(int fd, const struct tdbfile *f, struct area *a)
{
    static const uint8_t zero[4];
    struct piece p;
    int ret;

    if (a) {
        while (area_next(a, &p))
            if ((ret = write_at(fd, p.bytes, p.len, p.offset))) return ret;
        if (fsync(fd)) return errno;
        if (a->cut > f->recovery_start) {
            ret = write_at(fd, zero, sizeof(zero), f->recovery_start + TDB_RECORD_MAGIC);
            if (ret) return ret;
        }
        if (ftruncate(fd, (off_t)a->cut) || fsync(fd)) return errno;
        if (a->cut > f->recovery_start) return 0;
    }
    if ((ret = write_at(fd, zero, sizeof(zero), TDB_HEADER_RECOVERY))) return ret;
    return fsync(fd) ? errno : 0;
}

int tdbfile_roll_back(const char *where, const char *path, struct error *err)
{
    struct area area, *a = NULL;
    struct tdbfile f;
    int fd, ret;

    if ((ret = tdbfile_open_as(&f, where, path, err))) return ret;
    if (!f.interrupted) goto done;
    if ((ret = tdbfile_load(&f, err)) || !f.interrupted) goto done;
    if (f.recovery_start < f.size_bytes) {
        if ((ret = area_check(&f, &area, err))) goto done;
        a = &area;
    }
    if ((fd = open(where, O_RDWR | O_CLOEXEC)) < 0) {
        ret = error_system(err, errno, "cannot open %s to undo an interrupted commit", path);
        goto done;
    }
    if ((ret = roll_back_file(fd, &f, a)))
        error_system(err, ret, "cannot undo the interrupted commit in %s; nothing is lost, the "
                     "next attempt begins anew", path);
    close(fd);
done:
    tdbfile_close(&f);
    return ret;
}

/* Where a file that was so long before can be cut: its recovery area, if it stays, stays whole. */
static uint64_t cut_where(int fd, const struct tdbfile *f, uint64_t size_bytes)
{
    uint8_t raw[TDB_RECORD_BYTES];
    struct tdb_head head;
    uint64_t behind;

    if (!f->recovery_start || f->recovery_start >= size_bytes) return size_bytes;
    if (pread(fd, raw, sizeof(raw), f->recovery_start) != (ssize_t)sizeof(raw))
        return f->size_bytes;
    tdb_head_read(raw, &head);
    behind = (uint64_t)f->recovery_start + TDB_RECORD_BYTES + head.rec_len;
    return behind > size_bytes ? behind : size_bytes;
}

void tdbfile_cut(const char *path, uint64_t size_bytes)
{
    static const uint8_t zero[4];
    struct tdbfile f;
    uint64_t cut;
    int fd;

    if (tdbfile_open(&f, path, NULL)) return;
    if (!f.interrupted && f.size_bytes > size_bytes && (fd = open(path, O_RDWR | O_CLOEXEC)) >= 0) {
        cut = cut_where(fd, &f, size_bytes);
        if (cut < f.size_bytes &&
            (f.recovery_start < cut ||
             (!write_at(fd, zero, sizeof(zero), TDB_HEADER_RECOVERY) && !fsync(fd))) &&
            !ftruncate(fd, (off_t)cut))
            fsync(fd);
        close(fd);
    }
    tdbfile_close(&f);
}

int tdbfile_finish_commit(int fd)
{
    static const uint8_t zero[4];
    uint8_t number[4];
    uint64_t magic;
    int ret;

    if (pread(fd, number, sizeof(number), TDB_HEADER_RECOVERY) != (ssize_t)sizeof(number))
        return errno ? errno : EIO;
    if (!le32(number)) return 0;
    magic = (uint64_t)le32(number) + TDB_RECORD_MAGIC;
    if (pread(fd, number, sizeof(number), (off_t)magic) != (ssize_t)sizeof(number))
        return errno ? errno : EIO;
    if (le32(number) != TDB_MAGIC_RECOVERY) return 0;
    if ((ret = write_at(fd, zero, sizeof(zero), magic))) return ret;
    return fsync(fd) ? errno : 0;
}
