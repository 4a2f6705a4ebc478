/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A store that can be filled up: a small file system of its own in memory.  Where none can be mounted
 * its tests are to skip.
 */
#ifndef REGCKPT_TEST_FULL_STORE_H
#define REGCKPT_TEST_FULL_STORE_H

#include "monitor_fixture.h"

#define MUCH_BYTES 300000 /* more than what a checkpoint has to spare inside */

/* After fixture_setup: moves the store into a file system of 4 MB. false: that cannot be done here. */
bool store_move_to_small(void);
void store_fill(void); /* not a byte is left */
void store_free_up(void);
/* "a=" and much behind it, beginning with this; malloc'ed. */
char *much_text(char first);
bool checkpoint_has_much(char first); /* of it in APP */
uint64_t storage_failing_since(void); /* as the status tells, with a reason; 0: it does not fail */

#endif
