/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Processes that are left over: what still holds a resource's lock, and what hangs in a prefix whose
 * wineserver died.
 */
#include "../../dlls/libregckpt/leftover.h"
#include "../../dlls/libregckpt/prefix_processes.h"
#include "monitor.h"

/* Says that a process is about to be ended. */
static void tell_end(int pid, const char *process, void *why)
{
    log_line("ending process %d (%s): %s", pid, process, (const char *)why);
}

void reap_lock_holders(struct monitor *m)
{
    lock_reap_descriptor(m->owner.lock_fd, tell_end,
                         (char *)"it outlived the program and holds its resource");
}

void reap_prefix(const struct wine_place *place)
{
    prefix_reap(place, tell_end, (char *)"its wineserver is dead");
}
