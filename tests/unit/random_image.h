/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random images for tests: few different names, so that images of one shape have much in common,
 * and every odd kind of name and data there is.
 */
#ifndef REGCKPT_TEST_RANDOM_IMAGE_H
#define REGCKPT_TEST_RANDOM_IMAGE_H

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "image.h"

#define U(s) ((struct utf16){ (const uint16_t *)u##s, sizeof(u##s) / 2 - 1 })

/* What random_image leaves out. */
#define NO_CLASSES 1u    /* NtLoadKey cannot carry them */
#define NO_NUL_FIRST 2u  /* keys whose name begins with NUL */

/* The seed of this run: TEST_SEED, or the time. */
static inline unsigned random_seed(void)
{
    const char *given = getenv("TEST_SEED");

    return given ? strtoul(given, NULL, 10) : (unsigned)time(NULL);
}

static inline unsigned random_below(unsigned *seed, unsigned bound)
{
    return (unsigned)rand_r(seed) % bound;
}

/* A name of one to four units from a small set; of a key: no backslash. */
static inline struct utf16 random_name(unsigned *seed, uint16_t units[4], bool of_key)
{
    static const uint16_t set[] = { 'a', 'A', 'b', '1', '7', 'f', 0xe9, 0xc9, 0x20ac, 0xd800, 0xdc00,
                                    0, 1, 7, 10, 13, 27, 31, 127, 128, 0xffff, '"', '[', ']', '@',
                                    '=', '#', ' ', ';', '\\' };
    unsigned count = sizeof(set) / sizeof(set[0]) - of_key;
    unsigned len = 1 + random_below(seed, 4);

    for (unsigned i = 0; i < len; i++)
        units[i] = set[random_below(seed, random_below(seed, 2) ? 6 : count)];
    return (struct utf16){ units, len };
}

/* A value with any type and data. */
static inline void random_value(unsigned *seed, struct image *image, struct image_key *key)
{
    static const uint32_t types[] = { 0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 11, 0x100, 0xffffffff };
    uint32_t type = types[random_below(seed, sizeof(types) / sizeof(types[0]))];
    uint32_t size = random_below(seed, random_below(seed, 8) ? 12 : 200);
    uint16_t units[4];
    uint8_t data[200];
    struct utf16 name = { units, 0 };

    if (random_below(seed, 8))
        name = random_name(seed, units, false);
    for (uint32_t i = 0; i < size; i++)
        data[i] = random_below(seed, 3) ? 32 + random_below(seed, 96) : random_below(seed, 256);
    if (random_below(seed, 2)) /* a string as it should be */
        for (uint32_t i = 1; i < size; i += 2)
            data[i] = 0;
    if (size > 1 && random_below(seed, 2)) {
        size &= ~1u;
        data[size - 1] = data[size - 2] = 0;
    }
    if (type == 4 && random_below(seed, 2))
        size = size < 4 ? size : 4;
    if (image_set_value(image, key, name, type, data, size))
        abort();
}

/* Fills a key with values and, down to some depth, subkeys. */
static inline void random_content(unsigned *seed, struct image *image, struct image_key *key,
                                  unsigned depth, unsigned flags)
{
    uint16_t units[4];

    for (unsigned i = random_below(seed, 6); i; i--)
        random_value(seed, image, key);
    if (!(flags & NO_CLASSES) && !random_below(seed, 4) &&
        image_set_class(image, key, random_name(seed, units, false)))
        abort();
    for (unsigned i = depth ? random_below(seed, 5) : 0; i; i--) {
        struct utf16 name = random_name(seed, units, true);
        struct image_key *child;

        if ((flags & NO_NUL_FIRST) && !name.units[0])
            continue;
        if (!(child = image_add_key(image, key, name)))
            abort();
        if (!child->value_count && !child->key_count && !random_below(seed, 6))
            child->flags = KEY_FLAG_LINK;
        random_content(seed, image, child, depth - 1, flags);
    }
}

/* A whole image; image_free is the caller's. */
static inline void random_image(unsigned *seed, struct image *image, unsigned flags)
{
    image_init(image);
    random_content(seed, image, image_add_key(image, NULL, U("")), 4, flags);
}

#endif
