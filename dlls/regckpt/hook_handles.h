/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is known of the process's handles: the table, for hook_handles.c, which keeps it, and for those
 * that only look, or forget.
 *
 * A handle's entry is one 64-bit word: the ring's generation when it was found out, and which note
 * says what. It is good as long as the generation is the ring's. Notes are never changed and never
 * freed, and one serves all handles of a key, so what they take is bounded: beyond it a name is
 * asked for with every call.
 *
 * An entry that is not known (note 0) has a serial number in place of the generation: who found out
 * the name of a handle stores it by compare and swap, and so not on the handle's next owner.
 */
#ifndef REGCKPT_HOOK_HANDLES_H
#define REGCKPT_HOOK_HANDLES_H

#include "hook_private.h"
#include "ring_quick.h"

#define CHUNK_HANDLES 1024
#define CHUNKS 16384 /* wineserver gives out no more handles than these hold */

#define NOTE_NONE 0u
#define NOTE_APART 1u
#define NOTE_ABOVE 2u
#define NOTE_FIRST 3u
#define NOTE_ALIGN 8

struct note { /* number n is n times NOTE_ALIGN bytes behind the first byte of hook.notes */
    struct note *next;       /* in its bucket */
    uint32_t number;
    uint32_t lane;
    struct ring_start start; /* the registered key's id, and the path relative to it */
} __attribute__((may_alias, aligned(NOTE_ALIGN)));

extern HIDDEN uint64_t *handle_chunks[CHUNKS];

/* The entry of a handle; NULL: none so far, or not a handle that can have one. */
static inline uint64_t *entry_of(HANDLE handle)
{
    size_t index = (ULONG_PTR)handle >> 2;
    uint64_t *chunk;

    if (__builtin_expect(index < FIRST_HANDLES, 1))
        return &hook.first_handles[index];
    if (index >= (size_t)CHUNKS * CHUNK_HANDLES)
        return NULL;
    chunk = __atomic_load_n(&handle_chunks[index / CHUNK_HANDLES], __ATOMIC_ACQUIRE);
    return chunk ? &chunk[index % CHUNK_HANDLES] : NULL;
}

/* The entry as it is; 0: none. */
static inline uint64_t word_of(HANDLE handle)
{
    const uint64_t *entry = entry_of(handle);

    return entry ? __atomic_load_n(entry, __ATOMIC_ACQUIRE) : 0;
}

static inline uint32_t generation_now(void)
{
    return __atomic_load_n(&hook.ring.shared->generation, __ATOMIC_ACQUIRE);
}

/* The note that says what a handle is, of its entry; NOTE_NONE: none that is still good. */
static inline uint32_t note_of_word(uint64_t word, uint32_t generation)
{
    return word >> 32 == generation ? (uint32_t)word : NOTE_NONE;
}

/* The handle is closed, or another one from now on. */
static inline void handle_forget(HANDLE handle)
{
    uint64_t *entry = entry_of(handle);
    uint32_t number;

    if (!entry)
        return;
    number = __atomic_load_n(&hook.serial, __ATOMIC_RELAXED) + 1;
    __atomic_store_n(&hook.serial, number, __ATOMIC_RELAXED);
    __atomic_store_n(entry, (uint64_t)number << 32 | NOTE_NONE, __ATOMIC_RELEASE);
}

static inline struct utf16 path_of_note(const struct note *n)
{
    struct utf16 path = {n->start.path, n->start.fixed.path_units};
    return path;
}

/* A note from NOTE_FIRST on, of an entry that was loaded with ACQUIRE. */
static inline const struct note *note_at(uint32_t note)
{
    return (const struct note *)&hook.notes[(size_t)note * NOTE_ALIGN];
}

#endif
