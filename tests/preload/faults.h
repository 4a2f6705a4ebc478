/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Faults of storage and clock in a program that is not made for it: out/preload/faults.so, loaded by
 * LD_PRELOAD, obeys this structure in the file that FAULTS names.  Only calls that reach files below
 * `dir` are concerned.
 */
#ifndef REGCKPT_TEST_FAULTS_H
#define REGCKPT_TEST_FAULTS_H

#include <stdint.h>

enum storage_fault {
    STORAGE_WORKS,
    STORAGE_WRITES_FAIL, /* EIO, syncs too */
    STORAGE_FAILS,       /* EIO, whatever it is */
    STORAGE_READ_ONLY,   /* EROFS for what changes it */
    STORAGE_GONE,        /* no path below it is there; what is open gives EIO */
    STORAGE_HANGS,       /* no call returns until that is over */
    STORAGE_HANGS_LATER, /* after `calls` calls more */
    STORAGE_SLOW,        /* each call takes `slow_ms` longer */
    STORAGE_SYNC_FAILS,  /* the next sync that counts does, with EIO, and works from then on */
};

struct faults {
    char dir[128];
    uint32_t storage;          /* enum storage_fault */
    uint32_t slow_ms;
    uint32_t syncs;            /* how many syncs before the one that fails */
    uint32_t calls;            /* before it hangs */
    uint32_t hit;              /* calls that were concerned */
    uint32_t server;           /* the process that is the file system, if it is one: then that is stopped
                                  where it hangs, and the call goes on into it */
    int64_t clock_offset_s;    /* of CLOCK_REALTIME */
};

#endif
