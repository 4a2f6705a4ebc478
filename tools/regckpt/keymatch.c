/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "keymatch.h"
#include "keyname.h"

/* How two paths lie to each other in the view of a registered key. */
static int relation_to(const struct registered_key *k, const char *path)
{
    struct registered_key wanted = {.view = k->view, .path = (char *)path};

    return keyname_relation(&wanted, k);
}

const char *key_path_below(const struct registered_key *k, const char *path)
{
    int relation = relation_to(k, path);
    const char *at = path;

    if (relation == KEYS_SAME)
        return "";
    if (relation != KEY_BELOW)
        return NULL;
    /* As many components as the registered key has, as long as both are named alike. */
    for (const char *p = k->path; (p = strchr(p, '\\')); p++)
        if ((at = strchr(at, '\\')))
            at++;
        else
            return NULL;
    at = strchr(at, '\\');
    return at ? at + 1 : NULL;
}

bool key_path_meets(const struct registered_key *k, const char *path, struct utf16 *below)
{
    const char *rest = relation_to(k, path) == KEY_ABOVE ? "" : key_path_below(k, path);

    return rest && !utf16_from_utf8(rest, strlen(rest), below);
}

bool utf16_path_within(struct utf16 path, struct utf16 top)
{
    struct utf16 start = {path.units, top.len};

    if (!top.len)
        return true;
    return path.len >= top.len && (path.len == top.len || path.units[top.len] == '\\') &&
           !utf16_compare_nocase(start, top);
}
