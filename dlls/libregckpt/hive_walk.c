/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading a hive by the hivex library, in a process of its own (see hive_read.c).
 *
 * The library finds keys, values and data.  It hands out names as UTF-8, which fails for half a
 * surrogate pair, and neither classes nor what tells a symbolic link: these are looked up where
 * the library says that the key or value lies, which is its place in the file.
 */
#include <errno.h>
#include <hivex.h>
#include <stdlib.h>
#include <string.h>

#include "hive.h"
#include "hive_format.h"
#include "hive_walk.h"

#define LEAST_KEY_BYTES 80   /* that a key takes in the file */
#define LEAST_VALUE_BYTES 28 /* with its place in a list */

struct walk {
    hive_h *hive;
    const uint8_t *bytes;
    size_t len;
    size_t keys_left, values_left, bytes_left; /* more cannot be in it, unless it is crafted */
    struct pack item;
    FILE *out;
    struct error *err;
};

static int damaged(struct walk *w, const char *what)
{
    return error_set(w->err, RESULT_DAMAGED, "The hive file is damaged: %s.", what);
}

/* What the library could not do. */
static int library_failed(struct walk *w, const char *what)
{
    int code = errno;

    if (code == ENOMEM)
        return error_system(w->err, code, "Reading a hive file");
    return error_set(w->err, code == ERANGE ? RESULT_INVALID : RESULT_DAMAGED,
                     "The hive file cannot be read: %s: %s.", what,
                     code == ERANGE ? "more than the hivex library takes" : strerror(code));
}

/* Bytes of a structure in the file; NULL: beyond its end, or another one's. */
static const uint8_t *structure(const struct walk *w, size_t place, const char *signature,
                                size_t bytes)
{
    if (place >= w->len || w->len - place < 4 + bytes || memcmp(w->bytes + place + 4, signature, 2))
        return NULL;
    return w->bytes + place + 4;
}

/* Counts names, classes and data. */
static int count_bytes(struct walk *w, size_t bytes)
{
    if (bytes > w->bytes_left)
        return damaged(w, "it holds more than there is room for");
    w->bytes_left -= bytes;
    return RESULT_OK;
}

/* The units of a name as it lies in the file, one or two bytes each; malloc'ed. */
static int read_name(struct walk *w, const uint8_t *name, size_t bytes, bool narrow,
                     struct utf16 *out)
{
    size_t len = narrow ? bytes : bytes / 2;
    uint16_t *units = malloc(2 * len + 1);
    int result = count_bytes(w, bytes);

    if (!units)
        return error_system(w->err, ENOMEM, "Reading a hive file");
    for (size_t i = 0; i < len; i++)
        units[i] = (uint16_t)(narrow ? name[i] : hive_get16(name + 2 * i));
    *out = (struct utf16){units, len};
    return result;
}

static int write_item(struct walk *w)
{
    errno = 0;
    if (w->item.failed)
        return error_system(w->err, ENOMEM, "Reading a hive file");
    if (fwrite(w->item.bytes, 1, w->item.len, w->out) != w->item.len)
        return error_system(w->err, errno, "Reading a hive file");
    pack_reset(&w->item);
    return RESULT_OK;
}

/* A value of a key and its name. */
struct named {
    hive_value_h value;
    uint32_t type;
    struct utf16 name;
};

static int read_value_head(struct walk *w, hive_value_h value, struct named *out)
{
    const uint8_t *vk = structure(w, value, "vk", HIVE_VALUE_NAME);
    size_t name_bytes;

    if (!vk || !structure(w, value, "vk",
                          HIVE_VALUE_NAME + (name_bytes = hive_get16(vk + HIVE_VALUE_NAME_BYTES))))
        return damaged(w, "a value lies elsewhere");
    if (!w->values_left--)
        return damaged(w, "it has more values than there is room for");
    out->value = value;
    out->type = hive_get32(vk + HIVE_VALUE_TYPE);
    return read_name(w, vk + HIVE_VALUE_NAME, name_bytes,
                     hive_get16(vk + HIVE_VALUE_FLAGS) & HIVE_VALUE_NAME_8, &out->name);
}

static int walk_value(struct walk *w, const struct named *v)
{
    hive_type type;
    size_t size;
    char *data;
    int result;

    errno = 0;
    if (!(data = hivex_value_value(w->hive, v->value, &type, &size)))
        return library_failed(w, "a value's data");
    if (!(result = count_bytes(w, size))) {
        pack_u8(&w->item, HIVE_VALUE);
        pack_utf16(&w->item, v->name);
        pack_u32(&w->item, v->type);
        pack_bytes(&w->item, data, size);
        result = write_item(w);
    }
    free(data);
    return result;
}

/* qsort's order of an image. */
static int compare_names(const void *a, const void *b)
{
    return utf16_compare_nocase(((const struct named *)a)->name, ((const struct named *)b)->name);
}

/* A key's values, sorted: a hive has them as they were made, and an image is made of sorted ones. */
static int walk_values(struct walk *w, hive_node_h node)
{
    struct named *named;
    hive_value_h *values;
    size_t count = 0;
    int result = RESULT_OK;

    errno = 0;
    if (!(values = hivex_node_values(w->hive, node)))
        return library_failed(w, "a key's values");
    while (values[count])
        count++;
    if (!(named = calloc(count + 1, sizeof(*named))))
        result = error_system(w->err, ENOMEM, "Reading a hive file");
    for (size_t i = 0; !result && i < count; i++)
        result = read_value_head(w, values[i], &named[i]);
    if (!result)
        qsort(named, count, sizeof(*named), compare_names);
    for (size_t i = 0; !result && i < count; i++)
        result = walk_value(w, &named[i]);
    for (size_t i = 0; named && i < count; i++)
        free((void *)named[i].name.units);
    free(named);
    free(values);
    return result;
}

/* The key itself. */
static int walk_head(struct walk *w, hive_node_h node)
{
    const uint8_t *nk = structure(w, node, "nk", HIVE_KEY_NAME), *class = NULL;
    size_t name_bytes, class_bytes, place;
    struct utf16 name = {0}, class_name = {0};
    uint32_t flags;
    int result;

    if (!nk || !structure(w, node, "nk",
                          HIVE_KEY_NAME + (name_bytes = hive_get16(nk + HIVE_KEY_NAME_BYTES))))
        return damaged(w, "a key lies elsewhere");
    if (!w->keys_left--)
        return damaged(w, "it has more keys than there is room for");
    flags = hive_get16(nk + HIVE_KEY_FLAGS);
    if ((class_bytes = hive_get16(nk + HIVE_KEY_CLASS_BYTES))) {
        place = HIVE_BLOCK_BYTES + (size_t)hive_get32(nk + HIVE_KEY_CLASS);
        if (place > w->len || w->len - place < 4 + class_bytes)
            return damaged(w, "a key's class lies outside");
        class = w->bytes + place + 4;
    }
    if (!(result = read_name(w, class, class_bytes, false, &class_name)) &&
        !(result = read_name(w, nk + HIVE_KEY_NAME, name_bytes, flags & HIVE_KEY_NAME_8, &name))) {
        pack_u8(&w->item, HIVE_KEY);
        pack_u32(&w->item, flags & HIVE_KEY_IS_LINK ? KEY_FLAG_LINK : 0);
        pack_utf16(&w->item, class_name);
        pack_utf16(&w->item, name);
        result = write_item(w);
    }
    free((void *)name.units);
    free((void *)class_name.units);
    return result;
}

/* A key with all below. */
static int walk_key(struct walk *w, hive_node_h node, unsigned depth)
{
    hive_node_h *keys;
    int result;

    if (depth > IMAGE_MAX_DEPTH)
        return error_set(w->err, RESULT_INVALID, "The hive file has more than %d keys above each "
                         "other.", IMAGE_MAX_DEPTH);
    if ((result = walk_head(w, node)) || (result = walk_values(w, node)))
        return result;
    errno = 0;
    if (!(keys = hivex_node_children(w->hive, node)))
        return library_failed(w, "a key's subkeys");
    for (size_t i = 0; !result && keys[i]; i++)
        result = walk_key(w, keys[i], depth + 1);
    free(keys);
    pack_u8(&w->item, HIVE_UP);
    return result ? result : write_item(w);
}

int hive_walk(const uint8_t *bytes, size_t len, const char *path, FILE *out, struct error *err)
{
    struct walk w = {.bytes = bytes, .len = len, .keys_left = len / LEAST_KEY_BYTES,
                     .values_left = len / LEAST_VALUE_BYTES, .bytes_left = len, .out = out,
                     .err = err};
    hive_node_h root;
    int result;

    errno = 0;
    if (!(w.hive = hivex_open(path, 0)))
        return library_failed(&w, "as a whole");
    errno = 0;
    root = hivex_root(w.hive);
    result = root ? walk_key(&w, root, 0) : library_failed(&w, "its root");
    errno = 0;
    if (!result && fflush(out))
        result = error_system(err, errno, "Reading a hive file");
    hivex_close(w.hive);
    pack_free(&w.item);
    return result;
}
