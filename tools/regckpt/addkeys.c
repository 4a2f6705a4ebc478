/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What "add" finds out before it changes anything, so that several keys are added all or none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "add.h"
#include "excludekey.h"

int add_read_keys(struct add *a, struct error *err)
{
    if (!(a->keys = calloc(a->word_count, sizeof(*a->keys))))
        return error_system(err, ENOMEM, "Reading the keys");
    for (; a->count < a->word_count; a->count++) {
        struct new_key *k = &a->keys[a->count];

        if (!(k->key.path = keyname_clean(a->words[a->count], err)))
            return err->code;
        image_init(&k->image);
        k->key.view = 0;
        k->key.flags = (a->future ? KEY_FUTURE : 0) | (a->broad ? KEY_BROAD : 0);
        if (exclude_read(&k->key.exclude, &a->exclude, &a->exclude_value, err))
            return err->code;
    }
    return RESULT_OK;
}

int add_choose_views(struct add *a, struct error *err)
{
    struct program_facts facts = {0};
    struct error why = {0};
    int bits = 0, result = RESULT_OK;

    if (!strcmp(a->view, "auto") && a->have_wine &&
        !hostlink_query_program(&a->wine.link, &a->now.resource, &facts, &why))
        bits = (int)facts.bits;
    for (size_t i = 0; !result && i < a->count; i++) {
        bool shared = bits && keyname_is_shared_class(a->keys[i].key.path);

        result = keyname_view(a->view, shared ? VIEW_64 : bits, &a->keys[i].key.view, err);
    }
    if (result && !bits && !strcmp(a->view, "auto")) {
        if (!a->have_wine)
            error_set(err, result, "%s Wine could not be asked: %s", err->text, a->no_wine.text);
        else if (why.code)
            error_set(err, result, "%s Wine was asked: %s", err->text, why.text);
        else if (!facts.exists)
            error_set(err, result, "%s The program or service of %s is not there in the prefix %s.",
                      err->text, a->name, a->wine.place.prefix);
    }
    program_facts_free(&facts);
    return result;
}

/* Checks the keys against those of another resource. One whose checkpoint is damaged is no
 * obstacle: it cannot be restored either before it is repaired. */
static int check_other(struct add *a, const char *other, struct error *err)
{
    struct snapshot s;
    int result = access_read(a->cli, other, SNAPSHOT_HEAD, &s, err);

    if (result == RESULT_NOT_FOUND) /* deleted meanwhile */
        return RESULT_OK;
    if (result == RESULT_DAMAGED || result == RESULT_FOREIGN) {
        cli_note(a->cli, "Not compared with the keys of %s: %s", other, err->text);
        return RESULT_OK;
    }
    if (result)
        return error_prefix(err, "Comparing with the keys of %s", other);
    for (size_t i = 0; !result && i < a->count; i++)
        for (size_t n = 0; !result && n < s.key_count; n++)
            result = keyname_check(&a->keys[i].key, &s.keys[n].key, 1, other, err);
    snapshot_free(&s);
    return result;
}

int add_check_keys(struct add *a, struct error *err)
{
    char **names;
    size_t count;
    int result = RESULT_OK;

    for (size_t i = 0; !result && i < a->count; i++) {
        result = keyname_check(&a->keys[i].key, NULL, 0, NULL, err);
        for (size_t n = 0; !result && n < a->now.key_count; n++)
            result = keyname_check(&a->keys[i].key, &a->now.keys[n].key, 1, NULL, err);
        for (size_t n = 0; !result && n < i; n++)
            result = keyname_check(&a->keys[i].key, &a->keys[n].key, 1, NULL, err);
    }
    if (result || (result = store_list(a->cli->settings.store, &names, &count, err)))
        return result;
    for (size_t i = 0; !result && i < count; i++)
        if (strcmp(names[i], a->name))
            result = check_other(a, names[i], err);
    store_list_free(names, count);
    return result;
}

/* keyname_guess's question, asked in the prefix.  The host knows a key by its id: each gets a new
 * one. */
static bool exists_in_prefix(const char *path, enum view view, void *arg)
{
    struct add *a = arg;
    struct registered_key key = {.id = (uint32_t)a->count + ++a->probe, .view = view,
                                 .path = (char *)path};
    bool exists = false;

    return !hostlink_keys(&a->wine.link, &key, 1, &exists, NULL, NULL) && exists;
}

/* The message for a key that is not there. */
static int missing_key(struct add *a, const struct new_key *k, struct error *err)
{
    char *guess = keyname_guess(k->key.path, k->key.view, exists_in_prefix, a);
    int result = error_set(err, RESULT_NOT_FOUND,
                           "The key \"%s\" (%d-bit view) does not exist in the prefix %s. %s If "
                           "it is still to come, register it with --future.",
                           k->key.path, k->key.view, a->wine.place.prefix, guess ? guess : "");

    free(guess);
    return result;
}

/* Gives the host the list of the new keys, numbered from 1; exists (may be NULL) gets the
 * answers. */
static int tell_host(struct add *a, bool *exists, struct error *err)
{
    struct registered_key *list = calloc(a->count, sizeof(*list));
    int result;

    if (!list)
        return error_system(err, ENOMEM, "Asking Wine for the keys");
    for (size_t i = 0; i < a->count; i++) {
        a->keys[i].key.id = (uint32_t)i + 1; /* ours for now: the checkpoint gives the real one */
        list[i] = a->keys[i].key;
    }
    result = hostlink_keys(&a->wine.link, list, a->count, exists, NULL, err);
    free(list);
    return result;
}

int add_find_keys(struct add *a, struct error *err)
{
    bool *exists = calloc(a->count, sizeof(*exists));
    int result;

    if (!exists)
        return error_system(err, ENOMEM, "Asking Wine for the keys");
    result = tell_host(a, exists, err);
    for (size_t i = 0; !result && i < a->count; i++)
        a->keys[i].exists = exists[i];
    for (size_t i = 0; !result && i < a->count; i++)
        if (!exists[i] && !a->future)
            result = missing_key(a, &a->keys[i], err);
    free(exists);
    return result;
}

int add_scan_keys(struct add *a, struct error *err)
{
    int result = RESULT_OK;

    for (size_t i = 0; !result && i < a->count; i++) {
        struct new_key *k = &a->keys[i];

        if (!k->exists || (result = wineside_scan(&a->wine, &k->key, NULL, &k->image, err)))
            continue;
        k->captured = k->image.root != NULL;
        k->keys = k->image.key_count;
        k->values = k->image.value_count;
    }
    return result;
}

void add_free(struct add *a)
{
    for (size_t i = 0; i < a->count; i++) {
        registered_key_free(&a->keys[i].key);
        image_free(&a->keys[i].image);
    }
    free(a->keys);
    text_list_free(&a->exclude);
    text_list_free(&a->exclude_value);
    if (a->have_wine)
        wineside_close(&a->wine);
}
