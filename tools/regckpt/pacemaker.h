/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the cluster manager of this node knows, asked by Pacemaker's own tools.  Where it is not
 * installed, does not run, or does not answer us, it knows nothing.
 */
#ifndef REGCKPT_PACEMAKER_H
#define REGCKPT_PACEMAKER_H

#include <stdbool.h>

#include "cli.h"

#define PACEMAKER_ID_BYTES 256

/*
 * Does Pacemaker manage the resource, by ocf:regckpt:* or systemd:regckpt@NAME?  id: what it calls it.
 * One in maintenance, or unmanaged, is the administrator's, and so are all of a cluster that is off.
 */
bool pacemaker_manages(const struct cli *cli, const char *name, char id[PACEMAKER_ID_BYTES]);

/*
 * Refuses (RESULT_USAGE) to do by hand, as verb says, what Pacemaker would undo or take for a failure;
 * the message says how it is done there.
 */
int pacemaker_guard(const struct cli *cli, const char *name, const char *verb, struct error *err);

/*
 * Was the owner that a lock names (takeover_owner_text) made harmless since: did the cluster fence its
 * node, successfully, after it became the owner?  Conservative: what is not known counts as no, and
 * *err says what is missing.  Compares the clocks of two nodes, to the second.
 */
bool pacemaker_fenced_owner(const char *owner, struct error *err);

#endif
