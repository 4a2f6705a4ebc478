/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A checkpoint's file as bytes: the reader of what libtdb writes.
 *
 * Why not libtdb for reading too: it trusts what it reads more than a file from a shared disk
 * deserves (a recovery area that lies about its lengths makes it read beyond its buffer, and it
 * does that already while opening), it replaces a foreign file if told to create, it refuses to
 * open a file twice in one process, and its traverse takes several times as long as walking the
 * chains in memory.  The layout is that of TDB 1.x (file version 6), unchanged since 2001.
 *
 * A reader has the whole file in memory (tdbfile_load) or reads what it needs from the descriptor.
 * Nothing here writes to the file but tdbfile_roll_back.
 */
#ifndef REGCKPT_TDBFILE_H
#define REGCKPT_TDBFILE_H

#include "error.h"
#include "pack.h"

struct tdbfile {
    const char *path;       /* the caller's; for messages */
    int fd;                 /* -1: closed */
    uint8_t *bytes;         /* all of the file, once loaded */
    uint64_t size_bytes;
    uint32_t hash_size;     /* chains */
    uint32_t recovery_start;/* where the recovery area is, 0: none */
    bool interrupted;       /* a commit is under way, or its writer died in it */
    uint64_t changed_ns;    /* when the file was last written, before we read anything */
};

/* A record's key and data, views that live as long as what they are in. */
struct tdbfile_record {
    const uint8_t *key, *data;
    uint32_t key_len, data_len;
};

/*
 * Opens the file for reading and looks at its header.
 * RESULT_NOT_FOUND, RESULT_FOREIGN (not a TDB file of the kind a checkpoint is), errno.
 */
int tdbfile_open(struct tdbfile *f, const char *path, struct error *err);
/* The same of a file that is known by another name too: `where` is opened, `path` is for messages. */
int tdbfile_open_as(struct tdbfile *f, const char *where, const char *path, struct error *err);
void tdbfile_close(struct tdbfile *f);

/* How often a file was looked at that seemed damaged; all zero at first. */
struct tdbfile_looks {
    unsigned tries, calm;
    uint64_t changed_ns, size_bytes;
};

/*
 * A copy made while a writer commits may hold some of the old and some of the new, and seems damaged
 * or foreign.  After a read with this result: should the file be read again?  Pauses before it says
 * yes.  Damage in a file that stands still is damage.
 */
bool tdbfile_look_again(struct tdbfile_looks *l, const struct tdbfile *f, int result);

/* Looks at the header (again): what it says is taken over.  As tdbfile_open; RESULT_DAMAGED. */
int tdbfile_read_header(struct tdbfile *f, struct error *err);

/* Reads all of it into private memory and looks at the header again. */
int tdbfile_load(struct tdbfile *f, struct error *err);

/*
 * Undoes an interrupted commit in the loaded copy. The file stays as it is.
 * RESULT_DAMAGED: the recovery area is not what TDB writes.
 */
int tdbfile_roll_back_copy(struct tdbfile *f, struct error *err);

/*
 * The same in the file, as libtdb would do it at its next open, but with every length checked
 * first, and with the file cut back to its old end: what the dead writer put behind it is not
 * reachable, but would look like damage to a check of the structure.  Can be interrupted and
 * repeated.  The caller owns the checkpoint; nobody has it open by libtdb.  Names: tdbfile_open_as.
 */
int tdbfile_roll_back(const char *where, const char *path, struct error *err);

/*
 * After a failed commit that libtdb itself undid: cuts the file back to the size it had before.  As
 * much as is possible; does nothing if a roll back is still to be done.
 */
void tdbfile_cut(const char *path, uint64_t size_bytes);

/*
 * After a commit that libtdb says is done: makes sure that the recovery magic is cleared, by
 * clearing it if need be.  libtdb does not tell when that failed, and whoever opens the file next
 * would undo the commit.  0, or errno: the commit is not done and will be undone.
 */
int tdbfile_finish_commit(int fd);

/*
 * Calls fn with each record that a look-up can reach, in file order.  Needs the loaded copy.
 * RESULT_DAMAGED: a chain or the free list leads out of the file, to what is no record, or in a
 * circle; ENOMEM; or what fn returned, if not 0.
 */
int tdbfile_walk(const struct tdbfile *f, int (*fn)(const struct tdbfile_record *r, void *arg),
                 void *arg, struct error *err);

/*
 * Looks a key up, in the copy or by reading from the file.  The record is put into *room, which
 * *out views.  RESULT_NOT_FOUND (err says nothing), RESULT_DAMAGED, errno.
 */
int tdbfile_find(const struct tdbfile *f, const void *key, size_t key_len, struct pack *room,
                 struct tdbfile_record *out, struct error *err);

#endif
