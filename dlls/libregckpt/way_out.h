/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What can be done about a checkpoint that is lost, damaged or cannot be read.
 */
#ifndef REGCKPT_WAY_OUT_H
#define REGCKPT_WAY_OUT_H

#include <stdbool.h>

#include "error.h"

/*
 * Behind an error of reading or opening the checkpoint of NAME: the commands that help, among them the
 * one that puts the last good checkpoint in its place, with that one's time, where there is a readable
 * one.  repairable: saving what is whole of a damaged one was not tried.  Returns err's code.
 *   RESULT_DAMAGED, RESULT_FOREIGN   the ways out are added
 *   EACCES, EPERM                    whose the file is, too, if it is the file that is refused
 *   RESULT_NOT_FOUND                 if the resource is there without its file: becomes RESULT_DAMAGED
 * Any other is left as it is.
 */
int way_out_tell(const char *store, const char *name, bool repairable, struct error *err);

/* Is it what way_out_tell offers the last good checkpoint for?  A code that it returned. */
bool way_out_is_last_good(int code);

#endif
