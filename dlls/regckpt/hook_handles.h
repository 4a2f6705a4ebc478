/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is known of the process's handles: the table, for hook_handles.c, which keeps it, and
 * hook_set_value.c, which only looks.
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

#define CHUNK_HANDLES 1024
#define CHUNKS 16384 /* wineserver gives out no more handles than these hold */

#define NOTE_NONE 0u
#define NOTE_APART 1u
#define NOTE_ABOVE 2u
#define NOTE_FIRST 3u
#define NOTE_ALIGN 8
#define NOTES_BYTES (2u << 20)

struct note { /* number n is n times NOTE_ALIGN bytes behind the first byte of handle_notes */
    struct note *next; /* in its bucket */
    uint32_t number;
    uint32_t key_id, lane;
    uint32_t relative; /* where in units the path relative to the registered key begins */
    uint32_t len;
    uint16_t units[];  /* the full name */
} __attribute__((may_alias, aligned(NOTE_ALIGN)));

extern HIDDEN uint64_t *handle_chunks[CHUNKS];
extern HIDDEN uint8_t handle_notes[NOTES_BYTES];

/* The entry of a handle; NULL: none so far, or not a handle that can have one. */
static inline uint64_t *entry_of(HANDLE handle)
{
    size_t index = (ULONG_PTR)handle >> 2;
    uint64_t *chunk;

    if (index >= (size_t)CHUNKS * CHUNK_HANDLES)
        return NULL;
    chunk = __atomic_load_n(&handle_chunks[index / CHUNK_HANDLES], __ATOMIC_ACQUIRE);
    return chunk ? &chunk[index % CHUNK_HANDLES] : NULL;
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

/* A note from NOTE_FIRST on, of an entry that was loaded with ACQUIRE. */
static inline const struct note *note_at(uint32_t note)
{
    return (const struct note *)&handle_notes[(size_t)note * NOTE_ALIGN];
}

#endif
