/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a hive file is laid out, as far as it is written (hive_bins.c, hive_write.c) and looked at
 * beside the library (hive_walk.c).  All numbers are little-endian.
 *
 * A base block of 4096 bytes is followed by bins, each a whole number of 4096 bytes with a head of
 * 32; a bin is divided into cells.  A cell begins with its size (negative: in use) and is a
 * multiple of 8 bytes.  Cells refer to each other by their place behind the base block.
 */
#ifndef REGCKPT_HIVE_FORMAT_H
#define REGCKPT_HIVE_FORMAT_H

#include "pack.h"

#define HIVE_BLOCK_BYTES 4096
#define HIVE_BIN_HEAD_BYTES 32
#define HIVE_NO_CELL 0xffffffffu

/* The base block. */
#define HIVE_BASE_SEQUENCE_1 4  /* unequal: a writer did not come to its end */
#define HIVE_BASE_SEQUENCE_2 8
#define HIVE_BASE_TIME 12
#define HIVE_BASE_MAJOR 20
#define HIVE_BASE_MINOR 24
#define HIVE_BASE_FORMAT 32
#define HIVE_BASE_ROOT 36
#define HIVE_BASE_BINS_BYTES 40
#define HIVE_BASE_CLUSTER 44
#define HIVE_BASE_SUM 508       /* of all before it */

/* A key, "nk". */
#define HIVE_KEY_FLAGS 2
#define HIVE_KEY_TIME 4
#define HIVE_KEY_PARENT 16
#define HIVE_KEY_SUBKEYS 20
#define HIVE_KEY_SUBKEY_LIST 28
#define HIVE_KEY_VOLATILE_LIST 32
#define HIVE_KEY_VALUES 36
#define HIVE_KEY_VALUE_LIST 40
#define HIVE_KEY_SECURITY 44
#define HIVE_KEY_CLASS 48
#define HIVE_KEY_LONGEST_NAME 52  /* of its subkeys, in bytes of UTF-16, as the next three */
#define HIVE_KEY_LONGEST_CLASS 56
#define HIVE_KEY_LONGEST_VALUE_NAME 60
#define HIVE_KEY_LONGEST_DATA 64
#define HIVE_KEY_NAME_BYTES 72
#define HIVE_KEY_CLASS_BYTES 74
#define HIVE_KEY_NAME 76
#define HIVE_KEY_IS_ROOT 0x0c     /* the hive's entry, never deleted */
#define HIVE_KEY_IS_LINK 0x10
#define HIVE_KEY_NAME_8 0x20      /* one byte a unit */

/* A value, "vk". */
#define HIVE_VALUE_NAME_BYTES 2
#define HIVE_VALUE_SIZE 4
#define HIVE_VALUE_DATA 8
#define HIVE_VALUE_TYPE 12
#define HIVE_VALUE_FLAGS 16
#define HIVE_VALUE_NAME 20
#define HIVE_VALUE_NAME_8 1
#define HIVE_VALUE_INLINE 0x80000000u /* in the size: at most 4 bytes, in place of their cell */

/* Larger data ("db", since version 1.4) are in pieces of this size. */
#define HIVE_PIECE_BYTES 16344

/* A list of subkeys ("lh") has so many at most; more are a list of lists ("ri"). */
#define HIVE_LEAF_KEYS 507

/* A hive on its way to memory. */
struct hive_bins {
    struct pack file;
    size_t at, end; /* what is left of the last bin */
    bool too_large;
};

void hive_bins_begin(struct hive_bins *b);
/* A cell for so many bytes, zeros; its place for references.  What fails is in file.failed. */
uint32_t hive_cell(struct hive_bins *b, size_t bytes);
/* Where a cell's bytes are, until the next hive_cell. */
uint8_t *hive_at(struct hive_bins *b, uint32_t cell);
/* Ends the last bin and fills the base block. */
void hive_bins_end(struct hive_bins *b, uint32_t root, uint64_t filetime);

static inline void hive_put16(uint8_t *at, uint32_t number)
{
    at[0] = (uint8_t)number;
    at[1] = (uint8_t)(number >> 8);
}

static inline void hive_put32(uint8_t *at, uint32_t number)
{
    hive_put16(at, number);
    hive_put16(at + 2, number >> 16);
}

static inline uint32_t hive_get16(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

static inline uint32_t hive_get32(const uint8_t *at)
{
    return hive_get16(at) | hive_get16(at + 2) << 16;
}

#endif
