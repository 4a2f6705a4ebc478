/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The picture of a registered key: building it key by key and value by value (see image.h).
 *
 * A key is one block with its name behind it, a value's name and data are one block, so that
 * reading a large tree costs one allocation a value.  The arrays grow by doubling.
 */
#include "image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image_edit.h"

#define FIRST_ROOM 4

void image_init(struct image *image)
{
    memset(image, 0, sizeof(*image));
}

void image_free(struct image *image)
{
    if (image->root)
        image_drop_key(image, image->root);
    image_init(image);
}

void image_drop_value(struct image *image, struct image_value *value)
{
    image->value_count--;
    image->data_bytes -= value->size_bytes;
    free((void *)value->name.units);
}

void image_drop_key(struct image *image, struct image_key *key)
{
    for (uint32_t i = 0; i < key->key_count; i++)
        image_drop_key(image, key->keys[i]);
    for (uint32_t i = 0; i < key->value_count; i++)
        image_drop_value(image, &key->values[i]);
    image->key_count--;
    free((void *)key->class.units);
    free(key->keys);
    free(key->values);
    free(key);
}

bool image_key_name_fits(struct utf16 name)
{
    if (!name.len || name.len > IMAGE_MAX_KEY_NAME_CHARS)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.units[i] == '\\')
            return false;
    return true;
}

uint32_t image_search_key(const struct image_key *parent, struct utf16 name, bool *found)
{
    uint32_t low = 0, high = parent->key_count;
    uint32_t at = high ? high - 1 : 0; /* the end first */

    *found = false;
    while (low < high) {
        int order = utf16_compare_nocase(parent->keys[at]->name, name);

        if (!order) {
            *found = true;
            return at;
        }
        if (order < 0)
            low = at + 1;
        else
            high = at;
        at = low + (high - low) / 2;
    }
    return low;
}

uint32_t image_search_value(const struct image_key *key, struct utf16 name, bool *found)
{
    uint32_t low = 0, high = key->value_count;
    uint32_t at = high ? high - 1 : 0;

    *found = false;
    while (low < high) {
        int order = utf16_compare_nocase(key->values[at].name, name);

        if (!order) {
            *found = true;
            return at;
        }
        if (order < 0)
            low = at + 1;
        else
            high = at;
        at = low + (high - low) / 2;
    }
    return low;
}

/* Room for one more in an array. */
static int grow(void **array, uint32_t count, uint32_t *room, size_t item_bytes)
{
    uint32_t more;
    void *bigger;

    if (count < *room)
        return 0;
    if (*room > UINT32_MAX / 2)
        return ENOMEM;
    more = *room ? *room * 2 : FIRST_ROOM;
    if (!(bigger = realloc(*array, more * item_bytes)))
        return ENOMEM;
    *array = bigger;
    *room = more;
    return 0;
}

/* How many levels below the registered key. */
static unsigned key_depth(const struct image_key *key)
{
    unsigned depth = 0;

    while ((key = key->parent))
        depth++;
    return depth;
}

struct image_key *image_insert_key(struct image *image, struct image_key *parent, uint32_t at,
                                   struct utf16 name)
{
    struct image_key *key;

    if (!parent)
        name.len = 0;
    else if (!image_key_name_fits(name) || key_depth(parent) >= IMAGE_MAX_DEPTH) {
        errno = EINVAL;
        return NULL;
    }
    if (parent && grow((void **)&parent->keys, parent->key_count, &parent->key_room,
                       sizeof(*parent->keys))) {
        errno = ENOMEM;
        return NULL;
    }
    if (!(key = calloc(1, sizeof(*key) + name.len * sizeof(uint16_t))))
        return NULL;
    if (name.len)
        memcpy(key + 1, name.units, name.len * sizeof(uint16_t));
    key->name.units = (const uint16_t *)(key + 1);
    key->name.len = name.len;
    key->parent = parent;
    if (parent) {
        memmove(parent->keys + at + 1, parent->keys + at,
                (parent->key_count - at) * sizeof(*parent->keys));
        parent->keys[at] = key;
        parent->key_count++;
    } else {
        image->root = key;
    }
    image->key_count++;
    return key;
}

static uint32_t place_in_parent(const struct image_key *key)
{
    uint32_t at = 0;

    while (key->parent->keys[at] != key) /* few have such names */
        at++;
    return at;
}

int image_rename_key(struct image_key *key, struct utf16 name)
{
    struct image_key *parent = key->parent, *renamed;

    if (!image_key_name_fits(name))
        return EINVAL;
    if (!(renamed = malloc(sizeof(*renamed) + name.len * sizeof(uint16_t))))
        return ENOMEM;
    *renamed = *key;
    memcpy(renamed + 1, name.units, name.len * sizeof(uint16_t));
    renamed->name = (struct utf16){(const uint16_t *)(renamed + 1), name.len};
    for (uint32_t i = 0; i < renamed->key_count; i++)
        renamed->keys[i]->parent = renamed;
    parent->keys[place_in_parent(key)] = renamed;
    free(key);
    return 0;
}

void image_remove_key(struct image *image, struct image_key *key)
{
    struct image_key *parent = key->parent;
    uint32_t at = place_in_parent(key);

    image_drop_key(image, key);
    memmove(parent->keys + at, parent->keys + at + 1,
            (--parent->key_count - at) * sizeof(*parent->keys));
}

struct image_key *image_graft(struct image *image, struct image_key *parent, struct utf16 name,
                              struct image *part)
{
    struct image_key *from = part->root, *key;
    bool found;
    uint32_t at = image_search_key(parent, name, &found);

    if (!(key = image_insert_key(image, parent, at, name)))
        return NULL;
    if (found)
        image_remove_key(image, parent->keys[at + 1]);
    key->class = from->class;
    key->flags = from->flags;
    key->keys = from->keys;
    key->key_count = from->key_count;
    key->key_room = from->key_room;
    key->values = from->values;
    key->value_count = from->value_count;
    key->value_room = from->value_room;
    for (uint32_t i = 0; i < key->key_count; i++)
        key->keys[i]->parent = key;
    image->key_count += part->key_count - 1; /* one is counted already */
    image->value_count += part->value_count;
    image->data_bytes += part->data_bytes;
    free(from);
    image_init(part);
    return key;
}

struct image_key *image_add_key(struct image *image, struct image_key *parent, struct utf16 name)
{
    uint32_t at = 0;
    bool found;

    if (!parent)
        return image->root ? image->root : image_insert_key(image, NULL, 0, name);
    at = image_search_key(parent, name, &found);
    return found ? parent->keys[at] : image_insert_key(image, parent, at, name);
}

/* One block with a name and data; the data is aligned for every type. */
static int make_block(struct image_value *value, struct utf16 name, const void *data,
                      uint32_t size_bytes)
{
    size_t name_bytes = (name.len * sizeof(uint16_t) + 7) & ~(size_t)7;
    uint8_t *block = malloc(name_bytes + size_bytes + 1);

    if (!block)
        return ENOMEM;
    if (name.len)
        memcpy(block, name.units, name.len * sizeof(uint16_t));
    if (size_bytes)
        memcpy(block + name_bytes, data, size_bytes);
    value->name.units = (const uint16_t *)block;
    value->name.len = name.len;
    value->data = block + name_bytes;
    value->size_bytes = size_bytes;
    return 0;
}

int image_insert_value(struct image *image, struct image_key *key, uint32_t at, struct utf16 name,
                       uint32_t type, const void *data, uint32_t size_bytes)
{
    struct image_value value = { .type = type };

    if (name.len > IMAGE_MAX_NAME_CHARS)
        return EINVAL;
    if (grow((void **)&key->values, key->value_count, &key->value_room, sizeof(*key->values)) ||
        make_block(&value, name, data, size_bytes))
        return ENOMEM;
    if (at < key->value_count)
        memmove(key->values + at + 1, key->values + at,
                (key->value_count - at) * sizeof(*key->values));
    key->values[at] = value;
    key->value_count++;
    image->value_count++;
    image->data_bytes += size_bytes;
    return 0;
}

int image_set_value(struct image *image, struct image_key *key, struct utf16 name, uint32_t type,
                    const void *data, uint32_t size_bytes)
{
    struct image_value *value, changed;
    uint32_t at;
    bool found;

    at = image_search_value(key, name, &found);
    if (!found)
        return image_insert_value(image, key, at, name, type, data, size_bytes);
    value = &key->values[at];
    if (value->size_bytes == size_bytes) {
        if (size_bytes)
            memmove((uint8_t *)value->data, data, size_bytes);
        value->type = type;
        return 0;
    }
    changed.type = type;
    if (make_block(&changed, value->name, data, size_bytes))
        return ENOMEM;
    image->data_bytes += size_bytes;
    image->data_bytes -= value->size_bytes;
    free((void *)value->name.units);
    *value = changed;
    return 0;
}

int image_set_class(struct image *image, struct image_key *key, struct utf16 class)
{
    uint16_t *units = NULL;

    (void)image;
    if (class.len) {
        if (!(units = malloc(class.len * sizeof(*units))))
            return ENOMEM;
        memcpy(units, class.units, class.len * sizeof(*units));
    }
    free((void *)key->class.units);
    key->class.units = units;
    key->class.len = class.len;
    return 0;
}

const struct image_value *image_find_value(const struct image_key *key, struct utf16 name)
{
    bool found;
    uint32_t at = image_search_value(key, name, &found);

    return found ? &key->values[at] : NULL;
}

static bool key_has_class(const struct image_key *key)
{
    for (uint32_t i = 0; i < key->key_count; i++)
        if (key_has_class(key->keys[i]))
            return true;
    return key->class.len > 0;
}

bool image_has_class(const struct image *image)
{
    return image->root && key_has_class(image->root);
}
