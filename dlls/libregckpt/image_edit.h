/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changing an image by position: what image.c offers to the other files that build or prune
 * images.  Nobody else needs it.
 *
 * A search gives the position where a name is or belongs, looking at the end first, so that
 * appending in sorted order costs one comparison.
 */
#ifndef REGCKPT_IMAGE_EDIT_H
#define REGCKPT_IMAGE_EDIT_H

#include "image.h"

/* Is it a name that a subkey can have? */
bool image_key_name_fits(struct utf16 name);

uint32_t image_search_key(const struct image_key *parent, struct utf16 name, bool *found);
uint32_t image_search_value(const struct image_key *key, struct utf16 name, bool *found);

/* Makes a key at its place (parent NULL: the registered key).  NULL: errno ENOMEM or EINVAL. */
struct image_key *image_insert_key(struct image *image, struct image_key *parent, uint32_t at,
                                   struct utf16 name);
/* Makes a value at its place.  0, ENOMEM or EINVAL. */
int image_insert_value(struct image *image, struct image_key *key, uint32_t at, struct utf16 name,
                       uint32_t type, const void *data, uint32_t size_bytes);

/*
 * Gives a subkey another name, which sorts at the same place.  The key is another one in memory then.
 * ENOMEM, or EINVAL: no subkey can have the name.
 */
int image_rename_key(struct image_key *key, struct utf16 name);

/*
 * Gives a parent a subkey of this name with the class, flags, values and subkeys of another image's root,
 * in place of one that it has; `part` is empty afterwards.  NULL: errno ENOMEM or EINVAL, and nothing changed.
 */
struct image_key *image_graft(struct image *image, struct image_key *parent, struct utf16 name,
                              struct image *part);
/* Takes a subkey away, with all below it. */
void image_remove_key(struct image *image, struct image_key *key);

/* Takes a value out of the counts and frees what it owns; the caller closes the gap. */
void image_drop_value(struct image *image, struct image_value *value);
/* The same for a key with its subtree. */
void image_drop_key(struct image *image, struct image_key *key);

#endif
