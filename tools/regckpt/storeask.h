/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Asking storage that may never answer: a child process does it, and is left behind when it does not come
 * back.  However often that happens, no more than a few are ever left on a node.
 */
#ifndef REGCKPT_STOREASK_H
#define REGCKPT_STOREASK_H

#include "cli.h"
#include "pack.h"

/* In the child: reads the store, about the resource `name` (NULL: none), and packs what is to be known. */
typedef void store_asking(struct pack *p, const struct cli *cli, const char *name);

/*
 * Its answer in *p.  RESULT_TIMEOUT: it has none within so many milliseconds, and err says what to do;
 * errno.  says: after two seconds it is said that it is waited for.
 */
int store_ask(const struct cli *cli, const char *name, store_asking *asking, bool says, int bound_ms,
              struct pack *p, struct error *err);

/*
 * Does the store answer at all?  Before a verb touches it itself, where it would hang for ever: the store,
 * and of the resource (or NULL) the lock and the checkpoint, which need not be there.  Asked once; within
 * a store_asking there is no need.  From then on the command is watched (storewatch.h): this may return in
 * another process than it was called in.  The bound is storage_timeout.  RESULT_TIMEOUT; errno.
 */
int store_answers(const struct cli *cli, const char *name, struct error *err);
/* For who bounds its work itself: it stays in its process. */
void store_is_watched(void);

#endif
