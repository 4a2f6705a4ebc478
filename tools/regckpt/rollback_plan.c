/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "access.h"
#include "keymatch.h"
#include "keyname.h"
#include "keytext.h"
#include "rollback_plan.h"
#include "way_out.h"
#include "timepoint.h"
#include "undo.h"

/* The number of the change that a point names: a number itself, or a time. */
static int point_number(const struct snapshot *s, const char *point, uint64_t *number,
                        struct error *err)
{
    struct timeval now;
    uint64_t time;
    char *end;
    int result;

    errno = 0;
    *number = strtoull(point, &end, 10);
    if (isdigit((unsigned char)*point) && !*end && !errno)
        return RESULT_OK;
    gettimeofday(&now, NULL);
    result = timepoint_parse(point, (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_usec, &time,
                             err);
    if (result)
        return error_set(err, result,
                         "--to: \"%s\" is neither the number of a change (\"regckpt log\" has "
                         "them), nor \"last-good\", nor a time. Times are %s.",
                         point, TIMEPOINT_FORMS);
    return snapshot_change_at(s, time, number, err);
}

/* Does --key, if it is there, mean this place? */
static bool is_meant(const struct rollback_plan *plan, const struct registered_key *k,
                     struct utf16 path)
{
    struct utf16 below;
    bool within;

    if (!plan->path)
        return true;
    if (!key_path_meets(k, plan->path, &below))
        return false;
    within = utf16_path_within(path, below);
    free((void *)below.units);
    return within;
}

/* A value whose data of then are not known cannot be rolled back. */
static int check_holes(const struct rollback_plan *plan, const struct undone *u, const char *name,
                       struct error *err)
{
    for (size_t i = 0; i < u->hole_count; i++) {
        const struct undo_hole *h = &u->holes[i];
        char *path, *value;

        for (size_t k = 0; k < plan->now.key_count; k++) {
            const struct registered_key *r = &plan->now.keys[k].key;
            const struct image_key *in = image_find_key(&plan->then[k], h->path);

            if (r->id != h->key_id || !in || !image_find_value(in, h->name) ||
                !is_meant(plan, r, h->path))
                continue; /* left alone by this rollback, or not there then */
            path = utf16_for_display(h->path);
            value = utf16_for_display(h->name);
            error_set(err, RESULT_DIFFERENT,
                      "%s cannot be rolled back to %s: the value \"%s\" of HKLM\\%s%s%s had %u "
                      "bytes then, too many for the history to keep. Choose another point%s, or "
                      "last-good.",
                      name, plan->point, value ? value : "?", r->path,
                      path && *path ? "\\" : "", path ? path : "?", h->size_bytes,
                      plan->path ? "" : ", limit the rollback to other keys with --key");
            free(path);
            free(value);
            return RESULT_DIFFERENT;
        }
    }
    return RESULT_OK;
}

/* One key's way back, limited to what is at and below a path in it. */
struct limiting {
    struct utf16 top;
    struct image *image;
};

/* image_walk's call that copies an image. */
static int copy_change(const struct change *change, void *arg)
{
    return image_apply(arg, change);
}

/* image_diff's call: carries out what is within, and makes the keys above it that are missing. */
static int limited_change(const struct change *change, void *arg)
{
    struct limiting *l = arg;

    if (utf16_path_within(change->path, l->top))
        return image_apply(l->image, change);
    if (change->kind == CHANGE_CREATE_KEY && utf16_path_within(l->top, change->path) &&
        !image_find_key(l->image, change->path))
        return image_apply(l->image, change);
    return 0;
}

/*
 * What of `then` is taken over for one registered key: all, what is at and below --key, or nothing.
 * A key above that is missing is made as it was then; if nothing was there below it, it is not.
 */
static int limit_key(struct rollback_plan *plan, size_t i, const char *path)
{
    const struct snapshot_key *now = &plan->now.keys[i];
    struct limiting l = {.image = &(struct image){0}};
    const struct image_key *wanted;
    bool meets = key_path_meets(&now->key, path, &l.top);
    int result;

    image_init(l.image);
    result = image_walk(&now->image, now->key.id, copy_change, l.image);
    if (!result && meets) {
        wanted = image_find_key(&plan->then[i], l.top);
        if (wanted || image_find_key(l.image, l.top))
            result = image_diff(&now->image, &plan->then[i], now->key.id, limited_change, &l);
        plan->concerned++;
    }
    if (meets)
        free((void *)l.top.units);
    image_free(&plan->then[i]);
    plan->then[i] = *l.image;
    return result;
}

/* Limits all to --key. */
static int limit(struct rollback_plan *plan, const char *name, const char *key, struct error *err)
{
    char *path = plan->path = keyname_clean(key, err);
    int result = path ? RESULT_OK : err->code;

    for (size_t i = 0; !result && i < plan->now.key_count; i++)
        if ((result = limit_key(plan, i, path)))
            error_system(err, result, "Limiting the rollback to \"%s\"", key);
    if (!result && !plan->concerned)
        result = error_set(err, RESULT_NOT_FOUND,
                           "No key registered for %s holds \"%s\", or lies in it. \"regckpt list "
                           "%s\" names the registered keys.",
                           name, path, name);
    return result;
}

/* Takes the images out of a snapshot that is `now` at another time, by the keys' ids. */
static int take_images(struct rollback_plan *plan, struct snapshot *other, struct error *err)
{
    for (size_t i = 0; i < plan->now.key_count; i++) {
        const struct registered_key *k = &plan->now.keys[i].key;
        struct snapshot_key *found = NULL;

        for (size_t o = 0; o < other->key_count; o++)
            if (other->keys[o].key.id == k->id && other->keys[o].key.flags & KEY_CAPTURED &&
                other->keys[o].key.view == k->view && !strcmp(other->keys[o].key.path, k->path))
                found = &other->keys[o];
        if (found && k->flags & KEY_CAPTURED) {
            plan->then[i] = found->image;
            image_init(&found->image);
            continue;
        }
        plan->passes_over[i] = (k->flags & KEY_CAPTURED) != 0;
        plan->passed_over += plan->passes_over[i];
        /* Registered or captured since: it stays as it is. */
        if (image_walk(&plan->now.keys[i].image, k->id, copy_change, &plan->then[i]))
            return error_system(err, ENOMEM, "Rolling back the key \"%s\"", k->path);
    }
    return RESULT_OK;
}

/* The content at the last clean offline. */
static int plan_last_good(const struct cli *cli, struct rollback_plan *plan, struct error *err)
{
    const char *name = cli->args[0];
    char *path = store_path(cli->settings.store, name, STORE_LAST_GOOD), room[32];
    struct snapshot good;
    int result;

    if (!path)
        return error_system(err, ENOMEM, "Rolling back %s", name);
    result = snapshot_read(path, 0, &good, err);
    if (result == RESULT_NOT_FOUND)
        error_set(err, result,
                  "There is no last good checkpoint of %s yet: the first clean offline makes one. "
                  "\"regckpt log %s\" shows the points that --to can go back to.", name, name);
    else if (result)
        error_set(err, result,
                  "The last good checkpoint of %s cannot be used: %s \"regckpt log %s\" shows the "
                  "points that --to can go back to.", name, err->text, name);
    if (!result) {
        snprintf(plan->point, sizeof(plan->point), "the last good checkpoint, of %s",
                 time_text(good.state.since, room));
        result = take_images(plan, &good, err);
        snapshot_free(&good);
    }
    free(path);
    return result;
}

/* What a number means, in words. */
static void describe_number(struct rollback_plan *plan, uint64_t number)
{
    const struct snapshot *s = &plan->now;
    char room[32];

    for (size_t i = 0; i < s->history_count; i++)
        if (s->history[i].index + 1 == number) {
            snprintf(plan->point, sizeof(plan->point), "the content after change %llu, of %s",
                     (unsigned long long)number, time_text(s->history[i].time, room));
            return;
        }
    snprintf(plan->point, sizeof(plan->point), "the content after change %llu",
             (unsigned long long)number);
}

/* The content at a point of the history. */
static int plan_history(const struct cli *cli, const char *point, const char *key,
                        struct rollback_plan *plan, struct error *err)
{
    struct snapshot then;
    struct undone undone;
    uint64_t number;
    int result = point_number(&plan->now, point, &number, err);

    if (result || (result = access_read(cli, cli->args[0], SNAPSHOT_HISTORY, &then, err)))
        return result;
    describe_number(plan, number);
    if (then.state.sequence != plan->now.state.sequence)
        result = error_set(err, RESULT_DIFFERENT,
                           "The checkpoint of %s changes while it is read. Take it offline first: "
                           "regckpt offline %s.", cli->args[0], cli->args[0]);
    if (!result && !(result = snapshot_undo(&then, number, &undone, err))) {
        result = take_images(plan, &then, err);
        if (!result && key)
            result = limit(plan, cli->args[0], key, err);
        if (!result)
            result = check_holes(plan, &undone, cli->args[0], err);
        undone_free(&undone);
    }
    snapshot_free(&then);
    return result;
}

int rollback_plan_make(const struct cli *cli, const char *point, const char *key,
                       struct rollback_plan *plan, bool *damaged, struct error *err)
{
    int result;

    memset(plan, 0, sizeof(*plan));
    result = access_read(cli, cli->args[0], SNAPSHOT_HISTORY, &plan->now, err);
    *damaged = way_out_is_last_good(result);
    if (result)
        return result;
    plan->then = calloc(plan->now.key_count + 1, sizeof(*plan->then));
    plan->passes_over = calloc(plan->now.key_count + 1, sizeof(*plan->passes_over));
    if (!plan->then || !plan->passes_over) {
        result = error_system(err, ENOMEM, "Rolling back %s", cli->args[0]);
    } else if (strcmp(point, "last-good")) {
        result = plan_history(cli, point, key, plan, err);
    } else if (!(result = plan_last_good(cli, plan, err)) && key) {
        result = limit(plan, cli->args[0], key, err);
    }
    if (result)
        rollback_plan_free(plan);
    return result;
}

void rollback_plan_free(struct rollback_plan *plan)
{
    for (size_t i = 0; plan->then && i < plan->now.key_count; i++)
        image_free(&plan->then[i]);
    free(plan->then);
    free(plan->passes_over);
    free(plan->path);
    snapshot_free(&plan->now);
    memset(plan, 0, sizeof(*plan));
}

bool rollback_plan_passes_over(const struct rollback_plan *plan, uint32_t key_id)
{
    for (size_t i = 0; i < plan->now.key_count; i++)
        if (plan->now.keys[i].key.id == key_id)
            return plan->passes_over[i];
    return true;
}
