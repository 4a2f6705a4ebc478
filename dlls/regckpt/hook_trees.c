/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that change many keys at once: rename, load, unload, and what Wine may do one day (restore,
 * replace).  They hold all lanes, make all forget the names they know, and ask for a scan.
 */
#include <errno.h>

#include "hook_private.h"

/* Whether it failed or not: a load that fails leaves its key, an unload may stop half-way. */
static NTSTATUS finish(struct hook_call *call, NTSTATUS status)
{
    ring_bump_generation(&hook.ring);
    if (call->mode == CALL_WAIT)
        call_counted(call);
    else
        call_flag(call, RING_SCAN_TREE);
    return call_end(call, status);
}

/*
 * Can what is done to the tree at this key touch a registered one?  The parent decides: the key
 * gets another name there, and Wine 8.0 loses a sibling over it (server/registry.c, rename_key).
 */
static bool touches_registered(HANDLE key)
{
    enum key_place place, above = PLACE_UNKNOWN;
    struct key_name name, parent;
    struct utf16 full;

    key_name_ask(key, &name);
    place = name.place;
    if (place == PLACE_APART) {
        full = name.full;
        while (full.len && full.units[full.len - 1] != '\\')
            full.len--;
        if (full.len) {
            full.len--;
            key_name_classify(full, &parent);
            above = parent.place;
        }
    }
    key_name_free(&name);
    return place == PLACE_REGISTERED || place == PLACE_ABOVE || place == PLACE_UNKNOWN ||
           (place == PLACE_APART && above != PLACE_APART);
}

NTSTATUS WINAPI hook_NtRenameKey(HANDLE key, UNICODE_STRING *new_name)
{
    int errnum = errno;
    bool touches = ring_in_use() && touches_registered(key);
    struct hook_call call;
    NTSTATUS status;

    errno = errnum;
    if (!touches)
        return real.NtRenameKey(key, new_name);
    if (ring_refuses())
        return STATUS_REGISTRY_IO_FAILED;
    call_begin_all(&call);
    status = real.NtRenameKey(key, new_name);
    return NT_SUCCESS(status) ? finish(&call, status) : call_end(&call, status);
}

/* In the state RING_REFUSING: is the key, or what lies below it, registered? */
static bool is_refused(const OBJECT_ATTRIBUTES *attr)
{
    enum key_place place;
    bool exists;

    if (!ring_refuses())
        return false;
    place = attributes_place(attr, 0, &exists);
    return place == PLACE_REGISTERED || place == PLACE_ABOVE;
}

/* The call, made with all lanes held; plain where the ring is not in use. */
#define WITH_ALL_LANES(attr, call) \
    do { \
        struct hook_call held; \
        if (!ring_in_use()) \
            return call; \
        if (is_refused(attr)) \
            return STATUS_REGISTRY_IO_FAILED; \
        call_begin_all(&held); \
        return finish(&held, call); \
    } while (0)

NTSTATUS WINAPI hook_NtLoadKey(const OBJECT_ATTRIBUTES *attr, OBJECT_ATTRIBUTES *file)
{
    WITH_ALL_LANES(attr, real.NtLoadKey(attr, file));
}

NTSTATUS WINAPI hook_NtLoadKey2(const OBJECT_ATTRIBUTES *attr, OBJECT_ATTRIBUTES *file, ULONG flags)
{
    WITH_ALL_LANES(attr, real.NtLoadKey2(attr, file, flags));
}

NTSTATUS WINAPI hook_NtLoadKeyEx(const OBJECT_ATTRIBUTES *attr, OBJECT_ATTRIBUTES *file,
                                 ULONG flags, HANDLE trust, HANDLE event, ACCESS_MASK access,
                                 HANDLE *root, IO_STATUS_BLOCK *io)
{
    WITH_ALL_LANES(attr, real.NtLoadKeyEx(attr, file, flags, trust, event, access, root, io));
}

NTSTATUS WINAPI hook_NtUnloadKey(OBJECT_ATTRIBUTES *attr)
{
    WITH_ALL_LANES(attr, real.NtUnloadKey(attr));
}

NTSTATUS WINAPI hook_NtReplaceKey(OBJECT_ATTRIBUTES *attr, HANDLE key, OBJECT_ATTRIBUTES *replace)
{
    WITH_ALL_LANES(attr, real.NtReplaceKey(attr, key, replace));
}

NTSTATUS WINAPI hook_NtRestoreKey(HANDLE key, HANDLE file, ULONG flags)
{
    struct hook_call call;

    if (handle_is_apart(key) || !ring_in_use())
        return real.NtRestoreKey(key, file, flags);
    call_begin_all(&call);
    return finish(&call, real.NtRestoreKey(key, file, flags));
}
