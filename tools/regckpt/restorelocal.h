/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef REGCKPT_RESTORELOCAL_H
#define REGCKPT_RESTORELOCAL_H

#include "access.h"

/*
 * Makes this node's registry again what it held before the resource went online here, if that is still
 * kept (before.h): for a stay that ended without it.  The resource is not online here.
 * RESULT_NOT_FOUND: nothing is kept; RESULT_INEXACT; else what reading the checkpoint's head and asking
 * Wine give.
 */
int restore_local(const struct cli *cli, const char *name, const char *prefix, struct progress *p,
                  struct error *err);

#endif
