/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How the harnesses of checkpoints make inputs of others: most by changing one record's key or
 * content and sealing the file again, so that they get past the checksums (tdbseal.h).
 */
#ifndef REGCKPT_TEST_TDBMUTATE_H
#define REGCKPT_TEST_TDBMUTATE_H

#include <stdlib.h>
#include <string.h>

#include "tdblayout.h"
#include "tdbseal.h"

#define RECORD_MAX_BYTES 4096

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t len, size_t room); /* libFuzzer's own */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t room, unsigned seed);

/* The place of one record, any of them; 0: there is none. */
static inline size_t choose_record(const uint8_t *bytes, size_t len, unsigned seed)
{
    struct tdb_head head;
    size_t at = 0, count = 0, chosen = 0;

    while (tdb_record_next(bytes, len, &at)) {
        if (rand_r(&seed) % ++count == 0) chosen = at;
        tdb_head_read(bytes + at, &head);
        at += TDB_RECORD_BYTES + head.rec_len;
    }
    return chosen;
}

/* Changes one record's key or data, which may grow or shrink; what is behind it moves. */
static inline size_t mutate_record(uint8_t *bytes, size_t len, size_t room, unsigned seed)
{
    size_t at = choose_record(bytes, len, seed), start, old_len, new_len, most;
    uint8_t part[RECORD_MAX_BYTES];
    bool of_key = seed % 8 == 0;
    struct tdb_head head;

    if (!at) return LLVMFuzzerMutate(bytes, len, room);
    tdb_head_read(bytes + at, &head);
    start = at + TDB_RECORD_BYTES + (of_key ? 0 : head.key_len);
    old_len = of_key ? head.key_len : head.data_len;
    most = old_len + (room - len) < sizeof(part) ? old_len + (room - len) : sizeof(part);
    if (!old_len || old_len > most) return len;
    memcpy(part, bytes + start, old_len);
    new_len = LLVMFuzzerMutate(part, old_len, most);
    memmove(bytes + start + new_len, bytes + start + old_len, len - start - old_len);
    memcpy(bytes + start, part, new_len);
    head.rec_len += (uint32_t)(new_len - old_len);
    *(of_key ? &head.key_len : &head.data_len) = (uint32_t)new_len;
    memcpy(bytes + at, &head, sizeof(head));
    len += new_len - old_len;
    tdb_seal(bytes, len);
    return len;
}

/* For LLVMFuzzerCustomMutator. */
static inline size_t tdb_mutate(uint8_t *bytes, size_t len, size_t room, unsigned seed)
{
    switch (seed % 5) {
    case 0:
        return LLVMFuzzerMutate(bytes, len, room);
    case 1:
        len = LLVMFuzzerMutate(bytes, len, room);
        tdb_seal(bytes, len);
        return len;
    default:
        return mutate_record(bytes, len, room, seed / 5);
    }
}

#endif
