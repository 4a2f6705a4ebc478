/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes carried out in the live registry, by the Nt functions and relative to the registered key's
 * handle: names may hold any unit, and a symbolic link is changed itself, not what it points to.
 */
#include <stdlib.h>
#include <string.h>

#include "host_key.h"

/* Makes the registered key itself, with its class. */
static NTSTATUS create_registered(struct host_key *k, struct utf16 class)
{
    const WCHAR *last;
    WCHAR *text = NULL;
    LSTATUS error;
    HKEY key, parent;

    if (class.len) {
        if (!(text = calloc(class.len + 1, sizeof(WCHAR))))
            return STATUS_NO_MEMORY;
        memcpy(text, class.units, class.len * sizeof(WCHAR));
    }
    if ((error = host_key_open_parent(k, &parent, &last))) {
        free(text);
        return STATUS_ACCESS_DENIED;
    }
    RegCloseKey(parent);
    error = RegCreateKeyExW(HKEY_LOCAL_MACHINE, k->path, 0, text, REG_OPTION_NON_VOLATILE,
                            KEY_ALL_ACCESS | k->view, NULL, &key, NULL);
    free(text);
    if (error)
        return STATUS_ACCESS_DENIED;
    RegCloseKey(key);
    return host_key_refresh(k);
}

static NTSTATUS create_below(HANDLE root, const struct change *change)
{
    ULONG options = change->key_flags & KEY_FLAG_LINK ? REG_OPTION_CREATE_LINK : 0;
    UNICODE_STRING name, class;
    OBJECT_ATTRIBUTES attr;
    NTSTATUS status;
    HANDLE key;

    if (change->path.len > 32767 || change->class.len > 32767)
        return STATUS_OBJECT_NAME_INVALID;
    name.Buffer = (WCHAR *)change->path.units;
    name.Length = name.MaximumLength = change->path.len * sizeof(WCHAR);
    class.Buffer = (WCHAR *)change->class.units;
    class.Length = class.MaximumLength = change->class.len * sizeof(WCHAR);
    InitializeObjectAttributes(&attr, &name, OBJ_CASE_INSENSITIVE, root, NULL);
    status = NtCreateKey(&key, KEY_ALL_ACCESS | KEY_WOW64_64KEY, &attr, 0,
                         change->class.len ? &class : NULL, options, NULL);
    if (!status)
        NtClose(key);
    return status;
}

static NTSTATUS delete_below(struct host_key *k, struct utf16 path)
{
    NTSTATUS status;
    HANDLE key;

    if (!path.len) {
        status = NtDeleteKey(k->key);
        host_key_close(k);
        return status;
    }
    if (!(status = host_key_open_below(k->key, path, DELETE, &key))) {
        status = NtDeleteKey(key);
        NtClose(key);
    }
    return status == STATUS_OBJECT_NAME_NOT_FOUND ? STATUS_SUCCESS : status;
}

static NTSTATUS change_value(HANDLE key, const struct change *change)
{
    UNICODE_STRING name;
    NTSTATUS status;

    if (change->name.len > 32767)
        return STATUS_OBJECT_NAME_INVALID;
    name.Buffer = (WCHAR *)change->name.units;
    name.Length = name.MaximumLength = change->name.len * sizeof(WCHAR);
    if (change->kind == CHANGE_SET_VALUE)
        return NtSetValueKey(key, &name, 0, change->type, change->data, change->size_bytes);
    status = NtDeleteValueKey(key, &name);
    return status == STATUS_OBJECT_NAME_NOT_FOUND ? STATUS_SUCCESS : status;
}

/* The key that values were last changed in, kept open: changes come key by key. */
struct last_key {
    struct utf16 path;
    HANDLE key;
};

static void forget_last(struct last_key *last)
{
    if (last->key)
        NtClose(last->key);
    free((void *)last->path.units);
    memset(last, 0, sizeof(*last));
}

static NTSTATUS open_last(struct last_key *last, HANDLE root, struct utf16 path)
{
    NTSTATUS status;

    if (last->key && last->path.len == path.len &&
        !memcmp(last->path.units, path.units, path.len * sizeof(WCHAR)))
        return STATUS_SUCCESS;
    forget_last(last);
    if (!(last->path.units = malloc(path.len * sizeof(WCHAR) + 1)))
        return STATUS_NO_MEMORY;
    memcpy((void *)last->path.units, path.units, path.len * sizeof(WCHAR));
    last->path.len = path.len;
    if ((status = host_key_open_below(root, path, KEY_SET_VALUE, &last->key)))
        last->key = 0;
    return status;
}

static NTSTATUS apply_change(const struct change *change, struct last_key *last)
{
    struct host_key *k = host_key_find(change->key_id);
    NTSTATUS status;

    if (!k)
        return STATUS_INVALID_PARAMETER;
    if (!k->key && (status = host_key_refresh(k)) &&
        !(status == STATUS_OBJECT_NAME_NOT_FOUND && change->kind == CHANGE_CREATE_KEY &&
          !change->path.len))
        return status;
    switch (change->kind) {
    case CHANGE_CREATE_KEY:
        forget_last(last);
        return change->path.len ? create_below(k->key, change)
                                : create_registered(k, change->class);
    case CHANGE_DELETE_KEY:
        forget_last(last);
        return delete_below(k, change->path);
    case CHANGE_SET_VALUE:
    case CHANGE_DELETE_VALUE:
        if (!change->path.len)
            return change_value(k->key, change);
        if ((status = open_last(last, k->key, change->path)))
            return status;
        return change_value(last->key, change);
    }
    return STATUS_INVALID_PARAMETER;
}

bool registry_apply(struct unpack *u, struct reply *reply)
{
    uint32_t count = unpack_u32(u), i;
    struct last_key last = {{NULL, 0}, 0};
    NTSTATUS status = STATUS_SUCCESS;

    pthread_mutex_lock(&keys_lock);
    for (i = 0; i < count && !status; i++) {
        struct change change;

        unpack_change(u, &change);
        if (unpack_failed(u))
            status = STATUS_INVALID_PARAMETER;
        else
            status = apply_change(&change, &last);
        change_free(&change);
        if (status)
            break;
    }
    forget_last(&last);
    pthread_mutex_unlock(&keys_lock);
    pack_u32(&reply->more, i);
    return status ? fail_nt(reply, status, "changing the live registry") : true;
}
