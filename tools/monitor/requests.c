/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What commands ask of a resource that is online.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../dlls/libregckpt/keyname.h"
#include "monitor.h"

/* Scans and commits everything now. */
static int request_save(struct monitor *m, struct pack *more, struct error *err)
{
    uint64_t changes = 0;
    int error = capture_run(m, true, true, "save", &changes, err);

    pack_u64(more, changes);
    return error ? error : displaced_check(m, err); /* it may have had nothing to commit */
}

static int begin(struct monitor *m, struct error *err)
{
    int error;

    storage_enter(m);
    error = checkpoint_begin(m->checkpoint, err);
    storage_leave(m);
    return error;
}

/* Ends a transaction: committed if nothing failed so far.  Storage that refuses is noted. */
static int finish(struct monitor *m, int error, struct error *err)
{
    struct checkpoint_state state;

    if (error) {
        checkpoint_cancel(m->checkpoint);
        return error;
    }
    storage_enter(m);
    error = checkpoint_commit(m->checkpoint, err);
    storage_leave(m);
    if (error) {
        storage_failed(m, err);
        return error;
    }
    if (!checkpoint_get_state(m->checkpoint, &state, NULL))
        m->state = state;
    hooked_set_sequence(m);
    return 0;
}

/* So that a request's own transaction holds nothing that came after what is not committed yet. */
static int settle(struct monitor *m, struct error *err)
{
    uint64_t changes = 0;
    int error = hooked_cut(m, NULL, NULL, NULL, err);

    if (error)
        return error;
    return hooked_needs_scan(m) ? capture_run(m, true, true, "watch", &changes, err)
                                : capture_pending(m, err);
}

static void let_go(struct monitor *m, struct held_key *k)
{
    keys_free_one(k);
    m->key_count--;
    memmove(k, k + 1, (m->keys + m->key_count - k) * sizeof(*k));
}

/* Adds a held key to the end of the list, which the host is told; NULL: nothing is held. */
static struct held_key *hold_key(struct monitor *m, const struct registered_key *key,
                                 struct error *err)
{
    struct held_key *list = realloc(m->keys, (m->key_count + 1) * sizeof(*list));
    struct held_key *k;

    if (!list) {
        error_set(err, ENOMEM, "no memory for another registered key");
        return NULL;
    }
    m->keys = list;
    k = &list[m->key_count++];
    memset(k, 0, sizeof(*k));
    if (registered_key_copy(&k->key, key) || registered_key_effective_exclude(&k->key, &k->exclude))
        error_set(err, ENOMEM, "no memory for another registered key");
    else if (!keys_tell_host(m, err))
        return k;
    let_go(m, k);
    return NULL;
}

/* What there is under a new key goes into the transaction; *seen is the caller's. */
static int capture_new(struct monitor *m, struct held_key *k, struct image *seen, struct error *err)
{
    uint64_t changes = 0;
    int error = capture_scan(m, k, true, seen, err);

    if (error)
        return error;
    if (seen->root)
        return capture_record(m, k, seen, "add", &changes, err);
    if (k->key.flags & KEY_FUTURE)
        return 0;
    return error_set(err, RESULT_NOT_FOUND, "HKLM\\%s does not exist in %s", k->key.path,
                     m->place.prefix);
}

/* The key and its content go into the checkpoint in one transaction: all of it, or nothing. */
static int add_key(struct monitor *m, struct registered_key *key, struct pack *more,
                   struct error *err)
{
    struct held_key *k = NULL;
    struct image seen;
    int error;

    key->id = 0;
    key->flags &= ~KEY_CAPTURED;
    if ((error = keyname_check(key, NULL, 0, NULL, err)))
        return error;
    for (size_t i = 0; i < m->key_count; i++)
        if ((error = keyname_check(key, &m->keys[i].key, 1, NULL, err)))
            return error;
    if ((error = begin(m, err)))
        return error;
    image_init(&seen);
    if (!(error = checkpoint_put_key(m->checkpoint, key, err)))
        error = (k = hold_key(m, key, err)) ? capture_new(m, k, &seen, err) : err->code;
    if (!(error = finish(m, error, err))) {
        pack_u32(more, seen.root != NULL);
        if (seen.root)
            capture_move_on(k, &seen);
        pack_u64(more, k->image.key_count);
        pack_u64(more, k->image.value_count);
    } else if (k) {
        struct error ignored; /* a key too many at the host does no harm */
        let_go(m, k);
        keys_tell_host(m, &ignored);
    }
    image_free(&seen);
    return error;
}

static int request_add(struct monitor *m, struct unpack *u, struct pack *more, struct error *err)
{
    struct registered_key key;
    int error = unpack_registered_key(u, &key);

    if (error)
        return error_set(err, error, "a registered key that cannot be read came from the command");
    error = add_key(m, &key, more, err);
    if (!error)
        log_line("registered HKLM\\%s (%d bits)", key.path, key.view);
    if (!error)
        error = hooked_tell_keys(m, err);
    m->hooked.flagged |= hooked_is_on(m); /* what was written to it before the hook was told */
    registered_key_free(&key);
    return error;
}

static int request_remove(struct monitor *m, struct unpack *u, struct error *err)
{
    struct held_key *k = keys_find(m, unpack_u32(u));
    int error;

    if (!k || unpack_failed(u))
        return error_set(err, RESULT_NOT_FOUND, "the key is not registered for %s", m->name);
    if ((error = begin(m, err)))
        return error;
    error = checkpoint_remove_key(m->checkpoint, k->key.id, err);
    if ((error = finish(m, error, err)))
        return error;
    log_line("HKLM\\%s is not registered any more", k->key.path);
    let_go(m, k);
    return (error = keys_tell_host(m, err)) ? error : hooked_tell_keys(m, err);
}

/*
 * Other excludes.  What is excluded now goes from the checkpoint, what no longer is comes into it, in
 * one commit: the registry is the truth, and is left alone.
 */
static int change_excludes(struct monitor *m, struct held_key *k, struct registered_key *changed,
                           uint64_t *count, struct error *err)
{
    struct exclude before = k->exclude;
    struct image seen;
    int error;

    changed->flags = k->key.flags;
    if (registered_key_effective_exclude(changed, &k->exclude)) {
        k->exclude = before;
        return error_set(err, ENOMEM, "no memory for the excludes of HKLM\\%s", k->key.path);
    }
    if ((error = begin(m, err)))
        goto failed;
    image_init(&seen);
    if (!(error = checkpoint_put_key(m->checkpoint, changed, err)) &&
        k->key.flags & KEY_CAPTURED && !(error = capture_scan(m, k, true, &seen, err)))
        error = capture_record(m, k, &seen, "exclude", count, err);
    if (!(error = finish(m, error, err)) && k->key.flags & KEY_CAPTURED)
        capture_move_on(k, &seen);
    image_free(&seen);
failed:
    if (error && m->checkpoint) { /* without one the keys will be read from the file again */
        struct exclude tried = k->exclude;

        k->exclude = before;
        before = tried;
        k->dirty = true;
    }
    exclude_free(&before);
    return error;
}

static int request_exclude(struct monitor *m, struct unpack *u, struct pack *more, struct error *err)
{
    struct registered_key key;
    struct held_key *k;
    uint64_t count = 0;
    int error = unpack_registered_key(u, &key);

    if (error)
        return error_set(err, error, "a registered key that cannot be read came from the command");
    if (!(k = keys_find(m, key.id)) || k->key.view != key.view || strcmp(k->key.path, key.path))
        error = error_set(err, RESULT_NOT_FOUND, "the key is not registered for %s", m->name);
    else if (!(error = change_excludes(m, k, &key, &count, err))) {
        struct registered_key old = k->key;

        k->key = key;
        key = old;
        log_line("HKLM\\%s excludes something else from now on: %llu changes", k->key.path,
                 (unsigned long long)count);
        pack_u64(more, count);
    }
    registered_key_free(&key);
    return error;
}

/* All properties or none. What concerns the start of the program is used at the next online. */
static int request_set(struct monitor *m, struct unpack *u, struct error *err)
{
    uint32_t count = unpack_u32(u);
    struct resource changed;
    int error = resource_copy(&changed, &m->resource);

    if (error)
        return error_set(err, error, "no memory for the properties of %s", m->name);
    for (uint32_t i = 0; i < count && !error; i++) {
        char *name = unpack_text(u), *value = unpack_text(u);
        if (!name || !value)
            error = error_set(err, RESULT_INVALID, "properties that cannot be read came from the "
                              "command");
        else
            error = resource_set(&changed, name, value, err);
        free(name);
        free(value);
    }
    if (!error && !changed.lag_ms && !m->hooked.in_program)
        error = error_set(err, RESULT_UNPROTECTED, "--lag 0 needs the hook, and the program of %s "
                          "runs without it (%s); it keeps its lag of %u ms", m->name,
                          m->hooked.why_not.text, m->resource.lag_ms);
    if (!error && !(error = begin(m, err))) {
        error = checkpoint_set_resource(m->checkpoint, &changed, err);
        error = finish(m, error, err);
    }
    if (error) {
        resource_free(&changed);
        return error;
    }
    resource_free(&m->resource);
    m->resource = changed;
    hooked_set_durable(m);
    return 0;
}

struct collected {
    struct pack *out;
    uint32_t count;
};

static int collect(const struct change *change, void *arg)
{
    struct collected *c = arg;

    pack_change(c->out, change);
    c->count++;
    return c->out->len > MESSAGE_MAX_BYTES / 2 ? RESULT_INVALID : 0;
}

static int request_diff(struct monitor *m, struct pack *more, struct error *err)
{
    struct pack changes;
    struct collected c = {.out = &changes};
    int error = 0;

    pack_init(&changes);
    for (size_t i = 0; i < m->key_count && !error; i++) {
        struct held_key *k = &m->keys[i];
        bool dirty = k->dirty;
        struct image seen;

        if ((error = capture_scan(m, k, true, &seen, err)))
            break;
        error = image_diff(&k->image, &seen, k->key.id, collect, &c);
        if (error)
            error_set(err, error, "there are too many differences to list them");
        else if (!dirty && !image_equal(&k->image, &seen)) {
            k->dirty = true; /* the scan that would have found it was used for this */
            k->dirty_since_us = clock_us();
        }
        k->dirty |= dirty;
        image_free(&seen);
    }
    pack_u32(more, c.count);
    pack_raw(more, changes.bytes, changes.len);
    pack_free(&changes);
    return error;
}

static bool needs_storage(uint32_t type)
{
    return type == CTL_ADD || type == CTL_REMOVE || type == CTL_SET ||
           type == CTL_EXCLUDE;
}

static int answer(struct monitor *m, struct front_request *r, struct pack *more, struct error *err)
{
    struct unpack u;
    int error;

    unpack_init(&u, r->message.payload, r->message.len_bytes);
    err->code = 0;
    if (is_edit(m))
        return error_set(err, RESULT_OWNED, "%s is being edited on this node by \"regckpt edit\"; "
                         "\"regckpt offline %s\" gives the edit up", m->name, m->name);
    if (needs_storage(r->message.type) && !m->checkpoint && (error = storage_retry(m, err)))
        return error_prefix(err, "storage fails at present");
    if (m->checkpoint && r->message.type != CTL_SAVE && (error = settle(m, err)))
        return error;
    switch (r->message.type) {
    case CTL_SAVE:
        return request_save(m, more, err);
    case CTL_ADD:
        return request_add(m, &u, more, err);
    case CTL_REMOVE:
        return request_remove(m, &u, err);
    case CTL_SET:
        return request_set(m, &u, err);
    case CTL_EXCLUDE:
        return request_exclude(m, &u, more, err);
    case CTL_DIFF:
        return request_diff(m, more, err);
    }
    return error_set(err, RESULT_INVALID, "the monitor of %s does not know this request: are command "
                     "and monitor of one version?", m->name);
}

void requests_answer(struct monitor *m)
{
    size_t kept = 0;

    for (size_t i = 0; i < m->request_count; i++) {
        struct front_request *r = &m->requests[i];
        struct error err = {.code = 0};
        struct pack more;

        if (r->message.type == CTL_OFFLINE) {
            m->requests[kept++] = *r;
            continue;
        }
        pack_init(&more);
        answer(m, r, &more, &err);
        keys_count(m);
        monitor_publish(m);
        front_reply(r, &err, err.code ? NULL : &more);
        pack_free(&more);
    }
    m->request_count = kept;
}

void requests_finish(struct monitor *m, const struct error *err)
{
    struct error late;

    error_set(&late, RESULT_NOT_FOUND, "%s went offline meanwhile", m->name);
    for (size_t i = 0; i < m->request_count; i++) {
        struct front_request *r = &m->requests[i];
        front_reply(r, r->message.type == CTL_OFFLINE ? err : &late, NULL);
    }
    free(m->requests);
    m->requests = NULL;
    m->request_count = 0;
}
