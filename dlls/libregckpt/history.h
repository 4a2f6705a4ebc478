/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading entries of the history out of their records (checkpoint_record.h).
 */
#ifndef REGCKPT_HISTORY_H
#define REGCKPT_HISTORY_H

#include "checkpoint.h"
#include "pack.h"

/* Reads an entry; its data are views into what u reads.  0 or RESULT_DAMAGED (nothing to free). */
int history_unpack(struct unpack *u, uint64_t index, struct history_entry *e);
void history_entry_free(struct history_entry *e);

#endif
