/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The records of a checkpoint, format 1.  This is the one place where they are written down.
 *
 * A record is a TDB key, which is text, and data.  The data begins with a u64: XXH64 (seed 0) over
 * the TDB key and, behind it, the content, which is all of the data after this u64.  Contents are
 * packed as in pack.h: little-endian, unaligned; "text" is u32 length and bytes, "utf16" is u32
 * units and units, "bytes" is u32 length and bytes.
 *
 *  TDB key                          content
 *  format                           8 bytes "REGCKPT" and 0, u32 CHECKPOINT_FORMAT
 *  resource                         u32 count, then text name, text value of each property
 *  state                            u64 records, u64 sum: the number of all other records and the
 *                                     sum of their checksums, modulo 2^64
 *                                   u64 history's first index, u64 its next, u64 its bytes (TDB keys
 *                                     and data), u32 next id of a registered key
 *                                   u64 epoch, u64 sequence, u32 status, text node, text boot_id,
 *                                     u32 pid, u64 since, u64 saved
 *  root:ID                          u32 id, u32 view, text path, u32 flags, u32 count, text excluded
 *                                     keys, u32 count, text excluded values
 *  key:ID:PATH                      utf16 name (its last component), utf16 class, u32 flags
 *  value:ID:PATH 0 NAME             utf16 name, u32 type, bytes data
 *  history:INDEX                    u64 time, u32 pid, text who, text node, change (pack_change;
 *                                     without its data if they are left out), u8 flags HISTORY_*,
 *                                     u32 size, u64 XXH64 of the data; if HISTORY_OLD what was there:
 *                                     utf16 name, and of a value u32 type, u32 size, u64 XXH64 of the
 *                                     old data, bytes old data (none if they are left out), of a key
 *                                     utf16 class, u32 flags
 *
 * ID is 8 hexadecimal digits, INDEX 16.  PATH and NAME are folded and in the UTF-8 form of utf16.h,
 * which holds no zero byte: the one zero byte stands between PATH and NAME.  PATH is relative to
 * the registered key, empty for itself.
 */
#ifndef REGCKPT_CHECKPOINT_RECORD_H
#define REGCKPT_CHECKPOINT_RECORD_H

#include "checkpoint.h"
#include "registered_key_pack.h"
#include "tdbfile.h"

#define RECORD_FORMAT "format"
#define RECORD_RESOURCE "resource"
#define RECORD_STATE "state"
#define RECORD_ROOT "root:"
#define RECORD_KEY "key:"
#define RECORD_VALUE "value:"
#define RECORD_HISTORY "history:"

#define FORMAT_MAGIC "REGCKPT" /* with its NUL: 8 bytes */
#define RECORD_SUM_BYTES 8
#define FORMAT_CONTENT_BYTES 12
#define STATE_FIXED_BYTES 92 /* without the two texts' bytes */
#define ID_DIGITS 8
#define INDEX_DIGITS 16

_Static_assert(sizeof(FORMAT_MAGIC) + sizeof(uint32_t) == FORMAT_CONTENT_BYTES, "format record");
_Static_assert(9 * sizeof(uint64_t) + 5 * sizeof(uint32_t) == STATE_FIXED_BYTES, "state record");

#define HISTORY_OLD 1u          /* the value or key was there before */
#define HISTORY_LEFT_OUT 2u     /* the new data is too large: size and hash only */
#define HISTORY_OLD_LEFT_OUT 4u /* the old data likewise */
#define HISTORY_DATA_MAX_BYTES (64u << 10)

/* One value's data.  TDB counts in 32 bits, needs as much again to undo, and grows in steps. */
#define VALUE_DATA_MAX_BYTES (256u << 20)
/* Ids are never used again, so a file that says more than this was not written by us. */
#define ROOT_ID_MAX 65535u

struct state_record {
    uint64_t records, sum;
    uint64_t history_first, history_next, history_bytes;
    uint32_t next_id;
    struct checkpoint_state state;
};

/* XXH64 over a TDB key and a content. */
uint64_t record_checksum(const void *key, size_t key_len, const void *content, size_t len);
/* The checksum that a record's data begins with; 0 if it is too short. */
uint64_t record_stored_sum(const void *data, size_t len);
/* Checks it; *u stands at the content then. RESULT_DAMAGED. */
int record_open(const struct tdbfile_record *r, struct unpack *u);
/* Begins data of a record (room for the checksum), and ends it (fills the checksum in). */
void record_begin(struct pack *data);
void record_end(struct pack *data, const void *key, size_t key_len);

/* TDB keys, appended to an empty pack. */
void record_root_key(struct pack *p, uint32_t id);
void record_key_key(struct pack *p, uint32_t id, struct utf16 path);
void record_value_key(struct pack *p, uint32_t id, struct utf16 path, struct utf16 name);
void record_history_key(struct pack *p, uint64_t index);

enum record_kind { KIND_FORMAT, KIND_RESOURCE, KIND_STATE, KIND_ROOT, KIND_KEY, KIND_VALUE,
                   KIND_HISTORY, KIND_UNKNOWN };
/* What a TDB key says: its kind, id or index, and the rest of it behind "ID:". */
struct record_key {
    enum record_kind kind;
    uint64_t number;
    const uint8_t *rest;
    size_t rest_len;
};
void record_parse_key(const void *key, size_t len, struct record_key *out);
/* For messages: the TDB key with its zero byte and control characters shown; malloc'ed. */
char *record_name(const void *key, size_t len);

/* Contents: out of an opened record (0, ENOMEM, RESULT_DAMAGED), and into one begun. */
void pack_format(struct pack *p);
int unpack_format(struct unpack *u, uint32_t *version);
void pack_resource(struct pack *p, const struct resource *r);
int unpack_resource(struct unpack *u, struct resource *r);
void pack_state(struct pack *p, const struct state_record *s);
int unpack_state(struct unpack *u, struct state_record *s);
int unpack_root(struct unpack *u, struct registered_key *k); /* its other way: pack_registered_key */

/*
 * Reads a record by its fixed key from a file; RESULT_DAMAGED with err if it is missing or its
 * checksum is wrong.  The content is in *room.
 */
int record_find(const struct tdbfile *f, const char *key, struct pack *room, struct unpack *u,
                struct error *err);
/* Is the file a checkpoint this version reads? RESULT_FOREIGN, RESULT_NEWER, RESULT_DAMAGED. */
int record_check_format(const struct tdbfile *f, uint32_t *version, struct error *err);

#endif
