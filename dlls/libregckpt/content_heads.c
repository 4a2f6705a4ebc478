/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From sorted records to a snapshot's heads and history, and the check of number and sum.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "history.h"

/* Tells of a problem, in the words of a format without arguments. */
static int report(const struct content *c, uint32_t id, const struct item *item, const char *what)
{
    return c->report(id, item, what, c->arg);
}

/* Unpacks the registered keys. */
static int take_roots(const struct content *c, struct snapshot *out)
{
    const struct item *item;
    struct snapshot_key *k;
    struct unpack u;
    size_t i;
    int ret;

    if (!c->roots.count) return 0;
    if (!(out->keys = calloc(c->roots.count, sizeof(*out->keys)))) return ENOMEM;
    for (i = 0; i < c->roots.count; i++) {
        item = &c->roots.at[i];
        k = &out->keys[out->key_count];
        unpack_init(&u, item->content, item->content_len);
        ret = unpack_root(&u, &k->key);
        if (!ret && k->key.id != item->id) {
            registered_key_free(&k->key);
            ret = RESULT_DAMAGED;
        }
        if (ret == RESULT_DAMAGED) ret = report(c, item->id, item, "is malformed");
        else if (!ret) out->key_count++;
        if (ret) return ret;
    }
    return 0;
}

/* Unpacks the history and checks that it has no gap. */
static int take_history(const struct content *c, const struct state_record *head,
                        struct snapshot *out)
{
    const struct item *item;
    uint64_t bytes = 0;
    struct unpack u;
    size_t i;
    int ret;

    if (c->history.count &&
        !(out->history = calloc(c->history.count, sizeof(*out->history))))
        return ENOMEM;
    for (i = 0; i < c->history.count; i++) {
        item = &c->history.at[i];
        bytes += item->record.key_len + item->record.data_len;
        unpack_init(&u, item->content, item->content_len);
        if (history_unpack(&u, item->index, &out->history[out->history_count]))
            ret = report(c, 0, item, "is malformed");
        else if (out->history_count++, item->index != head->history_first + i)
            ret = report(c, 0, item, "is not where the state says that the history is");
        else
            continue;
        if (ret) return ret;
    }
    if (head->history_next - head->history_first != c->history.count ||
        head->history_bytes != bytes)
        return report(c, 0, NULL, "the history does not hold what the state says");
    return 0;
}

/* What the heads are, from their three records. */
static int take_fixed(const struct content *c, struct state_record *head, struct snapshot *out)
{
    bool state = false, resource = false, format = false;
    const struct item *item;
    struct record_key k;
    struct unpack u;
    size_t i;
    int ret = 0;

    for (i = 0; !ret && i < c->heads.count; i++) {
        item = &c->heads.at[i];
        record_parse_key(item->record.key, item->record.key_len, &k);
        unpack_init(&u, item->content, item->content_len);
        if (k.kind == KIND_STATE && !state) state = !(ret = unpack_state(&u, head));
        else if (k.kind == KIND_FORMAT && !format)
            format = !(ret = unpack_format(&u, &out->format));
        else if (k.kind == KIND_RESOURCE && !resource)
            resource = !(ret = unpack_resource(&u, &out->resource));
        else ret = RESULT_DAMAGED;
        if (ret == RESULT_DAMAGED) ret = report(c, 0, item, "is malformed, or there twice");
    }
    if (ret) return ret;
    out->state = head->state;
    out->history_first = head->history_first;
    out->history_next = head->history_next;
    if (!state && (ret = report(c, 0, NULL, "the record \"state\" is missing"))) return ret;
    if (!format && (ret = report(c, 0, NULL, "the record \"format\" is missing"))) return ret;
    if (!resource) {
        resource_init(&out->resource);
        return report(c, 0, NULL, "the record \"resource\" is missing");
    }
    return 0;
}

int content_check_sums(const struct content *c, const struct state_record *head)
{
    char what[200];

    if (head->records != c->records) {
        snprintf(what, sizeof(what), "it has %llu records where its state says %llu: records are "
                 "missing, doubled or mixed", (unsigned long long)c->records,
                 (unsigned long long)head->records);
        return report(c, 0, NULL, what);
    }
    if (head->sum != c->sum)
        return report(c, 0, NULL, "the sum of its records' checksums is not what its state says: "
                      "records are of different commits");
    return 0;
}

int content_take_heads(const struct content *c, unsigned flags, struct snapshot *out)
{
    struct state_record head;
    size_t i;
    int ret;

    memset(&head, 0, sizeof(head));
    if ((ret = take_fixed(c, &head, out)) || (ret = take_roots(c, out))) return ret;
    for (i = 0; i < c->bad.count; i++) {
        ret = report(c, c->bad.at[i].id, &c->bad.at[i],
                     c->bad.at[i].content ? "is of no known kind" : "has a wrong checksum");
        if (ret) return ret;
    }
    if ((ret = content_check_sums(c, &head))) return ret;
    return flags & SNAPSHOT_HISTORY ? take_history(c, &head, out) : 0;
}
