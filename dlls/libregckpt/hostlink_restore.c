/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making a live key equal to an image.
 *
 * A key that does not exist is loaded as a whole (NtLoadKey), anything else is changed where it
 * differs, so open handles stay valid.  Then it is scanned again and compared; what NtLoadKey cannot
 * carry (classes, some names) is set singly in the next round.  Equal is the only way out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostlink.h"

#define ROUNDS 3

/* The first difference that is left, for the message. */
static int note_difference(const struct change *c, void *arg)
{
    struct hostlink_restore *r = arg;

    if (!r->differences++) {
        char *path = utf16_for_display(c->path), *name = utf16_for_display(c->name);
        static const char *const kinds[] = {"", "key '%s' is missing or has another class",
                                            "key '%s' cannot be removed",
                                            "value '%2$s' of key '%1$s' is not as it should be",
                                            "value '%2$s' of key '%1$s' cannot be removed"};
        snprintf(r->difference, sizeof(r->difference), c->kind == CHANGE_CREATE_KEY   ? kinds[1]
                                                       : c->kind == CHANGE_DELETE_KEY ? kinds[2]
                                                       : c->kind == CHANGE_SET_VALUE  ? kinds[3]
                                                                                      : kinds[4],
                 path ? path : "?", name ? name : "?");
        free(path);
        free(name);
    }
    return 0;
}

static int inexact(struct hostlink_restore *r, const struct image *live, struct error *err)
{
    r->differences = 0;
    image_diff(live, r->want, r->key_id, note_difference, r);
    return error_set(err, RESULT_INEXACT, "%s (%llu differences)", r->difference,
                     (unsigned long long)r->differences);
}

/* One change of the registry towards what is wanted. */
static int change(struct hostlink_restore *r, const struct image *live, struct error *err)
{
    if (live->root || !r->want->root)
        return hostlink_apply_diff(r->link, r->key_id, live, r->want, &r->applied, err);
    r->applied += r->want->value_count;
    return hostlink_load(r->link, r->key_id, r->want, err);
}

int hostlink_restore(struct hostlink_restore *r, struct image *live, struct error *err)
{
    int error = 0;

    for (r->rounds = 0;; r->rounds++) {
        if (r->rounds && (error = r->scan(r->arg, live, err)))
            return error;
        if (image_equal(live, r->want))
            break;
        if (r->rounds == ROUNDS) {
            error = inexact(r, live, err);
            break;
        }
        error = change(r, live, err);
        if (error == RESULT_WINE && r->link->sock >= 0) {
            /* a change was refused: the comparison tells whether it matters */
            r->refused = *err;
            error = r->rounds == ROUNDS - 1 ? inexact(r, live, err) : 0;
        }
        if (error)
            break;
        image_free(live);
    }
    image_free(live);
    return error;
}
