/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "add.h"
#include "keytext.h"
#include "verbs.h"

static const struct verb_text text = {
    .name = "add",
    .usage = "NAME KEY...",
    .details =
        "Registers keys below HKEY_LOCAL_MACHINE for the resource NAME, with all values and\n"
        "subkeys: 'Software\\Vendor\\App', between single quotes. What they hold is captured at\n"
        "once if the prefix can be read, else by the first online. Several keys are added all or\n"
        "none. A pattern (* ? [..]) of --exclude leaves out the subkeys whose path below the key\n"
        "it matches, with all below them, one of --exclude-value values (Sub\\Name; Name alone is\n"
        "a value of the key itself): each node keeps its own. regckpt exclude changes them.",
    .least_args = 2,
    .most_args = -1,
    .has_json = true,
};

/* The id of a registered key that the monitor has just made; 0: not found. */
static uint32_t find_id(const struct add *a, const struct registered_key *key)
{
    struct snapshot s;
    uint32_t id = 0;

    if (access_read(a->cli, a->name, SNAPSHOT_HEAD, &s, NULL))
        return 0;
    for (size_t i = 0; i < s.key_count; i++)
        if (keyname_relation(key, &s.keys[i].key) == KEYS_SAME)
            id = s.keys[i].key.id;
    snapshot_free(&s);
    return id;
}

/* Takes the first count keys back, so that none is added. */
static void take_back(const struct add *a, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t id = find_id(a, &a->keys[i].key);
        struct message reply;
        struct pack payload;

        pack_init(&payload);
        pack_u32(&payload, id);
        if (!id || ctl_call(a->cli, a->name, CTL_REMOVE, &payload, NULL, 6 * CTL_QUICK_MS, &reply,
                            NULL, NULL))
            cli_note(a->cli, "\"%s\" could not be taken back: remove it with regckpt remove.",
                     a->keys[i].key.path);
        else
            message_free(&reply);
        pack_free(&payload);
    }
}

/* Has the monitor register and capture the keys. */
static int add_online(struct add *a, struct progress *p, struct error *err)
{
    int result = RESULT_OK;

    for (size_t i = 0; !result && i < a->count; i++) {
        struct new_key *k = &a->keys[i];
        struct message reply;
        struct pack payload;
        struct unpack u;

        k->key.id = 0;
        pack_init(&payload);
        pack_registered_key(&payload, &k->key);
        result = ctl_call(a->cli, a->name, CTL_ADD, &payload, p, CTL_WHILE_STORAGE_ANSWERS, &reply, &u, err);
        pack_free(&payload);
        if (result) {
            take_back(a, i);
            break;
        }
        k->captured = unpack_u32(&u);
        k->keys = unpack_u64(&u);
        k->values = unpack_u64(&u);
        message_free(&reply);
    }
    return result;
}

struct writing {
    struct checkpoint *c;
    struct checkpoint_origin origin;
    struct error *err;
};

/* image_walk's call for each change. */
static int write_change(const struct change *change, void *arg)
{
    struct writing *w = arg;

    return checkpoint_change(w->c, change, &w->origin, w->err);
}

/* Writes the keys and what was captured in one transaction. */
static int write_keys(struct add *a, struct checkpoint *c, struct error *err)
{
    struct checkpoint_state state;
    struct timeval now;
    bool captured = false;
    struct writing w = {c, {.who = "capture", .node = a->cli->settings.node}, err};
    int result = checkpoint_begin(c, err);

    gettimeofday(&now, NULL);
    w.origin.time = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_usec;
    w.origin.pid = (uint32_t)getpid();
    for (size_t i = 0; !result && i < a->count; i++) {
        struct new_key *k = &a->keys[i];

        k->key.id = 0;
        captured |= k->captured;
        if (k->captured)
            k->key.flags |= KEY_CAPTURED;
        result = checkpoint_put_key(c, &k->key, err);
        if (!result && k->captured &&
            (result = image_walk(&k->image, k->key.id, write_change, &w)) && !err->code)
            error_system(err, result, "Capturing the key \"%s\"", k->key.path);
    }
    if (!result && captured && !(result = checkpoint_get_state(c, &state, err))) {
        state.saved = w.origin.time;
        result = checkpoint_set_state(c, &state, err);
    }
    return result ? result : checkpoint_commit(c, err);
}

/* Asks Wine, as far as it can be asked, and checks all. */
static int prepare(struct add *a, const char *prefix, struct progress *p, struct error *err)
{
    int result = wineside_open(a->cli, a->name, &a->now.resource, prefix, p, &a->wine, &a->no_wine);

    a->have_wine = !result;
    if (result == RESULT_USAGE) { /* another user's prefix, a wrong path: not a node without Wine */
        *err = a->no_wine;
        return result;
    }
    if ((result = add_choose_views(a, err)) || (result = add_check_keys(a, err)))
        return result;
    return a->have_wine ? add_find_keys(a, err) : RESULT_OK;
}

/* Adds the keys of a resource that is offline, owned from the first check to the commit. */
static int add_offline(struct add *a, struct progress *p, struct error *err)
{
    struct offline o;
    int result = offline_open(a->cli, a->name, &o, err);

    if (result)
        return result;
    if (!(result = prepare(a, a->prefix, p, err)) && a->have_wine)
        result = add_scan_keys(a, err);
    if (!result)
        result = write_keys(a, o.c, err);
    offline_close(&o);
    return result;
}

int add_run(struct add *a, struct error *err)
{
    struct progress p;
    char *prefix;
    int sock, result;

    progress_begin(&p, a->cli->json);
    if ((result = access_read(a->cli, a->name, SNAPSHOT_HEAD, &a->now, err)))
        return result;
    if (!(result = add_read_keys(a, err))) {
        if ((sock = ctl_connect(a->cli, a->name, err)) < 0) {
            result = err->code ? err->code : add_offline(a, &p, err);
        } else {
            prefix = ctl_online_prefix(sock);
            close(sock);
            if (!(result = prepare(a, prefix, &p, err)))
                result = add_online(a, &p, err);
            free(prefix);
        }
    }
    snapshot_free(&a->now);
    return result;
}

/* Tells what became of each key. */
static void report(const struct add *a)
{
    struct json j;

    if (a->cli->json) {
        json_begin(&j, stdout);
        json_open_object(&j, NULL);
        json_text(&j, "resource", a->name);
        json_open_array(&j, "added");
    }
    for (size_t i = 0; i < a->count; i++) {
        const struct new_key *k = &a->keys[i];

        if (a->cli->json) {
            json_open_object(&j, NULL);
            json_text(&j, "key", k->key.path);
            json_number(&j, "view", k->key.view);
            json_bool(&j, "captured", k->captured);
            json_number(&j, "keys", k->keys);
            json_number(&j, "values", k->values);
            json_close_object(&j);
        } else if (k->captured) {
            printf("%s: added \"%s\" (%d-bit view), captured with %llu keys and %llu values.\n",
                   a->name, k->key.path, k->key.view, (unsigned long long)k->keys,
                   (unsigned long long)k->values);
        } else {
            printf("%s: added \"%s\" (%d-bit view), not captured: %s.\n", a->name, k->key.path,
                   k->key.view, a->have_wine || !a->no_wine.code
                       ? "it does not exist yet and is captured when it is first seen"
                       : "the prefix could not be read; the first online captures it");
        }
    }
    if (a->cli->json) {
        json_close_array(&j);
        if (!a->have_wine && a->no_wine.code)
            json_text(&j, "prefix_unreadable", a->no_wine.text);
        json_close_object(&j);
        json_end(&j);
    } else if (!a->have_wine && a->no_wine.code) {
        cli_note(a->cli, "The prefix could not be read: %s", a->no_wine.text);
    }
}

int verb_add(int argc, char **argv)
{
    struct add a = {.view = "auto"};
    const struct cli_option options[] = {
        {"view", OPTION_TEXT, &a.view, "64|32|auto",
         "whose view: 64-bit, 32-bit, the program's (auto)"},
        {"exclude", OPTION_LIST, &a.exclude, "GLOB", "leave out subkeys; may be repeated"},
        {"exclude-value", OPTION_LIST, &a.exclude_value, "GLOB", "leave out values; the same"},
        {"future", OPTION_FLAG, &a.future, NULL, "the key need not exist yet"},
        {"broad", OPTION_FLAG, &a.broad, NULL, "register a key that everybody shares"},
        {"prefix", OPTION_TEXT, &a.prefix, "DIR", "capture from this Wine prefix"},
        {0},
    };
    struct error err = {0};
    struct cli cli;
    int code = cli_begin(&cli, argc, argv, &text, options);

    if (code != CLI_GO_ON) {
        text_list_free(&a.exclude);
        text_list_free(&a.exclude_value);
        return code;
    }
    a.cli = &cli;
    a.name = cli.args[0];
    a.words = cli.args + 1;
    a.word_count = (size_t)cli.arg_count - 1;
    if (add_run(&a, &err)) {
        code = cli_fail(&cli, &err);
    } else {
        code = 0;
        report(&a);
    }
    add_free(&a);
    cli_end(&cli);
    return code;
}
