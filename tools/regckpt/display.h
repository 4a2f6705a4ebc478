/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Is there a display that a window could be opened on?
 */
#ifndef REGCKPT_DISPLAY_H
#define REGCKPT_DISPLAY_H

#include "error.h"

/*
 * Looks whether the X server that DISPLAY names listens; whether it lets us in shows only when Wine
 * connects, and so does one that is named in a rarer form (with a slash).  RESULT_UNPROTECTED: DISPLAY is not
 * set, malformed, or nobody listens there.
 */
int display_check(struct error *err);

#endif
