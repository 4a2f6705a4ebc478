/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Saving what is whole of a damaged checkpoint.
 *
 * Every record stands for itself, with its own checksum, so what is lost is told record by record.
 * A value whose key's record is lost is saved: the key's name is in the value's TDB key, though in
 * small letters and without class.  The history is saved as far back as it has no gap.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "history.h"
#include "repair_private.h"
#include "tdbsalvage.h"

/* Tells of one loss. */
__attribute__((format(printf, 3, 4)))
static void lose(struct repairing *r, const char *where, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    r->out->lost++;
    if (r->fn) r->fn(where, text, r->arg);
}

/* A part of a TDB key as people write it, malloc'ed. */
static char *shown(const uint8_t *text, size_t len)
{
    struct utf16 units;
    char *out;

    if (utf16_from_utf8((const char *)text, len, &units)) return strdup("?");
    out = utf16_for_display(units);
    free((void *)units.units);
    return out;
}

/* The registered key of an id among those that are saved; NULL: none. */
static struct snapshot_key *key_of(struct repairing *r, uint64_t id)
{
    for (size_t i = 0; i < r->saved.key_count; i++)
        if (r->saved.keys[i].key.id == id) return &r->saved.keys[i];
    return NULL;
}

/* Tells of a record by what its TDB key says. */
static void lose_record(struct repairing *r, const struct tdbfile_record *record, const char *why)
{
    const uint8_t *zero;
    struct snapshot_key *k;
    char *path, *name;
    struct record_key key;
    const char *where;

    record_parse_key(record->key, record->key_len, &key);
    k = key_of(r, key.number);
    where = k && (key.kind == KIND_KEY || key.kind == KIND_VALUE) ? k->key.path : "";
    if (!tdbfile_key_is_whole(record)) key.kind = KIND_UNKNOWN; /* the name is damaged itself */
    if (key.kind == KIND_VALUE) {
        zero = memchr(key.rest, 0, key.rest_len);
        path = shown(key.rest, (size_t)(zero - key.rest));
        name = shown(zero + 1, (size_t)(key.rest + key.rest_len - zero - 1));
        lose(r, where, "the value \"%s\" of the key \"%s\" %s", name ? name : "?",
             path ? path : "?", why);
        free(path);
        free(name);
    } else if (key.kind == KIND_KEY) {
        path = shown(key.rest, key.rest_len);
        lose(r, where, "the record of the key \"%s\" %s", path ? path : "?", why);
        free(path);
    } else if (key.kind == KIND_ROOT) {
        lose(r, "", "the record of the registered key %llu %s", (unsigned long long)key.number,
             why);
    } else if (key.kind == KIND_HISTORY) {
        lose(r, "", "change %llu of the history %s", (unsigned long long)key.number + 1, why);
    } else {
        name = key.kind == KIND_UNKNOWN ? NULL : record_name(record->key, record->key_len);
        lose(r, "", "%s%s%s %s", name ? "the record \"" : "a record whose name is damaged too",
             name ? name : "", name ? "\"" : "", why);
        free(name);
    }
}

/* The three records that there is one of. RESULT_NEWER, RESULT_FOREIGN. */
static int take_fixed(struct repairing *r, struct error *err)
{
    const struct items *heads = &r->content.heads;
    uint32_t version;
    struct record_key k;
    struct unpack u;
    size_t i;

    for (i = 0; i < heads->count; i++) {
        record_parse_key(heads->at[i].record.key, heads->at[i].record.key_len, &k);
        unpack_init(&u, heads->at[i].content, heads->at[i].content_len);
        if (k.kind == KIND_FORMAT && !unpack_format(&u, &version) && version > CHECKPOINT_FORMAT)
            return error_set(err, RESULT_NEWER, "%s has format %u, and this version of regckpt "
                             "knows formats up to %u; repair it with the regckpt that made it, or "
                             "a newer one", r->file.path, version, CHECKPOINT_FORMAT);
        if (k.kind == KIND_STATE) r->have_state = !unpack_state(&u, &r->head);
        if (k.kind == KIND_RESOURCE && !r->have_resource)
            r->have_resource = !unpack_resource(&u, &r->saved.resource);
    }
    if (heads->count + r->content.roots.count + r->content.keys.count) return 0;
    return error_set(err, RESULT_FOREIGN, "%s is not a checkpoint, or nothing of one is left in "
                     "it; it is left as it is", r->file.path);
}

/* The registered keys, those that are lost from the last good checkpoint. */
static int take_roots(struct repairing *r)
{
    size_t room = r->content.roots.count + r->last_good.key_count, i;
    struct snapshot_key *k;
    struct unpack u;

    if (!(r->saved.keys = calloc(room + 1, sizeof(*r->saved.keys)))) return ENOMEM;
    for (i = 0; i < r->content.roots.count; i++) {
        const struct item *item = &r->content.roots.at[i];

        k = &r->saved.keys[r->saved.key_count];
        unpack_init(&u, item->content, item->content_len);
        if (unpack_root(&u, &k->key) || k->key.id != item->id || !item->id) {
            registered_key_free(&k->key);
            memset(k, 0, sizeof(*k));
            lose_record(r, &item->record, "is malformed");
        } else {
            r->saved.key_count++;
        }
    }
    for (i = 0; i < r->last_good.key_count; i++) {
        const struct registered_key *old = &r->last_good.keys[i].key;
        bool used = false;
        size_t n;

        for (n = 0; n < r->content.keys.count; n++) used |= r->content.keys.at[n].id == old->id;
        for (n = 0; n < r->content.values.count; n++) used |= r->content.values.at[n].id == old->id;
        if (!used || key_of(r, old->id)) continue;
        if (registered_key_copy(&r->saved.keys[r->saved.key_count].key, old)) return ENOMEM;
        r->saved.key_count++;
        lose(r, old->path, "that it is registered was lost, and is taken from the last good "
             "checkpoint");
    }
    return 0;
}

/* Makes the key at a folded path if its own record is lost, and says so. */
static int make_lost_keys(struct repairing *r, struct snapshot_key *k, struct utf16 path)
{
    struct change c = { .kind = CHANGE_CREATE_KEY, .path = path };
    struct utf16 above = path;
    char *name;
    int ret = 0;

    if (image_find_key(&k->image, path)) return 0;
    if (path.len) {
        while (above.len && above.units[above.len - 1] != '\\') above.len--;
        if (above.len) above.len--;
        ret = make_lost_keys(r, k, above);
    }
    if (ret || (ret = image_apply(&k->image, &c))) return ret;
    name = utf16_for_display(path);
    lose(r, k->key.path, "of the key \"%s\" the case of its name, its class and whether it is a "
         "link are lost; it is saved without", name ? name : "?");
    free(name);
    return 0;
}

/* Saves one key or value. */
static int save_item(struct repairing *r, const struct item *item, bool is_value)
{
    struct snapshot_key *k = key_of(r, item->id);
    const uint8_t *zero = is_value ? memchr(item->rest, 0, item->rest_len) : NULL;
    size_t path_len = zero ? (size_t)(zero - item->rest) : item->rest_len, size = 0;
    struct utf16 path = { NULL, 0 }, above, name = { NULL, 0 }, class = { NULL, 0 };
    struct change c = { .kind = is_value ? CHANGE_SET_VALUE : CHANGE_CREATE_KEY,
                        .key_id = item->id };
    uint16_t *units = NULL;
    struct unpack u;
    int ret;

    if (!k) {
        lose_record(r, &item->record, "is lost: which key is registered there is not known");
        return 0;
    }
    if (!(k->key.flags & KEY_CAPTURED)) return 0; /* nobody's business yet */
    unpack_init(&u, item->content, item->content_len);
    name = unpack_utf16(&u);
    if (!is_value) class = unpack_utf16(&u);
    c.type = c.key_flags = unpack_u32(&u);
    if (is_value) c.data = unpack_bytes(&u, &size);
    c.size_bytes = (uint32_t)size;
    ret = unpack_done(&u) ? utf16_from_utf8((const char *)item->rest, path_len, &path) : EINVAL;
    above = path;
    if (!ret && !is_value && path.len) { /* the last component with the case that the record has */
        while (above.len && above.units[above.len - 1] != '\\') above.len--;
        if (!(units = malloc((above.len + name.len + 1) * sizeof(*units)))) ret = ENOMEM;
        if (units && above.len) memcpy(units, above.units, above.len * sizeof(*units));
        if (units && name.len) memcpy(units + above.len, name.units, name.len * sizeof(*units));
        c.path = (struct utf16){ units, above.len + name.len };
        if (above.len) above.len--;
        if (!ret && utf16_compare_nocase(c.path, path)) ret = EINVAL;
    } else {
        c.path = path;
        c.name = name;
    }
    c.class = class;
    if (!ret && (is_value || path.len)) ret = make_lost_keys(r, k, above);
    if (!ret) ret = image_apply(&k->image, &c);
    if (ret && ret != ENOMEM) {
        lose_record(r, &item->record, "is malformed");
        ret = 0;
    }
    free(units);
    free((void *)path.units);
    free((void *)name.units);
    free((void *)class.units);
    return ret;
}

/* The longest piece of the history that has no gap and ends where it ended. */
static void take_history(struct repairing *r)
{
    const struct items *h = &r->content.history;
    uint64_t wanted = r->have_state ? r->head.history_next : 0;
    struct history_entry e;
    struct unpack u;
    size_t i = h->count;

    if (i && !r->have_state) wanted = r->head.history_next = h->at[i - 1].index + 1;
    for (; i && h->at[i - 1].index + 1 == wanted; i--, wanted--) {
        unpack_init(&u, h->at[i - 1].content, h->at[i - 1].content_len);
        if (history_unpack(&u, wanted - 1, &e)) break;
        history_entry_free(&e);
    }
    r->history_from = i;
    if (i)
        lose(r, "", "%llu changes of the history before change %llu: there is a gap behind them",
             (unsigned long long)i, (unsigned long long)wanted + 1);
    r->head.history_first = wanted;
    r->head.history_bytes = 0;
}

/* Gathers all that is whole, and tells what is not. */
static int gather(struct repairing *r, struct error *err)
{
    const struct content *c = &r->content;
    uint64_t found = c->records;
    size_t i;
    int ret = take_fixed(r, err);

    if (ret) return ret;
    if (!r->have_resource) {
        if (!r->have_last_good)
            return error_set(err, RESULT_DAMAGED, "%s cannot be repaired: the record of the "
                             "resource's properties is lost, and there is no last good checkpoint "
                             "to take them from", r->file.path);
        resource_free(&r->saved.resource);
        if ((ret = resource_copy(&r->saved.resource, &r->last_good.resource))) goto failed;
        lose(r, "", "the properties of the resource are those of the last good checkpoint");
    }
    if ((ret = take_roots(r))) goto failed;
    for (i = 0; i < c->bad.count; i++)
        lose_record(r, &c->bad.at[i].record, c->bad.at[i].content ? "is of no known kind"
                                                                  : "is damaged and lost");
    for (i = 0; !ret && i < c->keys.count; i++) ret = save_item(r, &c->keys.at[i], false);
    for (i = 0; !ret && i < c->values.count; i++) ret = save_item(r, &c->values.at[i], true);
    if (ret) goto failed;
    if (r->have_state && r->head.records > found)
        lose(r, "", "%llu records are gone without a trace of their names",
             (unsigned long long)(r->head.records - found));
    if (!r->have_state) lose(r, "", "who owned the resource last, and its epoch");
    take_history(r);
    return 0;
failed:
    return error_system(err, ret, "cannot repair %s", r->file.path);
}

/* Reads the damaged file as far as it can be read. */
static int read_damaged(struct repairing *r, const char *path, struct error *err)
{
    struct error why;
    int ret;

    if ((ret = tdbfile_open(&r->file, path, err)) || (ret = tdbfile_load(&r->file, err)))
        return ret;
    if ((ret = tdbfile_roll_back_copy(&r->file, &why)) == ENOMEM)
        return error_set(err, ret, "%s", why.text);
    if (ret)
        lose(r, "", "an interrupted commit cannot be undone, and what it changed may be half old "
             "and half new: %s", why.text);
    return content_salvage(&r->content, &r->file, err);
}

int checkpoint_repair(const char *path, const char *last_good, repair_fn *fn, void *arg,
                      struct repair *out, struct error *err)
{
    struct repairing r = { .file.fd = -1, .fn = fn, .arg = arg, .out = out };
    char *fresh = NULL;
    int ret = checkpoint_verify(path, NULL, NULL, err);

    memset(out, 0, sizeof(*out));
    /* What has lost its record "format" looks foreign; its other records tell. */
    if (!ret || (ret != RESULT_DAMAGED && ret != RESULT_FOREIGN)) return ret;
    out->needed = true;
    r.have_last_good = !snapshot_read(last_good, SNAPSHOT_HEAD, &r.last_good, NULL);
    if (!(ret = read_damaged(&r, path, err)) && !(ret = gather(&r, err))) {
        if (asprintf(&fresh, "%s.repaired", path) < 0) {
            fresh = NULL;
            ret = error_system(err, ENOMEM, "cannot repair %s", path);
        }
        if (!ret && !(ret = repair_write(&r, fresh, err)))
            ret = checkpoint_replace(path, fresh, &out->kept, err);
        if (ret && fresh) unlink(fresh);
    }
    free(fresh);
    content_free(&r.content);
    tdbfile_close(&r.file);
    snapshot_free(&r.saved);
    if (r.have_last_good) snapshot_free(&r.last_good);
    return ret;
}
