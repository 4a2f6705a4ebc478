/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "keytext.h"

/* One registered key on its way through image_diff. */
struct comparing {
    const struct registered_key *key;
    const struct image *here;
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

/* image_diff's call for each difference. */
static int tell_difference(const struct change *change, void *arg)
{
    struct comparing *c = arg;
    const struct image_key *there = image_find_key(c->here, change->path);

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

int compare_key(const struct snapshot_key *k, const struct image *here, struct json *j,
                struct compare_totals *totals, struct error *err)
{
    struct comparing c = {&k->key, here, j, totals, NULL};
    int result = image_diff(here, &k->image, k->key.id, tell_difference, &c);

    free(c.heading);
    return result ? error_system(err, result, "Comparing the key \"%s\"", k->key.path) : RESULT_OK;
}

/* A key that no checkpoint holds yet. */
static void tell_uncaptured(const struct registered_key *k, struct json *j,
                            struct compare_totals *totals)
{
    totals->uncaptured++;
    if (!j)
        printf("HKLM\\%s (%d-bit view)\n  (not captured yet: the first online captures it as it "
               "is)\n",
               k->path, k->view);
}

/* Gives the host the list of keys. */
static int tell_host(const struct snapshot *s, struct wineside *w, struct error *err)
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

int compare_offline(const struct snapshot *s, struct wineside *w, struct json *j,
                    struct compare_totals *totals, struct error *err)
{
    int result = tell_host(s, w, err);

    for (size_t i = 0; !result && i < s->key_count; i++) {
        const struct snapshot_key *k = &s->keys[i];
        struct image here;

        if (!(k->key.flags & KEY_CAPTURED)) {
            tell_uncaptured(&k->key, j, totals);
            continue;
        }
        image_init(&here);
        if (!(result = wineside_scan(w, &k->key, &here, err)))
            result = compare_key(k, &here, j, totals, err);
        image_free(&here);
    }
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

int compare_online(const struct snapshot *s, int sock, struct progress *p, struct json *j,
                   struct compare_totals *totals, struct error *err)
{
    struct message reply;
    struct unpack u;
    int result = ctl_ask(sock, CTL_DIFF, NULL, p, -1, &reply, &u, err);

    if (result)
        return result;
    for (size_t i = 0; !result && i < s->key_count; i++) {
        const struct snapshot_key *k = &s->keys[i];
        struct image here;

        if (!(k->key.flags & KEY_CAPTURED)) {
            tell_uncaptured(&k->key, j, totals);
            continue;
        }
        image_init(&here);
        if (!(result = image_here(k, u, &here, err)))
            result = compare_key(k, &here, j, totals, err);
        image_free(&here);
    }
    message_free(&reply);
    return result;
}

void compare_print_totals(const char *name, const struct compare_totals *totals)
{
    if (totals->added + totals->changed + totals->removed)
        printf("%s: - here now, + after online: %llu added, %llu changed, %llu removed.\n", name,
               (unsigned long long)totals->added, (unsigned long long)totals->changed,
               (unsigned long long)totals->removed);
    else
        printf("%s: the registry here is equal to the checkpoint.\n", name);
}
