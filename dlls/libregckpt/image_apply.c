/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Paths in an image: finding a key by its path, and changes, which name keys by path (image.h).
 *
 * A change is checked against the limits as a whole before anything is made for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image_edit.h"

/* Takes the first component off a path. */
static struct utf16 next_component(struct utf16 *path)
{
    struct utf16 component = { path->units, 0 };

    while (component.len < path->len && path->units[component.len] != '\\')
        component.len++;
    if (component.len < path->len) {
        path->units += component.len + 1;
        path->len -= component.len + 1;
    } else {
        path->units += path->len;
        path->len = 0;
    }
    return component;
}

/* Is it a path that a key can have?  A backslash at the end is an empty last component. */
static bool path_fits(struct utf16 path)
{
    unsigned depth = 0;

    if (path.len && path.units[path.len - 1] == '\\')
        return false;
    while (path.len)
        if (++depth > IMAGE_MAX_DEPTH || !image_key_name_fits(next_component(&path)))
            return false;
    return true;
}

struct image_key *image_find_key(const struct image *image, struct utf16 path)
{
    struct image_key *key = image->root;

    if (path.len && path.units[path.len - 1] == '\\')
        return NULL;
    while (key && path.len) {
        bool found;
        uint32_t at = image_search_key(key, next_component(&path), &found);

        key = found ? key->keys[at] : NULL;
    }
    return key;
}

/* The key at a path, made with all above it where it is missing.  *made: it was. */
static struct image_key *make_path(struct image *image, struct utf16 path, bool *made)
{
    uint64_t before = image->key_count;
    struct image_key *key = image_add_key(image, NULL, (struct utf16){ NULL, 0 });

    while (key && path.len)
        key = image_add_key(image, key, next_component(&path));
    *made = image->key_count != before;
    return key;
}

/* Takes a key with its subtree out. */
static void delete_key(struct image *image, struct image_key *key)
{
    struct image_key *parent = key->parent;

    if (parent) {
        bool found;
        uint32_t at = image_search_key(parent, key->name, &found);

        parent->key_count--;
        memmove(parent->keys + at, parent->keys + at + 1,
                (parent->key_count - at) * sizeof(*parent->keys));
    } else {
        image->root = NULL;
    }
    image_drop_key(image, key);
}

/* Takes a value out, if it is there. */
static void delete_value(struct image *image, struct image_key *key, struct utf16 name)
{
    bool found;
    uint32_t at = image_search_value(key, name, &found);

    if (!found)
        return;
    image_drop_value(image, &key->values[at]);
    key->value_count--;
    memmove(key->values + at, key->values + at + 1,
            (key->value_count - at) * sizeof(*key->values));
}

int image_apply(struct image *image, const struct change *change)
{
    struct image_key *key;
    bool made;

    if (!path_fits(change->path))
        return EINVAL;
    switch (change->kind) {
    case CHANGE_CREATE_KEY:
        if (change->class.len > IMAGE_MAX_CLASS_CHARS)
            return EINVAL;
        if (!(key = make_path(image, change->path, &made)))
            return ENOMEM;
        if (made) /* an existing key stays what it is, link or not */
            key->flags = change->key_flags & KEY_FLAG_LINK;
        return image_set_class(image, key, change->class);
    case CHANGE_DELETE_KEY:
        if ((key = image_find_key(image, change->path)))
            delete_key(image, key);
        return 0;
    case CHANGE_SET_VALUE:
        if (change->name.len > IMAGE_MAX_NAME_CHARS)
            return EINVAL;
        if (!(key = make_path(image, change->path, &made)))
            return ENOMEM;
        return image_set_value(image, key, change->name, change->type, change->data,
                               change->size_bytes);
    case CHANGE_DELETE_VALUE:
        if ((key = image_find_key(image, change->path)))
            delete_value(image, key, change->name);
        return 0;
    }
    return EINVAL;
}

int image_key_path(const struct image_key *key, struct utf16 *out)
{
    const struct image_key *k;
    size_t len = 0;
    uint16_t *units, *at;

    for (k = key; k->parent; k = k->parent)
        len += k->name.len + (k != key);
    if (!(units = malloc((len ? len : 1) * sizeof(*units))))
        return ENOMEM;
    at = units + len;
    for (k = key; k->parent; k = k->parent) {
        if (k != key)
            *--at = '\\';
        at -= k->name.len;
        memcpy(at, k->name.units, k->name.len * sizeof(*units));
    }
    out->units = units;
    out->len = len;
    return 0;
}
