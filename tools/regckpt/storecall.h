/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Is a process in a call to the store?  The kernel tells which call it is in, and on what: so whatever
 * reaches the store is seen, wherever it is, and what waits for a program, a person or a pipe is not.
 */
#ifndef REGCKPT_STORECALL_H
#define REGCKPT_STORECALL_H

#include <stdbool.h>
#include <sys/types.h>

/* Where the store is: as it was named, and without links (or "").  Never looked at, only compared. */
struct store_place {
    const char *named, *real;
};

/* A call, to tell it from another; all zero: none. */
struct store_call {
    char where[200];           /* number, arguments and place, as the kernel has them */
    unsigned long long count;  /* of reads and writes that the process has made */
    char what[400];            /* for messages: "read /mnt/store/erp/checkpoint.tdb" */
};

/*
 * Is the process in a call to the store, and not stopped?  It has to be our child.  Where the kernel does
 * not tell of calls, one that cannot be interrupted counts.
 */
bool store_call_read(pid_t pid, const struct store_place *place, struct store_call *call);
/* The very same call, as far as can be seen. */
bool store_call_is_same(const struct store_call *a, const struct store_call *b);

#endif
