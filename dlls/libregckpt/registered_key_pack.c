/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A registered key packed: for its record in the checkpoint (which this form is part of the format of)
 * and for the way between command and monitor.
 */
#include <stdlib.h>
#include <string.h>

#include "registered_key_pack.h"

#define MAX_PATTERNS 100000

/* Packs a list of patterns. */
static void pack_patterns(struct pack *p, char *const *patterns, size_t count)
{
    pack_u32(p, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        pack_text(p, patterns[i]);
}

void pack_registered_key(struct pack *p, const struct registered_key *k)
{
    pack_u32(p, k->id);
    pack_u32(p, (uint32_t)k->view);
    pack_text(p, k->path);
    pack_u32(p, k->flags);
    pack_patterns(p, k->exclude.keys, k->exclude.key_count);
    pack_patterns(p, k->exclude.values, k->exclude.value_count);
}

/* Unpacks a list of patterns, adding each by add. */
static int unpack_patterns(struct unpack *u, struct exclude *e,
                           int (*add)(struct exclude *e, const char *pattern))
{
    uint32_t count = unpack_u32(u);
    int error = count > MAX_PATTERNS ? RESULT_INVALID : 0;

    for (uint32_t i = 0; i < count && !error; i++) {
        char *pattern = unpack_text(u);
        error = pattern ? add(e, pattern) : RESULT_INVALID;
        free(pattern);
    }
    return error;
}

int unpack_registered_key(struct unpack *u, struct registered_key *k)
{
    int error;

    memset(k, 0, sizeof(*k));
    k->id = unpack_u32(u);
    k->view = unpack_u32(u);
    k->path = unpack_text(u);
    k->flags = unpack_u32(u);
    error = unpack_patterns(u, &k->exclude, exclude_add_key);
    if (!error)
        error = unpack_patterns(u, &k->exclude, exclude_add_value);
    if (!error && (unpack_failed(u) || (k->view != VIEW_64 && k->view != VIEW_32)))
        error = RESULT_INVALID;
    if (error)
        registered_key_free(k);
    return error;
}
