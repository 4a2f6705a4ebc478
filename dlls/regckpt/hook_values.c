/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The calls that change what is in one open key, or the key itself: NtSetValueKey,
 * NtDeleteValueKey, NtDeleteKey, and NtFlushKey.  The caller's buffers are read after the real call
 * succeeded, which is when they are known to be readable.
 */
#include <errno.h>

#include "hook_private.h"

/* After the real call: reports the change if it happened. */
static NTSTATUS finish(struct hook_call *call, NTSTATUS status, struct change *change)
{
    if (NT_SUCCESS(status)) {
        if (call->mode == CALL_REPORT)
            call_report(call, change, 0);
        else if (call->mode == CALL_FLAG)
            call_flag(call, call->why);
        else if (call->mode == CALL_WAIT)
            call_counted(call);
    }
    return call_end(call, status);
}

static NTSTATUS refuse(struct hook_call *call)
{
    return call_end(call, STATUS_REGISTRY_IO_FAILED);
}

NTSTATUS WINAPI set_value_patiently(HANDLE key, const UNICODE_STRING *name, ULONG index, ULONG type,
                                    const void *data, ULONG size_bytes)
{
    struct change change = {.kind = CHANGE_SET_VALUE, .type = type, .data = data,
                            .size_bytes = size_bytes};
    struct hook_call call;
    NTSTATUS status;

    call_begin(&call, key, false);
    if (call.mode == CALL_REFUSE)
        return refuse(&call);
    status = real.NtSetValueKey(key, name, index, type, data, size_bytes);
    if (NT_SUCCESS(status))
        change.name = view_of(name);
    return finish(&call, status, &change);
}

static NTSTATUS WINAPI delete_value(HANDLE key, const UNICODE_STRING *name)
{
    struct change change = {.kind = CHANGE_DELETE_VALUE};
    struct hook_call call;
    NTSTATUS status;

    call_begin(&call, key, false);
    if (call.mode == CALL_REFUSE)
        return refuse(&call);
    status = real.NtDeleteValueKey(key, name);
    if (NT_SUCCESS(status))
        change.name = view_of(name);
    return finish(&call, status, &change);
}

NTSTATUS WINAPI hook_NtDeleteValueKey(HANDLE key, const UNICODE_STRING *name)
{
    return handle_is_apart(key) ? real.NtDeleteValueKey(key, name) : delete_value(key, name);
}

/*
 * A handle whose key was deleted and made again is deleted with success, and nothing happens:
 * whether there is something to report is known by asking for the name with the lane held.
 */
NTSTATUS WINAPI hook_NtDeleteKey(HANDLE key)
{
    struct change change = {.kind = CHANGE_DELETE_KEY};
    struct hook_call call;

    if (handle_is_apart(key))
        return real.NtDeleteKey(key);
    call_begin(&call, key, true);
    if (call.mode == CALL_REFUSE)
        return refuse(&call);
    return finish(&call, real.NtDeleteKey(key), &change);
}

/* A barrier, as programs that call it believe it is, with whatever lag. */
NTSTATUS WINAPI hook_NtFlushKey(HANDLE key)
{
    NTSTATUS status = real.NtFlushKey(key);
    struct key_name name;
    int errnum = errno;

    if (!NT_SUCCESS(status) || !ring_in_use())
        return status;
    key_name_find(key, &name);
    if ((name.place == PLACE_REGISTERED || name.place == PLACE_ABOVE) &&
        ring_wait_durable(&hook.ring, ring_last_number(&hook.ring)) != RING_WAIT_DONE)
        status = STATUS_REGISTRY_IO_FAILED;
    key_name_free(&name);
    errno = errnum;
    return status;
}
