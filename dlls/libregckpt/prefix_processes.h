/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The processes of a Wine prefix on this node, found in /proc and ended by their ids.  Of a place only
 * prefix and uid are looked at.
 */
#ifndef REGCKPT_PREFIX_PROCESSES_H
#define REGCKPT_PREFIX_PROCESSES_H

#include "hostlink.h"
#include "leftover.h"

/* The prefix's wineserver: its pid, 0 if none runs; a pidfd of it, -1 if none runs. */
int wineserver_pid(const struct wine_place *place);
int wineserver_pidfd(const struct wine_place *place);

/* Ends the prefix's processes, but for the server. */
void prefix_reap(const struct wine_place *place, leftover_fn *fn, void *arg);

/*
 * Ends all of a prefix: the server in order, so that it saves the registry and ends the others, and
 * within patience_ms, else by SIGKILL; then what is left.
 */
void prefix_end(const struct wine_place *place, int patience_ms, leftover_fn *fn, void *arg);

/* Has a process of the prefix, or its server, a file below the directory open, or works there? */
bool prefix_uses(const struct wine_place *place, const char *dir);

#endif
