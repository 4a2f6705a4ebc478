/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The checkpoint: one TDB file that holds all of a resource.  This is the only part that knows TDB.
 *
 * The file is self-contained and names no path of its own.  It holds a format version, the
 * properties, the registered keys with their content, the state (owner, epoch, counters) and the
 * history.  Every record carries a checksum over its key and content, and the state carries the
 * number and the sum of all others' checksums, so that a missing, doubled or mixed record shows.
 *
 * Writing: whoever holds the resource's lock (owner.h) opens it, one at a time, one thread at a
 * time; TDB_NOMMAP, so that every write is a call that can fail.  All changes go into transactions.
 * Reading: struct snapshot, a private copy in memory, checked whole, from any node at any time.
 */
#ifndef REGCKPT_CHECKPOINT_H
#define REGCKPT_CHECKPOINT_H

#include "resource.h"

#define CHECKPOINT_FORMAT 1

enum checkpoint_status { CHECKPOINT_OFFLINE = 0, CHECKPOINT_ONLINE = 1 };

struct checkpoint_state {
    uint64_t epoch;       /* raised by every online */
    uint64_t sequence;    /* raised by every commit, by the library */
    uint32_t status;      /* enum checkpoint_status: what the last owner said */
    char node[256];       /* the last owner's node */
    char boot_id[40];     /* of that node */
    uint32_t pid;         /* of the last owner's monitor */
    uint64_t since;       /* when it took or released the resource; Unix time in microseconds */
    uint64_t saved;       /* when content was last committed; Unix time in microseconds */
};

/* Who made a change, for the history. */
struct checkpoint_origin {
    uint64_t time;        /* Unix time in microseconds */
    const char *who;      /* a program's name, or what did it: "scan", "capture", "final", ... */
    uint32_t pid;         /* 0: not known */
    const char *node;
};

struct checkpoint;

/*
 * Makes a new checkpoint: written to PATH.new, synced, renamed to PATH, the directory synced.
 * RESULT_EXISTS if PATH is there; errno.  It has no registered keys yet.
 */
int checkpoint_create(const char *path, const struct resource *resource, struct error *err);

/*
 * Opens for writing.  RESULT_NOT_FOUND, RESULT_FOREIGN (not a checkpoint), RESULT_NEWER,
 * RESULT_DAMAGED (TDB's structure or the head records), errno.  On failure the file is as it was,
 * except that an interrupted commit of a dead writer is rolled back or completed, as TDB does.
 */
int checkpoint_open(const char *path, struct checkpoint **out, struct error *err);
/*
 * Is the caller still the owner?  0, RESULT_OWNED with who took the resource over, or an error of
 * looking.
 */
typedef int checkpoint_guard(void *arg, struct error *err);
/*
 * The same for an owner that can be displaced (takeover.h).  The guard is asked when the file is open
 * and nothing is done to it yet: from then on it is reached by its descriptor only, whatever has its
 * name later.  It is asked again after every commit, which fails with what it says: then the commit
 * may be in the file, and must not be acknowledged.  And before a last good copy takes its place.
 */
int checkpoint_open_guarded(const char *path, checkpoint_guard *guard, void *arg,
                            struct checkpoint **out, struct error *err);
/* Has a sync of the file failed?  Then the file is not to be trusted any more (takeover_renew). */
bool checkpoint_is_in_doubt(const struct checkpoint *c);
void checkpoint_close(struct checkpoint *c); /* cancels an open transaction; NULL is fine */

/*
 * Transactions do not nest.  A failing function between begin and commit leaves the transaction
 * open but doomed: commit then fails with the same error and cancels.  After a failed commit
 * nothing of it is in the file, as far as the storage told the truth; close and open again before
 * trusting the handle.
 */
int checkpoint_begin(struct checkpoint *c, struct error *err);
int checkpoint_commit(struct checkpoint *c, struct error *err);
void checkpoint_cancel(struct checkpoint *c);

int checkpoint_get_state(struct checkpoint *c, struct checkpoint_state *state, struct error *err);
/* sequence in *state is ignored. */
int checkpoint_set_state(struct checkpoint *c, const struct checkpoint_state *state, struct error *err);
int checkpoint_set_resource(struct checkpoint *c, const struct resource *resource, struct error *err);
/* Adds (id 0: gives the next id and sets it) or replaces a registered key's head. */
int checkpoint_put_key(struct checkpoint *c, struct registered_key *key, struct error *err);
/* Forgets a registered key and its content. RESULT_NOT_FOUND. */
int checkpoint_remove_key(struct checkpoint *c, uint32_t id, struct error *err);

/*
 * Records one change of content, and in the history if origin is not NULL.  DELETE_KEY deletes the
 * key's own record only: the caller deletes values and subkeys first, as image_diff orders them.
 * A value or key set to what it is already changes nothing.  Writing below a key whose own record
 * is missing is RESULT_INVALID.
 */
int checkpoint_change(struct checkpoint *c, const struct change *change,
                      const struct checkpoint_origin *origin, struct error *err);

/*
 * Keeps a copy of the checkpoint as it is now beside it (temporary file, sync, rename): the "last
 * good" one, made at each clean offline.  Not inside a transaction.
 */
int checkpoint_keep_last_good(struct checkpoint *c, const char *last_good_path, struct error *err);

/*
 * Makes a private copy of a checkpoint whose owner may still write to it: checked, a commit that was
 * interrupted undone in the copy alone, synced.  `to` must not be there.  RESULT_DAMAGED and what
 * snapshot_read gives.
 */
int checkpoint_copy(const char *path, const char *to, struct error *err);

struct history_entry {
    uint64_t index, time;
    uint32_t pid;
    char *who, *node;
    struct change change;       /* what was done */
    bool had_old;               /* the value or key was there before, with: */
    struct utf16 old_name;      /* its name's case; of a key the last component */
    struct utf16 old_class;     /* keys */
    uint32_t old_flags;         /* keys: KEY_FLAG_* */
    uint32_t old_type;          /* values, as all that follows */
    const void *old_data;
    uint32_t old_size_bytes;
    /*
     * Data of more than 64 KiB are not kept in the history: then this is true, the pointer is NULL,
     * and the size and this hash (XXH64, seed 0) tell what they were.
     */
    bool data_left_out, old_data_left_out;
    uint64_t data_xxh64, old_data_xxh64;
};

struct snapshot_key {
    struct registered_key key;
    struct image image;         /* empty if the key is not captured, or captured as absent */
};

struct snapshot {
    uint32_t format;
    struct resource resource;
    struct checkpoint_state state;
    struct snapshot_key *keys;  /* by id */
    size_t key_count;
    struct history_entry *history; /* oldest first */
    size_t history_count;
    uint64_t history_first, history_next; /* the indexes that are kept: first, and behind the last */
    uint64_t file_bytes;
    void *private;
};

#define SNAPSHOT_HEAD 1u    /* without content: images stay empty */
#define SNAPSHOT_HISTORY 2u /* with the history */

/*
 * Copies the file (again, while a writer is in the middle) and reads the copy.  Verified: every
 * checksum, the sum over all records (not with SNAPSHOT_HEAD), every key below a key.
 * RESULT_NOT_FOUND, RESULT_FOREIGN, RESULT_NEWER, RESULT_DAMAGED naming the first damaged record,
 * errno.  Bounded in time and memory by the file's size, whatever the file holds.
 */
int snapshot_read(const char *path, unsigned flags, struct snapshot *out, struct error *err);
void snapshot_free(struct snapshot *s);

/* Called with each problem found: the registered key's path or "", and what is wrong. */
typedef void verify_fn(const char *where, const char *what, void *arg);
/*
 * Checks everything: TDB's structure (tdb_check), every record, the sums, the order of keys.
 * 0, or RESULT_DAMAGED after telling all problems, or what snapshot_read gives.  As that one it may
 * be called while somebody writes.
 */
int checkpoint_verify(const char *path, verify_fn *fn, void *arg, struct error *err);

#endif
