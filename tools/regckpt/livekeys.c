/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "livekeys.h"

int live_keys_tell(const struct snapshot *s, struct wineside *w, struct error *err)
{
    struct registered_key *list = calloc(s->key_count + 1, sizeof(*list));
    int result;

    if (!list)
        return error_system(err, ENOMEM, "Asking Wine for the keys");
    for (size_t i = 0; i < s->key_count; i++)
        list[i] = s->keys[i].key;
    result = hostlink_keys(&w->link, list, s->key_count, NULL, NULL, err);
    free(list);
    return result;
}

int live_keys_offline(const struct snapshot *s, struct wineside *w, struct image *images,
                      struct error *err)
{
    int result = live_keys_tell(s, w, err);

    for (size_t i = 0; !result && i < s->key_count; i++)
        result = wineside_scan(w, &s->keys[i].key, &s->keys[i].image, &images[i], err);
    return result;
}

/* image_walk's call that copies an image. */
static int copy_change(const struct change *change, void *arg)
{
    return image_apply(arg, change);
}

/* The registry as the monitor sees it: the checkpoint's image with the changes it told. */
static int image_here(const struct snapshot_key *k, struct unpack u,
                      struct image *here, struct error *err)
{
    uint32_t count = unpack_u32(&u);
    int result = image_walk(&k->image, k->key.id, copy_change, here);

    for (uint32_t i = 0; !result && i < count; i++) {
        struct change change;

        unpack_change(&u, &change);
        if (unpack_failed(&u)) {
            change_free(&change);
            return error_set(err, RESULT_INVALID,
                             "The monitor's answer is malformed: it is probably "
                             "another version. Take the resource offline and online again.");
        }
        if (change.key_id == k->key.id)
            result = image_apply(here, &change);
        change_free(&change);
    }
    return result ? error_system(err, result, "Comparing the key \"%s\"", k->key.path) : RESULT_OK;
}

int live_keys_online(const struct snapshot *s, int sock, struct progress *p, struct image *images,
                     struct error *err)
{
    struct message reply;
    struct unpack u;
    int result = ctl_ask(sock, CTL_DIFF, NULL, p, CTL_WHILE_STORAGE_ANSWERS, &reply, &u, err);

    if (result)
        return result;
    for (size_t i = 0; !result && i < s->key_count; i++)
        result = image_here(&s->keys[i], u, &images[i], err);
    message_free(&reply);
    return result;
}
