/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Taking the content of a checkpoint back in time, by undoing its history in memory.
 *
 * Changes are numbered from 1: change N is the history's entry of index N - 1.  "The content after
 * change N" is what the checkpoint held when N was its last change; 0 is before all.
 */
#ifndef REGCKPT_UNDO_H
#define REGCKPT_UNDO_H

#include "checkpoint.h"

/* A value whose data at that time are not known: they were too large to be kept. */
struct undo_hole {
    uint32_t key_id;
    struct utf16 path, name; /* malloc'ed */
    uint32_t size_bytes;     /* what it had */
};

#define UNDO_CAPTURE "capture" /* who made the change */

struct undone {
    uint64_t count;          /* changes undone */
    struct undo_hole *holes;
    size_t hole_count;
};

/*
 * Undoes, newest first, all changes after change `number` in the images of a snapshot that was read
 * with SNAPSHOT_HISTORY.  A first capture (UNDO_CAPTURE) is the beginning of what is known and is
 * not undone; what is registered no more is passed over.  Values that are listed as holes are in
 * the images without data; who wants to use such a value has to refuse.
 *
 * RESULT_NOT_FOUND: there is no such change yet; RESULT_DIFFERENT: the history does not reach back
 * so far (the message says how far it does); ENOMEM.  After a failure the images are of no use.
 */
int snapshot_undo(struct snapshot *s, uint64_t number, struct undone *out, struct error *err);
void undone_free(struct undone *u);

/*
 * The number of the last change made at this time (Unix microseconds) or before; 0 if nothing was
 * ever dropped from the history and all of it is later.  RESULT_DIFFERENT: as above.
 */
int snapshot_change_at(const struct snapshot *s, uint64_t time, uint64_t *number,
                       struct error *err);

#endif
