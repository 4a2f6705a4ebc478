/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The picture of one registered key in memory: the key, its subkeys and values, as far as they are
 * checkpointed.  Not thread-safe.
 *
 * An image owns all its strings and data.  Keys and values are sorted as wineserver sorts them
 * (utf16_compare_nocase); two names that differ in case only cannot stand side by side.
 */
#ifndef REGCKPT_IMAGE_H
#define REGCKPT_IMAGE_H

#include "change.h"
#include "error.h"

#define IMAGE_MAX_DEPTH 512         /* levels below the registered key (Windows' limit) */
#define IMAGE_MAX_NAME_CHARS 16383  /* of a value name */
#define IMAGE_MAX_KEY_NAME_CHARS 256 /* Wine's MAX_NAME_LEN (Windows: 255) */
#define IMAGE_MAX_CLASS_CHARS 65535 /* as long as the registry protocol can say */

struct image_value {
    struct utf16 name;
    uint32_t type;
    uint32_t size_bytes;
    const uint8_t *data;
};

struct image_key {
    struct image_key *parent; /* NULL: the registered key itself */
    struct utf16 name;        /* with its case; empty for the registered key itself */
    struct utf16 class;
    uint32_t flags;           /* KEY_FLAG_* */
    bool pinned;              /* holds something excluded: a diff never deletes it */
    uint8_t doubt;            /* enum winereg_doubt: of a picture that was read from Wine's text */
    struct image_key **keys;  /* sorted */
    uint32_t key_count, key_room;
    struct image_value *values; /* sorted */
    uint32_t value_count, value_room;
};

struct image {
    struct image_key *root;  /* NULL: the registered key does not exist */
    uint64_t key_count;      /* with the registered key itself */
    uint64_t value_count;
    uint64_t data_bytes;     /* of all values */
};

void image_init(struct image *image);
void image_free(struct image *image); /* leaves an empty image */

/* The key at a path relative to the registered key, ignoring case; NULL: none. */
struct image_key *image_find_key(const struct image *image, struct utf16 path);
const struct image_value *image_find_value(const struct image_key *key, struct utf16 name);

/*
 * Appends under a parent (NULL: the registered key itself, name ignored); finds the key that is
 * there already, without touching it.  NULL: no memory, or the depth or name limit (errno EINVAL).
 * Appending in sorted order is fast (no search).
 */
struct image_key *image_add_key(struct image *image, struct image_key *parent, struct utf16 name);
/*
 * Sets a value (a copy of name and data is made; the name's case stays if it is there).  0, ENOMEM
 * or EINVAL.
 */
int image_set_value(struct image *image, struct image_key *key, struct utf16 name, uint32_t type,
                    const void *data, uint32_t size_bytes);
int image_set_class(struct image *image, struct image_key *key, struct utf16 class);

/*
 * Carries out one change as the registry would: missing parents are made, a DELETE_KEY takes the
 * subtree with it, deleting what is not there is no error.  0, ENOMEM, or EINVAL (limits).
 */
int image_apply(struct image *image, const struct change *change);

/*
 * Calls fn with the changes that make `from` equal to `to`: deletions of values, subtrees bottom
 * up, then creations and values top down.  Names that differ in case only are deleted and made
 * again.  Keys that are pinned in `from` are never deleted.  An absent `to` deletes everything.
 * No call: the two are equal, byte for byte (type, data, names with case, class, links).
 * Returns 0, what fn returned, or ENOMEM.  The change's views live until fn returns, which must not
 * change either image.
 */
int image_diff(const struct image *from, const struct image *to, uint32_t key_id, change_fn *fn,
               void *arg);
/*
 * Calls fn with the changes that delete a key and what is below it, bottom up, but for what is pinned.
 * Returns and lifetimes as image_diff.
 */
int image_delete_walk(const struct image_key *key, uint32_t key_id, change_fn *fn, void *arg);
bool image_has_class(const struct image *image); /* does any key have one? */
bool image_equal(const struct image *a, const struct image *b);

/* Calls fn with the changes that make the image out of nothing (top down). */
int image_walk(const struct image *image, uint32_t key_id, change_fn *fn, void *arg);

/* The path of a key relative to the registered key, malloc'ed units in *out. 0 or ENOMEM. */
int image_key_path(const struct image_key *key, struct utf16 *out);

/*
 * What is left out of a registered key: `keys` are glob patterns (* ? [..], case ignored) on the
 * key's path relative to the registered key, matching the key takes its subtree with it; `values`
 * on "PATH\NAME" of values (just "NAME" for values of the registered key itself).  '*' also
 * matches '\'; '?' and a set match one UTF-16 unit; "[!..]" is one not of the set, "[*]" a '*'
 * itself.  Patterns are UTF-8.  The registered key itself is never excluded.
 */
struct exclude {
    char **keys;
    size_t key_count;
    char **values;
    size_t value_count;
};

/*
 * Takes what is excluded out of the image and pins the keys above it.  An excluded value pins its
 * key.  0 or ENOMEM.
 */
int image_exclude(struct image *image, const struct exclude *exclude);
/*
 * Takes all pins off.  They are for an image of the live registry, in which a key that holds something
 * excluded has to stay; in the checkpoint a key goes when it went in the registry.
 */
void image_unpin(struct image *image);
/* Does a change concern something excluded? */
bool exclude_matches(const struct exclude *exclude, const struct change *change);
/* One glob match, as above. */
bool glob_matches(const char *pattern_utf8, struct utf16 text);

#endif
