/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The registered keys as the monitor holds them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "monitor.h"

void keys_free_one(struct held_key *k)
{
    registered_key_free(&k->key);
    exclude_free(&k->exclude);
    image_free(&k->image);
    path_set_free(&k->volatile_keys);
    path_set_free(&k->unknown_keys);
}

void keys_free(struct monitor *m)
{
    for (size_t i = 0; i < m->key_count; i++)
        keys_free_one(&m->keys[i]);
    free(m->keys);
    m->keys = NULL;
    m->key_count = 0;
}

struct held_key *keys_find(struct monitor *m, uint32_t id)
{
    for (size_t i = 0; i < m->key_count; i++)
        if (m->keys[i].key.id == id)
            return &m->keys[i];
    return NULL;
}

/* What is known of the key beyond the checkpoint. */
static void take_over(struct held_key *k, struct held_key *old)
{
    struct held_key content = *k;

    *k = *old;
    k->key = content.key;
    k->exclude = content.exclude;
    k->image = content.image;
    memset(&old->volatile_keys, 0, sizeof(old->volatile_keys));
    memset(&old->unknown_keys, 0, sizeof(old->unknown_keys));
}

/* What is excluded now may have been captured before it was: it is not restored either. */
int keys_take(struct monitor *m, struct snapshot *s, struct error *err)
{
    struct held_key *list = calloc(s->key_count + 1, sizeof(*list));
    int error = list ? 0 : ENOMEM;

    for (size_t i = 0; i < s->key_count && !error; i++) {
        struct held_key *old = keys_find(m, s->keys[i].key.id);

        if ((error = registered_key_copy(&list[i].key, &s->keys[i].key)) ||
            (error = registered_key_effective_exclude(&list[i].key, &list[i].exclude)))
            break;
        list[i].image = s->keys[i].image;
        image_init(&s->keys[i].image);
        error = image_exclude(&list[i].image, &list[i].exclude);
        if (old)
            take_over(&list[i], old);
    }
    if (error) {
        for (size_t i = 0; list && i < s->key_count; i++)
            keys_free_one(&list[i]);
        free(list);
        return error_set(err, error, "no memory for the registered keys of %s", m->name);
    }
    keys_free(m);
    m->keys = list;
    m->key_count = s->key_count;
    keys_count(m);
    return 0;
}

int keys_tell_host(struct monitor *m, struct error *err)
{
    struct registered_key *list = calloc(m->key_count + 1, sizeof(*list));
    int error;

    if (!list)
        return error_set(err, ENOMEM, "no memory for the registered keys of %s", m->name);
    for (size_t i = 0; i < m->key_count; i++)
        list[i] = m->keys[i].key; /* a view: the host copies */
    error = hostlink_keys(m->agent, list, m->key_count, NULL, NULL, err);
    free(list);
    return error;
}

void keys_count(struct monitor *m)
{
    m->status.keys = m->status.values = m->status.bytes = 0;
    m->status.registered = m->key_count;
    m->status.uncaptured = 0;
    for (size_t i = 0; i < m->key_count; i++) {
        m->status.keys += m->keys[i].image.key_count;
        m->status.values += m->keys[i].image.value_count;
        m->status.bytes += m->keys[i].image.data_bytes;
        m->status.uncaptured += !(m->keys[i].key.flags & KEY_CAPTURED);
    }
}
