/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A ring with little in it, as bytes: the parts of its file that a small ring uses, one behind the
 * other.  All else in the file is zero.
 */
#ifndef REGCKPT_TEST_RINGPARTS_H
#define REGCKPT_TEST_RINGPARTS_H

#include "ring.h"

#define PARTS_LANES 2
#define PARTS_LANE_BYTES 512
#define PARTS_PROCESSES 2
#define PARTS_TABLE_BYTES 256
#define PARTS_BUFFERS_AT ((sizeof(struct ring_shared) + 4095) / 4096 * 4096)
#define PARTS_FILE_BYTES (PARTS_BUFFERS_AT + PARTS_LANES * PARTS_LANE_BYTES)

/* The parts in their order. */
static const struct {
    size_t at, bytes;
} ring_parts[] = {
    { 0, offsetof(struct ring_shared, processes) },
    { offsetof(struct ring_shared, processes), PARTS_PROCESSES * sizeof(struct ring_process) },
    { offsetof(struct ring_shared, lanes), PARTS_LANES * sizeof(struct ring_lane) },
    { offsetof(struct ring_shared, table), PARTS_TABLE_BYTES },
    { PARTS_BUFFERS_AT, PARTS_LANES * PARTS_LANE_BYTES },
};
#define PARTS_COUNT (sizeof(ring_parts) / sizeof(ring_parts[0]))

#endif
