/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From sorted records to images: keys and values are walked side by side, in one order.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "tdblayout.h" /* its assertion: the machine is little-endian, as the records are */

#define MOST_UNITS IMAGE_MAX_NAME_CHARS

/* The way from the registered key to the one last added. */
struct level {
    struct image_key *key;
    const struct item *item;
};

struct builder {
    const struct content *content;
    struct image *image;
    size_t value;   /* the next one */
    size_t depth;
    struct level levels[IMAGE_MAX_DEPTH + 2];
    uint16_t name[MOST_UNITS], class[IMAGE_MAX_CLASS_CHARS];
    char folded[3 * MOST_UNITS];
};

/* Tells of a problem with an item. */
static int report(const struct builder *b, const struct item *item, const char *what)
{
    return b->content->report(item->id, item, what, b->content->arg);
}

/* Reads a string into a buffer: a record's units are not aligned. */
static struct utf16 read_units(struct unpack *u, uint16_t *units, size_t room)
{
    struct utf16 s = { units, unpack_u32(u) };

    if (u->failed || s.len > room || 2 * s.len > (size_t)(u->end - u->at)) {
        u->failed = true;
        s.len = 0;
        return s;
    }
    memcpy(units, u->at, 2 * s.len);
    u->at += 2 * s.len;
    return s;
}

/* Is the folded form of the name in a record what its TDB key says? */
static bool is_name(struct builder *b, struct utf16 name, const uint8_t *folded, size_t len)
{
    return utf16_put_utf8(name, true, b->folded) == len && !memcmp(b->folded, folded, len);
}

/* Where a value's path ends. */
static size_t path_len(const struct item *value)
{
    const uint8_t *zero = memchr(value->rest, 0, value->rest_len);

    return zero ? (size_t)(zero - value->rest) : value->rest_len;
}

/* ENOMEM, or a limit of images: damage. */
static int image_error(const struct builder *b, const struct item *item, int errnum)
{
    if (errnum == ENOMEM) return ENOMEM;
    return report(b, item, "is deeper or longer than the registry can hold");
}

/* Adds one value to the key it belongs to. */
static int add_value(struct builder *b, struct image_key *key, const struct item *item, size_t path)
{
    struct utf16 name;
    struct unpack u;
    const void *data;
    uint32_t type;
    size_t size;
    int ret;

    unpack_init(&u, item->content, item->content_len);
    name = read_units(&u, b->name, MOST_UNITS);
    type = unpack_u32(&u);
    data = unpack_bytes(&u, &size);
    if (!unpack_done(&u)) return report(b, item, "is malformed");
    if (!is_name(b, name, item->rest + path + 1, item->rest_len - path - 1))
        return report(b, item, "has another name in it");
    ret = image_set_value(b->image, key, name, type, data, (uint32_t)size);
    return ret ? image_error(b, item, ret) : 0;
}

/* Adds the values of the key just added; those before it belong to no key. */
static int add_values(struct builder *b, struct image_key *key, const struct item *of)
{
    const struct items *values = &b->content->values;
    const struct item *item;
    size_t len;
    int order, ret = 0;

    for (; !ret && b->value < values->count && values->at[b->value].id == of->id; b->value++) {
        item = &values->at[b->value];
        len = path_len(item);
        order = content_compare(item->rest, len, of->rest, of->rest_len);
        if (order > 0) break;
        ret = order ? report(b, item, "belongs to a key that is not there")
                    : add_value(b, key, item, len);
    }
    return ret;
}

/* The key above, as the last one on the way whose path is that of the parent. NULL: not there. */
static struct image_key *find_parent(struct builder *b, const struct item *item, size_t parent_len)
{
    const struct item *top;

    while (b->depth && b->levels[b->depth - 1].item->rest_len > parent_len) b->depth--;
    if (!b->depth) return NULL;
    top = b->levels[b->depth - 1].item;
    if (top->rest_len != parent_len || memcmp(top->rest, item->rest, parent_len)) return NULL;
    return b->levels[b->depth - 1].key;
}

/* Adds one key with its values. */
static int add_key(struct builder *b, const struct item *item)
{
    struct utf16 name, class;
    struct image_key *parent = NULL, *key;
    size_t above = item->rest_len, first;
    uint64_t before = b->image->key_count;
    struct unpack u;
    uint32_t flags;
    int ret;

    unpack_init(&u, item->content, item->content_len);
    name = read_units(&u, b->name, MOST_UNITS);
    class = read_units(&u, b->class, IMAGE_MAX_CLASS_CHARS);
    flags = unpack_u32(&u);
    if (!unpack_done(&u)) return report(b, item, "is malformed");
    while (above && item->rest[above - 1] != '\\') above--;
    first = above;
    if (above) above--;
    if (!is_name(b, name, item->rest + first, item->rest_len - first))
        return report(b, item, "has another name in it");
    if (item->rest_len) {
        if (!(parent = find_parent(b, item, above)))
            return report(b, item, "is below a key that is not there");
    } else {
        b->depth = 0;
    }
    errno = ENOMEM;
    if (b->depth >= sizeof(b->levels) / sizeof(b->levels[0]) ||
        !(key = image_add_key(b->image, parent, name)))
        return image_error(b, item, b->depth > IMAGE_MAX_DEPTH ? EINVAL : errno);
    if (b->image->key_count == before) return report(b, item, "is there twice");
    key->flags = flags;
    if (class.len && (ret = image_set_class(b->image, key, class))) return ret;
    b->levels[b->depth].key = key;
    b->levels[b->depth++].item = item;
    return add_values(b, key, item);
}

/* Is there a registered key of this id in the snapshot?  Its place, or -1. */
static long find_root(const struct snapshot *s, uint32_t id)
{
    size_t i;

    for (i = 0; i < s->key_count; i++)
        if (s->keys[i].key.id == id) return (long)i;
    return -1;
}

/* Tells of all values left of an id, whose keys are all passed. */
static int skip_values(struct builder *b, uint32_t id, bool orphans)
{
    const struct items *values = &b->content->values;
    int ret = 0;

    for (; !ret && b->value < values->count && values->at[b->value].id <= id; b->value++)
        if (orphans) ret = report(b, &values->at[b->value], "belongs to a key that is not there");
    return ret;
}

int content_build_images(const struct content *c, struct snapshot *out)
{
    struct builder *b = malloc(sizeof(*b));
    const struct item *item;
    bool captured = false;
    uint32_t id = 0;
    size_t i;
    long at = -1;
    int ret = 0;

    if (!b) return ENOMEM;
    b->content = c;
    b->value = 0;
    for (i = 0; !ret && i < c->keys.count; i++) {
        item = &c->keys.at[i];
        if (!i || item->id != id) {
            if (i) ret = skip_values(b, id, captured);
            if (!ret && item->id) ret = skip_values(b, item->id - 1, true);
            if (ret) break;
            id = item->id;
            b->depth = 0;
            at = find_root(out, id);
            /* What is not captured yet may be there in part, and is nobody's business. */
            captured = at < 0 || out->keys[at].key.flags & KEY_CAPTURED;
            if (at >= 0) b->image = &out->keys[at].image;
        }
        if (at < 0) ret = report(b, item, "belongs to no registered key");
        else if (captured) ret = add_key(b, item);
    }
    if (!ret && i) ret = skip_values(b, id, captured);
    if (!ret) ret = skip_values(b, UINT32_MAX, true);
    free(b);
    return ret;
}
