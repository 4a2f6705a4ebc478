/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The outer layers of a hive file: base block, bins, cells.
 */
#include "hive_format.h"

#include <string.h>

#include "hive.h"

static size_t round_up(size_t bytes, size_t to)
{
    return (bytes + to - 1) / to * to;
}

/* Bytes at the file's end, zeros; NULL: too many, or no memory. */
static uint8_t *grow(struct hive_bins *b, size_t bytes)
{
    uint8_t *at;

    if (bytes > HIVE_MAX_BYTES - b->file.len)
        b->file.failed = b->too_large = true;
    if ((at = pack_make_room(&b->file, bytes)))
        memset(at, 0, bytes);
    return at;
}

void hive_bins_begin(struct hive_bins *b)
{
    memset(b, 0, sizeof(*b));
    grow(b, HIVE_BLOCK_BYTES);
    b->at = b->end = HIVE_BLOCK_BYTES;
}

/* What is left of the last bin becomes a cell that is free. */
static void end_bin(struct hive_bins *b)
{
    if (b->at < b->end)
        hive_put32(b->file.bytes + b->at, (uint32_t)(b->end - b->at));
    b->at = b->end;
}

/* Begins a bin that has room for a cell. */
static bool begin_bin(struct hive_bins *b, size_t bytes)
{
    size_t start = b->file.len, size = round_up(HIVE_BIN_HEAD_BYTES + bytes, HIVE_BLOCK_BYTES);
    uint8_t *bin = grow(b, size);

    if (!bin)
        return false;
    memcpy(bin, "hbin", 4);
    hive_put32(bin + 4, (uint32_t)(start - HIVE_BLOCK_BYTES));
    hive_put32(bin + 8, (uint32_t)size);
    b->at = start + HIVE_BIN_HEAD_BYTES;
    b->end = start + size;
    return true;
}

uint32_t hive_cell(struct hive_bins *b, size_t bytes)
{
    size_t size = round_up(bytes + 4, 8);
    uint32_t cell;

    if (b->file.failed || bytes > HIVE_MAX_BYTES)
        return HIVE_NO_CELL;
    if (size > b->end - b->at) {
        end_bin(b);
        if (!begin_bin(b, size))
            return HIVE_NO_CELL;
    }
    hive_put32(b->file.bytes + b->at, -(uint32_t)size);
    cell = (uint32_t)(b->at - HIVE_BLOCK_BYTES);
    b->at += size;
    return cell;
}

uint8_t *hive_at(struct hive_bins *b, uint32_t cell)
{
    return b->file.bytes + HIVE_BLOCK_BYTES + cell + 4;
}

void hive_bins_end(struct hive_bins *b, uint32_t root, uint64_t filetime)
{
    uint8_t *base;
    uint32_t sum = 0;

    if (b->file.failed)
        return;
    end_bin(b);
    base = b->file.bytes;
    memcpy(base, "regf", 4);
    hive_put32(base + HIVE_BASE_SEQUENCE_1, 1);
    hive_put32(base + HIVE_BASE_SEQUENCE_2, 1);
    hive_put32(base + HIVE_BASE_TIME, (uint32_t)filetime);
    hive_put32(base + HIVE_BASE_TIME + 4, (uint32_t)(filetime >> 32));
    hive_put32(base + HIVE_BASE_MAJOR, 1);
    hive_put32(base + HIVE_BASE_MINOR, 5);
    hive_put32(base + HIVE_BASE_FORMAT, 1);
    hive_put32(base + HIVE_BASE_ROOT, root);
    hive_put32(base + HIVE_BASE_BINS_BYTES, (uint32_t)(b->file.len - HIVE_BLOCK_BYTES));
    hive_put32(base + HIVE_BASE_CLUSTER, 1);
    for (size_t at = 0; at < HIVE_BASE_SUM; at += 4)
        sum ^= hive_get32(base + at);
    hive_put32(base + HIVE_BASE_SUM, sum == 0 ? 1 : sum == UINT32_MAX ? UINT32_MAX - 1 : sum);
}
