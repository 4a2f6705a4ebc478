/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packing of numbers and strings into bytes, little-endian, for records and messages alike.
 * Lengths are 32-bit.  No alignment.
 *
 * A struct pack grows by itself; a failure (no memory) sticks and is asked for once, at the end.
 * A struct unpack never reads beyond its end; a short or wrong input sticks likewise: after it all
 * reads give 0 and empty views, so a loop over a count must also ask unpack_failed().
 */
#ifndef REGCKPT_PACK_H
#define REGCKPT_PACK_H

#include "change.h"

struct pack {
    uint8_t *bytes; /* malloc'ed; pack_free */
    size_t len, room;
    bool failed;
};

void pack_init(struct pack *p);
void pack_free(struct pack *p);
void pack_reset(struct pack *p); /* empty, keeps the room */
/* Adds len bytes of no particular content and returns where they are; NULL: failed. */
uint8_t *pack_make_room(struct pack *p, size_t len);
void pack_u8(struct pack *p, uint8_t v);
void pack_u32(struct pack *p, uint32_t v);
void pack_u64(struct pack *p, uint64_t v);
void pack_bytes(struct pack *p, const void *bytes, size_t len); /* u32 length, bytes */
void pack_raw(struct pack *p, const void *bytes, size_t len);   /* bytes only */
void pack_text(struct pack *p, const char *text);               /* NULL as "" */
void pack_utf16(struct pack *p, struct utf16 s);                /* u32 units, units */
void pack_change(struct pack *p, const struct change *change);

struct unpack {
    const uint8_t *at, *end;
    bool failed;
};

void unpack_init(struct unpack *u, const void *bytes, size_t len);
uint8_t unpack_u8(struct unpack *u);
uint32_t unpack_u32(struct unpack *u);
uint64_t unpack_u64(struct unpack *u);
const void *unpack_bytes(struct unpack *u, size_t *len);        /* a view into the input */
char *unpack_text(struct unpack *u);  /* malloc'ed, NUL-terminated; a NUL inside: failed; NULL: failed */
/*
 * Units are 16-bit and may stand unaligned in the input: utf16 views of them are copied to
 * malloc'ed memory that the caller frees (free((void *)s.units)).
 */
struct utf16 unpack_utf16(struct unpack *u);
/* Unpacks a change; its strings are malloc'ed (change_free), its data is a view into the input. */
void unpack_change(struct unpack *u, struct change *change);
void change_free(struct change *change);
bool unpack_failed(const struct unpack *u);
bool unpack_done(const struct unpack *u); /* all read, nothing failed */

#endif
