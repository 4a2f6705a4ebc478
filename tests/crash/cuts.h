/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The power goes before each of the calls that were recorded, in each of some ways (disk.h).
 */
#ifndef REGCKPT_TEST_CUTS_H
#define REGCKPT_TEST_CUTS_H

#include "disk.h"

/*
 * Looks at what is in the directory after a power cut, or a death of the process; may change it.
 * seen: the watched memory as it was then.
 */
typedef void cut_check(void *arg, const void *seen, const char *what);

/*
 * d: the disk as it was when the recording began; it is behind the last call then.  Adds to *points
 * how many calls there were (and one for the end), to *states how many different states of the disk.
 */
void cut_everywhere(struct disk *d, const struct iorecord *r, cut_check *check, void *arg,
                    unsigned long *points, unsigned long *states);
/* For what is left to chance: SEED, or another in each run. */
unsigned long long cut_seed(void);

#endif
