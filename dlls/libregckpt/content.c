/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Gathering and sorting the records of a checkpoint's copy.
 *
 * Sorting the records and then appending them in order is what makes loading fast: neither a parent
 * nor a place among siblings is searched for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "tdbsalvage.h"

/* By id. */
static int compare_ids(const void *left, const void *right)
{
    const struct item *a = left, *b = right;

    return (a->id > b->id) - (a->id < b->id);
}

/* By index. */
static int compare_indexes(const void *left, const void *right)
{
    const struct item *a = left, *b = right;

    return (a->index > b->index) - (a->index < b->index);
}

/* Appends an item. */
static int items_add(struct items *list, const struct item *item)
{
    struct item *bigger;
    size_t room;

    if (list->count == list->room) {
        room = list->room ? 2 * list->room : 64;
        if (!(bigger = realloc(list->at, room * sizeof(*bigger)))) return ENOMEM;
        list->at = bigger;
        list->room = room;
    }
    list->at[list->count++] = *item;
    return 0;
}

/* Which list a kind goes to. */
static struct items *list_of(struct content *c, enum record_kind kind)
{
    switch (kind) {
    case KIND_ROOT: return &c->roots;
    case KIND_KEY: return &c->keys;
    case KIND_VALUE: return &c->values;
    case KIND_HISTORY: return &c->history;
    case KIND_FORMAT:
    case KIND_RESOURCE:
    case KIND_STATE: return &c->heads;
    case KIND_UNKNOWN: break;
    }
    return &c->bad;
}

/* Takes one record in. */
static int take(const struct tdbfile_record *r, void *arg)
{
    struct content *c = arg;
    struct item item = { .record = *r };
    struct record_key k;
    struct unpack u;
    bool whole = !record_open(r, &u);

    record_parse_key(r->key, r->key_len, &k);
    if (k.kind != KIND_STATE) {
        c->records++;
        c->sum += record_stored_sum(r->data, r->data_len);
    }
    if (k.kind == KIND_HISTORY) item.index = k.number;
    else item.id = (uint32_t)k.number;
    item.rest = k.rest;
    item.rest_len = (uint32_t)k.rest_len;
    if (whole) {
        item.content = u.at;
        item.content_len = (size_t)(u.end - u.at);
    }
    return items_add(whole ? list_of(c, k.kind) : &c->bad, &item);
}

/* Sorts what was gathered. */
static int sort_all(struct content *c, struct error *err)
{
    int ret;

    if (c->history.count)
        qsort(c->history.at, c->history.count, sizeof(*c->history.at), compare_indexes);
    if (c->roots.count)
        qsort(c->roots.at, c->roots.count, sizeof(*c->roots.at), compare_ids);
    if (!(ret = content_sort(&c->keys)) &&
        !(ret = content_sort(&c->values)))
        return 0;
    error_system(err, ret, "cannot read %s", c->file->path);
    content_free(c);
    return ret;
}

int content_read(struct content *c, const struct tdbfile *f, content_report *report, void *arg,
                 struct error *err)
{
    int ret;

    memset(c, 0, sizeof(*c));
    c->file = f;
    c->report = report;
    c->arg = arg;
    if ((ret = tdbfile_walk(f, take, c, err))) {
        if (ret == ENOMEM) error_system(err, ret, "cannot read %s", f->path);
        content_free(c);
        return ret;
    }
    return sort_all(c, err);
}

/* Is a record one of ours, with the checksum it should have? */
static bool is_whole(const struct tdbfile_record *r)
{
    struct record_key k;
    struct unpack u;

    record_parse_key(r->key, r->key_len, &k);
    return k.kind != KIND_UNKNOWN && !record_open(r, &u);
}

int content_salvage(struct content *c, const struct tdbfile *f, struct error *err)
{
    int ret;

    memset(c, 0, sizeof(*c));
    c->file = f;
    if (!(ret = tdbfile_salvage(f, is_whole, take, c))) return sort_all(c, err);
    content_free(c);
    return error_system(err, ret, "cannot read %s", f->path);
}

void content_free(struct content *c)
{
    free(c->heads.at);
    free(c->roots.at);
    free(c->keys.at);
    free(c->values.at);
    free(c->history.at);
    free(c->bad.at);
    memset(c, 0, sizeof(*c));
}
