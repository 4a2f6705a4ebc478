/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The store: a directory on shared storage, mode 0700, with a directory for each resource:
 *   regckpt.store            a text that says what this is, and the format
 *   NAME/checkpoint.tdb      the checkpoint
 *   NAME/last-good.tdb       the checkpoint at the last clean offline
 *   NAME/lock                whose OFD lock is the ownership; its text names the owner (takeover.h)
 * and ownership itself.
 */
#ifndef REGCKPT_STORE_H
#define REGCKPT_STORE_H

#include "checkpoint.h"

/*
 * Makes a store (a missing last directory too), or accepts one that is there (RESULT_EXISTS is not
 * an error: *made tells).  Refuses a directory that holds other things (RESULT_FOREIGN).  Tests what
 * is needed: OFD locks that exclude each other, rename over a file, fsync of file and directory, and
 * free space; each failure names the test, the directory and what to do.
 */
int store_init(const char *store, bool *made, struct error *err);

/* Is this a store that this version can use?  RESULT_NOT_FOUND says how to make one. */
int store_check(const char *store, struct error *err);

enum store_file { STORE_CHECKPOINT, STORE_LAST_GOOD, STORE_LOCK, STORE_RESOURCE_DIR };
char *store_path(const char *store, const char *resource, enum store_file which); /* malloc'ed */

/* The names of all resources, sorted, malloc'ed array and strings. */
int store_list(const char *store, char ***names, size_t *count, struct error *err);
void store_list_free(char **names, size_t count);

/* Makes the resource's directory, lock and checkpoint. RESULT_EXISTS. Undone if it fails half-way. */
int store_create_resource(const char *store, const char *name, const struct resource *resource,
                          struct error *err);
/* Deletes a resource with all its checkpoints. The caller owns it (lock_fd). */
int store_delete_resource(const char *store, const char *name, int lock_fd, struct error *err);

/*
 * Ownership: an OFD write lock on the whole of NAME/lock.  It belongs to the open file description,
 * so every process that inherits the descriptor keeps the resource owned.
 *
 * Takes it for as long as a command lasts; the monitor, which can be displaced, uses takeover.h.
 * The descriptor (close-on-exec) in *lock_fd.  RESULT_OWNED if another holds it: err then
 * tells who, as far as the checkpoint (node, pid, since) and this node's /proc (which processes have
 * the file open) know, and what to do.  RESULT_NOT_FOUND: no such resource, with the names there are.
 */
int store_own(const char *store, const char *name, int *lock_fd, struct error *err);
/* Gives it up at once, whoever else still has the descriptor; closes it. */
void store_disown(int lock_fd);
/* Is it owned by anybody now? 1, 0, or -1 with err. Takes nothing. */
int store_is_owned(const char *store, const char *name, struct error *err);

/* The processes of this node that have the lock file open: pids in a malloc'ed array. */
int store_lock_holders(const char *store, const char *name, int **pids, size_t *count);

#endif
