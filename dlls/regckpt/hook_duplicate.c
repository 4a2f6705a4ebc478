/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NtDuplicateObject: the one way in which a handle comes into a process that did not ask for
 * it. What that process knew of the handle's number may be wrong then, and it cannot be told but by
 * the ring's generation, which makes all forget all; so only for keys.
 */
#include <errno.h>

#include "hook_handles.h"

/* Is it, as far as this process can see, a key? */
static bool may_be_key(HANDLE process, HANDLE object)
{
    union {
        OBJECT_TYPE_INFORMATION info;
        uint8_t room[256];
    } type;
    static const WCHAR key[] = {'K', 'e', 'y'};

    if (process != NtCurrentProcess())
        return true;
    if (NtQueryObject(object, ObjectTypeInformation, &type, sizeof(type), NULL))
        return false;
    return type.info.TypeName.Length == sizeof(key) &&
           RtlCompareMemory(type.info.TypeName.Buffer, key, sizeof(key)) == sizeof(key);
}

NTSTATUS WINAPI hook_NtDuplicateObject(HANDLE from, HANDLE object, HANDLE to, HANDLE *duplicate,
                                       ACCESS_MASK access, ULONG attributes, ULONG options)
{
    int errnum = errno;
    bool others = ring_in_use() && duplicate && to != NtCurrentProcess() &&
                  may_be_key(from, object);
    NTSTATUS status;

    if (options & DUPLICATE_CLOSE_SOURCE)
        handle_forget(object);
    errno = errnum;
    status = real.NtDuplicateObject(from, object, to, duplicate, access, attributes, options);
    if (!NT_SUCCESS(status) || !duplicate)
        return status;
    handle_forget(*duplicate); /* a handle of this very process may stand for another one, too */
    if (others)
        ring_bump_generation(&hook.ring);
    return status;
}
