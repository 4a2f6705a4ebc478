/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Registered keys, registry values and times as text and as JSON.
 */
#ifndef REGCKPT_KEYTEXT_H
#define REGCKPT_KEYTEXT_H

#include "json.h"
#include "resource.h"

/* A key's excludes, separated by ", "; malloc'ed; NULL: none. */
char *keytext_excluded(const struct registered_key *k);
const char *keytext_flags(const struct registered_key *k);
/* The members of an object: id, path, view, captured, future, broad, exclude. */
void keytext_json(struct json *j, const struct registered_key *k);

/* "REG_SZ" and so on; "0x1234" in room (16 bytes) for any other type. */
const char *value_type_name(uint32_t type, char *room);
/*
 * A value's data as reg.exe prints it: text, 0x numbers, hexadecimal bytes, \0 between the parts of
 * a MULTI_SZ.  Data that is not what its type says is printed as bytes.  malloc'ed, NULL: no
 * memory.
 */
char *value_data_text(uint32_t type, const void *data, uint32_t size_bytes);
/* The members of an object: name, type, and data (text, number, array or, always, "hex"). */
void value_json(struct json *j, struct utf16 name, uint32_t type, const void *data,
                uint32_t size_bytes);

/* "2026-11-23 12:30:05" in local time; room for 32 bytes; returns it. */
char *time_text(uint64_t unix_us, char *room);

#endif
