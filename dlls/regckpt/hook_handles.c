/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of the process's handles (see hook_handles.h): how that is kept. */
#include <stdlib.h>
#include <string.h>

#include "hook_handles.h"

#define NOTE_UNITS 512 /* longer names are not kept */
#define BUCKETS 4096

uint64_t *handle_chunks[CHUNKS];
static struct note *buckets[BUCKETS];
static uint32_t notes_lock, next_note = RING_CACHE_LINE / NOTE_ALIGN;

static uint64_t *make_entry_of(HANDLE handle)
{
    size_t index = (ULONG_PTR)handle >> 2;
    uint64_t *entry = entry_of(handle), *chunk, *none = NULL;

    if (entry || index >= (size_t)CHUNKS * CHUNK_HANDLES)
        return entry;
    if (!(chunk = calloc(CHUNK_HANDLES, sizeof(*chunk))))
        return NULL;
    if (!__atomic_compare_exchange_n(&handle_chunks[index / CHUNK_HANDLES], &none, chunk, false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        free(chunk); /* another thread was first */
    return entry_of(handle);
}

bool WINAPI handle_is_apart(HANDLE handle)
{
    uint64_t *entry = entry_of(handle);
    uint64_t word = entry ? __atomic_load_n(entry, __ATOMIC_RELAXED) : 0;
    uint32_t note = note_of_word(word, generation_now());

    return note == NOTE_APART || note == NOTE_ABOVE;
}

static uint32_t hash_of(const struct key_name *name)
{
    uint32_t hash = 2166136261u ^ name->key_id;

    for (size_t i = 0; i < name->path.len; i++)
        hash = (hash ^ name->path.units[i]) * 16777619u;
    return (hash ^ hash >> 16) % BUCKETS;
}

_Static_assert(RING_CACHE_LINE / NOTE_ALIGN >= NOTE_FIRST, "the first note's number");

/* The note for a registered name, made if there is none; NOTE_NONE: it is not kept. */
static uint32_t note_of(const struct key_name *name)
{
    struct note **bucket = &buckets[hash_of(name)], *n;
    size_t bytes = name->path.len * sizeof(uint16_t), at = (size_t)next_note * NOTE_ALIGN;
    size_t room = (sizeof(*n) + bytes + NOTE_ALIGN - 1) / NOTE_ALIGN;

    if (name->path.len > NOTE_UNITS)
        return NOTE_NONE;
    for (n = *bucket; n; n = n->next)
        if (n->start.fixed.key_id == name->key_id && n->lane == name->lane &&
            utf16_equal(path_of_note(n), name->path))
            return n->number;
    if (NOTES_BYTES - at < room * NOTE_ALIGN)
        return NOTE_NONE;
    n = (struct note *)&hook.notes[at];
    n->number = next_note;
    n->lane = name->lane;
    ring_start_fill(&n->start, hook.process, name->key_id, name->path);
    n->next = *bucket;
    /* each of these leaves a whole table, should this thread end here */
    __atomic_store_n(&next_note, next_note + (uint32_t)room, __ATOMIC_RELEASE);
    __atomic_store_n(bucket, n, __ATOMIC_RELEASE);
    return n->number;
}

/* Keeps what was found out about a handle whose entry was `before` when that began. */
static void keep(uint64_t *entry, uint64_t before, const struct key_name *name)
{
    uint32_t note = NOTE_NONE;
    bool inherited = false;

    if (name->place == PLACE_APART) {
        note = NOTE_APART;
    } else if (name->place == PLACE_ABOVE) {
        note = NOTE_ABOVE;
    } else if (name->place == PLACE_REGISTERED &&
               ring_word_take(&notes_lock, RING_LANE_WAIT_MS, &inherited)) {
        note = note_of(name);
        ring_word_give(&notes_lock);
    }
    if (note != NOTE_NONE)
        __atomic_compare_exchange_n(entry, &before, (uint64_t)name->generation << 32 | note, false,
                                    __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

/* What an entry says; false: nothing that is still good. */
static bool recall(uint64_t word, struct key_name *name)
{
    uint32_t generation = generation_now(), note = note_of_word(word, generation);
    const struct note *n;

    name->generation = generation;
    if (note == NOTE_NONE)
        return false;
    name->memory = NULL;
    if (note < NOTE_FIRST) {
        name->place = note == NOTE_APART ? PLACE_APART : PLACE_ABOVE;
        return true;
    }
    n = note_at(note);
    name->place = PLACE_REGISTERED;
    name->key_id = n->start.fixed.key_id;
    name->lane = n->lane;
    name->path = path_of_note(n);
    return true;
}

void key_name_find(HANDLE key, struct key_name *name)
{
    uint64_t *entry = make_entry_of(key);
    uint64_t before = entry ? __atomic_load_n(entry, __ATOMIC_ACQUIRE) : 0;

    if (entry && recall(before, name))
        return;
    key_name_ask(key, name);
    if (entry)
        keep(entry, before, name);
}
