/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Registered keys and what is left out of them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keyname.h"

/* Adds a copy of a pattern to a list. */
static int list_add(char ***list, size_t *count, const char *pattern)
{
    char **bigger = realloc(*list, (*count + 1) * sizeof(**list));

    if (!bigger) return ENOMEM;
    *list = bigger;
    if (!(bigger[*count] = strdup(pattern))) return ENOMEM;
    (*count)++;
    return 0;
}

/* Frees a list of patterns. */
static void list_free(char **list, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) free(list[i]);
    free(list);
}

int exclude_add_key(struct exclude *e, const char *pattern)
{
    return list_add(&e->keys, &e->key_count, pattern);
}

int exclude_add_value(struct exclude *e, const char *pattern)
{
    return list_add(&e->values, &e->value_count, pattern);
}

void exclude_free(struct exclude *e)
{
    list_free(e->keys, e->key_count);
    list_free(e->values, e->value_count);
    memset(e, 0, sizeof(*e));
}

/* Makes a copy of excludes in *to; on failure *to is empty. */
static int exclude_copy(struct exclude *to, const struct exclude *from)
{
    size_t i;
    int ret = 0;

    memset(to, 0, sizeof(*to));
    for (i = 0; !ret && i < from->key_count; i++) ret = exclude_add_key(to, from->keys[i]);
    for (i = 0; !ret && i < from->value_count; i++) ret = exclude_add_value(to, from->values[i]);
    if (ret) exclude_free(to);
    return ret;
}

void registered_key_free(struct registered_key *k)
{
    free(k->path);
    exclude_free(&k->exclude);
    memset(k, 0, sizeof(*k));
}

int registered_key_copy(struct registered_key *to, const struct registered_key *from)
{
    *to = *from;
    to->path = strdup(from->path ? from->path : "");
    if (to->path && !exclude_copy(&to->exclude, &from->exclude)) return 0;
    free(to->path);
    memset(to, 0, sizeof(*to));
    return ENOMEM;
}

int registered_key_effective_exclude(const struct registered_key *k, struct exclude *out)
{
    int ret = exclude_copy(out, &k->exclude);

    /* Which program a service runs, and when, belongs to the node: regckpt puts its host there. */
    if (!ret && keyname_is_service(k->path)) {
        if (!(ret = exclude_add_value(out, "ImagePath"))) ret = exclude_add_value(out, "Start");
        if (ret) exclude_free(out);
    }
    return ret;
}
