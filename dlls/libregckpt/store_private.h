/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of the store share.
 */
#ifndef REGCKPT_STORE_PRIVATE_H
#define REGCKPT_STORE_PRIVATE_H

#include <sys/stat.h>

#include "store.h"

#define STORE_PROBE ".probe-" /* what files for tests begin with */

/* Tests what a store needs of its file system. */
int store_probe(const char *store, struct error *err);

/* Makes what is in a path's directory durable. 0 or errno. */
int sync_parent(const char *path);

/* The processes of this node that have a file open: pids in a malloc'ed array. 0 or errno. */
int processes_with_open(const struct stat *file, int **pids, size_t *count);

#endif
