/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading a checkpoint from any node at any time, without a lock.
 *
 * A copy made while a writer commits may hold some of the old and some of the new.  It never passes
 * for a whole: number and sum in the state are those of one commit.  So whatever looks like damage
 * is read again, unless the file has stood still meanwhile.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "history.h"

/* What a report needs to make an error. */
struct telling {
    const char *path;
    struct error *err;
};

/* The first problem is the error. */
static int tell_first(uint32_t id, const struct item *item, const char *what, void *arg)
{
    struct telling *t = arg;
    char *name;

    (void)id;
    if (!item)
        return error_set(t->err, RESULT_DAMAGED, "%s is damaged: %s; \"regckpt verify\" tells "
                         "more", t->path, what);
    name = record_name(item->record.key, item->record.key_len);
    error_set(t->err, RESULT_DAMAGED, "%s is damaged: its record \"%s\" %s; \"regckpt verify\" "
              "tells more",
              t->path, name ? name : "?", what);
    free(name);
    return RESULT_DAMAGED;
}

/* Makes a whole snapshot out of a loaded copy. */
static int read_content(struct tdbfile *f, unsigned flags, struct snapshot *out, struct error *err)
{
    struct telling t = { f->path, err };
    struct content c;
    int ret = content_read(&c, f, tell_first, &t, err);

    if (ret) return ret;
    ret = content_take_heads(&c, flags, out);
    if (!ret && !(flags & SNAPSHOT_HEAD)) ret = content_build_images(&c, out);
    content_free(&c);
    if (ret == ENOMEM) error_system(err, ret, "cannot read %s", f->path);
    return ret;
}

/* Reads one registered key's head, if it is there. */
static int read_root(const struct tdbfile *f, uint32_t id, struct snapshot *out, struct pack *key,
                     struct pack *room, struct error *err)
{
    struct snapshot_key *bigger;
    struct tdbfile_record r;
    struct unpack u;
    int ret;

    record_root_key(key, id);
    if (key->failed) return error_system(err, ENOMEM, "cannot read %s", f->path);
    ret = tdbfile_find(f, key->bytes, key->len, room, &r, err);
    if (ret == RESULT_NOT_FOUND) return 0;
    if (ret) return ret;
    bigger = realloc(out->keys, (out->key_count + 1) * sizeof(*bigger));
    if (!bigger) return error_system(err, ENOMEM, "cannot read %s", f->path);
    out->keys = bigger;
    memset(&bigger[out->key_count], 0, sizeof(*bigger));
    if (record_open(&r, &u) || (ret = unpack_root(&u, &bigger[out->key_count].key)))
        return ret == ENOMEM ? error_system(err, ret, "cannot read %s", f->path)
                             : error_set(err, RESULT_DAMAGED, "%s is damaged: its record of the "
                                         "registered key %u is", f->path, id);
    out->key_count++;
    return 0;
}

/* Reads state and properties, and the registered keys' heads, by look-ups in the file itself. */
static int read_heads(const struct tdbfile *f, struct snapshot *out, struct state_record *head,
                      struct error *err)
{
    struct pack room, key;
    struct unpack u;
    uint32_t id;
    int ret;

    pack_init(&room);
    pack_init(&key);
    if (!(ret = record_find(f, RECORD_STATE, &room, &u, err)) && (ret = unpack_state(&u, head)))
        error_set(err, ret, "%s is damaged: its record \"state\" is malformed", f->path);
    if (ret) goto done;
    out->state = head->state;
    out->history_first = head->history_first;
    out->history_next = head->history_next;
    if (!(ret = record_find(f, RECORD_RESOURCE, &room, &u, err)) &&
        (ret = unpack_resource(&u, &out->resource)))
        error_set(err, ret, "%s is damaged: its record \"resource\" is malformed", f->path);
    for (id = 1; !ret && id < head->next_id; id++) ret = read_root(f, id, out, &key, &room, err);
done:
    pack_free(&room);
    pack_free(&key);
    return ret;
}

/* Is the file still at the commit that was read? */
static int check_still(const char *path, const struct state_record *head, struct error *err)
{
    struct state_record now;
    struct tdbfile f;
    struct unpack u;
    struct pack room;
    int ret = tdbfile_open(&f, path, err);

    if (ret) return ret;
    pack_init(&room);
    if (f.interrupted)
        ret = error_set(err, RESULT_DAMAGED, "%s changed while it was read", path);
    else if (!(ret = record_find(&f, RECORD_STATE, &room, &u, err)) &&
             (unpack_state(&u, &now) || now.sum != head->sum ||
              now.state.sequence != head->state.sequence))
        ret = error_set(err, RESULT_DAMAGED, "%s changed while it was read", path);
    pack_free(&room);
    tdbfile_close(&f);
    return ret;
}

/* Reads once; f is closed then. */
static int read_once(struct tdbfile *f, const char *path, unsigned flags, struct snapshot *out,
                     struct error *err)
{
    struct state_record head;
    int ret;

    memset(out, 0, sizeof(*out));
    if ((ret = tdbfile_open(f, path, err))) return ret;
    out->file_bytes = f->size_bytes;
    if (flags == SNAPSHOT_HEAD && !f->interrupted) {
        if (!(ret = record_check_format(f, &out->format, err)) &&
            !(ret = read_heads(f, out, &head, err)))
            ret = check_still(path, &head, err);
    } else {
        if (!(ret = tdbfile_load(f, err)) && !(ret = tdbfile_roll_back_copy(f, err)) &&
            !(ret = record_check_format(f, &out->format, err)))
            ret = read_content(f, flags, out, err);
        /* The history's data are views into the copy. */
        if (!ret && flags & SNAPSHOT_HISTORY) {
            out->private = f->bytes;
            f->bytes = NULL;
        }
    }
    tdbfile_close(f);
    if (ret) snapshot_free(out);
    return ret;
}

int snapshot_read(const char *path, unsigned flags, struct snapshot *out, struct error *err)
{
    struct tdbfile_looks looks = { 0 };
    struct tdbfile f;
    int ret;

    do {
        ret = read_once(&f, path, flags, out, err);
    } while (tdbfile_look_again(&looks, &f, ret));
    return ret;
}

void snapshot_free(struct snapshot *s)
{
    size_t i;

    resource_free(&s->resource);
    for (i = 0; i < s->key_count; i++) {
        registered_key_free(&s->keys[i].key);
        image_free(&s->keys[i].image);
    }
    free(s->keys);
    for (i = 0; i < s->history_count; i++) history_entry_free(&s->history[i]);
    free(s->history);
    free(s->private);
    memset(s, 0, sizeof(*s));
}
