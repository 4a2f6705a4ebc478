/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Faults in calls that change files.
 *
 * The program defines open, write, pwrite, fsync, fdatasync, ftruncate, rename, unlink and
 * posix_fallocate (and their 64-bit names) itself, so that the calls of libtdb come here too, and
 * passes them on to the kernel.  In a process where a fault is set, the n-th of them fails.
 */
#ifndef REGCKPT_TEST_IOFAULT_H
#define REGCKPT_TEST_IOFAULT_H

#include <stdbool.h>

enum fault {
    FAULT_NONE,        /* count only */
    FAULT_KILL,        /* SIGKILL before the call */
    FAULT_KILL_HALF,   /* half of a write (in sectors), then SIGKILL; others: done, then SIGKILL */
    FAULT_FULL_ONCE,   /* ENOSPC, once */
    FAULT_FULL,        /* ENOSPC from there on, for all writes */
    FAULT_SYNC,        /* EIO from a sync, once */
    FAULT_SYNC_LOST,   /* the same, and a recording is told that what was to be synced is lost */
};

/* Shared with the parent: what happened until the process ended. */
struct fault_report {
    unsigned long calls, writes, syncs; /* of all kinds; that can need space; that sync */
    unsigned long tdb_calls;     /* made by libtdb */
    bool fired;
};

/*
 * Sets the fault of this process: for FAULT_FULL* the n-th write counts, for FAULT_SYNC* the
 * n-th sync, else the n-th call of any kind; from 1.
 */
void fault_set(enum fault fault, unsigned long n, struct fault_report *report);

#endif
