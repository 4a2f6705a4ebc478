/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Object attributes: the name in them, and where the key belongs that they name. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hook_private.h"

static bool is_readable(const void *from, size_t bytes)
{
    return from && !IsBadReadPtr(from, bytes);
}

bool attributes_name(const OBJECT_ATTRIBUTES *attr, struct utf16 *name)
{
    if (!is_readable(attr, sizeof(*attr)) || attr->Length != sizeof(*attr) ||
        !is_readable(attr->ObjectName, sizeof(*attr->ObjectName)))
        return false;
    *name = view_of(attr->ObjectName);
    if (name->len && !is_readable(name->units, name->len * sizeof(WCHAR)))
        return false;
    while (name->len && name->units[name->len - 1] == '\\') /* as wineserver does */
        name->len--;
    return true;
}

static bool open_key(const OBJECT_ATTRIBUTES *attr, struct utf16 name, ACCESS_MASK access,
                     HANDLE *key)
{
    UNICODE_STRING text = {name.len * sizeof(WCHAR), name.len * sizeof(WCHAR), (WCHAR *)name.units};
    OBJECT_ATTRIBUTES named = *attr;

    named.ObjectName = &text;
    return !real.NtOpenKeyEx(key, (access & (KEY_WOW64_64KEY | KEY_WOW64_32KEY)) | KEY_QUERY_VALUE,
                             &named, 0);
}

/* Where the key `last` below this one belongs. */
static enum key_place place_below(HANDLE parent, struct utf16 last)
{
    struct key_name above, below;
    enum key_place place;
    uint16_t *full;
    size_t len;

    key_name_ask(parent, &above);
    place = above.place;
    if (place == PLACE_ABOVE) {
        place = PLACE_UNKNOWN;
        len = above.full.len + 1 + last.len;
        if ((full = malloc(len * sizeof(*full)))) {
            struct utf16 name = {full, len};
            memcpy(full, above.full.units, above.full.len * sizeof(*full));
            full[above.full.len] = '\\';
            memcpy(full + above.full.len + 1, last.units, last.len * sizeof(*full));
            key_name_classify(name, &below);
            place = below.place;
            free(full);
        }
    }
    key_name_free(&above);
    return place;
}

enum key_place attributes_place(const OBJECT_ATTRIBUTES *attr, ACCESS_MASK access, bool *exists)
{
    enum key_place place = PLACE_UNKNOWN;
    struct utf16 name, parent;
    struct key_name found;
    int errnum = errno;
    HANDLE key;

    *exists = false;
    if (!attributes_name(attr, &name))
        return PLACE_UNKNOWN;
    parent = name;
    while (parent.len && parent.units[parent.len - 1] != '\\')
        parent.len--;
    if (open_key(attr, name, access, &key)) {
        *exists = true;
        key_name_ask(key, &found);
        place = found.place;
        key_name_free(&found);
        real.NtClose(key);
    } else {
        struct utf16 last = {name.units + parent.len, name.len - parent.len};
        if (parent.len)
            parent.len--;
        if (parent.len ? open_key(attr, parent, access, &key) : !!(key = attr->RootDirectory)) {
            place = place_below(key, last);
            if (parent.len)
                real.NtClose(key);
        }
    }
    errno = errnum;
    return place;
}
