/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "import.h"
#include "keymatch.h"
#include "keyname.h"

int import_begin(struct import *im, struct error *err)
{
    if (!(im->targets = calloc(im->now->key_count + 1, sizeof(*im->targets))))
        return error_system(err, ENOMEM, "Importing %s", im->file);
    for (size_t i = 0; i < im->now->key_count; i++) {
        struct import_target *t = &im->targets[i];
        const struct registered_key *k = &im->now->keys[i].key;
        char *physical = keyname_physical(k->path, k->view);
        int result = physical ? utf16_from_utf8(physical, strlen(physical), &t->physical) : ENOMEM;

        free(physical);
        t->now = &im->now->keys[i];
        image_init(&t->after);
        image_init(&t->named);
        if (!result)
            result = registered_key_effective_exclude(k, &t->exclude);
        if (result)
            return error_system(err, result < 0 ? EILSEQ : result, "Importing %s", im->file);
    }
    return RESULT_OK;
}

void import_free(struct import *im)
{
    for (size_t i = 0; im->targets && i < im->now->key_count; i++) {
        free((void *)im->targets[i].physical.units);
        exclude_free(&im->targets[i].exclude);
        image_free(&im->targets[i].after);
        image_free(&im->targets[i].named);
    }
    free(im->targets);
    free((void *)im->path.units);
    im->targets = NULL;
    im->path = (struct utf16){0};
}

/* The message of a key in the file, with its line. */
__attribute__((format(printf, 3, 4)))
static int refuse(struct import *im, const struct regfile_entry *e, const char *format, ...)
{
    char *key = utf16_for_display(e->key), *why = NULL;
    va_list args;
    int result;

    va_start(args, format);
    if (vasprintf(&why, format, args) < 0)
        why = NULL;
    va_end(args);
    result = error_set(im->err, RESULT_USAGE, "Line %lu of the .reg file: the key \"%.512s\" %s",
                       e->line, key ? key : "?", why ? why : "cannot be imported");
    free(why);
    free(key);
    return result;
}

/* The message of a key that is not registered: which are. */
static int not_registered(struct import *im, const struct regfile_entry *e)
{
    char list[ERROR_TEXT_BYTES / 2];

    key_list(im->now, list, sizeof(list));
    return refuse(im, e, "is not registered for %s, and only registered keys are touched. %s%s.",
                  im->name, *list ? "Registered are: " : "None is registered", list);
}

/* Takes the root off and doubled and trailing backslashes out, in place; NULL: not below HKLM. */
static char *below_hklm(char *path)
{
    static const char *const roots[] = {REGFILE_ROOT, "HKLM"};
    char *from = path + strcspn(path, "\\"), *to;
    bool ours = false;

    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
        ours |= (size_t)(from - path) == strlen(roots[i]) &&
                !strncasecmp(path, roots[i], strlen(roots[i]));
    if (!ours)
        return NULL;
    for (to = path; *from; from++)
        if (*from != '\\' || (to > path && from[1] && from[1] != '\\'))
            *to++ = *from;
    *to = 0;
    return path;
}

/* The registered key that a path, in one view, is or is below; *at: where the rest is in units. */
static struct import_target *match(struct import *im, const char *path, enum view view,
                                   struct utf16 *units, size_t *at)
{
    char *physical = keyname_physical(path, view);

    if (!physical || utf16_from_utf8(physical, strlen(physical), units)) {
        free(physical);
        return NULL;
    }
    free(physical);
    for (size_t i = 0; i < im->now->key_count; i++) {
        size_t len = im->targets[i].physical.len;
        struct utf16 front = {units->units, len};

        if (len <= units->len && !utf16_compare_nocase(front, im->targets[i].physical) &&
            (len == units->len || units->units[len] == '\\')) {
            *at = len < units->len ? len + 1 : len;
            return &im->targets[i];
        }
    }
    free((void *)units->units);
    return NULL;
}

struct import_target *import_match(struct import *im, const char *path, struct utf16 *rest)
{
    struct import_target *t = NULL;
    struct utf16 units = {0};
    size_t at = 0;

    if (im->view != VIEW_32)
        t = match(im, path, VIEW_64, &units, &at);
    if (!t && im->view != VIEW_64)
        t = match(im, path, VIEW_32, &units, &at);
    if (!t)
        return NULL;
    memmove((uint16_t *)units.units, units.units + at, (units.len - at) * sizeof(*units.units));
    *rest = (struct utf16){units.units, units.len - at};
    return t;
}

/* Finds im->target and im->path for a statement; those of one section have the same. */
static int find_target(struct import *im, const struct regfile_entry *e)
{
    char *text, *path;

    if (im->target && e->kind != REGFILE_KEY && e->kind != REGFILE_DELETE_KEY &&
        im->key.units == e->key.units && im->key.len == e->key.len)
        return RESULT_OK;
    im->target = NULL;
    free((void *)im->path.units);
    im->path = (struct utf16){0};
    im->key = e->key;
    if (!(text = utf16_to_utf8(e->key, false, NULL)))
        return error_system(im->err, ENOMEM, "Importing line %lu", e->line);
    if (!(path = below_hklm(text))) {
        free(text);
        return refuse(im, e, "is not below HKEY_LOCAL_MACHINE, and only keys there follow a "
                             "resource.");
    }
    im->target = import_match(im, path, &im->path);
    free(text);
    return im->target ? RESULT_OK : not_registered(im, e);
}

/* image_walk's call that copies an image. */
static int copy_change(const struct change *change, void *arg)
{
    return image_apply(arg, change);
}

int import_touch(struct import *im, struct import_target *t)
{
    const struct registered_key *k = &t->now->key;
    int result;

    if (t->touched)
        return RESULT_OK;
    if (!(k->flags & (KEY_CAPTURED | KEY_FUTURE)))
        return error_set(im->err, RESULT_USAGE, "The key \"%s\" is registered but not captured yet: "
                         "what is in the registry below it would be lost. Take %s online once, "
                         "then import.", k->path, im->name);
    t->touched = true;
    if ((result = image_walk(&t->now->image, k->id, copy_change, &t->after)))
        return error_system(im->err, result, "Importing the key \"%s\"", k->path);
    return RESULT_OK;
}

int import_note_named(struct import *im)
{
    struct change named = {.kind = CHANGE_CREATE_KEY, .path = im->path};
    struct image_key *key;
    int result;

    if (!im->note_named)
        return 0;
    if ((result = image_apply(&im->target->named, &named)))
        return result;
    if ((key = image_find_key(&im->target->named, im->path)))
        key->pinned = true;
    return 0;
}

bool import_meets_link(const struct import_target *t, struct utf16 path)
{
    for (size_t len = 0; len <= path.len; len++) {
        const struct image_key *key;

        if (len && len < path.len && path.units[len] != '\\')
            continue;
        if (!(key = image_find_key(&t->after, (struct utf16){path.units, len})))
            return false;
        if (key->flags & KEY_FLAG_LINK)
            return true;
    }
    return false;
}

/* regfile_read's call for each statement. */
static int apply_entry(const struct regfile_entry *e, void *arg)
{
    static const enum change_kind kinds[] = {
        [REGFILE_KEY] = CHANGE_CREATE_KEY,
        [REGFILE_DELETE_KEY] = CHANGE_DELETE_KEY,
        [REGFILE_SET_VALUE] = CHANGE_SET_VALUE,
        [REGFILE_DELETE_VALUE] = CHANGE_DELETE_VALUE,
    };
    struct import *im = arg;
    struct change change = {.kind = kinds[e->kind], .name = e->name, .type = e->type,
                            .data = e->data, .size_bytes = e->size_bytes};
    int result = find_target(im, e);

    if (!result && (result = import_touch(im, im->target)) == RESULT_USAGE)
        error_prefix(im->err, "Line %lu of the .reg file", e->line);
    if (result)
        return result;
    change.key_id = im->target->now->key.id;
    change.path = im->path;
    if (exclude_matches(&im->target->exclude, &change)) {
        im->excluded++;
        return RESULT_OK;
    }
    if (import_meets_link(im->target, im->path))
        return refuse(im, e, "is, or is below, a symbolic link in the checkpoint.");
    if (!(result = import_note_named(im)) &&
        /* an existing key keeps its class */
        !(e->kind == REGFILE_KEY && image_find_key(&im->target->after, im->path)))
        result = image_apply(&im->target->after, &change);
    if (result == EINVAL)
        return refuse(im, e, "has a name of more than %d characters, or more than %d keys above "
                             "it.", IMAGE_MAX_KEY_NAME_CHARS, IMAGE_MAX_DEPTH);
    return result ? error_system(im->err, result, "Importing line %lu", e->line) : RESULT_OK;
}

int import_apply(struct import *im, const uint8_t *bytes, size_t len, struct error *err)
{
    int result;

    im->err = err;
    if ((result = regfile_read(bytes, len, apply_entry, im, err)))
        error_prefix(err, "%s", im->file);
    return result;
}
