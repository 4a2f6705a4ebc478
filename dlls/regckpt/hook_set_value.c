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

/* The thread's id, 0 before it is asked for, without a look into the table of the DLL's addresses. */
static inline uint32_t own_tid(void)
{
#ifdef __x86_64__
    return *(const uint32_t __seg_fs *)hook.own_tid;
#else
    return ring_own_tid;
#endif
}

static COLD uint64_t WINAPI append(const struct note *n, const UNICODE_STRING *name, ULONG type,
                                   const void *data, ULONG size_bytes)
{
    struct change change = {
        .kind = CHANGE_SET_VALUE,
        .key_id = n->start.fixed.key_id,
        .path = path_of_note(n),
        .name = view_of(name),
        .type = type,
        .data = data,
        .size_bytes = size_bytes,
    };
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
static inline NTSTATUS set_and_report(const struct note *n, const struct ring_quick *q, HANDLE key,
                                      const UNICODE_STRING *name, ULONG index, ULONG type,
                                      const void *data, ULONG size_bytes)
{
    uint64_t number = 0;
    NTSTATUS status = real_NtSetValueKey(key, name, index, type, data, size_bytes);

    if (NT_SUCCESS(status)) {
        number = ring_quick_append(&hook.ring, q, &n->start, view_of(name), type, data, size_bytes);
        if (!number)
            number = append(n, name, type, data, size_bytes);
    }
    if (!ring_quick_give(q, own_tid()))
        give(n->lane);
    return number && __atomic_load_n(&hook.ring.shared->durable, __ATOMIC_RELAXED)
           ? wait_until_durable(number, status) : status;
}

/* Of a handle that was just seen to be of a registered key. */
static __attribute__((noinline)) NTSTATUS WINAPI
set_registered(HANDLE key, const UNICODE_STRING *name, ULONG index, ULONG type, const void *data,
               ULONG size_bytes)
{
    uint64_t word = word_of(key);
    uint32_t note = note_of_word(word, generation_now());
    const struct note *n = note_at(note);
    struct ring_quick q;

    if (note >= NOTE_FIRST && ring_quick_take(&hook.ring, n->lane, own_tid(), &q)) {
        if (note_of_word(word, generation_now()) != NOTE_NONE)
            return set_and_report(n, &q, key, name, index, type, data, size_bytes);
        give(n->lane);
    }
    return set_value_patiently(key, name, index, type, data, size_bytes);
}

/* Apart, so that a call on another key saves no registers. */
static PASSING_ON NTSTATUS set_value(HANDLE key, const UNICODE_STRING *name, ULONG index, ULONG type,
                                     const void *data, ULONG size_bytes)
{
    uint32_t note = note_of_word(word_of(key), generation_now());

    if (note == NOTE_APART || note == NOTE_ABOVE)
        return real_NtSetValueKey(key, name, index, type, data, size_bytes);
    if (note != NOTE_NONE && ring_is_open() && !server_reports())
        return set_registered(key, name, index, type, data, size_bytes);
    return set_value_patiently(key, name, index, type, data, size_bytes);
}

NTSTATUS WINAPI hook_NtSetValueKey(HANDLE key, const UNICODE_STRING *name, ULONG index, ULONG type,
                                   const void *data, ULONG size_bytes)
    __attribute__((alias("set_value")));
