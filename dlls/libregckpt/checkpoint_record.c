/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TDB keys and checksums of a checkpoint's records.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_STATIC_LINKING_ONLY /* the state on the stack */
#include <xxhash.h>

#include "checkpoint_record.h"

uint64_t record_checksum(const void *key, size_t key_len, const void *content, size_t len)
{
    XXH64_state_t state;

    /* Streaming, on the stack: the two parts do not stand together when a record is written. */
    XXH64_reset(&state, 0);
    XXH64_update(&state, key, key_len);
    if (len) XXH64_update(&state, content, len);
    return XXH64_digest(&state);
}

uint64_t record_stored_sum(const void *data, size_t len)
{
    struct unpack u;

    unpack_init(&u, data, len);
    return unpack_u64(&u);
}

int record_open(const struct tdbfile_record *r, struct unpack *u)
{
    uint64_t sum;

    unpack_init(u, r->data, r->data_len);
    sum = unpack_u64(u);
    if (u->failed || sum != record_checksum(r->key, r->key_len, u->at, (size_t)(u->end - u->at)))
        return RESULT_DAMAGED;
    return 0;
}

void record_begin(struct pack *data)
{
    pack_reset(data);
    pack_u64(data, 0);
}

void record_end(struct pack *data, const void *key, size_t key_len)
{
    uint64_t sum;
    unsigned i;

    if (data->failed) return;
    sum = record_checksum(key, key_len, data->bytes + RECORD_SUM_BYTES,
                          data->len - RECORD_SUM_BYTES);
    for (i = 0; i < RECORD_SUM_BYTES; i++) data->bytes[i] = (uint8_t)(sum >> (8 * i));
}

/* Appends a number as hexadecimal digits. */
static void put_digits(struct pack *p, uint64_t number, unsigned digits)
{
    while (digits--) pack_u8(p, (uint8_t)"0123456789abcdef"[number >> (4 * digits) & 15]);
}

/* Appends the folded UTF-8 form of a string. */
static void put_folded(struct pack *p, struct utf16 s)
{
    uint8_t *at;
    size_t start = p->len;

    if (!s.len || !(at = pack_make_room(p, 3 * s.len))) return;
    p->len = start + utf16_put_utf8(s, true, (char *)at);
}

/* Appends "PREFIX:ID" */
static void put_head(struct pack *p, const char *prefix, uint32_t id)
{
    pack_reset(p);
    pack_raw(p, prefix, strlen(prefix));
    put_digits(p, id, ID_DIGITS);
}

void record_root_key(struct pack *p, uint32_t id)
{
    put_head(p, RECORD_ROOT, id);
}

void record_key_key(struct pack *p, uint32_t id, struct utf16 path)
{
    put_head(p, RECORD_KEY, id);
    pack_u8(p, ':');
    put_folded(p, path);
}

void record_value_key(struct pack *p, uint32_t id, struct utf16 path, struct utf16 name)
{
    put_head(p, RECORD_VALUE, id);
    pack_u8(p, ':');
    put_folded(p, path);
    pack_u8(p, 0);
    put_folded(p, name);
}

void record_history_key(struct pack *p, uint64_t index)
{
    pack_reset(p);
    pack_raw(p, RECORD_HISTORY, strlen(RECORD_HISTORY));
    put_digits(p, index, INDEX_DIGITS);
}

/* Reads exactly so many digits, as put_digits writes them. */
static bool take_digits(const uint8_t **at, const uint8_t *end, unsigned digits, uint64_t *number)
{
    if (end - *at < (ptrdiff_t)digits) return false;
    for (*number = 0; digits--; (*at)++) {
        uint8_t c = **at;

        if (c >= '0' && c <= '9') *number = *number << 4 | (c - '0');
        else if (c >= 'a' && c <= 'f') *number = *number << 4 | (c - 'a' + 10);
        else return false;
    }
    return true;
}

/* Is this the prefix that a key begins with?  If so, it is skipped. */
static bool take_prefix(const uint8_t **at, const uint8_t *end, const char *prefix)
{
    size_t len = strlen(prefix);

    if ((size_t)(end - *at) < len || memcmp(*at, prefix, len)) return false;
    *at += len;
    return true;
}

void record_parse_key(const void *key, size_t len, struct record_key *out)
{
    const uint8_t *at = key, *end = at + len;
    bool whole = true;

    memset(out, 0, sizeof(*out));
    if (take_prefix(&at, end, RECORD_VALUE)) {
        out->kind = KIND_VALUE;
        whole = take_digits(&at, end, ID_DIGITS, &out->number) && take_prefix(&at, end, ":") &&
                memchr(at, 0, (size_t)(end - at));
    } else if (take_prefix(&at, end, RECORD_KEY)) {
        out->kind = KIND_KEY;
        whole = take_digits(&at, end, ID_DIGITS, &out->number) && take_prefix(&at, end, ":") &&
                !memchr(at, 0, (size_t)(end - at));
    } else if (take_prefix(&at, end, RECORD_HISTORY)) {
        out->kind = KIND_HISTORY;
        whole = take_digits(&at, end, INDEX_DIGITS, &out->number) && at == end;
    } else if (take_prefix(&at, end, RECORD_ROOT)) {
        out->kind = KIND_ROOT;
        whole = take_digits(&at, end, ID_DIGITS, &out->number) && at == end;
    } else if (take_prefix(&at, end, RECORD_STATE)) {
        out->kind = KIND_STATE;
        whole = at == end;
    } else if (take_prefix(&at, end, RECORD_RESOURCE)) {
        out->kind = KIND_RESOURCE;
        whole = at == end;
    } else {
        out->kind = KIND_FORMAT;
        whole = take_prefix(&at, end, RECORD_FORMAT) && at == end;
    }
    if (!whole) out->kind = KIND_UNKNOWN;
    out->rest = at;
    out->rest_len = (size_t)(end - at);
}

char *record_name(const void *key, size_t len)
{
    const uint8_t *at = key;
    char *text, *to;
    size_t i;

    if (len > 300) len = 300; /* enough to find it by */
    if (!(to = text = malloc(4 * len + 1))) return NULL;
    for (i = 0; i < len; i++) {
        if (at[i] < 0x20 || at[i] == 0x7f) to += sprintf(to, "\\x%02x", at[i]);
        else *to++ = (char)at[i];
    }
    *to = 0;
    return text;
}

int record_find(const struct tdbfile *f, const char *key, struct pack *room, struct unpack *u,
                struct error *err)
{
    struct tdbfile_record r;
    int ret = tdbfile_find(f, key, strlen(key), room, &r, err);

    if (ret == RESULT_NOT_FOUND)
        return error_set(err, RESULT_DAMAGED, "%s is damaged: the record \"%s\" is missing",
                         f->path, key);
    if (ret) return ret;
    if (record_open(&r, u))
        return error_set(err, RESULT_DAMAGED, "%s is damaged: the checksum of the record \"%s\" is "
                         "wrong", f->path, key);
    return 0;
}

int record_check_format(const struct tdbfile *f, uint32_t *version, struct error *err)
{
    struct tdbfile_record r;
    struct unpack u;
    struct pack room;
    int ret;

    pack_init(&room);
    ret = tdbfile_find(f, RECORD_FORMAT, strlen(RECORD_FORMAT), &room, &r, err);
    if (ret == RESULT_NOT_FOUND) {
        ret = error_set(err, RESULT_FOREIGN, "%s is a TDB file, but not a checkpoint: it has no "
                        "record \"" RECORD_FORMAT "\"; it is left as it is", f->path);
    } else if (!ret && record_open(&r, &u)) {
        ret = error_set(err, RESULT_DAMAGED, "%s is not a checkpoint, or damaged: the checksum of "
                        "its record \"" RECORD_FORMAT "\" is wrong; it is left as it is", f->path);
    } else if (!ret && unpack_format(&u, version)) {
        ret = error_set(err, RESULT_FOREIGN, "%s is a TDB file, but not a checkpoint: its record \""
                        RECORD_FORMAT "\" is another's; it is left as it is", f->path);
    } else if (!ret && *version > CHECKPOINT_FORMAT) {
        ret = error_set(err, RESULT_NEWER, "%s has format %u, and this version of regckpt knows "
                        "formats up to %u; use the regckpt that made it, or a newer one", f->path,
                        *version, CHECKPOINT_FORMAT);
    }
    pack_free(&room);
    return ret;
}
