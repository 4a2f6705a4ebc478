/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stopping or killing a process at its n-th call that reaches files below a directory.  It is traced
 * by its main thread; any program will do, with sanitizers too.
 */
#ifndef REGCKPT_TEST_IOTRACE_H
#define REGCKPT_TEST_IOTRACE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* In the child, before exec or as soon as it may be traced: lets its parent trace it, and stops. */
void iotrace_me(void);

struct iotrace {
    unsigned long calls;  /* so far */
    bool checkpoint;      /* the last one writes to, or syncs, a checkpoint.tdb */
    int status;           /* of a process that ended, as wait gives it */
};

/*
 * Lets the child run until its n-th call is about to be made.  Then it gets the signal and is traced
 * no more: SIGSTOP takes effect when the call is done, SIGKILL before.  idle (or NULL) is called while
 * it runs.  false: it ended before.
 */
bool iotrace_run(pid_t pid, const char *dir, unsigned long n, int signal, void (*idle)(void),
                 struct iotrace *out);

/* A text in a child that is traced and stands still; "" if there is none. */
void iotrace_text(pid_t pid, uint64_t at, char text[PATH_MAX]);

#endif
