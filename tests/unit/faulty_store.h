/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A store whose calls fail, hang or are slow for the monitor alone, and a clock that jumps for it
 * (tests/preload/faults.h).
 */
#ifndef REGCKPT_TEST_FAULTY_STORE_H
#define REGCKPT_TEST_FAULTY_STORE_H

#include "../preload/faults.h"
#include "monitor_fixture.h"

#define PATIENCE_S 2 /* storage_timeout of its configuration */

extern struct faults *faults;

/* After fixture_setup: monitors that are started from here on obey *faults. */
void faulty_store_setup(void);
void storage_is(enum storage_fault fault);
/* The checkpoint's inode number: another once a copy has taken its place. */
uint64_t checkpoint_file(void);
uint64_t storage_stalled_since(void); /* as the status tells; 0: it answers */

#endif
