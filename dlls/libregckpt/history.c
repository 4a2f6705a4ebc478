/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The history of changes: written with them, kept to a size, read back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint_private.h"
#include "history.h"

/* Size and hash of data, and whether the bytes are too many to be kept. */
static void pack_facts(struct pack *p, const void *data, uint32_t size_bytes)
{
    pack_u32(p, size_bytes);
    pack_u64(p, record_checksum(NULL, 0, data, size_bytes));
}

/* Is it a change of a value, and not of a key? */
static bool of_value(enum change_kind kind)
{
    return kind == CHANGE_SET_VALUE || kind == CHANGE_DELETE_VALUE;
}

/* What a record held before it changed. */
struct old_content {
    struct utf16 name, class; /* malloc'ed */
    uint32_t type_or_flags, size_bytes;
    const void *data;
};

/* Reads what a value's or key's record held. */
static int read_old(const struct old_record *old, bool is_value, struct old_content *o)
{
    struct unpack u;
    size_t len = 0;

    memset(o, 0, sizeof(*o));
    unpack_init(&u, old->content, old->len);
    o->name = unpack_utf16(&u);
    if (!is_value) o->class = unpack_utf16(&u);
    o->type_or_flags = unpack_u32(&u);
    if (is_value) o->data = unpack_bytes(&u, &len);
    o->size_bytes = (uint32_t)len;
    return unpack_done(&u) ? 0 : RESULT_DAMAGED;
}

/* Packs what a record held: all that undoing the change needs. */
static void pack_old(struct pack *p, bool is_value, const struct old_content *o)
{
    pack_utf16(p, o->name);
    if (!is_value) pack_utf16(p, o->class);
    pack_u32(p, o->type_or_flags);
    if (!is_value) return;
    pack_facts(p, o->data, o->size_bytes);
    pack_bytes(p, o->data, o->size_bytes > HISTORY_DATA_MAX_BYTES ? 0 : o->size_bytes);
}

/* Packs an entry into c->data. */
static int pack_entry(struct checkpoint *c, const struct change *change,
                      const struct old_record *old, const struct checkpoint_origin *origin)
{
    bool is_value = of_value(change->kind);
    struct change kept = *change;
    struct old_content was;
    uint32_t flags = 0;
    int ret = 0;

    memset(&was, 0, sizeof(was));
    if (old->found) {
        ret = read_old(old, is_value, &was);
        flags |= HISTORY_OLD;
        if (was.size_bytes > HISTORY_DATA_MAX_BYTES) flags |= HISTORY_OLD_LEFT_OUT;
    }
    if (change->kind == CHANGE_SET_VALUE && change->size_bytes > HISTORY_DATA_MAX_BYTES) {
        flags |= HISTORY_LEFT_OUT;
        kept.data = NULL;
        kept.size_bytes = 0;
    }
    record_begin(&c->data);
    pack_u64(&c->data, origin->time);
    pack_u32(&c->data, origin->pid);
    pack_text(&c->data, origin->who);
    pack_text(&c->data, origin->node);
    pack_change(&c->data, &kept);
    pack_u8(&c->data, (uint8_t)flags);
    if (change->kind == CHANGE_SET_VALUE)
        pack_facts(&c->data, change->data, change->size_bytes);
    else
        pack_facts(&c->data, NULL, 0);
    if (flags & HISTORY_OLD) pack_old(&c->data, is_value, &was);
    free((void *)was.name.units);
    free((void *)was.class.units);
    return ret;
}

/* The first entry that is still to be written; p->at is behind it then. */
static const uint8_t *next_pending(struct pending_history *p, uint32_t *len)
{
    const uint8_t *entry = p->entries.bytes + p->at + sizeof(*len);

    memcpy(len, p->entries.bytes + p->at, sizeof(*len));
    p->at += sizeof(*len) + *len;
    return entry;
}

/* How many bytes the record of an entry has, its TDB key with it. */
static uint64_t record_bytes(struct checkpoint *c, uint64_t index, size_t len)
{
    record_history_key(&c->key, index);
    return c->key.len + len;
}

/* Drops the oldest entry that is still to be written. */
static void drop_pending(struct checkpoint *c)
{
    struct pending_history *p = &c->pending;
    uint64_t bytes;
    uint32_t len;

    next_pending(p, &len);
    bytes = record_bytes(c, p->first++, len);
    p->bytes -= bytes;
    c->head.history_bytes -= bytes;
}

/* Takes the entry in c->data to those that are still to be written. */
static int keep_pending(struct checkpoint *c, struct error *err)
{
    struct pending_history *p = &c->pending;
    uint32_t len = (uint32_t)c->data.len;
    uint64_t bytes = record_bytes(c, c->head.history_next, len);

    if (!p->entries.len) p->first = p->stored_next = c->head.history_next;
    if (p->at > p->entries.len / 2) {
        p->entries.len -= p->at;
        memmove(p->entries.bytes, p->entries.bytes + p->at, p->entries.len);
        p->at = 0;
    }
    pack_raw(&p->entries, &len, sizeof(len));
    pack_raw(&p->entries, c->data.bytes, len);
    if (c->key.failed || c->data.failed || p->entries.failed)
        return error_system(err, ENOMEM, "cannot write to the checkpoint %s", c->path);
    p->bytes += bytes;
    c->head.history_bytes += bytes;
    c->head.history_next++;
    while (p->first < c->head.history_next && p->bytes > c->history_limit) drop_pending(c);
    return 0;
}

int checkpoint_history_add(struct checkpoint *c, const struct change *change,
                           const struct old_record *old, const struct checkpoint_origin *origin,
                           struct error *err)
{
    if (!c->history_limit) {
        /* The number is used up, so that nobody takes what is kept later for the whole story. */
        c->head.history_first = ++c->head.history_next;
        return 0;
    }
    if (pack_entry(c, change, old, origin))
        return error_set(err, RESULT_DAMAGED, "%s is damaged: a record is malformed", c->path);
    return keep_pending(c, err);
}

/* Drops the oldest entry in the file. */
static int drop_stored(struct checkpoint *c, struct error *err)
{
    struct old_record old;
    int ret;

    record_history_key(&c->key, c->head.history_first);
    if ((ret = checkpoint_look(c, &old, err))) return ret;
    if (!old.found || old.record_bytes > c->head.history_bytes)
        return error_set(err, RESULT_DAMAGED, "%s is damaged: its history does not hold what its "
                         "state says", c->path);
    if ((ret = checkpoint_delete(c, &old, err))) return ret;
    c->head.history_bytes -= old.record_bytes;
    c->head.history_first++;
    return 0;
}

/* Drops and writes; an entry that is dropped takes all that are older with it. */
static int flush(struct checkpoint *c, struct error *err)
{
    struct pending_history *p = &c->pending;
    bool waiting = p->entries.len != 0;
    uint64_t stored_next = waiting ? p->stored_next : c->head.history_next;
    const uint8_t *entry;
    uint32_t len;
    int ret;

    while (waiting && p->first < c->head.history_next && p->bytes > c->history_limit)
        drop_pending(c);
    while (c->head.history_first < stored_next &&
           (c->head.history_bytes > c->history_limit || (waiting && p->first > stored_next)))
        if ((ret = drop_stored(c, err))) return ret;
    if (!waiting) return 0;
    if (p->first > stored_next) c->head.history_first = p->first;
    for (; p->first < c->head.history_next; p->first++) {
        entry = next_pending(p, &len);
        record_history_key(&c->key, p->first);
        pack_reset(&c->data);
        pack_raw(&c->data, entry, len);
        if ((ret = checkpoint_put(c, NULL, err))) return ret;
    }
    return 0;
}

int checkpoint_history_flush(struct checkpoint *c, struct error *err)
{
    int ret = flush(c, err);

    checkpoint_history_cancel(c);
    return ret;
}

void checkpoint_history_cancel(struct checkpoint *c)
{
    pack_free(&c->pending.entries);
    memset(&c->pending, 0, sizeof(c->pending));
}

/* Reads what pack_old wrote. */
static void unpack_old(struct unpack *u, uint32_t flags, struct history_entry *e)
{
    size_t len;

    e->had_old = true;
    e->old_name = unpack_utf16(u);
    if (!of_value(e->change.kind)) {
        e->old_class = unpack_utf16(u);
        e->old_flags = unpack_u32(u);
        return;
    }
    e->old_type = unpack_u32(u);
    e->old_size_bytes = unpack_u32(u);
    e->old_data_xxh64 = unpack_u64(u);
    e->old_data = unpack_bytes(u, &len);
    e->old_data_left_out = flags & HISTORY_OLD_LEFT_OUT;
    if (e->old_data_left_out) e->old_data = NULL;
    else if (len != e->old_size_bytes) u->failed = true;
}

int history_unpack(struct unpack *u, uint64_t index, struct history_entry *e)
{
    uint32_t flags, size_bytes;

    memset(e, 0, sizeof(*e));
    e->index = index;
    e->time = unpack_u64(u);
    e->pid = unpack_u32(u);
    e->who = unpack_text(u);
    e->node = unpack_text(u);
    unpack_change(u, &e->change);
    flags = unpack_u8(u);
    size_bytes = unpack_u32(u);
    e->data_xxh64 = unpack_u64(u);
    e->data_left_out = flags & HISTORY_LEFT_OUT;
    if (e->data_left_out) {
        e->change.data = NULL;
        e->change.size_bytes = size_bytes;
    }
    if (flags & HISTORY_OLD) unpack_old(u, flags, e);
    if (unpack_done(u)) return 0;
    history_entry_free(e);
    return RESULT_DAMAGED;
}

void history_entry_free(struct history_entry *e)
{
    free(e->who);
    free(e->node);
    change_free(&e->change);
    free((void *)e->old_name.units);
    free((void *)e->old_class.units);
    memset(e, 0, sizeof(*e));
}
