/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the ring's changes to pending ones.
 *
 * What the ring says is a program's word: every change is held against the images, and only what
 * changes something there becomes pending.  A value that is written over and over is pending once: the
 * last content counts.  That holds until a key is made or deleted in between.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "monitor.h"

/* --- the list of pending changes --- */

static struct pending_change *push(struct hooked *h)
{
    struct pending_change *list;
    size_t room;

    if (h->pending_count == h->pending_room) {
        room = h->pending_room ? 2 * h->pending_room : 256;
        if (!(list = realloc(h->pending, room * sizeof(*list))))
            return NULL;
        h->pending = list;
        h->pending_room = room;
    }
    memset(&h->pending[h->pending_count], 0, sizeof(*h->pending));
    return &h->pending[h->pending_count++];
}

static void forget_index(struct hooked *h)
{
    if (h->index_used)
        memset(h->index, 0, h->index_room * sizeof(*h->index));
    h->index_used = 0;
}

static void drop_pending(struct hooked *h)
{
    for (size_t i = 0; i < h->pending_count; i++)
        free(h->pending[i].own);
    for (size_t i = 0; i < h->batch_count; i++)
        ring_batch_free(&h->batches[i]);
    free(h->batches);
    h->batches = NULL;
    h->pending_count = h->batch_count = 0;
    h->batch_bytes = 0;
    h->oldest_us = 0;
    forget_index(h);
}

static uint32_t hash_of(const struct change *c)
{
    uint32_t hash = 2166136261u ^ c->key_id;

    for (size_t i = 0; i < c->path.len; i++)
        hash = (hash ^ utf16_fold_unit(c->path.units[i])) * 16777619u;
    hash = (hash ^ 0x10000) * 16777619u;
    for (size_t i = 0; i < c->name.len; i++)
        hash = (hash ^ utf16_fold_unit(c->name.units[i])) * 16777619u;
    return hash;
}

static bool same_value(const struct change *a, const struct change *b)
{
    return a->key_id == b->key_id && !utf16_compare_nocase(a->path, b->path) &&
           !utf16_compare_nocase(a->name, b->name);
}

/* The slot of a value in the index, free or its own. */
static uint32_t *slot_of(const struct hooked *h, const struct change *c)
{
    size_t at = hash_of(c) & (h->index_room - 1);

    while (h->index[at] && !same_value(&h->pending[h->index[at] - 1].change, c))
        at = (at + 1) & (h->index_room - 1);
    return &h->index[at];
}

static int grow_index(struct hooked *h)
{
    size_t old_room = h->index_room, room = old_room ? 2 * old_room : 1024;
    uint32_t *old = h->index, *bigger = calloc(room, sizeof(*bigger));

    if (!bigger)
        return ENOMEM;
    h->index = bigger;
    h->index_room = room;
    for (size_t i = 0; i < old_room; i++)
        if (old[i])
            *slot_of(h, &h->pending[old[i] - 1].change) = old[i];
    free(old);
    return 0;
}

/*
 * A change of a value, in place of a pending one of the same value if there is one.  The letters of its
 * name are those of the call that made it: a later set leaves them, and one that follows a deletion
 * does not replace it.
 */
static int push_value(struct hooked *h, const struct ring_change *r)
{
    struct utf16 name = r->change.name;
    struct pending_change *p;
    uint32_t *slot;

    if (2 * (h->index_used + 1) > h->index_room && grow_index(h))
        return ENOMEM;
    slot = slot_of(h, &r->change);
    p = *slot ? &h->pending[*slot - 1] : NULL;
    if (!p || (p->change.kind == CHANGE_DELETE_VALUE && r->change.kind == CHANGE_SET_VALUE)) {
        h->index_used += !p;
        if (!(p = push(h)))
            return ENOMEM;
        *slot = (uint32_t)h->pending_count;
    } else if (r->change.kind == CHANGE_SET_VALUE) {
        name = p->change.name;
    }
    p->change = r->change;
    p->change.name = name;
    p->time_us = r->time_us;
    p->process = r->process;
    return 0;
}

/* A deletion that follows from another: its strings are copied, the image goes on without them. */
struct expansion {
    struct hooked *h;
    const struct ring_change *from;
};

static int push_copy(const struct change *change, void *arg)
{
    struct expansion *e = arg;
    size_t path_bytes = change->path.len * sizeof(uint16_t);
    size_t name_bytes = change->name.len * sizeof(uint16_t);
    uint16_t *units = malloc(path_bytes + name_bytes + 1);
    struct pending_change *p = units ? push(e->h) : NULL;

    if (!p) {
        free(units);
        return ENOMEM;
    }
    if (path_bytes)
        memcpy(units, change->path.units, path_bytes);
    if (name_bytes)
        memcpy(units + change->path.len, change->name.units, name_bytes);
    p->change = *change;
    p->change.path.units = units;
    p->change.name.units = units + change->path.len;
    p->own = units;
    p->time_us = e->from->time_us;
    p->process = e->from->process;
    return 0;
}

/* --- one change against an image --- */

/* The key above a path; the whole image for the registered key itself (*is_root). */
static struct image_key *parent_of(const struct image *image, struct utf16 path, bool *is_root)
{
    *is_root = !path.len;
    if (*is_root)
        return NULL;
    while (path.len && path.units[path.len - 1] != '\\')
        path.len--;
    if (path.len)
        path.len--;
    return image_find_key(image, path);
}

static bool holds_value(const struct image_key *key, const struct change *c)
{
    const struct image_value *v = image_find_value(key, c->name);

    if (!v || c->kind == CHANGE_DELETE_VALUE)
        return v != NULL;
    return v->type == c->type && v->size_bytes == c->size_bytes &&
           (!v->size_bytes || !memcmp(v->data, c->data, v->size_bytes));
}

enum effect { EFFECT_NONE, EFFECT_SOME, EFFECT_UNKNOWN };

/* What would it change?  Unknown: there is no key for it. */
static enum effect effect_of(const struct image *image, const struct change *c)
{
    const struct image_key *key = image_find_key(image, c->path);
    bool is_root;

    switch (c->kind) {
    case CHANGE_SET_VALUE:
        return !key ? EFFECT_UNKNOWN : holds_value(key, c) ? EFFECT_NONE : EFFECT_SOME;
    case CHANGE_DELETE_VALUE:
        return key && holds_value(key, c) ? EFFECT_SOME : EFFECT_NONE;
    case CHANGE_DELETE_KEY:
        return key ? EFFECT_SOME : EFFECT_NONE;
    case CHANGE_CREATE_KEY:
        if (key)
            return utf16_equal(key->class, c->class) ? EFFECT_NONE : EFFECT_SOME;
        return parent_of(image, c->path, &is_root) || is_root ? EFFECT_SOME : EFFECT_UNKNOWN;
    }
    return EFFECT_NONE;
}

/* A key that was there, and not for us: a volatile one, or somebody else made it. */
static bool is_opened_unseen(const struct image *image, const struct ring_change *r)
{
    return r->flags & RING_OPENED && !image_find_key(image, r->change.path);
}

/* Into an image that is nobody's yet: a picture.  *fits: it has the key. */
static int apply_to_picture(struct image *seen, const struct ring_change *r, bool *fits)
{
    enum effect effect = EFFECT_UNKNOWN;
    int error = 0;

    if (!(r->flags & RING_VOLATILE) && !is_opened_unseen(seen, r))
        effect = effect_of(seen, &r->change);
    *fits = effect != EFFECT_UNKNOWN;
    if (effect == EFFECT_SOME)
        error = image_apply(seen, &r->change);
    return error == EINVAL ? 0 : error;
}

/* Is the change about a volatile key?  Learns from it which are. */
static int about_volatile(struct held_key *k, const struct ring_change *r, bool *about)
{
    const struct change *c = &r->change;

    *about = true;
    if (c->kind == CHANGE_CREATE_KEY && (r->flags & RING_VOLATILE))
        return path_set_add(&k->volatile_keys, c->path);
    *about = path_set_covers(&k->volatile_keys, c->path);
    if (*about && !(r->flags & RING_OPENED) && (c->kind == CHANGE_DELETE_KEY || c->kind == CHANGE_CREATE_KEY)) {
        /* below a volatile key there are volatile ones only: one that is made is the key itself */
        path_set_remove(&k->volatile_keys, c->path);
        *about = c->kind == CHANGE_DELETE_KEY;
    }
    return 0;
}

/*
 * Into the image, and among what is pending.  The image first: it refuses what no registry holds
 * (EINVAL).  But for a deletion, which it expands.
 */
static int absorb_pending(struct hooked *h, struct held_key *k, const struct ring_change *r)
{
    const struct change *c = &r->change;
    struct expansion e = {h, r};
    struct pending_change *p;
    int error = 0;

    if (c->kind == CHANGE_DELETE_KEY) {
        forget_index(h);
        error = image_delete_walk(image_find_key(&k->image, c->path), k->key.id, push_copy, &e);
    }
    if (error || (error = image_apply(&k->image, c)) || c->kind == CHANGE_DELETE_KEY)
        return error;
    if (c->kind != CHANGE_CREATE_KEY)
        return push_value(h, r);
    forget_index(h);
    if (!(p = push(h)))
        return ENOMEM;
    p->change = *c;
    p->time_us = r->time_us;
    p->process = r->process;
    return 0;
}

/* A class among the registered keys: from now on openings for creation may change one (hook_keys.c). */
static void note_class(struct hooked *h, const struct change *c)
{
    if (c->kind == CHANGE_CREATE_KEY && c->class.len)
        __atomic_store_n(&h->ring.shared->classes, 1, __ATOMIC_RELAXED);
}

static int absorb_one(struct monitor *m, const struct ring_change *r, struct image *seen,
                      const bool *taken)
{
    struct held_key *k = keys_find(m, r->change.key_id);
    struct hooked *h = &m->hooked;
    bool about, fits = false;
    int error;

    if (!k) /* not registered any more */
        return 0;
    k->touched_number = r->number;
    m->status.hook_changes++;
    if (exclude_matches(&k->exclude, &r->change))
        return 0;
    /* first: what a picture shows is not volatile, whatever was believed until now */
    if (seen && taken[k - m->keys] &&
        (error = apply_to_picture(&seen[k - m->keys], r, &fits)))
        return error;
    if ((error = about_volatile(k, r, &about)) || about)
        return error;
    note_class(h, &r->change);
    if (!(k->key.flags & KEY_CAPTURED)) { /* its first capture takes it whole */
        h->unknown = true;
        h->unseen |= seen && !fits;
        return 0;
    }
    switch (is_opened_unseen(&k->image, r) ? EFFECT_UNKNOWN : effect_of(&k->image, &r->change)) {
    case EFFECT_NONE:
        return 0;
    case EFFECT_UNKNOWN:
        h->unknown = true;
        h->unseen |= seen && !fits;
        return fits ? 0 : path_set_add(&k->unknown_keys, r->change.path);
    case EFFECT_SOME:
        break;
    }
    if (!h->oldest_us)
        h->oldest_us = r->time_us;
    error = absorb_pending(h, k, r);
    if (error == EINVAL) { /* beyond the registry's own limits: not what the registry holds */
        h->flagged = true;
        error = 0;
    }
    return error;
}

/* --- cuts --- */

static uint64_t bytes_of(const struct ring_batch *b)
{
    uint64_t bytes = b->count * sizeof(*b->changes);

    for (size_t i = 0; i < b->count; i++)
        bytes += b->changes[i].change.size_bytes +
                 2 * (b->changes[i].change.path.len + b->changes[i].change.name.len);
    return bytes;
}

/* Keeps a batch's memory as long as pending changes point into it. */
static int keep_batch(struct hooked *h, struct ring_batch *b)
{
    struct ring_batch *list;

    if (!b->count) {
        ring_batch_free(b);
        return 0;
    }
    if (!(list = realloc(h->batches, (h->batch_count + 1) * sizeof(*list))))
        return ENOMEM;
    h->batches = list;
    h->batch_bytes += bytes_of(b);
    list[h->batch_count++] = *b;
    memset(b, 0, sizeof(*b));
    return 0;
}

static int absorb_batch(struct monitor *m, struct ring_batch *b, struct image *seen,
                        const bool *taken)
{
    struct hooked *h = &m->hooked;
    int error = 0;

    h->unseen = false;
    for (size_t i = 0; i < b->count && !error; i++)
        error = absorb_one(m, &b->changes[i], seen, taken);
    if (error) /* it is as if it had not been cut: nothing of it may count as committed */
        return error;
    if (b->torn || b->scan_wanted != h->scan_seen) {
        h->flagged = true;
        if (!h->oldest_us)
            h->oldest_us = clock_us();
    }
    if (b->damaged)
        log_line("the ring held nonsense in %u lanes: a scan makes up for it", b->damaged);
    h->scan_seen = b->scan_wanted;
    h->number = b->number;
    if (!seen)
        h->scan_number = b->number;
    memcpy(h->read, h->ring.read, sizeof(h->read));
    return keep_batch(h, b);
}

void hooked_hold(struct monitor *m)
{
    if (!m->hooked.ring.shared || m->hooked.holds_lanes)
        return;
    ring_all_take(&m->hooked.ring, &m->hooked.lanes); /* if not all of them, the cuts are torn */
    m->hooked.holds_lanes = true;
}

void hooked_let_go(struct monitor *m)
{
    if (m->hooked.holds_lanes)
        ring_all_give(&m->hooked.ring, m->hooked.lanes);
    m->hooked.holds_lanes = false;
}

int hooked_cut(struct monitor *m, struct image *seen, const bool *taken, bool *held_back,
               struct error *err)
{
    struct hooked *h = &m->hooked;
    struct ring_batch b;
    int error;

    if (held_back)
        *held_back = false;
    if (!h->ring.shared)
        return 0;
    if ((error = h->holds_lanes ? ring_cut_held(&h->ring, h->lanes, &b) : ring_cut(&h->ring, &b)))
        return error_set(err, error, "no memory for the changes that %s reports", m->name);
    if (h->holds_back) {
        h->holds_back = false;
        error = ring_batch_join(&h->held_back, &b);
        ring_batch_free(&b);
        b = h->held_back;
    }
    if (!error && held_back && (b.torn || b.scan_wanted != h->scan_seen)) {
        *held_back = h->holds_back = true;
        h->held_back = b;
        return 0;
    }
    if (!error)
        error = absorb_batch(m, &b, seen, taken);
    ring_batch_free(&b);
    if (!error && h->batch_bytes <= PENDING_MAX_BYTES)
        return 0;
    /* the images have it, or part of it: from the file again, and a scan */
    hooked_failed(m);
    if ((error = keys_from_file(m, err)))
        storage_failed(m, err); /* until it can be read nothing may be compared with the images */
    return error;
}

/* --- commits --- */

int hooked_record(struct monitor *m, uint64_t *count, struct error *err)
{
    struct hooked *h = &m->hooked;
    struct checkpoint_origin origin = {.node = m->settings.node};
    uint64_t now_us = unix_time_us(), clock = (uint64_t)clock_us();
    struct ring_process process;
    int error = 0;

    for (size_t i = 0; i < h->pending_count && !error; i++) {
        const struct pending_change *p = &h->pending[i];
        uint64_t age = clock > p->time_us ? clock - p->time_us : 0;

        if (!ring_process_get(&h->ring, p->process, &process))
            memset(&process, 0, sizeof(process));
        origin.who = *process.name ? process.name : "hook";
        origin.pid = process.pid;
        origin.time = age < now_us ? now_us - age : now_us;
        error = checkpoint_change(m->checkpoint, &p->change, &origin, err);
        ++*count;
    }
    return error;
}

void hooked_committed(struct monitor *m, bool settled)
{
    struct hooked *h = &m->hooked;
    bool unseen = settled && h->unseen;

    if (!h->ring.shared)
        return;
    drop_pending(h);
    if (settled) {
        h->flagged = h->unknown = false;
        __atomic_store_n(&h->ring.shared->scan_settled, h->scan_seen, __ATOMIC_RELEASE);
    }
    if (unseen) /* for the next cut, and for who reads the ring after us */
        ring_flag_scan(&h->ring, RING_SCAN_NAME);
    ring_release_to(&h->ring, h->read);
    hooked_set_sequence(m);
    h->waited = __atomic_load_n(&h->ring.shared->waiting, __ATOMIC_ACQUIRE);
    if (!hooked_needs_scan(m))
        ring_set_durable(&h->ring, unseen ? h->scan_number : h->number);
}

bool hooked_needs_scan(const struct monitor *m)
{
    return m->hooked.flagged || m->hooked.unknown;
}

void hooked_drop(struct monitor *m)
{
    struct hooked *h = &m->hooked;

    drop_pending(h);
    if (h->holds_back)
        ring_batch_free(&h->held_back);
    h->holds_back = false;
}

void hooked_failed(struct monitor *m)
{
    struct hooked *h = &m->hooked;

    if (!h->ring.shared)
        return;
    hooked_drop(m);
    ring_flag_scan(&h->ring, RING_SCAN_FULL); /* for who reads the ring after us, too */
    ring_release(&h->ring);
    memcpy(h->read, h->ring.read, sizeof(h->read));
    h->flagged = true;
    h->oldest_us = clock_us();
}

int hooked_learn_volatile(struct monitor *m, const struct image *seen, const bool *taken)
{
    int error = 0;

    for (size_t i = 0; i < m->key_count; i++) {
        struct held_key *k = &m->keys[i];
        struct path_set *v = &k->volatile_keys;
        size_t kept = 0;

        if (!taken[i])
            continue;
        for (size_t j = 0; j < v->count; j++) { /* what stands in the picture is not volatile */
            if (image_find_key(&seen[i], v->paths[j]))
                free((void *)v->paths[j].units);
            else
                v->paths[kept++] = v->paths[j];
        }
        v->count = kept;
        for (size_t j = 0; j < k->unknown_keys.count && !error; j++)
            if (!image_find_key(&seen[i], k->unknown_keys.paths[j]))
                error = path_set_add(v, k->unknown_keys.paths[j]);
        path_set_free(&k->unknown_keys);
    }
    return error;
}
