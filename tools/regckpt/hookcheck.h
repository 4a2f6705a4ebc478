/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Can programs of a prefix be hooked on this node?  Tried for real, with a program that does
 * nothing.
 */
#ifndef REGCKPT_HOOKCHECK_H
#define REGCKPT_HOOKCHECK_H

#include "cli.h"
#include "wineside.h"

/* Is what lag 0 needs of us installed for a prefix of this width?  RESULT_UNPROTECTED. */
int hookcheck_installed(const char *resource, unsigned prefix_bits, struct error *err);

/*
 * Starts a program of this width, suspended, in the prefix, loads the hook into it over a ring of
 * its own, and ends it.  0: it was hooked.  RESULT_UNPROTECTED: it was not, and why; other errors:
 * it could not be tried.
 */
int hookcheck_try(const struct cli *cli, const char *resource, const struct wineside *w,
                  unsigned bits, struct error *err);

#endif
