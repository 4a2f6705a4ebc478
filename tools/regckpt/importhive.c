/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hive.h"
#include "import.h"
#include "keymatch.h"
#include "keyname.h"

/* Finds im->target and im->path: the named key, or the only one. */
static int find_place(struct import *im)
{
    char list[ERROR_TEXT_BYTES / 2], *path;
    int result = RESULT_OK;

    key_list(im->now, list, sizeof(list));
    if (!im->place) {
        if (im->now->key_count != 1)
            return error_set(im->err, RESULT_USAGE, "A hive file does not say which key it is of. "
                             "Say it by --key. %s%s.",
                             *list ? "Registered are: " : "None is registered", list);
        im->target = &im->targets[0];
        return RESULT_OK;
    }
    if (!(path = keyname_clean(im->place, im->err)))
        return im->err->code;
    if (!(im->target = import_match(im, path, &im->path)))
        result = error_set(im->err, RESULT_USAGE, "The key \"%s\" is not registered for %s, and only "
                           "registered keys are touched. %s%s.", path, im->name,
                           *list ? "Registered are: " : "None is registered", list);
    free(path);
    return result;
}

/* A walk through the hive. */
struct placing {
    struct import *im;
    uint16_t *units; /* the path in the target */
    size_t room;
};

/* image_walk's call: the same change at the hive's place. */
static int place_change(const struct change *given, void *arg)
{
    struct placing *p = arg;
    struct import *im = p->im;
    struct change change = *given;
    size_t len = im->path.len + 1 + given->path.len;

    if (im->path.len && given->path.len) {
        if (len > p->room) {
            uint16_t *bigger = realloc(p->units, 2 * len * sizeof(*bigger));

            if (!bigger)
                return ENOMEM;
            p->units = bigger;
            p->room = 2 * len;
            memcpy(p->units, im->path.units, im->path.len * sizeof(*p->units));
            p->units[im->path.len] = '\\';
        }
        memcpy(p->units + im->path.len + 1, given->path.units, given->path.len * sizeof(*p->units));
        change.path = (struct utf16){p->units, len};
    } else if (im->path.len) {
        change.path = im->path;
    }
    change.key_id = im->target->now->key.id;
    if (exclude_matches(&im->target->exclude, &change)) {
        im->excluded++;
        return RESULT_OK;
    }
    return image_apply(&im->target->after, &change);
}

/* The key and all below become what the hive holds. */
static int put_hive(struct import *im, const struct image *hive)
{
    const struct registered_key *k = &im->target->now->key;
    struct change gone = {.kind = CHANGE_DELETE_KEY, .key_id = k->id, .path = im->path};
    struct placing placing = {.im = im};
    int result;

    if ((result = import_touch(im, im->target)))
        return result;
    if (exclude_matches(&im->target->exclude, &gone))
        return error_set(im->err, RESULT_USAGE, "The key \"%s\" is excluded from \"%s\".", im->place,
                         k->path);
    if (im->path.len && import_meets_link(im->target, im->path))
        return error_set(im->err, RESULT_USAGE, "The key \"%s\" is, or is below, a symbolic link in "
                         "the checkpoint.", im->place);
    if (!(result = import_note_named(im)) && !(result = image_apply(&im->target->after, &gone)))
        result = image_walk(hive, k->id, place_change, &placing);
    free(placing.units);
    if (result == EINVAL)
        return error_set(im->err, RESULT_USAGE, "Below \"%s\", the hive would have more than %d keys "
                         "above each other.", im->place ? im->place : k->path, IMAGE_MAX_DEPTH);
    return result ? error_system(im->err, result, "Importing the key \"%s\"", k->path) : RESULT_OK;
}

int import_apply_hive(struct import *im, const uint8_t *bytes, size_t len, struct error *err)
{
    struct image hive;
    int result;

    im->err = err;
    image_init(&hive);
    if (!(result = hive_read(bytes, len, &hive, err)) && !(result = find_place(im)))
        result = put_hive(im, &hive);
    if (result)
        error_prefix(err, "%s", im->file);
    image_free(&hive);
    return result;
}
