/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changing records: the few operations that keep number and sum, and what is built on them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <tdb.h>

#include "checkpoint_private.h"

/* A pack as libtdb wants it. */
static TDB_DATA view(const struct pack *p)
{
    TDB_DATA d = { p->bytes, p->len };

    return d;
}

int checkpoint_doom(struct checkpoint *c, int ret, const struct error *why, struct error *err)
{
    if (!ret) return 0;
    if (!c->doomed.code) c->doomed = *why;
    if (err) *err = *why;
    return ret;
}

int checkpoint_ready(struct checkpoint *c, struct error *err)
{
    if (!c->inside)
        return error_set(err, RESULT_INVALID, "no transaction on %s is open", c->path);
    if (c->doomed.code) {
        if (err) *err = c->doomed;
        return c->doomed.code;
    }
    return 0;
}

int checkpoint_look(struct checkpoint *c, struct old_record *old, struct error *err)
{
    struct tdbfile_record r;
    struct unpack u;
    TDB_DATA data;
    char *name;

    memset(old, 0, sizeof(*old));
    if (c->key.failed) return error_system(err, ENOMEM, "cannot read the checkpoint %s", c->path);
    checkpoint_listen(c);
    data = tdb_fetch(c->tdb, view(&c->key));
    pack_free(&c->old);
    if (!data.dptr) {
        if (tdb_error(c->tdb) == TDB_ERR_NOEXIST) return 0;
        return checkpoint_failed(c, err, "read");
    }
    c->old.bytes = data.dptr;
    c->old.len = c->old.room = data.dsize;
    r.key = c->key.bytes;
    r.key_len = (uint32_t)c->key.len;
    r.data = data.dptr;
    r.data_len = (uint32_t)data.dsize;
    if (record_open(&r, &u)) {
        name = record_name(c->key.bytes, c->key.len);
        error_set(err, RESULT_DAMAGED, "%s is damaged: the checksum of the record \"%s\" is wrong",
                  c->path, name ? name : "?");
        free(name);
        return RESULT_DAMAGED;
    }
    old->found = true;
    old->content = u.at;
    old->len = (size_t)(u.end - u.at);
    old->sum = record_stored_sum(data.dptr, data.dsize);
    old->record_bytes = c->key.len + data.dsize;
    return 0;
}

int checkpoint_put(struct checkpoint *c, const struct old_record *old, struct error *err)
{
    uint64_t sum;

    record_end(&c->data, c->key.bytes, c->key.len);
    if (c->key.failed || c->data.failed)
        return error_system(err, ENOMEM, "cannot write to the checkpoint %s", c->path);
    sum = record_stored_sum(c->data.bytes, c->data.len);
    if (old && old->found && old->len == c->data.len - RECORD_SUM_BYTES &&
        !memcmp(old->content, c->data.bytes + RECORD_SUM_BYTES, old->len))
        return 0;
    checkpoint_listen(c);
    /* What is not there is inserted: to replace it, libtdb would go through its chain twice. */
    if (tdb_store(c->tdb, view(&c->key), view(&c->data), old && old->found ? 0 : TDB_INSERT))
        return checkpoint_failed(c, err, "write to");
    if (old && old->found) {
        c->head.sum -= old->sum;
    } else {
        c->head.records++;
        c->head_buried++;
    }
    c->head.sum += sum;
    return 0;
}

int checkpoint_delete(struct checkpoint *c, const struct old_record *old, struct error *err)
{
    checkpoint_listen(c);
    if (tdb_delete(c->tdb, view(&c->key))) return checkpoint_failed(c, err, "delete in");
    c->head.records--;
    c->head.sum -= old->sum;
    return 0;
}

bool checkpoint_exists(struct checkpoint *c, const struct pack *key)
{
    return tdb_exists(c->tdb, view(key));
}

/* The path of the key above; false: there is none (the registered key itself). */
static bool parent_path(struct utf16 path, struct utf16 *parent)
{
    if (!path.len) return false;
    *parent = path;
    while (parent->len && path.units[parent->len - 1] != '\\') parent->len--;
    if (parent->len) parent->len--;
    return true;
}

/* The last component of a path. */
static struct utf16 last_component(struct utf16 path)
{
    struct utf16 parent = { NULL, 0 }, name = path;

    if (!parent_path(path, &parent) || !parent.len) return name;
    name.units += parent.len + 1;
    name.len -= parent.len + 1;
    return name;
}

/* RESULT_INVALID if the key that the change is below, or in, is not recorded. */
static int check_above(struct checkpoint *c, const struct change *change, struct error *err)
{
    struct utf16 above = change->path;
    char *shown;

    if (change->kind == CHANGE_CREATE_KEY) {
        if (!parent_path(change->path, &above)) {
            record_root_key(&c->key, change->key_id);
            if (checkpoint_exists(c, &c->key)) return 0;
            return error_set(err, RESULT_INVALID, "the checkpoint %s has no registered key %u",
                             c->path, change->key_id);
        }
    }
    record_key_key(&c->key, change->key_id, above);
    if (c->key.failed) return error_system(err, ENOMEM, "cannot read the checkpoint %s", c->path);
    if (checkpoint_exists(c, &c->key)) return 0;
    shown = utf16_for_display(above);
    error_set(err, RESULT_INVALID, "a change of registered key %u in %s is below the key \"%s\", "
              "which is not in the checkpoint", change->key_id, c->path, shown ? shown : "?");
    free(shown);
    return RESULT_INVALID;
}

/* Fills c->key with the record that a change is about. */
static void change_key(struct checkpoint *c, const struct change *change)
{
    if (change->kind == CHANGE_CREATE_KEY || change->kind == CHANGE_DELETE_KEY)
        record_key_key(&c->key, change->key_id, change->path);
    else
        record_value_key(&c->key, change->key_id, change->path, change->name);
}

/*
 * Fills c->data with what a change sets.  A key or value that is there keeps the case of its name,
 * as in the registry, and a key its flags.
 */
static int change_content(struct checkpoint *c, const struct change *change,
                          const struct old_record *old)
{
    struct utf16 kept = { NULL, 0 }, class = { NULL, 0 };
    uint32_t flags = change->key_flags;
    struct unpack u;

    unpack_init(&u, old->content, old->len);
    if (old->found) kept = unpack_utf16(&u);
    record_begin(&c->data);
    if (change->kind == CHANGE_CREATE_KEY) {
        if (old->found) {
            class = unpack_utf16(&u);
            flags = unpack_u32(&u);
        }
        pack_utf16(&c->data, old->found ? kept : last_component(change->path));
        pack_utf16(&c->data, change->class);
        pack_u32(&c->data, flags);
    } else {
        pack_utf16(&c->data, old->found ? kept : change->name);
        pack_u32(&c->data, change->type);
        pack_bytes(&c->data, change->data, change->size_bytes);
    }
    free((void *)kept.units);
    free((void *)class.units);
    return old->found && unpack_failed(&u) ? RESULT_DAMAGED : 0;
}

/* Does a change leave a record as it is? */
static bool is_same(const struct checkpoint *c, const struct old_record *old)
{
    return old->found && !c->data.failed && old->len == c->data.len - RECORD_SUM_BYTES &&
           !memcmp(old->content, c->data.bytes + RECORD_SUM_BYTES, old->len);
}

/* checkpoint_change without the doom. */
static int change_record(struct checkpoint *c, const struct change *change,
                         const struct checkpoint_origin *origin, struct error *err)
{
    bool deletes = change->kind == CHANGE_DELETE_KEY || change->kind == CHANGE_DELETE_VALUE;
    struct old_record old;
    int ret;

    if (change->size_bytes > VALUE_DATA_MAX_BYTES)
        return error_set(err, RESULT_INVALID, "a value of %u bytes is too large for the "
                         "checkpoint %s (at most %u bytes a value); exclude it",
                         change->size_bytes, c->path,
                         VALUE_DATA_MAX_BYTES);
    change_key(c, change);
    if ((ret = checkpoint_look(c, &old, err))) return ret;
    /* What is there has its key above it: a look-up less. */
    if (!deletes && !old.found) {
        if ((ret = check_above(c, change, err))) return ret;
        change_key(c, change);
    }
    if (deletes) {
        if (!old.found) return 0;
        if ((ret = checkpoint_delete(c, &old, err))) return ret;
    } else {
        if ((ret = change_content(c, change, &old)))
            return error_set(err, ret, "%s is damaged: a record is malformed", c->path);
        if (is_same(c, &old)) return 0;
        if ((ret = checkpoint_put(c, &old, err))) return ret;
    }
    return origin ? checkpoint_history_add(c, change, &old, origin, err) : 0;
}

int checkpoint_change(struct checkpoint *c, const struct change *change,
                      const struct checkpoint_origin *origin, struct error *err)
{
    struct error why = { 0, "" };
    int ret = checkpoint_ready(c, err);

    if (ret) return ret;
    ret = change_record(c, change, origin, &why);
    return checkpoint_doom(c, ret, &why, err);
}
