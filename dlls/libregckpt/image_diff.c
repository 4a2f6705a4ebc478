/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The difference of two images as changes (see image.h).
 *
 * Two passes over both trees side by side: the first deletes, bottom up, and notes whether there is
 * anything to make; the second makes, top down.  A name that changes its case only is gone after
 * the first pass, so the second never meets the old one.  Both passes decide by keeps() which key
 * of `from` lives on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

/* One run: where changes go, and the path of the key in hand. */
struct diff {
    change_fn *fn;
    void *arg;
    uint32_t key_id;
    uint16_t *path;
    size_t len, room; /* of path, in units */
    bool creations;   /* the second pass has something to do */
};

/* Appends a component to the path; pop() takes it off again. */
static int push(struct diff *d, const struct image_key *key)
{
    size_t want = d->len + key->name.len + 1;

    if (want > d->room) {
        size_t room = want * 2 + 64;
        uint16_t *bigger = realloc(d->path, room * sizeof(*bigger));

        if (!bigger)
            return ENOMEM;
        d->path = bigger;
        d->room = room;
    }
    if (d->len)
        d->path[d->len++] = '\\';
    memcpy(d->path + d->len, key->name.units, key->name.len * sizeof(*d->path));
    d->len += key->name.len;
    return 0;
}

static void pop(struct diff *d, size_t len)
{
    d->len = len;
}

/* A change of the key in hand. */
static int emit(struct diff *d, struct change change)
{
    change.key_id = d->key_id;
    change.path.units = d->path;
    change.path.len = d->len;
    return d->fn(&change, d->arg);
}

static int emit_delete_value(struct diff *d, const struct image_value *value)
{
    return emit(d, (struct change){ .kind = CHANGE_DELETE_VALUE, .name = value->name });
}

/* Does the key of `from` live on as the one of `to`, found under its name in any case? */
static bool keeps(const struct image_key *from, const struct image_key *to)
{
    return from->pinned || (utf16_equal(from->name, to->name) &&
                            (from->flags & KEY_FLAG_LINK) == (to->flags & KEY_FLAG_LINK));
}

static bool same_content(const struct image_value *a, const struct image_value *b)
{
    return a->type == b->type && a->size_bytes == b->size_bytes &&
           (!a->size_bytes || !memcmp(a->data, b->data, a->size_bytes));
}

/* The order of two names; the usual case, that they are equal, without folding. */
static int order_of(struct utf16 a, struct utf16 b)
{
    return utf16_equal(a, b) ? 0 : utf16_compare_nocase(a, b);
}

/*
 * Deletes what is below a key and, unless something in it is pinned, the key itself.  A key's values
 * are deleted one by one before it: a checkpoint has a record of each, and the history its old data.
 */
static int delete_subtree(struct diff *d, const struct image_key *key, bool *kept)
{
    size_t len = d->len;
    int result = 0;

    *kept = key->pinned;
    for (uint32_t i = 0; !result && i < key->key_count; i++) {
        bool child_kept = false;

        if ((result = push(d, key->keys[i])))
            break;
        result = delete_subtree(d, key->keys[i], &child_kept);
        pop(d, len);
        *kept |= child_kept;
    }
    for (uint32_t i = 0; !result && i < key->value_count; i++)
        result = emit_delete_value(d, &key->values[i]);
    if (!result && !*kept)
        result = emit(d, (struct change){ .kind = CHANGE_DELETE_KEY });
    return result;
}

/* First pass, values of a key that lives on. */
static int delete_values(struct diff *d, const struct image_key *from, const struct image_key *to)
{
    uint32_t i = 0, j = 0;
    int result = 0;

    while (!result && i < from->value_count) {
        const struct image_value *old = &from->values[i], *new = NULL;
        int order = -1;

        if (j < to->value_count) {
            new = &to->values[j];
            order = order_of(old->name, new->name);
        }
        if (order > 0) {
            d->creations = true;
            j++;
            continue;
        }
        i++;
        if (order < 0) {
            result = emit_delete_value(d, old);
            continue;
        }
        j++;
        if (!utf16_equal(old->name, new->name)) {
            d->creations = true;
            result = emit_delete_value(d, old);
        } else if (!same_content(old, new)) {
            d->creations = true;
        }
    }
    if (j < to->value_count)
        d->creations = true;
    return result;
}

/* First pass, a key that lives on: deletes what `to` does not have. */
static int delete_extra(struct diff *d, const struct image_key *from, const struct image_key *to)
{
    uint32_t i = 0, j = 0;
    size_t len = d->len;
    int result = delete_values(d, from, to);

    if (!utf16_equal(from->class, to->class))
        d->creations = true;
    while (!result && i < from->key_count) {
        const struct image_key *old = from->keys[i], *new = NULL;
        int order = -1;
        bool kept;

        if (j < to->key_count) {
            new = to->keys[j];
            order = order_of(old->name, new->name);
        }
        if (order > 0) {
            d->creations = true;
            j++;
            continue;
        }
        i++;
        if ((result = push(d, old)))
            break;
        if (!order && keeps(old, new)) {
            result = delete_extra(d, old, new);
        } else {
            result = delete_subtree(d, old, &kept);
            d->creations |= !order;
        }
        if (!order)
            j++;
        pop(d, len);
    }
    if (j < to->key_count)
        d->creations = true;
    return result;
}

/* Second pass, values: sets what is not there as it should be. */
static int set_values(struct diff *d, const struct image_key *from, const struct image_key *to)
{
    uint32_t i = 0, count = from ? from->value_count : 0;
    int result = 0;

    for (uint32_t j = 0; !result && j < to->value_count; j++) {
        const struct image_value *new = &to->values[j];
        int order = 1;

        while (i < count && (order = order_of(from->values[i].name, new->name)) < 0)
            i++;
        if (i < count && !order && utf16_equal(from->values[i].name, new->name) &&
            same_content(&from->values[i], new))
            continue;
        result = emit(d, (struct change){ .kind = CHANGE_SET_VALUE, .name = new->name,
                                          .type = new->type, .data = new->data,
                                          .size_bytes = new->size_bytes });
    }
    return result;
}

/* Second pass: makes a key (from NULL) or gives an existing one what it lacks. */
static int create_missing(struct diff *d, const struct image_key *from, const struct image_key *to)
{
    uint32_t i = 0, count = from ? from->key_count : 0;
    size_t len = d->len;
    int result = 0;

    if (!from || !utf16_equal(from->class, to->class))
        result = emit(d, (struct change){ .kind = CHANGE_CREATE_KEY, .class = to->class,
                                          .key_flags = to->flags & KEY_FLAG_LINK });
    if (!result)
        result = set_values(d, from, to);
    for (uint32_t j = 0; !result && j < to->key_count; j++) {
        const struct image_key *new = to->keys[j], *old = NULL;
        int order = 1;

        while (i < count && (order = order_of(from->keys[i]->name, new->name)) < 0)
            i++;
        if (i < count && !order && keeps(from->keys[i], new))
            old = from->keys[i];
        if ((result = push(d, new)))
            break;
        result = create_missing(d, old, new);
        pop(d, len);
    }
    return result;
}

int image_diff(const struct image *from, const struct image *to, uint32_t key_id, change_fn *fn,
               void *arg)
{
    struct diff d = { .fn = fn, .arg = arg, .key_id = key_id };
    const struct image_key *old = from->root;
    int result = 0;
    bool kept;

    if (old && to->root && keeps(old, to->root)) {
        result = delete_extra(&d, old, to->root);
    } else {
        if (old)
            result = delete_subtree(&d, old, &kept);
        old = NULL;
        d.creations = to->root != NULL;
    }
    if (!result && d.creations)
        result = create_missing(&d, old, to->root);
    free(d.path);
    return result;
}

int image_delete_walk(const struct image_key *key, uint32_t key_id, change_fn *fn, void *arg)
{
    struct diff d = { .fn = fn, .arg = arg, .key_id = key_id };
    struct utf16 path;
    int result = image_key_path(key, &path);
    bool kept;

    if (result)
        return result;
    d.path = (uint16_t *)path.units;
    d.len = d.room = path.len;
    result = delete_subtree(&d, key, &kept);
    free(d.path);
    return result;
}

/* Any change says that the images differ. */
static int stop_at_change(const struct change *change, void *arg)
{
    (void)change;
    *(bool *)arg = true;
    return RESULT_DIFFERENT;
}

bool image_equal(const struct image *a, const struct image *b)
{
    bool different = false;

    if (!a->root != !b->root || a->key_count != b->key_count ||
        a->value_count != b->value_count || a->data_bytes != b->data_bytes)
        return false;
    /* no memory for a path: not known to be equal */
    return !image_diff(a, b, 0, stop_at_change, &different) && !different;
}

int image_walk(const struct image *image, uint32_t key_id, change_fn *fn, void *arg)
{
    struct image nothing;

    image_init(&nothing);
    return image_diff(&nothing, image, key_id, fn, arg);
}
