/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Contents of the head records: format, resource, state, registered keys.
 */
#include <stdlib.h>
#include <string.h>

#include "checkpoint_record.h"

/* What an unpacking came to: a sticking failure is damage, because the checksum was right. */
static int unpack_result(const struct unpack *u)
{
    return unpack_failed(u) ? RESULT_DAMAGED : 0;
}

void pack_format(struct pack *p)
{
    pack_raw(p, FORMAT_MAGIC, sizeof(FORMAT_MAGIC));
    pack_u32(p, CHECKPOINT_FORMAT);
}

int unpack_format(struct unpack *u, uint32_t *version)
{
    char magic[sizeof(FORMAT_MAGIC)];
    size_t i;

    for (i = 0; i < sizeof(magic); i++) magic[i] = (char)unpack_u8(u);
    *version = unpack_u32(u);
    if (memcmp(magic, FORMAT_MAGIC, sizeof(magic)) || !*version) return RESULT_DAMAGED;
    return unpack_result(u);
}

/* A service's name or a program's command line: one of the two is empty and is not recorded. */
static bool is_recorded(const struct resource *r, const char *name)
{
    if (!strcmp(name, "service")) return r->kind == RESOURCE_SERVICE;
    if (!strcmp(name, "command")) return r->kind == RESOURCE_APPLICATION;
    return true;
}

void pack_resource(struct pack *p, const struct resource *r)
{
    uint32_t count = 0;
    const char *name;
    unsigned i;
    char *value;

    for (i = 0; (name = resource_property(i)); i++) count += is_recorded(r, name);
    pack_u32(p, count);
    for (i = 0; (name = resource_property(i)); i++) {
        if (!is_recorded(r, name)) continue;
        if (!(value = resource_get(r, name))) p->failed = true;
        pack_text(p, name);
        pack_text(p, value);
        free(value);
    }
}

int unpack_resource(struct unpack *u, struct resource *r)
{
    uint32_t count = unpack_u32(u);
    char *name, *value;
    int ret = 0;

    resource_init(r);
    while (count-- && !ret && !unpack_failed(u)) {
        name = unpack_text(u);
        value = unpack_text(u);
        if (name && value && resource_set(r, name, value, NULL)) ret = RESULT_DAMAGED;
        free(name);
        free(value);
    }
    if (!ret) ret = unpack_result(u);
    if (ret) resource_free(r);
    return ret;
}

void pack_state(struct pack *p, const struct state_record *s)
{
    pack_u64(p, s->records);
    pack_u64(p, s->sum);
    pack_u64(p, s->history_first);
    pack_u64(p, s->history_next);
    pack_u64(p, s->history_bytes);
    pack_u32(p, s->next_id);
    pack_u64(p, s->state.epoch);
    pack_u64(p, s->state.sequence);
    pack_u32(p, s->state.status);
    pack_text(p, s->state.node);
    pack_text(p, s->state.boot_id);
    pack_u32(p, s->state.pid);
    pack_u64(p, s->state.since);
    pack_u64(p, s->state.saved);
}

/* Unpacks a text into a field of a fixed size. */
static void unpack_field(struct unpack *u, char *field, size_t size)
{
    size_t len;
    const void *at = unpack_bytes(u, &len);

    if (!at) return;
    if (len >= size || memchr(at, 0, len)) {
        u->failed = true;
        return;
    }
    memcpy(field, at, len);
    field[len] = 0;
}

int unpack_state(struct unpack *u, struct state_record *s)
{
    memset(s, 0, sizeof(*s));
    s->records = unpack_u64(u);
    s->sum = unpack_u64(u);
    s->history_first = unpack_u64(u);
    s->history_next = unpack_u64(u);
    s->history_bytes = unpack_u64(u);
    s->next_id = unpack_u32(u);
    s->state.epoch = unpack_u64(u);
    s->state.sequence = unpack_u64(u);
    s->state.status = unpack_u32(u);
    unpack_field(u, s->state.node, sizeof(s->state.node));
    unpack_field(u, s->state.boot_id, sizeof(s->state.boot_id));
    s->state.pid = unpack_u32(u);
    s->state.since = unpack_u64(u);
    s->state.saved = unpack_u64(u);
    if (!unpack_done(u) || !s->next_id || s->next_id > ROOT_ID_MAX + 1 ||
        s->history_first > s->history_next)
        return RESULT_DAMAGED;
    return 0;
}

int unpack_root(struct unpack *u, struct registered_key *k)
{
    int ret = unpack_registered_key(u, k);

    if (!ret && !unpack_done(u)) {
        registered_key_free(k);
        ret = RESULT_INVALID;
    }
    return ret == RESULT_INVALID ? RESULT_DAMAGED : ret;
}
