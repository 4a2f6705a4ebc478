/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A command that ends, whatever the storage does: its work is done by a child, and this process watches
 * it.  A call to storage that has gone away may never return, and who is in it cannot even be killed: so
 * it must not be this process.
 */
#ifndef REGCKPT_STOREWATCH_H
#define REGCKPT_STOREWATCH_H

#include "cli.h"

/*
 * Returns in the child, which goes on with the command.  This process never returns: it passes signals on
 * to the child and ends as it does; or, when the child has been in one call to the store for
 * storage_timeout, says so and ends as by cli->fail, leaving the child behind.  One that is killed takes the
 * child with it.  real: the store's path without links, or "".  The error is that of fork.
 */
int store_watch(const struct cli *cli, const char *real, struct error *err);

/* That storage does not answer, for who waits. */
void store_say_waiting(const struct cli *cli);
#define STORE_WAITING_MS 2000 /* it is said after so long */

#endif
