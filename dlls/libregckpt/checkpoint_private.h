/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files that write a checkpoint share.
 */
#ifndef REGCKPT_CHECKPOINT_PRIVATE_H
#define REGCKPT_CHECKPOINT_PRIVATE_H

#include "checkpoint_record.h"

struct tdb_context;

/*
 * The history of the open transaction.  It goes to the file at its end: of a million changes the limit
 * leaves some thousand, and to write all of them and delete most again would scatter free space all over
 * the file, through which libtdb looks for each record that comes.
 */
struct pending_history {
    struct pack entries;  /* u32 length and content of each, those that are dropped before `at` too */
    size_t at;            /* where the first one begins */
    uint64_t first;       /* its index: those from there to head.history_next are here */
    uint64_t stored_next; /* behind the last one in the file, while there are any here */
    uint64_t bytes;       /* of their records */
};

struct checkpoint {
    struct tdb_context *tdb;
    char *path;
    bool inside;              /* in a transaction */
    checkpoint_guard *guard;  /* NULL: the owner cannot be displaced */
    void *guard_arg;
    bool broken;              /* a commit failed: only closing is left */
    struct error doomed;      /* why the transaction cannot be committed any more */
    struct state_record head; /* as it will be committed */
    bool head_known;          /* head is what is in the file, unless the file has changed since */
    uint64_t changed_ns, size_bytes; /* what the file looked like then */
    uint64_t head_buried;     /* records inserted since the state record was put in front; of a file that was
                               * just opened: all that are there may be */
    uint32_t history_limit;   /* of the resource, in bytes */
    int tdb_errno;            /* what made libtdb complain first */
    char tdb_text[256];       /* how */
    int sync_errno;           /* a sync failed, which libtdb does not always report */
    bool in_doubt;            /* one did, ever */
    struct pack key, data, old; /* room that is used again and again */
    struct pending_history pending;
};

/* The one look at where a record is, before it is changed. */
struct old_record {
    bool found;
    const uint8_t *content;   /* in c->old, until the next look */
    size_t len;
    uint64_t sum;
    size_t record_bytes;      /* TDB key and data */
};

/* A name that leads to the handle's own file, whatever has its path now; needs c->tdb. */
#define OWN_FILE_BYTES 32
void checkpoint_own_file(const struct checkpoint *c, char where[OWN_FILE_BYTES]);
/* RESULT_OWNED if the owner was displaced. */
int checkpoint_ask_guard(const struct checkpoint *c, struct error *err);

/* Starts to look for what libtdb complains about. */
void checkpoint_listen(struct checkpoint *c);
/* Turns libtdb's failure into ours. */
int checkpoint_failed(struct checkpoint *c, struct error *err, const char *what);
/* Marks the transaction as doomed; returns its code and sets err. ret 0: nothing to do. */
int checkpoint_doom(struct checkpoint *c, int ret, const struct error *why, struct error *err);
/* RESULT_INVALID outside of a transaction, the reason if it is doomed. */
int checkpoint_ready(struct checkpoint *c, struct error *err);

/*
 * Reading and changing records inside a transaction; they keep number and sum.  The TDB key is
 * c->key; the data of a put is c->data, ended by it.
 */
int checkpoint_look(struct checkpoint *c, struct old_record *old, struct error *err);
int checkpoint_put(struct checkpoint *c, const struct old_record *old, struct error *err);
int checkpoint_delete(struct checkpoint *c, const struct old_record *old, struct error *err);
/* Is there a record of this TDB key? Reads no data. */
bool checkpoint_exists(struct checkpoint *c, const struct pack *key);

/*
 * Makes libtdb's free list short, in the open transaction; changes no record's content.  ENOMEM, or as
 * checkpoint_failed says: then the transaction is to be cancelled.
 */
int checkpoint_tidy(struct checkpoint *c, struct error *err);

/* Appends a change to the history; at the commit it is there. old: of a value, or not found. */
int checkpoint_history_add(struct checkpoint *c, const struct change *change,
                           const struct old_record *old, const struct checkpoint_origin *origin,
                           struct error *err);
/* Drops the oldest entries until all fit the limit, and writes what is still to be written. */
int checkpoint_history_flush(struct checkpoint *c, struct error *err);
/* Forgets what is still to be written. */
void checkpoint_history_cancel(struct checkpoint *c);

/* Makes what is in a directory durable (a new or renamed file). 0 or errno. */
int sync_parent(const char *path);

#endif
