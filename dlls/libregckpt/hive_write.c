/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing hive files (see hive.h): keys, values and lists of them.
 *
 * Windows searches a key's subkeys by their upper-case names, so they stand in that order, each with
 * a hash of its upper-case name.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hive.h"
#include "hive_format.h"

struct hive_writer {
    struct hive_bins bins;
    const struct image *image;
    uint64_t filetime;
    uint32_t security;
    uint16_t upper[65536];
    struct error *err;
};

/* The upper-case form of each unit: of those that fold to the same, the first. */
static void fill_upper(struct hive_writer *w)
{
    for (uint32_t unit = 65536; unit--;)
        w->upper[utf16_fold_unit((uint16_t)unit)] = (uint16_t)unit;
    for (uint32_t unit = 0; unit < 65536; unit++)
        w->upper[unit] = w->upper[utf16_fold_unit((uint16_t)unit)];
}

/* What is out of bounds is told by its name; value may be NULL. */
static int refuse(const struct hive_writer *w, const struct image_key *key,
                  const struct image_value *value, const char *why)
{
    struct utf16 path;
    char *of_key = NULL, *of_value = value ? utf16_for_display(value->name) : NULL;
    int result;

    if (!image_key_path(key, &path)) {
        of_key = utf16_for_display(path);
        free((void *)path.units);
    }
    result = error_set(w->err, RESULT_INVALID, "The key \"%.512s\" cannot be in a hive file: %s%.200s"
                       "%s%s. A .reg file can carry it.", of_key ? of_key : "?",
                       value ? "its value \"" : "", of_value ? of_value : "", value ? "\" " : "", why);
    free(of_value);
    free(of_key);
    return result;
}

static int check_key(const struct hive_writer *w, const struct image_key *key)
{
    if (key->name.len > HIVE_MAX_KEY_NAME_CHARS)
        return refuse(w, key, NULL, "its name has more than 255 characters");
    if (key->class.len > HIVE_MAX_CLASS_CHARS)
        return refuse(w, key, NULL, "its class has more than 32,767 characters");
    if (key->key_count > HIVE_MAX_SUBKEYS)
        return refuse(w, key, NULL, "it has more than 70,000 subkeys");
    if (key->value_count > HIVE_MAX_VALUES)
        return refuse(w, key, NULL, "it has more than 110,000 values");
    for (uint32_t i = 0; i < key->value_count; i++)
        if (key->values[i].size_bytes > HIVE_MAX_DATA_BYTES)
            return refuse(w, key, &key->values[i], "has more than 8,000,000 bytes");
    return RESULT_OK;
}

/* Does each unit fit into a byte? */
static bool is_narrow(struct utf16 s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.units[i] > 0xff)
            return false;
    return true;
}

static size_t name_bytes(struct utf16 s)
{
    return is_narrow(s) ? s.len : 2 * s.len;
}

static void put_name(uint8_t *to, struct utf16 s)
{
    bool narrow = is_narrow(s);

    for (size_t i = 0; i < s.len; i++)
        if (narrow)
            to[i] = (uint8_t)s.units[i];
        else
            hive_put16(to + 2 * i, s.units[i]);
}

/* Data of their own cell, or of cells; HIVE_NO_CELL: no memory. */
static uint32_t put_data(struct hive_writer *w, const uint8_t *data, uint32_t size)
{
    uint32_t pieces = (size + HIVE_PIECE_BYTES - 1) / HIVE_PIECE_BYTES;
    bool one = size <= HIVE_PIECE_BYTES;
    uint32_t cell = hive_cell(&w->bins, one ? size : 8), list, piece;

    if (cell == HIVE_NO_CELL)
        return cell;
    if (one) {
        memcpy(hive_at(&w->bins, cell), data, size);
        return cell;
    }
    if ((list = hive_cell(&w->bins, 4 * pieces)) == HIVE_NO_CELL)
        return list;
    memcpy(hive_at(&w->bins, cell), "db", 2);
    hive_put16(hive_at(&w->bins, cell) + 2, pieces);
    hive_put32(hive_at(&w->bins, cell) + 4, list);
    for (uint32_t i = 0, part; i < pieces; i++, data += part, size -= part) {
        part = size < HIVE_PIECE_BYTES ? size : HIVE_PIECE_BYTES;
        /* four bytes behind each piece, as Windows has them */
        if ((piece = hive_cell(&w->bins, HIVE_PIECE_BYTES + 4)) == HIVE_NO_CELL)
            return piece;
        memcpy(hive_at(&w->bins, piece), data, part);
        hive_put32(hive_at(&w->bins, list) + 4 * i, piece);
    }
    return cell;
}

static uint32_t put_value(struct hive_writer *w, const struct image_value *v)
{
    uint32_t cell = hive_cell(&w->bins, HIVE_VALUE_NAME + name_bytes(v->name)), data = 0;
    uint8_t *at;

    if (v->size_bytes > 4 && (data = put_data(w, v->data, v->size_bytes)) == HIVE_NO_CELL)
        return data;
    if (cell == HIVE_NO_CELL)
        return cell;
    at = hive_at(&w->bins, cell);
    memcpy(at, "vk", 2);
    hive_put16(at + HIVE_VALUE_NAME_BYTES, (uint32_t)name_bytes(v->name));
    hive_put32(at + HIVE_VALUE_SIZE, v->size_bytes | (v->size_bytes > 4 ? 0 : HIVE_VALUE_INLINE));
    if (v->size_bytes > 4)
        hive_put32(at + HIVE_VALUE_DATA, data);
    else if (v->size_bytes)
        memcpy(at + HIVE_VALUE_DATA, v->data, v->size_bytes);
    hive_put32(at + HIVE_VALUE_TYPE, v->type);
    hive_put16(at + HIVE_VALUE_FLAGS, is_narrow(v->name) ? HIVE_VALUE_NAME_8 : 0);
    put_name(at + HIVE_VALUE_NAME, v->name);
    return cell;
}

/* A key's values and their list. */
static void put_values(struct hive_writer *w, const struct image_key *key, uint32_t cell)
{
    uint32_t list, value, longest_name = 0, longest_data = 0;

    if (!key->value_count ||
        (list = hive_cell(&w->bins, 4 * (size_t)key->value_count)) == HIVE_NO_CELL)
        return;
    for (uint32_t i = 0; i < key->value_count; i++) {
        const struct image_value *v = &key->values[i];

        if ((value = put_value(w, v)) == HIVE_NO_CELL)
            return;
        hive_put32(hive_at(&w->bins, list) + 4 * i, value);
        if (longest_name < 2 * v->name.len)
            longest_name = (uint32_t)(2 * v->name.len);
        if (longest_data < v->size_bytes)
            longest_data = v->size_bytes;
    }
    hive_put32(hive_at(&w->bins, cell) + HIVE_KEY_VALUES, key->value_count);
    hive_put32(hive_at(&w->bins, cell) + HIVE_KEY_VALUE_LIST, list);
    hive_put32(hive_at(&w->bins, cell) + HIVE_KEY_LONGEST_VALUE_NAME, longest_name);
    hive_put32(hive_at(&w->bins, cell) + HIVE_KEY_LONGEST_DATA, longest_data);
}

/* A subkey in the order of the file. */
struct listed {
    const struct image_key *key;
    uint32_t cell;
};

/* qsort_r's order of two subkeys. */
static int compare_upper(const void *a, const void *b, void *arg)
{
    const struct utf16 x = ((const struct listed *)a)->key->name;
    const struct utf16 y = ((const struct listed *)b)->key->name;
    const struct hive_writer *w = arg;

    for (size_t i = 0; i < x.len && i < y.len; i++)
        if (w->upper[x.units[i]] != w->upper[y.units[i]])
            return w->upper[x.units[i]] < w->upper[y.units[i]] ? -1 : 1;
    return (x.len > y.len) - (x.len < y.len);
}

static uint32_t name_hash(const struct hive_writer *w, struct utf16 name)
{
    uint32_t hash = 0;

    for (size_t i = 0; i < name.len; i++)
        hash = hash * 37 + w->upper[name.units[i]];
    return hash;
}

/* The list of some subkeys. */
static uint32_t put_leaf(struct hive_writer *w, const struct listed *keys, uint32_t count)
{
    uint32_t leaf = hive_cell(&w->bins, 4 + 8 * (size_t)count);
    uint8_t *at;

    if (leaf == HIVE_NO_CELL)
        return leaf;
    at = hive_at(&w->bins, leaf);
    memcpy(at, "lh", 2);
    hive_put16(at + 2, count);
    for (uint32_t i = 0; i < count; i++) {
        hive_put32(at + 4 + 8 * i, keys[i].cell);
        hive_put32(at + 8 + 8 * i, name_hash(w, keys[i].key->name));
    }
    return leaf;
}

/* The list of all subkeys. */
static uint32_t put_list(struct hive_writer *w, const struct listed *keys, uint32_t count)
{
    uint32_t leaves = (count + HIVE_LEAF_KEYS - 1) / HIVE_LEAF_KEYS, index, leaf;

    if (leaves == 1)
        return put_leaf(w, keys, count);
    if ((index = hive_cell(&w->bins, 4 + 4 * (size_t)leaves)) == HIVE_NO_CELL)
        return index;
    memcpy(hive_at(&w->bins, index), "ri", 2);
    hive_put16(hive_at(&w->bins, index) + 2, leaves);
    for (uint32_t i = 0; i < leaves; i++) {
        uint32_t first = i * HIVE_LEAF_KEYS, left = count - first;

        leaf = put_leaf(w, keys + first, left < HIVE_LEAF_KEYS ? left : HIVE_LEAF_KEYS);
        if (leaf == HIVE_NO_CELL)
            return leaf;
        hive_put32(hive_at(&w->bins, index) + 4 + 4 * i, leaf);
    }
    return index;
}

static int put_key(struct hive_writer *w, const struct image_key *key, struct utf16 name,
                   uint32_t parent, uint32_t *cell);

/* A key's subkeys with all below, and their list. */
static int put_subkeys(struct hive_writer *w, const struct image_key *key, uint32_t cell)
{
    struct listed *keys;
    uint32_t list, longest_name = 0, longest_class = 0;
    int result = RESULT_OK;

    if (!key->key_count)
        return RESULT_OK;
    if (!(keys = calloc(key->key_count, sizeof(*keys))))
        return ENOMEM;
    for (uint32_t i = 0; i < key->key_count; i++)
        keys[i].key = key->keys[i];
    qsort_r(keys, key->key_count, sizeof(*keys), compare_upper, w);
    for (uint32_t i = 0; !result && i < key->key_count; i++) {
        const struct image_key *sub = keys[i].key;

        result = put_key(w, sub, sub->name, cell, &keys[i].cell);
        if (longest_name < 2 * sub->name.len)
            longest_name = (uint32_t)(2 * sub->name.len);
        if (longest_class < 2 * sub->class.len)
            longest_class = (uint32_t)(2 * sub->class.len);
    }
    if (!result && (list = put_list(w, keys, key->key_count)) != HIVE_NO_CELL) {
        hive_put32(hive_at(&w->bins, cell) + HIVE_KEY_SUBKEYS, key->key_count);
        hive_put32(hive_at(&w->bins, cell) + HIVE_KEY_SUBKEY_LIST, list);
        hive_put32(hive_at(&w->bins, cell) + HIVE_KEY_LONGEST_NAME, longest_name);
        hive_put32(hive_at(&w->bins, cell) + HIVE_KEY_LONGEST_CLASS, longest_class);
    }
    free(keys);
    return result;
}

/* A key's class in a cell of its own. */
static uint32_t put_class(struct hive_writer *w, struct utf16 class)
{
    uint32_t cell = class.len ? hive_cell(&w->bins, 2 * class.len) : HIVE_NO_CELL;

    for (size_t i = 0; cell != HIVE_NO_CELL && i < class.len; i++)
        hive_put16(hive_at(&w->bins, cell) + 2 * i, class.units[i]);
    return cell;
}

/* A key with all below; the depth is bounded by IMAGE_MAX_DEPTH. */
static int put_key(struct hive_writer *w, const struct image_key *key, struct utf16 name,
                   uint32_t parent, uint32_t *cell)
{
    size_t bytes = name_bytes(name);
    int result = check_key(w, key);
    uint32_t class;
    uint8_t *at;

    if (result)
        return result;
    *cell = hive_cell(&w->bins, HIVE_KEY_NAME + bytes);
    class = put_class(w, key->class);
    if (w->bins.file.failed)
        return ENOMEM;
    at = hive_at(&w->bins, *cell);
    memcpy(at, "nk", 2);
    hive_put16(at + HIVE_KEY_FLAGS, (key->parent ? 0 : HIVE_KEY_IS_ROOT) |
                                        (key->flags & KEY_FLAG_LINK ? HIVE_KEY_IS_LINK : 0) |
                                        (is_narrow(name) ? HIVE_KEY_NAME_8 : 0));
    hive_put32(at + HIVE_KEY_TIME, (uint32_t)w->filetime);
    hive_put32(at + HIVE_KEY_TIME + 4, (uint32_t)(w->filetime >> 32));
    hive_put32(at + HIVE_KEY_PARENT, parent);
    hive_put32(at + HIVE_KEY_SUBKEY_LIST, HIVE_NO_CELL);
    hive_put32(at + HIVE_KEY_VOLATILE_LIST, HIVE_NO_CELL);
    hive_put32(at + HIVE_KEY_VALUE_LIST, HIVE_NO_CELL);
    hive_put32(at + HIVE_KEY_SECURITY, w->security);
    hive_put32(at + HIVE_KEY_CLASS, class);
    hive_put16(at + HIVE_KEY_NAME_BYTES, (uint32_t)bytes);
    hive_put16(at + HIVE_KEY_CLASS_BYTES, (uint32_t)(2 * key->class.len));
    put_name(at + HIVE_KEY_NAME, name);
    put_values(w, key, *cell);
    if ((result = put_subkeys(w, key, *cell)))
        return result;
    return w->bins.file.failed ? ENOMEM : RESULT_OK;
}

/*
 * The one security descriptor of all keys: owned by Administrators; full access for them and the
 * system, read access for Users; inherited by subkeys.
 */
static uint32_t put_security(struct hive_writer *w)
{
    static const uint8_t descriptor[] = {
        1, 0, 4, 0x80, 0x60, 0, 0, 0, 0x70, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0,
        2, 0, 0x4c, 0, 3, 0, 0, 0,
        0, 2, 0x18, 0, 0x3f, 0, 0x0f, 0, 1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0, 0, 0x20, 2, 0, 0,
        0, 2, 0x14, 0, 0x3f, 0, 0x0f, 0, 1, 1, 0, 0, 0, 0, 0, 5, 0x12, 0, 0, 0,
        0, 2, 0x18, 0, 0x19, 0, 0x02, 0, 1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0, 0, 0x21, 2, 0, 0,
        1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0, 0, 0x20, 2, 0, 0,
        1, 1, 0, 0, 0, 0, 0, 5, 0x12, 0, 0, 0,
    };
    uint32_t cell = hive_cell(&w->bins, 20 + sizeof(descriptor));
    uint8_t *at;

    if (cell == HIVE_NO_CELL)
        return cell;
    at = hive_at(&w->bins, cell);
    memcpy(at, "sk", 2);
    hive_put32(at + 4, cell); /* the next and the previous one are itself */
    hive_put32(at + 8, cell);
    hive_put32(at + 12, (uint32_t)w->image->key_count); /* that refer to it */
    hive_put32(at + 16, sizeof(descriptor));
    memcpy(at + 20, descriptor, sizeof(descriptor));
    return cell;
}

int hive_write(const struct image *image, struct utf16 root_name, uint64_t time, uint8_t **bytes,
               size_t *len, struct error *err)
{
    struct hive_writer *w = calloc(1, sizeof(*w));
    uint32_t root = HIVE_NO_CELL;
    int result;

    if (!w)
        return error_system(err, ENOMEM, "Writing a hive file");
    w->image = image;
    w->err = err;
    w->filetime = (time + 11644473600000000u) * 10;
    fill_upper(w);
    hive_bins_begin(&w->bins);
    w->security = put_security(w);
    if (root_name.len > HIVE_MAX_KEY_NAME_CHARS)
        root_name.len = 0;
    result = put_key(w, image->root, root_name, HIVE_NO_CELL, &root);
    hive_bins_end(&w->bins, root, w->filetime);
    *bytes = w->bins.file.bytes;
    *len = w->bins.file.len;
    if (w->bins.too_large)
        result = error_set(err, RESULT_INVALID, "The hive file would be larger than %zu MiB. A "
                           ".reg file can be.", HIVE_MAX_BYTES >> 20);
    else if (result == ENOMEM)
        error_system(err, ENOMEM, "Writing a hive file");
    if (result) {
        pack_free(&w->bins.file);
        *bytes = NULL;
    }
    free(w);
    return result;
}
