/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of keys: asked for, and where they belong by the ring's table of registered keys, of which
 * this keeps a copy as long as the ring's generation stays.
 */
#include <stdlib.h>
#include <string.h>

#include "hook_private.h"

#define NAME_TRIES 4

static struct {
    uint32_t lock;
    uint32_t generation;
    bool valid;
    struct ring_key *keys;
    size_t count;
    void *block; /* holds keys */
} table;

/* What the server puts in front of a name below HKLM. */
static const uint16_t root_units[] = {'\\', 'R', 'E', 'G', 'I', 'S', 'T', 'R', 'Y',
                                      '\\', 'M', 'a', 'c', 'h', 'i', 'n', 'e'};
static const struct utf16 root = {root_units, sizeof(root_units) / sizeof(root_units[0])};

/* Is name this key, or below it? */
static bool is_within(struct utf16 name, struct utf16 key)
{
    struct utf16 begin = {name.units, key.len};

    return name.len >= key.len &&
           (name.len == key.len || !key.len || name.units[key.len] == '\\') &&
           !utf16_compare_nocase(begin, key);
}

static struct utf16 behind(struct utf16 name, size_t begin_len)
{
    size_t skip = begin_len + (begin_len && begin_len < name.len); /* the '\' too */
    struct utf16 rest = {name.units + skip, name.len - skip};

    return rest;
}

/* Makes the copy current; the lock is held. */
static bool table_refresh(void)
{
    uint32_t generation = __atomic_load_n(&hook.ring.shared->generation, __ATOMIC_ACQUIRE);

    if (table.valid && table.generation == generation)
        return true;
    /* not valid before the block goes: a thread that is ended in between leaves that */
    table.valid = false;
    free(table.block);
    table.block = NULL;
    if (ring_keys_get(&hook.ring, &table.keys, &table.count, &table.block)) {
        table.block = NULL;
        return false;
    }
    table.generation = generation;
    table.valid = true;
    return true;
}

static void classify(struct utf16 full, struct utf16 name, struct key_name *out)
{
    out->place = PLACE_APART;
    for (size_t i = 0; i < table.count; i++) {
        struct utf16 key = table.keys[i].path;

        if (is_within(name, key)) {
            out->place = PLACE_REGISTERED;
            out->key_id = table.keys[i].id;
            out->path = behind(name, key.len);
            out->lane = ring_lane_of(&hook.ring, full);
            return;
        }
        if (is_within(key, name))
            out->place = PLACE_ABOVE;
    }
}

void key_name_classify(struct utf16 full, struct key_name *name)
{
    bool inherited = false;

    name->full = full;
    name->place = PLACE_UNKNOWN;
    if (!ring_word_take(&table.lock, RING_LANE_WAIT_MS, &inherited))
        return;
    if (inherited) { /* its owner may have ended in the middle of a refresh: the block is lost */
        table.valid = false;
        table.block = NULL;
    }
    if (!table_refresh())
        name->place = PLACE_UNKNOWN;
    else if (is_within(full, root))
        classify(full, behind(full, root.len), name);
    else /* "\REGISTRY" itself is above all; the rest is users, and nothing registered */
        name->place = is_within(root, full) && table.count ? PLACE_ABOVE : PLACE_APART;
    ring_word_give(&table.lock);
}

void key_name_free(struct key_name *name)
{
    free(name->memory);
    name->memory = NULL;
}

void key_name_ask(HANDLE key, struct key_name *name)
{
    KEY_NAME_INFORMATION *info = (KEY_NAME_INFORMATION *)name->room;
    DWORD room = sizeof(name->room), needed = 0;
    NTSTATUS status;

    name->memory = NULL;
    name->generation = __atomic_load_n(&hook.ring.shared->generation, __ATOMIC_ACQUIRE);
    name->place = PLACE_UNKNOWN;
    for (int i = 0; i < NAME_TRIES; i++) {
        status = NtQueryKey(key, KeyNameInformation, info, room, &needed);
        if (status != STATUS_BUFFER_OVERFLOW && status != STATUS_BUFFER_TOO_SMALL)
            break;
        free(name->memory);
        if (!(info = name->memory = malloc(room = needed)))
            return;
    }
    if (status == STATUS_KEY_DELETED) {
        name->place = PLACE_GONE;
    } else if (!status) {
        struct utf16 full = {(const uint16_t *)info->Name, info->NameLength / sizeof(WCHAR)};
        key_name_classify(full, name);
    }
}
