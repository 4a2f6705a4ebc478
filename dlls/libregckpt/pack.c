/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packing and unpacking.  Bytes are placed one by one, so neither the machine's byte order nor its
 * alignment rules show in a record or a message.
 */
#include <stdlib.h>
#include <string.h>

#include "pack.h"

#define FIRST_ROOM 256

uint8_t *pack_make_room(struct pack *p, size_t len)
{
    size_t room;
    uint8_t *bytes;

    if (p->failed) return NULL;
    if (len > SIZE_MAX / 2 - p->len) {
        p->failed = true;
        return NULL;
    }
    if (p->len + len > p->room) {
        room = p->room ? p->room : FIRST_ROOM;
        while (room < p->len + len) room *= 2;
        if (!(bytes = realloc(p->bytes, room))) {
            p->failed = true;
            return NULL;
        }
        p->bytes = bytes;
        p->room = room;
    }
    p->len += len;
    return p->bytes + p->len - len;
}

void pack_init(struct pack *p)
{
    memset(p, 0, sizeof(*p));
}

void pack_free(struct pack *p)
{
    free(p->bytes);
    pack_init(p);
}

void pack_reset(struct pack *p)
{
    p->len = 0;
    p->failed = false;
}

void pack_u8(struct pack *p, uint8_t v)
{
    uint8_t *at = pack_make_room(p, 1);

    if (at) *at = v;
}

void pack_u32(struct pack *p, uint32_t v)
{
    uint8_t *at = pack_make_room(p, 4);
    unsigned i;

    for (i = 0; at && i < 4; i++) at[i] = (uint8_t)(v >> (8 * i));
}

void pack_u64(struct pack *p, uint64_t v)
{
    uint8_t *at = pack_make_room(p, 8);
    unsigned i;

    for (i = 0; at && i < 8; i++) at[i] = (uint8_t)(v >> (8 * i));
}

void pack_raw(struct pack *p, const void *bytes, size_t len)
{
    uint8_t *at = pack_make_room(p, len);

    if (at && len) memcpy(at, bytes, len);
}

void pack_bytes(struct pack *p, const void *bytes, size_t len)
{
    if (len > UINT32_MAX) {
        p->failed = true;
        return;
    }
    pack_u32(p, (uint32_t)len);
    pack_raw(p, bytes, len);
}

void pack_text(struct pack *p, const char *text)
{
    pack_bytes(p, text, text ? strlen(text) : 0);
}

void pack_utf16(struct pack *p, struct utf16 s)
{
    uint8_t *at;
    size_t i;

    if (s.len > UINT32_MAX / 2) {
        p->failed = true;
        return;
    }
    pack_u32(p, (uint32_t)s.len);
    if (!(at = pack_make_room(p, 2 * s.len))) return;
    for (i = 0; i < s.len; i++) {
        at[2 * i] = (uint8_t)s.units[i];
        at[2 * i + 1] = (uint8_t)(s.units[i] >> 8);
    }
}

/* Only what a kind has is packed: kind, key, path, then flags and class, or name and value. */
void pack_change(struct pack *p, const struct change *change)
{
    pack_u8(p, (uint8_t)change->kind);
    pack_u32(p, change->key_id);
    pack_utf16(p, change->path);
    switch (change->kind) {
    case CHANGE_CREATE_KEY:
        pack_u32(p, change->key_flags);
        pack_utf16(p, change->class);
        return;
    case CHANGE_DELETE_KEY:
        return;
    case CHANGE_SET_VALUE:
        pack_utf16(p, change->name);
        pack_u32(p, change->type);
        pack_bytes(p, change->data, change->size_bytes);
        return;
    case CHANGE_DELETE_VALUE:
        pack_utf16(p, change->name);
        return;
    }
    p->failed = true;
}

void unpack_init(struct unpack *u, const void *bytes, size_t len)
{
    static const uint8_t nothing[1];

    u->at = bytes ? bytes : nothing;
    u->end = u->at + (bytes ? len : 0);
    u->failed = false;
}

/* Takes len bytes; NULL, and failed for good, if there are not as many. */
static const uint8_t *take(struct unpack *u, size_t len)
{
    const uint8_t *at = u->at;

    if (u->failed || len > (size_t)(u->end - u->at)) {
        u->failed = true;
        return NULL;
    }
    u->at += len;
    return at;
}

uint8_t unpack_u8(struct unpack *u)
{
    const uint8_t *at = take(u, 1);

    return at ? *at : 0;
}

uint32_t unpack_u32(struct unpack *u)
{
    const uint8_t *at = take(u, 4);
    uint32_t v = 0;
    unsigned i;

    for (i = 0; at && i < 4; i++) v |= (uint32_t)at[i] << (8 * i);
    return v;
}

uint64_t unpack_u64(struct unpack *u)
{
    const uint8_t *at = take(u, 8);
    uint64_t v = 0;
    unsigned i;

    for (i = 0; at && i < 8; i++) v |= (uint64_t)at[i] << (8 * i);
    return v;
}

const void *unpack_bytes(struct unpack *u, size_t *len)
{
    uint32_t count = unpack_u32(u);
    const uint8_t *at = take(u, count);

    *len = at ? count : 0;
    return at;
}

char *unpack_text(struct unpack *u)
{
    size_t len;
    const void *at = unpack_bytes(u, &len);
    char *text;

    if (!at) return NULL;
    if (memchr(at, 0, len) || !(text = malloc(len + 1))) {
        u->failed = true;
        return NULL;
    }
    memcpy(text, at, len);
    text[len] = 0;
    return text;
}

struct utf16 unpack_utf16(struct unpack *u)
{
    struct utf16 s = { NULL, 0 };
    uint32_t len = unpack_u32(u);
    const uint8_t *at;
    uint16_t *units;
    size_t i;

    /* The length is compared before it is doubled: 2 * len need not fit in 32 bits. */
    if (u->failed || len > (size_t)(u->end - u->at) / 2) {
        u->failed = true;
        return s;
    }
    if (!len) return s;
    if (!(units = malloc(2 * (size_t)len))) {
        u->failed = true;
        return s;
    }
    at = take(u, 2 * (size_t)len);
    for (i = 0; i < len; i++) units[i] = (uint16_t)(at[2 * i] | at[2 * i + 1] << 8);
    s.units = units;
    s.len = len;
    return s;
}

void unpack_change(struct unpack *u, struct change *change)
{
    size_t size = 0;

    memset(change, 0, sizeof(*change));
    change->kind = unpack_u8(u);
    change->key_id = unpack_u32(u);
    change->path = unpack_utf16(u);
    switch (change->kind) {
    case CHANGE_CREATE_KEY:
        change->key_flags = unpack_u32(u);
        change->class = unpack_utf16(u);
        break;
    case CHANGE_DELETE_KEY:
        break;
    case CHANGE_SET_VALUE:
        change->name = unpack_utf16(u);
        change->type = unpack_u32(u);
        change->data = unpack_bytes(u, &size);
        change->size_bytes = (uint32_t)size;
        break;
    case CHANGE_DELETE_VALUE:
        change->name = unpack_utf16(u);
        break;
    default:
        u->failed = true;
    }
    if (u->failed) change_free(change);
}

void change_free(struct change *change)
{
    free((void *)change->path.units);
    free((void *)change->class.units);
    free((void *)change->name.units);
    memset(change, 0, sizeof(*change));
}

bool unpack_failed(const struct unpack *u)
{
    return u->failed;
}

bool unpack_done(const struct unpack *u)
{
    return !u->failed && u->at == u->end;
}
