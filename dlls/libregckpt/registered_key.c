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

/* Takes a pattern out of a list. */
static bool list_drop(char **list, size_t *count, const char *pattern)
{
    size_t i;

    for (i = 0; i < *count && strcmp(list[i], pattern); i++) ;
    if (i == *count) return false;
    free(list[i]);
    memmove(list + i, list + i + 1, (--*count - i) * sizeof(*list));
    return true;
}

bool exclude_drop_key(struct exclude *e, const char *pattern)
{
    return list_drop(e->keys, &e->key_count, pattern);
}

bool exclude_drop_value(struct exclude *e, const char *pattern)
{
    return list_drop(e->values, &e->value_count, pattern);
}

int exclude_check(const char *pattern, bool of_values, struct error *err)
{
    const char *option = of_values ? "--exclude-value" : "--exclude";
    size_t len = strlen(pattern);
    struct utf16 units;

    if (utf16_from_utf8(pattern, len, &units))
        return error_set(err, RESULT_USAGE, "%s: the pattern is not valid UTF-8.", option);
    free((void *)units.units);
    if (of_values) return 0;
    if (!len)
        return error_set(err, RESULT_USAGE, "%s: an empty pattern matches no key below the "
                         "registered one.", option);
    if (pattern[0] == '\\' || pattern[len - 1] == '\\')
        return error_set(err, RESULT_USAGE, "%s: \"%s\" matches no key: paths below the registered "
                         "key have no backslash at their ends.", option, pattern);
    return 0;
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
