/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing a file that the user named.
 */
#ifndef REGCKPT_NEWFILE_H
#define REGCKPT_NEWFILE_H

#include <stdio.h>

#include "error.h"

/* Writes the content; what the stream keeps back is newfile_write's to find. */
typedef int newfile_fn(FILE *out, void *arg, struct error *err);

/*
 * Into a new file that takes the place of an old one when it is whole and on the disk.  It is for
 * its owner only, as the store is: there may be passwords in it.  What is there and no regular
 * file (a device, a pipe) is written to as it is.  What fn returned, or errno.
 */
int newfile_write(const char *file, newfile_fn *fn, void *arg, struct error *err);

#endif
