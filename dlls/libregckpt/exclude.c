/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is left out of a registered key (struct exclude of image.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image_edit.h"

/* The path in hand; names of values are matched behind it. */
struct text {
    uint16_t *units;
    size_t len, room;
};

/* Appends a name, with a backslash in front unless the text is empty. */
static int append(struct text *text, struct utf16 name)
{
    size_t want = text->len + name.len + 1;

    if (want > text->room) {
        size_t room = want * 2 + 64;
        uint16_t *bigger = realloc(text->units, room * sizeof(*bigger));

        if (!bigger)
            return ENOMEM;
        text->units = bigger;
        text->room = room;
    }
    if (text->len)
        text->units[text->len++] = '\\';
    if (name.len)
        memcpy(text->units + text->len, name.units, name.len * sizeof(*text->units));
    text->len += name.len;
    return 0;
}

/* Does any of the patterns match? */
static bool any_matches(char *const *patterns, size_t count, struct utf16 text)
{
    for (size_t i = 0; i < count; i++)
        if (glob_matches(patterns[i], text))
            return true;
    return false;
}

/* Takes excluded values out of a key. */
static int exclude_values(struct image *image, struct image_key *key,
                          const struct exclude *exclude, struct text *text)
{
    uint32_t kept = 0;
    size_t len = text->len;
    int result = 0;

    for (uint32_t i = 0; i < key->value_count; i++) {
        bool out = false;

        if (!result && !(result = append(text, key->values[i].name)))
            out = any_matches(exclude->values, exclude->value_count,
                              (struct utf16){ text->units, text->len });
        text->len = len;
        if (out) {
            image_drop_value(image, &key->values[i]);
            key->pinned = true;
        } else {
            key->values[kept++] = key->values[i];
        }
    }
    key->value_count = kept;
    return result;
}

/* Takes excluded values and keys out of a key that is not excluded itself. */
static int exclude_below(struct image *image, struct image_key *key,
                         const struct exclude *exclude, struct text *text)
{
    uint32_t kept = 0;
    size_t len = text->len;
    int result = 0;

    if (exclude->value_count)
        result = exclude_values(image, key, exclude, text);
    for (uint32_t i = 0; i < key->key_count; i++) {
        struct image_key *child = key->keys[i];
        bool out = false;

        if (!result && !(result = append(text, child->name))) {
            out = any_matches(exclude->keys, exclude->key_count,
                              (struct utf16){ text->units, text->len });
            if (!out)
                result = exclude_below(image, child, exclude, text);
        }
        text->len = len;
        key->pinned |= out || child->pinned;
        if (out)
            image_drop_key(image, child);
        else
            key->keys[kept++] = child;
    }
    key->key_count = kept;
    return result;
}

int image_exclude(struct image *image, const struct exclude *exclude)
{
    struct text text = { NULL, 0, 0 };
    int result;

    if (!image->root || (!exclude->key_count && !exclude->value_count))
        return 0;
    result = exclude_below(image, image->root, exclude, &text);
    free(text.units);
    return result;
}

static void unpin_key(struct image_key *key)
{
    key->pinned = false;
    for (uint32_t i = 0; i < key->key_count; i++)
        unpin_key(key->keys[i]);
}

void image_unpin(struct image *image)
{
    if (image->root)
        unpin_key(image->root);
}

bool exclude_matches(const struct exclude *exclude, const struct change *change)
{
    struct text text = { NULL, 0, 0 };
    bool matched;

    for (size_t i = 1; exclude->key_count && i <= change->path.len; i++)
        if ((i == change->path.len || change->path.units[i] == '\\') &&
            any_matches(exclude->keys, exclude->key_count,
                        (struct utf16){ change->path.units, i }))
            return true;
    if (!exclude->value_count ||
        (change->kind != CHANGE_SET_VALUE && change->kind != CHANGE_DELETE_VALUE))
        return false;
    if (!change->path.len)
        return any_matches(exclude->values, exclude->value_count, change->name);
    /* no memory: what may be excluded is not touched */
    matched = append(&text, change->path) || append(&text, change->name) ||
              any_matches(exclude->values, exclude->value_count,
                          (struct utf16){ text.units, text.len });
    free(text.units);
    return matched;
}
