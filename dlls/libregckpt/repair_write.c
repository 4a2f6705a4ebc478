/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing what was saved of a damaged checkpoint into a new one.
 */
#include <errno.h>
#include <unistd.h>

#include "repair_private.h"

/* An epoch that nobody had, and an id that no key had. */
static void fill_head(struct repairing *r, struct state_record *head)
{
    uint64_t sequence = r->head.state.sequence;
    size_t i;

    head->history_first = r->head.history_first;
    head->history_next = r->head.history_next;
    head->next_id = r->head.next_id ? r->head.next_id : 1;
    for (i = 0; i < r->saved.key_count; i++)
        if (head->next_id <= r->saved.keys[i].key.id) head->next_id = r->saved.keys[i].key.id + 1;
    if (r->have_state) {
        head->state = r->head.state;
    } else if (r->have_last_good) {
        head->state = r->last_good.state;
        head->state.epoch += EPOCH_LEAP;
        sequence = r->last_good.state.sequence + EPOCH_LEAP;
    } else {
        head->state.epoch = EPOCH_LEAP;
    }
    head->state.epoch++;
    head->state.sequence = sequence;
    head->state.status = CHECKPOINT_OFFLINE;
}

/* image_walk's call for each change. */
static int write_change(const struct change *change, void *arg)
{
    return checkpoint_change(arg, change, NULL, NULL);
}

/* Writes the registered keys, the history and the content in the open transaction. */
static int write_records(struct repairing *r, struct checkpoint *c, struct error *err)
{
    const struct items *h = &r->content.history;
    size_t i;
    int ret = 0;

    fill_head(r, &c->head);
    for (i = 0; !ret && i < r->saved.key_count; i++) {
        record_root_key(&c->key, r->saved.keys[i].key.id);
        record_begin(&c->data);
        pack_registered_key(&c->data, &r->saved.keys[i].key);
        ret = checkpoint_put(c, NULL, err);
    }
    for (i = r->history_from; !ret && i < h->count; i++) {
        record_history_key(&c->key, h->at[i].index);
        record_begin(&c->data);
        pack_raw(&c->data, h->at[i].content, h->at[i].content_len);
        ret = checkpoint_put(c, NULL, err);
        c->head.history_bytes += c->key.len + c->data.len;
        r->out->history++;
    }
    for (i = 0; !ret && i < r->saved.key_count; i++) {
        const struct snapshot_key *k = &r->saved.keys[i];

        if ((ret = image_walk(&k->image, k->key.id, write_change, c)))
            error_set(err, ret, "%s", c->doomed.code ? c->doomed.text : "no memory to repair");
        r->out->keys += k->image.key_count;
        r->out->values += k->image.value_count;
    }
    return ret;
}

int repair_write(struct repairing *r, const char *fresh, struct error *err)
{
    struct checkpoint *c = NULL;
    int ret;

    unlink(fresh); /* of somebody who died here */
    if ((ret = checkpoint_create(fresh, &r->saved.resource, err)) ||
        (ret = checkpoint_open(fresh, &c, err)))
        return ret;
    if (!(ret = checkpoint_begin(c, err)) && !(ret = write_records(r, c, err)))
        ret = checkpoint_commit(c, err);
    checkpoint_close(c);
    return ret ? ret : checkpoint_verify(fresh, NULL, NULL, err);
}
