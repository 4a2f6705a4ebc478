/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checkpoints made by hand.  Nearly everything that changes in one breaks a checksum, and all there
 * is to see is that this is noticed.  Sealed again, it is a whole file with odd content.
 */
#ifndef REGCKPT_TEST_TDBSEAL_H
#define REGCKPT_TEST_TDBSEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The next record at or behind *at, as it stands in the file, in use; false: none. *at is moved. */
bool tdb_record_next(const uint8_t *bytes, size_t len, size_t *at);

/*
 * Makes it consistent as far as its records go, in place: every record in use is in its chain and
 * has its checksum, and the state knows their number and sum.
 */
void tdb_seal(uint8_t *bytes, size_t len);

#endif
