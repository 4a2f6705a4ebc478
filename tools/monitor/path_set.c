/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A sorted array: sets are small, and looked at far more often than changed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "path_set.h"

/* The first path that is not before the given one. */
static size_t search(const struct path_set *s, struct utf16 path, bool *found)
{
    size_t low = 0, high = s->count;

    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = utf16_compare_nocase(s->paths[middle], path);

        *found |= !order;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void path_set_free(struct path_set *s)
{
    for (size_t i = 0; i < s->count; i++)
        free((void *)s->paths[i].units);
    free(s->paths);
    memset(s, 0, sizeof(*s));
}

int path_set_add(struct path_set *s, struct utf16 path)
{
    uint16_t *units;
    bool found;
    size_t at = search(s, path, &found);

    if (found)
        return 0;
    if (s->count == PATH_SET_MAX) {
        path_set_free(s);
        at = 0;
    }
    if (s->count == s->room) {
        size_t room = s->room ? 2 * s->room : 16;
        struct utf16 *bigger = realloc(s->paths, room * sizeof(*bigger));

        if (!bigger)
            return ENOMEM;
        s->paths = bigger;
        s->room = room;
    }
    if (!(units = malloc(path.len ? path.len * sizeof(*units) : 1)))
        return ENOMEM;
    if (path.len)
        memcpy(units, path.units, path.len * sizeof(*units));
    memmove(s->paths + at + 1, s->paths + at, (s->count - at) * sizeof(*s->paths));
    s->paths[at] = (struct utf16){units, path.len};
    s->count++;
    return 0;
}

bool path_set_covers(const struct path_set *s, struct utf16 path)
{
    bool found;

    if (!s->count)
        return false;
    search(s, path, &found);
    while (!found && path.len) {
        do
            path.len--;
        while (path.len && path.units[path.len] != '\\');
        search(s, path, &found);
    }
    return found;
}

/* Is a path the other one, or below it? */
static bool is_within(struct utf16 path, struct utf16 above)
{
    if (path.len < above.len || (above.len && path.len > above.len && path.units[above.len] != '\\'))
        return false;
    path.len = above.len;
    return !utf16_compare_nocase(path, above);
}

void path_set_remove(struct path_set *s, struct utf16 path)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->count; i++) {
        if (is_within(s->paths[i], path))
            free((void *)s->paths[i].units);
        else
            s->paths[kept++] = s->paths[i];
    }
    s->count = kept;
}
