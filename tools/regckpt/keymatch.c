/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
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

const char *key_list(const struct snapshot *s, char *room, size_t room_bytes)
{
    *room = 0;
    for (size_t i = 0; i < s->key_count; i++) {
        const struct registered_key *k = &s->keys[i].key;
        size_t len = strlen(room);

        snprintf(room + len, room_bytes - len, "%s\"%s\" (%d-bit view)", len ? ", " : "", k->path,
                 k->view);
    }
    return room;
}

int key_find(const struct snapshot *s, const char *resource, const char *word, const char *view,
             const struct snapshot_key **found, struct error *err)
{
    char list[ERROR_TEXT_BYTES / 2], *path = keyname_clean(word, err);
    unsigned count = 0;
    int result = RESULT_OK;

    if (!path)
        return err ? err->code : RESULT_USAGE;
    key_list(s, list, sizeof(list));
    for (size_t i = 0; i < s->key_count; i++) {
        const struct registered_key *k = &s->keys[i].key;

        if ((!*view || atoi(view) == (int)k->view) && relation_to(k, path) == KEYS_SAME) {
            *found = &s->keys[i];
            count++;
        }
    }
    if (!count)
        result =
            error_set(err, RESULT_NOT_FOUND, "The key \"%s\"%s%s%s is not registered for %s. %s%s.",
                      path, *view ? " (" : "", view, *view ? "-bit view)" : "", resource,
                      *list ? "Registered are: " : "None is registered", list);
    else if (count > 1)
        result = error_set(err, RESULT_USAGE,
                           "The key \"%s\" is registered in both views for %s. Say "
                           "which: --view 64 or --view 32.",
                           path, resource);
    free(path);
    return result;
}
