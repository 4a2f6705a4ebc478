/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "keytext.h"

/* One registered key on its way through image_diff. */
struct comparing {
    const struct registered_key *key;
    const struct image *here;
    const struct image *const *scopes; /* two, or NULL */
    struct json *j;
    struct compare_totals *totals;
    char *heading; /* the key that was printed last, malloc'ed */
};

/* Prints the key's name once in front of all that is in it. */
static void print_heading(struct comparing *c, struct utf16 path)
{
    char *below = utf16_for_display(path), *name = NULL;

    if (below && asprintf(&name, "HKLM\\%s%s%s (%d-bit view)", c->key->path, *below ? "\\" : "",
                          below, c->key->view) < 0)
        name = NULL;
    free(below);
    if (name && (!c->heading || strcmp(name, c->heading))) {
        puts(name);
        free(c->heading);
        c->heading = name;
    } else {
        free(name);
    }
}

/* One side of a value. */
static void print_value(char sign, struct utf16 name, uint32_t type, const void *data,
                        uint32_t size)
{
    char room[16], *shown = utf16_for_display(name), *value = value_data_text(type, data, size);

    printf("  %c %s  %s  %s\n", sign, !shown ? "?" : name.len ? shown : "(Default)",
           value_type_name(type, room), value ? value : "?");
    free(shown);
    free(value);
}

/* A change of a key: it comes, goes, or gets another class. */
static void tell_key(struct comparing *c, const struct change *change,
                     const struct image_key *there)
{
    bool goes = change->kind == CHANGE_DELETE_KEY;
    const char *what = goes ? "removed" : there ? "changed" : "added";

    if (goes)
        c->totals->removed++;
    else if (there)
        c->totals->changed++;
    else
        c->totals->added++;
    if (c->j) {
        json_text(c->j, "change", what);
        json_text(c->j, "what", "key");
        return;
    }
    print_heading(c, change->path);
    if (there && !goes)
        printf("  - (key, with another class)\n  + (key, with its class)\n");
    else
        printf("  %c (key)\n", goes ? '-' : '+');
}

/* A change of a value. */
static void tell_value(struct comparing *c, const struct change *change,
                       const struct image_value *old)
{
    bool goes = change->kind == CHANGE_DELETE_VALUE;

    if (goes)
        c->totals->removed++;
    else if (old)
        c->totals->changed++;
    else
        c->totals->added++;
    if (c->j) {
        json_text(c->j, "change", goes ? "removed" : old ? "changed" : "added");
        json_text(c->j, "what", "value");
        if (old) {
            json_open_object(c->j, "here");
            value_json(c->j, old->name, old->type, old->data, old->size_bytes);
            json_close_object(c->j);
        }
        if (!goes) {
            json_open_object(c->j, "after");
            value_json(c->j, change->name, change->type, change->data, change->size_bytes);
            json_close_object(c->j);
        }
        return;
    }
    print_heading(c, change->path);
    if (old)
        print_value('-', old->name, old->type, old->data, old->size_bytes);
    if (!goes)
        print_value('+', change->name, change->type, change->data, change->size_bytes);
}

/* Is a path at or below one of the pinned keys? */
static bool is_within(const struct image *scope, struct utf16 path)
{
    const struct image_key *key;

    for (size_t len = 0; len <= path.len; len++) {
        if (len && len < path.len && path.units[len] != '\\')
            continue;
        if (!(key = image_find_key(scope, (struct utf16){path.units, len})))
            return false;
        if (key->pinned)
            return true;
    }
    return false;
}

/* Is it to be compared? */
static bool in_scope(const struct comparing *c, struct utf16 path)
{
    if (!c->scopes || (!c->scopes[0] && !c->scopes[1]))
        return true;
    return (c->scopes[0] && is_within(c->scopes[0], path)) ||
           (c->scopes[1] && is_within(c->scopes[1], path));
}

/* image_diff's call for each difference. */
static int tell_difference(const struct change *change, void *arg)
{
    struct comparing *c = arg;
    const struct image_key *there = image_find_key(c->here, change->path);

    if (!in_scope(c, change->path))
        return 0;
    if (c->j) {
        json_open_object(c->j, NULL);
        json_text(c->j, "key", c->key->path);
        json_number(c->j, "view", c->key->view);
        json_utf16(c->j, "path", change->path);
    }
    if (change->kind == CHANGE_CREATE_KEY || change->kind == CHANGE_DELETE_KEY)
        tell_key(c, change, there);
    else
        tell_value(c, change, there ? image_find_value(there, change->name) : NULL);
    if (c->j)
        json_close_object(c->j);
    return 0;
}

int compare_images(const struct registered_key *key, const struct image *from,
                   const struct image *to, const struct image *const scopes[2],
                   struct json *j, struct compare_totals *totals, struct error *err)
{
    struct comparing c = {key, from, scopes, j, totals, NULL};
    int result = image_diff(from, to, key->id, tell_difference, &c);

    free(c.heading);
    return result ? error_system(err, result, "Comparing the key \"%s\"", key->path) : RESULT_OK;
}

int compare_key(const struct snapshot_key *k, const struct image *here, struct json *j,
                struct compare_totals *totals, struct error *err)
{
    return compare_images(&k->key, here, &k->image, NULL, j, totals, err);
}

void compare_left_out(const struct registered_key *k, const char *why, struct json *j,
                      struct compare_totals *totals)
{
    totals->uncaptured++;
    if (!j)
        printf("HKLM\\%s (%d-bit view)\n  (%s)\n", k->path, k->view, why);
}

bool compare_found(const struct compare_totals *totals)
{
    return totals->added + totals->changed + totals->removed > 0;
}
