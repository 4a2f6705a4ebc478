/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A set of registry paths, case ignored; it owns its strings.  Not thread-safe.
 */
#ifndef REGCKPT_PATH_SET_H
#define REGCKPT_PATH_SET_H

#include "../../dlls/libregckpt/utf16.h"

#define PATH_SET_MAX 65536 /* one more empties the set first: what it knew can be found out again */

struct path_set {
    struct utf16 *paths; /* sorted */
    size_t count, room;
};

/* 0 or ENOMEM; a path that is there already is no error. */
int path_set_add(struct path_set *s, struct utf16 path);
/* Is the path, or one above it, in the set?  The empty path is above all. */
bool path_set_covers(const struct path_set *s, struct utf16 path);
/* Takes the path and those below it out. */
void path_set_remove(struct path_set *s, struct utf16 path);
void path_set_free(struct path_set *s); /* leaves an empty set */

#endif
