/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What can be done about a damaged checkpoint: saving what is whole of it, or putting back the last
 * good one.  Both write a new file beside it, sync it, and rename it into its place; the damaged
 * one stays as PATH's directory/checkpoint.damaged.N, N counted from 1.  The caller owns the resource.
 *
 * The new checkpoint has a higher epoch than any owner of the damaged one can have had, so that one
 * that is still frozen somewhere learns that it is displaced.
 */
#ifndef REGCKPT_CHECKPOINT_REPAIR_H
#define REGCKPT_CHECKPOINT_REPAIR_H

#include "checkpoint.h"

/* Called with each thing lost: the registered key's path or "", and what of it is lost. */
typedef void repair_fn(const char *where, const char *what, void *arg);

struct repair {
    bool needed;            /* false: the checkpoint is whole and was left alone */
    uint64_t lost;          /* how often the repair_fn was called */
    uint64_t keys, values;  /* saved */
    uint64_t history;       /* entries saved */
    char *kept;             /* where the damaged file is now, malloc'ed */
};

/*
 * Saves what is whole.  last_good: where registered keys and properties are taken from if their own
 * records are lost; need not exist.
 * RESULT_NOT_FOUND, RESULT_NEWER, RESULT_FOREIGN (nothing of a checkpoint is in it), RESULT_DAMAGED
 * (the properties are lost, and there is no last good one that has them), errno.  After any failure
 * the file is as it was.
 */
int checkpoint_repair(const char *path, const char *last_good, repair_fn *fn, void *arg,
                      struct repair *out, struct error *err);

/*
 * Puts a verified copy of the last good checkpoint in the place of one that cannot be read any more, or
 * is gone.  *kept: where that one is now, malloc'ed; NULL: it was gone.  RESULT_NOT_FOUND: there is no
 * last good one.
 */
int checkpoint_put_back(const char *path, const char *last_good, char **kept, struct error *err);

/* The last step of both: FRESH takes the place of PATH, which is kept. For those two only. */
int checkpoint_replace(const char *path, const char *fresh, char **kept, struct error *err);

/* No owner since the last clean offline can have raised the epoch by more. */
#define EPOCH_LEAP (1u << 20)

#endif
