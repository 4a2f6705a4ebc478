/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Processes of this node that are left over from a resource: they inherited its lock and outlived
 * its program, or its monitor.
 */
#ifndef REGCKPT_LEFTOVER_H
#define REGCKPT_LEFTOVER_H

#include <stdbool.h>
#include <stddef.h>

/* A process's name as the kernel keeps it; "" if it is gone. */
void process_name(int pid, char *name, size_t room);

/* Ends a process by SIGKILL and waits, for at most 5 s, until it is gone.  false: it was gone. */
bool process_end(int pid);

/* Is the lock held, on this node, by processes only that no monitor, and no command, looks after? */
bool lock_is_orphaned(const char *store, const char *name);

/*
 * The processes that lock_reap would end, malloc'ed; their count.  One that ended meanwhile may be
 * among them.
 */
size_t lock_left(const char *store, const char *name, int **pids);

/* Called with each process that is about to be ended. */
typedef void leftover_fn(int pid, const char *process, void *arg);
/*
 * Ends what holds the lock on this node, except the caller, monitors and commands, and Wine's own
 * servers, which the whole prefix needs.  Who only has the lock file open, to look at it, is left alone.
 */
void lock_reap(const char *store, const char *name, leftover_fn *fn, void *arg);
/* The same for what holds the lock that a descriptor has, wherever its file's name leads now. */
void lock_reap_descriptor(int lock_fd, leftover_fn *fn, void *arg);

#endif
