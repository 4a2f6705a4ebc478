/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An image as Wine's registry text, in the form that NtLoadKey reads back exactly (see winereg.h).
 *
 * It differs from what NtSaveKey writes where that form loses something: the empty section in front
 * keeps NtLoadKey from stripping components, a NUL at the end of a name is written out.  Classes
 * are left out, for NtLoadKey adds a NUL to each.
 */
#include "winereg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "winereg_text.h"

#define REG_BINARY 3
#define REG_DWORD 4
#define BUFFER_BYTES 65536
#define LINE_BYTES 76 /* hex data goes on in the next line behind this */

/* What is being written. */
struct writer {
    FILE *out;
    int result;                /* sticks */
    char *path;                /* of the key in hand, escaped */
    size_t path_len, path_room;
    size_t used;
    char buffer[BUFFER_BYTES];
};

/* Hands the buffer to the stream. */
static void flush(struct writer *w)
{
    errno = 0;
    if (!w->result && fwrite(w->buffer, 1, w->used, w->out) != w->used)
        w->result = errno ? errno : EIO;
    w->used = 0;
}

/* Makes room for at most BUFFER_BYTES. */
static char *room(struct writer *w, size_t len)
{
    if (len > BUFFER_BYTES - w->used)
        flush(w);
    return w->buffer + w->used;
}

/* Writes len bytes, however many. */
static void put(struct writer *w, const char *text, size_t len)
{
    while (len) {
        size_t part = len < BUFFER_BYTES ? len : BUFFER_BYTES;

        memcpy(room(w, part), text, part);
        w->used += part;
        text += part;
        len -= part;
    }
}

static void put_text(struct writer *w, const char *text)
{
    put(w, text, strlen(text));
}

/* A string in quotation marks.  Returns the bytes it took. */
static size_t put_quoted(struct writer *w, struct utf16 s)
{
    const size_t most = BUFFER_BYTES / WINEREG_ESCAPE_BYTES;
    size_t total = 2;

    put(w, "\"", 1);
    while (s.len) {
        size_t count = s.len < most ? s.len : most;
        char *at = room(w, count * WINEREG_ESCAPE_BYTES);
        size_t len = winereg_escape(at, s, count, WINEREG_QUOTED) - at;

        w->used += len;
        total += len;
        s.units += count;
        s.len -= count;
    }
    put(w, "\"", 1);
    return total;
}

static const char hex[] = "0123456789abcdef";

/* Two hex digits a byte, folded as Wine folds them; column: what the line holds already. */
static void put_hex(struct writer *w, const uint8_t *data, size_t size_bytes, size_t column)
{
    const uint8_t *end = data + size_bytes;

    while (data < end) {
        const uint8_t *part_end = end - data > 64 ? data + 64 : end;
        char *at = room(w, 64 * 7); /* digits, comma, and at most a fold each */

        for (; data < part_end; data++) {
            *at++ = hex[*data >> 4];
            *at++ = hex[*data & 15];
            column += 2;
            if (data + 1 == end)
                break;
            *at++ = ',';
            if (++column > LINE_BYTES) {
                memcpy(at, "\\\n  ", 4);
                at += 4;
                column = 2;
            }
        }
        data = part_end;
        w->used = at - w->buffer;
    }
}

/* One value with the newline behind it. */
static void put_value(struct writer *w, const struct image_value *value)
{
    char tag[32];
    size_t column = 2;

    if (value->name.len) {
        column = put_quoted(w, value->name) + 1;
        put(w, "=", 1);
    } else {
        put(w, "@=", 2);
    }
    if (winereg_is_string(value->type, value->data, value->size_bytes)) {
        struct utf16 string = { (const uint16_t *)value->data, value->size_bytes / 2 - 1 };

        if (value->type != 1) {
            snprintf(tag, sizeof(tag), "str(%x):", value->type);
            put_text(w, tag);
        }
        put_quoted(w, string);
    } else if (value->type == REG_DWORD && value->size_bytes == 4) {
        char *at = room(w, 16);

        memcpy(at, "dword:", 6);
        at += 6;
        for (int i = 3; i >= 0; i--) {
            *at++ = hex[value->data[i] >> 4];
            *at++ = hex[value->data[i] & 15];
        }
        w->used = at - w->buffer;
    } else {
        if (value->type == REG_BINARY)
            memcpy(tag, "hex:", 5);
        else
            snprintf(tag, sizeof(tag), "hex(%x):", value->type);
        put_text(w, tag);
        put_hex(w, value->data, value->size_bytes, column + strlen(tag));
    }
    put(w, "\n", 1);
}

/* Appends a key's name to the escaped path. */
static int push(struct writer *w, const struct image_key *key)
{
    size_t want = w->path_len + 2 + key->name.len * WINEREG_ESCAPE_BYTES;
    char *end;

    if (want > w->path_room) {
        char *bigger = realloc(w->path, want * 2);

        if (!bigger)
            return ENOMEM;
        w->path = bigger;
        w->path_room = want * 2;
    }
    if (w->path_len) {
        memcpy(w->path + w->path_len, "\\\\", 2);
        w->path_len += 2;
    }
    end = winereg_escape(w->path + w->path_len, key->name, key->name.len, WINEREG_KEY);
    w->path_len = end - w->path;
    return 0;
}

/* A key with its subtree; a key without values that has subkeys is there by their paths. */
static void put_key(struct writer *w, const struct image_key *key)
{
    size_t path_len = w->path_len;

    if (!key->parent || key->value_count || !key->key_count || (key->flags & KEY_FLAG_LINK)) {
        put(w, "\n[", 2);
        put(w, w->path, w->path_len);
        put(w, "]\n", 2);
        if (key->flags & KEY_FLAG_LINK)
            put_text(w, "#link\n");
        for (uint32_t i = 0; i < key->value_count; i++)
            put_value(w, &key->values[i]);
    }
    for (uint32_t i = 0; !w->result && i < key->key_count; i++) {
        const struct image_key *child = key->keys[i];

        /* NtLoadKey takes a path that begins with NUL for an empty one, the base key */
        if (!key->parent && !child->name.units[0])
            continue;
        if (push(w, child))
            w->result = ENOMEM;
        else
            put_key(w, child);
        w->path_len = path_len;
    }
}

int winereg_write(const struct image *image, FILE *out)
{
    struct writer *w = malloc(sizeof(*w));
    int result;

    if (!w)
        return ENOMEM;
    w->out = out;
    w->result = 0;
    w->path = NULL;
    w->path_len = w->path_room = w->used = 0;
    put_text(w, WINEREG_FIRST_LINE "\n" WINEREG_SECOND_LINE "\n");
    if (image->root)
        put_key(w, image->root);
    flush(w);
    errno = 0;
    if (!w->result && fflush(out))
        w->result = errno ? errno : EIO;
    result = w->result;
    free(w->path);
    free(w);
    return result;
}
