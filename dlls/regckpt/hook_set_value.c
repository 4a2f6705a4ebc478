/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NtSetValueKey, which programs call more than all others that change something: the quick way (see
 * ring_quick.h for what is quick), for a handle that is known, a lane that is free, and a record that
 * is short.  Everything else, and whatever could touch errno, is done by functions of WINAPI: calling
 * one of the C convention would cost this one the saving of ten registers.
 */
#include <errno.h>
#include <stddef.h>

#include "hook_handles.h"
#include "ring_quick.h"

/*
 * The real call.  Where it can be, by what its stub's first part does and a jump to the rest, which lies
 * in a cache line that was just used: a copy of the stub is on a page that nobody else uses.
 */
#ifdef __x86_64__
NTSTATUS WINAPI set_value_really(HANDLE key, const UNICODE_STRING *name, ULONG index, ULONG type,
                                 const void *data, ULONG size_bytes) HIDDEN;
__asm__(".text\n"
        ".hidden set_value_really\n"
        ".globl set_value_really\n"
        ".type set_value_really, @function\n"
        "set_value_really:\n\t"
        ".cfi_startproc\n\t"
        "movq %rcx, %r10\n\t"
        "movl hook + 8(%rip), %eax\n\t"
        "jmp *hook(%rip)\n\t"
        ".cfi_endproc\n\t"
        ".size set_value_really, . - set_value_really");
_Static_assert(offsetof(struct hook_context, set_value_rest) == 0 &&
               offsetof(struct hook_context, set_value_number) == 8, "what set_value_really takes");
#else
#define set_value_really real.NtSetValueKey
#endif

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
    NTSTATUS status = set_value_really(key, name, index, type, data, size_bytes);

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

/* On a handle that was just seen to be of a registered key. */
static __attribute__((noinline)) NTSTATUS WINAPI
set_registered(HANDLE key, const UNICODE_STRING *name, ULONG index, ULONG type, const void *data,
               ULONG size_bytes)
{
    uint64_t word = __atomic_load_n(entry_of(key), __ATOMIC_ACQUIRE);
    uint32_t note = note_of_word(word, generation_now());
    const struct note *n = note_at(note);

    if (note >= NOTE_FIRST && ring_quick_take(&hook.ring, n->lane)) {
        if (note_of_word(word, generation_now()) != NOTE_NONE)
            return set_and_report(n, key, name, index, type, data, size_bytes);
        give(n->lane);
    }
    return set_value_patiently(key, name, index, type, data, size_bytes);
}

/*
 * WINAPI but for the aligning of the stack, which a program might have left unaligned: who needs none of
 * it and goes on to another function in each case, with the same arguments, is a few instructions long.
 */
#ifdef __x86_64__
#define PASSING_ON __attribute__((ms_abi))
#else
#define PASSING_ON __attribute__((stdcall))
#endif

static PASSING_ON NTSTATUS set_value(HANDLE key, const UNICODE_STRING *name, ULONG index, ULONG type,
                                     const void *data, ULONG size_bytes)
{
    uint64_t *entry = entry_of(key);
    uint32_t note = entry ? note_of_word(__atomic_load_n(entry, __ATOMIC_ACQUIRE), generation_now())
                          : NOTE_NONE;

    if (note == NOTE_APART || note == NOTE_ABOVE)
        return set_value_really(key, name, index, type, data, size_bytes);
    if (note != NOTE_NONE && ring_is_open() && !server_reports())
        return set_registered(key, name, index, type, data, size_bytes);
    return set_value_patiently(key, name, index, type, data, size_bytes);
}

NTSTATUS WINAPI hook_NtSetValueKey(HANDLE key, const UNICODE_STRING *name, ULONG index, ULONG type,
                                   const void *data, ULONG size_bytes)
    __attribute__((alias("set_value")));
