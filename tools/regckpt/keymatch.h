/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which registered keys a key on the command line concerns.
 */
#ifndef REGCKPT_KEYMATCH_H
#define REGCKPT_KEYMATCH_H

#include "checkpoint.h"

/*
 * What stands behind a registered key's path in a path (borrowed from it): "" for the key itself;
 * NULL: the path is not in it.
 */
const char *key_path_below(const struct registered_key *k, const char *path);

/*
 * What of a registered key lies at or below a path, malloc'ed units in *below: all of it (empty),
 * or what is at and below that key in it.  false: nothing, or no memory.
 */
bool key_path_meets(const struct registered_key *k, const char *path, struct utf16 *below);

/* The registered keys with their views in a sentence's middle, cut to the room; returns it. */
const char *key_list(const struct snapshot *s, char *room, size_t room_bytes);

/*
 * The one registered key of a resource that a word means; view: as given, "" for either.
 * RESULT_USAGE: no path, or registered in both views; RESULT_NOT_FOUND names those there are.
 */
int key_find(const struct snapshot *s, const char *resource, const char *word, const char *view,
             const struct snapshot_key **found, struct error *err);

/* Is a path at or below another (both relative to one registered key)? */
bool utf16_path_within(struct utf16 path, struct utf16 top);

#endif
