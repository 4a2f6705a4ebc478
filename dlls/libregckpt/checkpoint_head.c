/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state, the properties and the registered keys of a checkpoint open for writing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <tdb.h>

#include "checkpoint_private.h"

int checkpoint_get_state(struct checkpoint *c, struct checkpoint_state *state, struct error *err)
{
    struct old_record old;
    struct state_record head;
    struct unpack u;
    int ret;

    if (c->inside) {
        *state = c->head.state;
        return 0;
    }
    pack_reset(&c->key);
    pack_raw(&c->key, RECORD_STATE, strlen(RECORD_STATE));
    if ((ret = checkpoint_look(c, &old, err))) return ret;
    unpack_init(&u, old.content, old.len);
    if (!old.found || unpack_state(&u, &head))
        return error_set(err, RESULT_DAMAGED, "%s is damaged: its record \"state\" is missing or "
                         "malformed", c->path);
    *state = head.state;
    return 0;
}

int checkpoint_set_state(struct checkpoint *c, const struct checkpoint_state *state,
                         struct error *err)
{
    uint64_t sequence = c->head.state.sequence;
    int ret = checkpoint_ready(c, err);

    if (ret) return ret;
    c->head.state = *state;
    c->head.state.sequence = sequence;
    /* A text that fills its field would not come back. */
    c->head.state.node[sizeof(state->node) - 1] = 0;
    c->head.state.boot_id[sizeof(state->boot_id) - 1] = 0;
    return 0;
}

int checkpoint_set_resource(struct checkpoint *c, const struct resource *resource,
                            struct error *err)
{
    struct error why = { 0, "" };
    struct old_record old;
    int ret = checkpoint_ready(c, err);

    if (ret) return ret;
    pack_reset(&c->key);
    pack_raw(&c->key, RECORD_RESOURCE, strlen(RECORD_RESOURCE));
    if (!(ret = checkpoint_look(c, &old, &why))) {
        record_begin(&c->data);
        pack_resource(&c->data, resource);
        if (!(ret = checkpoint_put(c, &old, &why))) {
            c->history_limit = resource->history_bytes;
            ret = checkpoint_history_flush(c, &why);
        }
    }
    return checkpoint_doom(c, ret, &why, err);
}

/* checkpoint_put_key without the doom. */
static int put_key(struct checkpoint *c, struct registered_key *key, struct error *err)
{
    bool is_new = !key->id;
    struct old_record old;
    int ret;

    if (is_new && c->head.next_id > ROOT_ID_MAX)
        return error_set(err, RESULT_INVALID, "%u keys were registered in %s over time, and no "
                         "more can be; make the resource anew", ROOT_ID_MAX, c->path);
    if (!is_new && key->id >= c->head.next_id)
        return error_set(err, RESULT_NOT_FOUND, "the checkpoint %s has no registered key %u",
                         c->path, key->id);
    if (is_new) key->id = c->head.next_id;
    record_root_key(&c->key, key->id);
    if ((ret = checkpoint_look(c, &old, err))) goto failed;
    if (!is_new && !old.found) {
        ret = error_set(err, RESULT_NOT_FOUND, "the checkpoint %s has no registered key %u",
                        c->path, key->id);
        goto failed;
    }
    record_begin(&c->data);
    pack_registered_key(&c->data, key);
    if ((ret = checkpoint_put(c, &old, err))) goto failed;
    if (is_new) c->head.next_id++;
    return 0;
failed:
    if (is_new) key->id = 0;
    return ret;
}

int checkpoint_put_key(struct checkpoint *c, struct registered_key *key, struct error *err)
{
    struct error why = { 0, "" };
    int ret = checkpoint_ready(c, err);

    if (ret) return ret;
    ret = put_key(c, key, &why);
    return checkpoint_doom(c, ret, &why, err);
}

/* What collect_content gathers: TDB keys, packed one after the other. */
struct collection {
    uint32_t id;
    struct pack keys;
};

/* Gathers the records of one registered key; deleting while traversing is not allowed. */
static int collect_content(struct tdb_context *tdb, TDB_DATA key, TDB_DATA data, void *arg)
{
    struct collection *l = arg;
    struct record_key k;

    (void)tdb;
    (void)data;
    record_parse_key(key.dptr, key.dsize, &k);
    if ((k.kind == KIND_KEY || k.kind == KIND_VALUE) && k.number == l->id)
        pack_bytes(&l->keys, key.dptr, key.dsize);
    return l->keys.failed;
}

/* Deletes the record of c->key, which has to be there. */
static int delete_present(struct checkpoint *c, struct error *err)
{
    struct old_record old;
    int ret = checkpoint_look(c, &old, err);

    if (ret) return ret;
    if (!old.found)
        return error_set(err, RESULT_NOT_FOUND, "the checkpoint %s has no such registered key",
                         c->path);
    return checkpoint_delete(c, &old, err);
}

/* checkpoint_remove_key without the doom. */
static int remove_key(struct checkpoint *c, uint32_t id, struct error *err)
{
    struct collection l = { .id = id };
    struct unpack u;
    const void *key;
    size_t len;
    int ret;

    record_root_key(&c->key, id);
    if ((ret = delete_present(c, err))) return ret;
    pack_init(&l.keys);
    checkpoint_listen(c);
    if (tdb_traverse_read(c->tdb, collect_content, &l) < 0)
        ret = checkpoint_failed(c, err, "read");
    else if (l.keys.failed)
        ret = error_system(err, ENOMEM, "cannot remove a key from the checkpoint %s", c->path);
    unpack_init(&u, l.keys.bytes, l.keys.len);
    while (!ret && !unpack_done(&u)) {
        key = unpack_bytes(&u, &len);
        pack_reset(&c->key);
        pack_raw(&c->key, key, len);
        ret = delete_present(c, err);
    }
    pack_free(&l.keys);
    return ret;
}

int checkpoint_remove_key(struct checkpoint *c, uint32_t id, struct error *err)
{
    struct error why = { 0, "" };
    int ret = checkpoint_ready(c, err);

    if (ret) return ret;
    ret = remove_key(c, id, &why);
    return checkpoint_doom(c, ret, &why, err);
}
