/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sealing checkpoints.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/types.h>

#include <tdb.h>

#include "checkpoint_record.h"
#include "tdblayout.h"
#include "tdbseal.h"

static void put32(uint8_t *at, uint32_t v)
{
    memcpy(at, &v, sizeof(v));
}

static void put64(uint8_t *at, uint64_t v)
{
    memcpy(at, &v, sizeof(v));
}

/* Is there a header, with room for its chains? */
static bool has_header(const uint8_t *bytes, size_t len)
{
    return len >= TDB_HEADER_BYTES && le32(bytes + TDB_HEADER_HASH_SIZE) &&
           tdb_data_start(le32(bytes + TDB_HEADER_HASH_SIZE)) <= len;
}

bool tdb_record_next(const uint8_t *bytes, size_t len, size_t *at)
{
    struct tdb_head head;

    if (!has_header(bytes, len)) return false;
    if (!*at) *at = tdb_data_start(le32(bytes + TDB_HEADER_HASH_SIZE));
    for (; *at <= len && len - *at >= TDB_RECORD_BYTES; *at += TDB_RECORD_BYTES + head.rec_len) {
        tdb_head_read(bytes + *at, &head);
        if (head.rec_len > len - *at - TDB_RECORD_BYTES) return false;
        if (head.magic == TDB_MAGIC_USED &&
            (uint64_t)head.key_len + head.data_len + sizeof(uint32_t) <= head.rec_len)
            return true;
    }
    return false;
}

/* Checksum, length at the end, and chain of one record. */
static uint64_t seal_record(uint8_t *bytes, size_t at)
{
    uint8_t *key = bytes + at + TDB_RECORD_BYTES, *data, *chain;
    struct tdb_head head;
    uint32_t hash;
    uint64_t sum = 0;

    tdb_head_read(bytes + at, &head);
    data = key + head.key_len;
    if (head.data_len >= RECORD_SUM_BYTES) {
        sum = record_checksum(key, head.key_len, data + RECORD_SUM_BYTES,
                              head.data_len - RECORD_SUM_BYTES);
        put64(data, sum);
    }
    hash = tdb_jenkins_hash(&(TDB_DATA){ key, head.key_len });
    chain = bytes + tdb_chain_offset(hash % le32(bytes + TDB_HEADER_HASH_SIZE));
    put32(bytes + at, le32(chain));
    put32(bytes + at + offsetof(struct tdb_head, full_hash), hash);
    put32(chain, (uint32_t)at);
    put32(key + head.rec_len - sizeof(uint32_t), TDB_RECORD_BYTES + head.rec_len);
    return sum;
}

void tdb_seal(uint8_t *bytes, size_t len)
{
    uint64_t count = 0, sum = 0;
    size_t state = 0, at = 0;
    struct tdb_head head;

    if (!has_header(bytes, len)) return;
    memset(bytes + tdb_chain_offset(0), 0, 4 * (size_t)le32(bytes + TDB_HEADER_HASH_SIZE));
    while (tdb_record_next(bytes, len, &at)) {
        tdb_head_read(bytes + at, &head);
        if (!state && head.key_len == strlen(RECORD_STATE) &&
            head.data_len >= RECORD_SUM_BYTES + STATE_FIXED_BYTES &&
            !memcmp(bytes + at + TDB_RECORD_BYTES, RECORD_STATE, head.key_len)) {
            state = at;
        } else {
            sum += seal_record(bytes, at);
            count++;
        }
        at += TDB_RECORD_BYTES + head.rec_len;
    }
    if (!state) return;
    at = state + TDB_RECORD_BYTES + strlen(RECORD_STATE) + RECORD_SUM_BYTES;
    put64(bytes + at, count);
    put64(bytes + at + sizeof(uint64_t), sum);
    seal_record(bytes, state);
}
