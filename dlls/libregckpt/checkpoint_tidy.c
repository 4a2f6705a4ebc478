/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keeping libtdb's free list short.
 *
 * Each time the file grows, what is left of the growth before is a piece too small for any record (libtdb
 * takes records from a free piece's end, so it lies in front of one).  It stays in the list for good, and
 * libtdb goes through the list for each record that it inserts: of a million values some fifty such pieces
 * are half of what a commit reads.
 *
 * A piece is given to the record behind it.  Stored with so much more data that it needs both, the record
 * is freed, merged with the piece in front (tdb_free) and allocated as the whole, which fits best; stored
 * again as it is, it stays there, and the rest is slack, as libtdb leaves it behind records anyway.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <tdb.h>

#include "checkpoint_private.h"
#include "tdblayout.h"

#define SMALL_BYTES 256  /* larger pieces are used some day */
#define MOST_PIECES 1000 /* at a time */
#define MOST_RECORD_BYTES 65536 /* to write more is not worth a piece */

static bool read_head_at(int fd, uint64_t at, struct tdb_head *head)
{
    uint8_t raw[TDB_RECORD_BYTES];

    if (pread(fd, raw, sizeof(raw), (off_t)at) != sizeof(raw)) return false;
    tdb_head_read(raw, head);
    return true;
}

/* The most bytes of key and data for which libtdb takes no more than so many: it adds a quarter and a tail. */
static size_t most_for(size_t room)
{
    size_t bytes = (room - 4) / 5 * 4;

    while (bytes && (size_t)((float)(bytes + 1) * 1.25f) + 4 + 3 <= room) bytes++;
    return bytes;
}

/* Gives a record, of which the key is known, so much room; 0, or an error of the transaction. */
static int widen(struct checkpoint *c, TDB_DATA key, size_t room, struct error *err)
{
    TDB_DATA data = tdb_fetch(c->tdb, key), wide;
    int ret = 0;

    if (!data.dptr) return 0; /* deleted in this transaction */
    wide.dsize = most_for(room);
    if (wide.dsize > key.dsize + data.dsize) {
        wide.dsize -= key.dsize;
        if (!(wide.dptr = calloc(1, wide.dsize))) {
            ret = error_system(err, ENOMEM, "cannot write to the checkpoint %s", c->path);
        } else {
            checkpoint_listen(c);
            if (tdb_store(c->tdb, key, wide, TDB_REPLACE) || tdb_store(c->tdb, key, data, TDB_REPLACE))
                ret = checkpoint_failed(c, err, "write to");
            free(wide.dptr);
        }
    }
    free(data.dptr);
    return ret;
}

/* A small free piece at an offset: the record behind it gets it, if there is one. */
static int give_away(struct checkpoint *c, int fd, uint32_t at, const struct tdb_head *piece, struct error *err)
{
    uint64_t behind = (uint64_t)at + TDB_RECORD_BYTES + piece->rec_len;
    struct tdb_head head;
    TDB_DATA key;
    int ret = 0;

    if (!read_head_at(fd, behind, &head) || head.magic != TDB_MAGIC_USED || !head.key_len ||
        head.key_len > head.rec_len || head.rec_len > MOST_RECORD_BYTES)
        return 0;
    if (!(key.dptr = malloc(head.key_len)))
        return error_system(err, ENOMEM, "cannot write to the checkpoint %s", c->path);
    key.dsize = head.key_len;
    if (pread(fd, key.dptr, key.dsize, (off_t)(behind + TDB_RECORD_BYTES)) == (ssize_t)key.dsize)
        ret = widen(c, key, (size_t)piece->rec_len + TDB_RECORD_BYTES + head.rec_len, err);
    free(key.dptr);
    return ret;
}

int checkpoint_tidy(struct checkpoint *c, struct error *err)
{
    int fd = tdb_fd(c->tdb), ret = 0;
    struct tdb_head piece;
    uint8_t raw[4];
    uint32_t at;

    /* As it was when the transaction began; what has changed since only makes it do less. */
    if (pread(fd, raw, sizeof(raw), TDB_FREE_LIST_OFFSET) != sizeof(raw)) return 0;
    at = le32(raw);
    for (size_t n = 0; !ret && at && n < MOST_PIECES; n++) {
        if (!read_head_at(fd, at, &piece) || piece.magic != TDB_MAGIC_FREE) break;
        if (piece.rec_len < SMALL_BYTES) ret = give_away(c, fd, at, &piece, err);
        at = piece.next;
    }
    return ret;
}
