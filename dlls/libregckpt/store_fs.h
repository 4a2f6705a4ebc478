/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What file system a store lies on, and what is known of it.
 */
#ifndef REGCKPT_STORE_FS_H
#define REGCKPT_STORE_FS_H

#include "error.h"

enum store_fs_grade {
    STORE_FS_LOCAL,  /* one node at a time: safe where the cluster moves it */
    STORE_FS_SHARED, /* made for several nodes; store_peer.h tries it */
    STORE_FS_DOUBT,  /* works, with something to know */
    STORE_FS_BAD,    /* its locks do not reach other nodes */
};

struct store_fs {
    enum store_fs_grade grade;
    char type[64];     /* as mount names it: "ext4", "nfs4", "fuse.glusterfs" */
    char source[256];  /* what is mounted there */
    char advice[400];  /* what is to know; "" : nothing */
};

/* Looks at /proc/self/mountinfo and the directory.  An error if it cannot be found out. */
int store_fs_find(const char *store, struct store_fs *fs, struct error *err);
/* The same of a mount's type and options ("rw,vers=4.2,local_lock=none"), for store_fs_find and tests. */
void store_fs_judge(struct store_fs *fs, const char *options);

#endif
