/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The layout of a TDB file, version 6, little-endian, hashed by tdb_jenkins_hash
 * (TDB_INCOMPATIBLE_HASH), without mutexes: the only kind that a checkpoint is.
 *
 *   header    168 bytes
 *   free list u32 offset of the first free record
 *   chains    hash_size times u32 offset of a chain's first record; 0: empty
 *   records   a head of 24 bytes, then rec_len bytes: key, data, room, u32 total length
 *
 * The recovery area is a record too.  Its data_len bytes hold what a commit is about to overwrite:
 * u32 offset, u32 length, bytes, again and again, and a u32 at the very end; its key_len is the
 * size of the file before the commit.  Its magic is set while the commit is under way.
 */
#ifndef REGCKPT_TDBLAYOUT_H
#define REGCKPT_TDBLAYOUT_H

#include <stdint.h>

#define TDB_FOOD "TDB file\n"
#define TDB_HEADER_BYTES 168
#define TDB_HEADER_VERSION 32
#define TDB_HEADER_HASH_SIZE 36
#define TDB_HEADER_RWLOCKS 40
#define TDB_HEADER_RECOVERY 44
#define TDB_FILE_VERSION (0x26011967u + 6)
#define TDB_RWLOCKS_JENKINS 0x0bad1a51u /* says "made with the Jenkins hash" */

#define TDB_RECORD_BYTES 24
#define TDB_RECORD_MAGIC 20
#define TDB_MAGIC_USED 0x26011999u
#define TDB_MAGIC_DEAD 0xfee1deadu
#define TDB_MAGIC_FREE (~TDB_MAGIC_USED) /* its key_len, data_len and full_hash mean nothing */
#define TDB_MAGIC_RECOVERY 0xf53bc0e7u

struct tdb_head {
    uint32_t next, rec_len, key_len, data_len, full_hash, magic;
};

_Static_assert(sizeof(struct tdb_head) == TDB_RECORD_BYTES, "a record's head has 24 bytes");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "libtdb writes in the machine's byte order, and a checkpoint is little-endian");

/* Reads a little-endian number at any address. */
static inline uint32_t le32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Reads a record's head. */
static inline void tdb_head_read(const uint8_t *raw, struct tdb_head *head)
{
    head->next = le32(raw);
    head->rec_len = le32(raw + 4);
    head->key_len = le32(raw + 8);
    head->data_len = le32(raw + 12);
    head->full_hash = le32(raw + 16);
    head->magic = le32(raw + TDB_RECORD_MAGIC);
}

#define TDB_FREE_LIST_OFFSET TDB_HEADER_BYTES

/* Where a chain's first offset stands; the free list's is before all of them. */
static inline uint64_t tdb_chain_offset(uint32_t chain)
{
    return TDB_HEADER_BYTES + 4 * ((uint64_t)chain + 1);
}

/* Where the records begin. */
static inline uint64_t tdb_data_start(uint32_t hash_size)
{
    return tdb_chain_offset(hash_size);
}

#endif
