/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NtSetValueKey, which programs call more than all others that change something: the quick way (see
 * ring_quick.h for what is quick), for a handle that is known, a lane that is free, and a record that
 * is short.  Everything else, and whatever could touch errno, is done by functions of WINAPI: calling
 * one of the C convention would cost this one the saving of ten registers.
 */
#include <errno.h>

#include "hook_handles.h"
#include "ring_quick.h"

static struct change change_of(const struct note *n, const UNICODE_STRING *name, ULONG type,
                               const void *data, ULONG size_bytes)
{
    return (struct change){
        .kind = CHANGE_SET_VALUE,
        .key_id = n->key_id,
        .path = {n->units + n->relative, n->len - n->relative},
        .name = view_of(name),
        .type = type,
        .data = data,
        .size_bytes = size_bytes,
    };
}

static COLD uint64_t WINAPI append(const struct note *n, const UNICODE_STRING *name, ULONG type,
                                   const void *data, ULONG size_bytes)
{
    struct change change = change_of(n, name, type, data, size_bytes);
    int errnum = errno;
    uint64_t number = ring_append(&hook.ring, n->lane, hook.process, &change, 0);

    errno = errnum;
    return number;
}

static COLD void WINAPI give(uint32_t lane)
{
    int errnum = errno;

    ring_lane_give(&hook.ring, lane);
    errno = errnum;
}

static COLD NTSTATUS WINAPI wait_until_durable(uint64_t number, NTSTATUS status)
{
    int errnum = errno;

    status = call_wait(number, status);
    errno = errnum;
    return status;
}

/* The lane is held and the name right: see hook_call.c. */
static inline NTSTATUS set_and_report(const struct note *n, HANDLE key, const UNICODE_STRING *name,
                                      ULONG index, ULONG type, const void *data, ULONG size_bytes)
{
    uint64_t number = 0;
    NTSTATUS status = real.NtSetValueKey(key, name, index, type, data, size_bytes);

    if (NT_SUCCESS(status)) {
        struct change change = change_of(n, name, type, data, size_bytes);

        number = ring_quick_append(&hook.ring, n->lane, hook.process, &change);
        if (!number)
            number = append(n, name, type, data, size_bytes);
    }
    if (!ring_quick_give(&hook.ring, n->lane))
        give(n->lane);
    return number && __atomic_load_n(&hook.ring.shared->durable, __ATOMIC_RELAXED)
           ? wait_until_durable(number, status) : status;
}

NTSTATUS WINAPI hook_NtSetValueKey(HANDLE key, const UNICODE_STRING *name, ULONG index, ULONG type,
                                   const void *data, ULONG size_bytes)
{
    uint64_t *entry = entry_of(key), word = entry ? __atomic_load_n(entry, __ATOMIC_ACQUIRE) : 0;
    uint32_t note = note_of_word(word, generation_now());
    const struct note *n;

    if (note == NOTE_APART || note == NOTE_ABOVE)
        return real.NtSetValueKey(key, name, index, type, data, size_bytes);
    if (note != NOTE_NONE && ring_is_open() && !server_reports()) {
        n = note_at(note);
        if (ring_quick_take(&hook.ring, n->lane)) {
            if (note_of_word(word, generation_now()) != NOTE_NONE)
                return set_and_report(n, key, name, index, type, data, size_bytes);
            give(n->lane);
        }
    }
    return set_value_patiently(key, name, index, type, data, size_bytes);
}
