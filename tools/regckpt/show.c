/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "keymatch.h"
#include "keyname.h"
#include "keytext.h"
#include "property_options.h"
#include "table.h"
#include "verbs.h"

static const struct verb_text text = {
    .name = "show",
    .usage = "NAME [KEY]",
    .details = "Prints what the checkpoint of NAME holds: properties, registered keys, all\n"
               "values; or only what is at and below KEY. Works on any node, without Wine.",
    .least_args = 1,
    .most_args = 2,
    .has_json = true,
};

/* The full name of a key for people, malloc'ed. */
static char *full_name(const struct registered_key *registered, const struct image_key *key)
{
    struct utf16 path = {0};
    char *below = NULL, *name = NULL;

    if (!image_key_path(key, &path) && (below = utf16_for_display(path)) &&
        asprintf(&name, "HKLM\\%s%s%s", registered->path, *below ? "\\" : "", below) < 0)
        name = NULL;
    free(below);
    free((void *)path.units);
    return name;
}

/* A key's values as a table. */
static void print_values(const struct image_key *key)
{
    struct table t;
    char room[16];

    table_begin(&t, 3, NULL);
    for (uint32_t i = 0; i < key->value_count; i++) {
        const struct image_value *v = &key->values[i];
        char *name = utf16_for_display(v->name),
             *data = value_data_text(v->type, v->data, v->size_bytes);

        table_cell(&t, "%s", !name ? "?" : *name || v->name.len ? name : "(Default)");
        table_cell(&t, "%s", value_type_name(v->type, room));
        table_cell(&t, "%s", data ? data : "?");
        free(name);
        free(data);
    }
    table_print(&t, stdout, "    ");
    table_free(&t);
}

/* A key with all below it; the depth is bounded by IMAGE_MAX_DEPTH. */
static void print_key(const struct registered_key *registered, const struct image_key *key)
{
    char *name = full_name(registered, key), *class = utf16_for_display(key->class);

    printf("\n%s", name ? name : "?");
    if (!key->parent)
        printf("  (%d-bit view)", registered->view);
    if (key->class.len)
        printf("  (class \"%s\")", class ? class : "?");
    printf("%s\n", key->flags & KEY_FLAG_LINK ? "  (symbolic link)" : "");
    free(name);
    free(class);
    print_values(key);
    for (uint32_t i = 0; i < key->key_count; i++)
        print_key(registered, key->keys[i]);
}

/* The same into an array: one object a key, not nested, so that the writer's depth is bounded. */
static void json_key(struct json *j, const struct image_key *key)
{
    struct utf16 path = {0};

    if (image_key_path(key, &path))
        return;
    json_open_object(j, NULL);
    json_utf16(j, "path", path);
    free((void *)path.units);
    if (key->class.len)
        json_utf16(j, "class", key->class);
    json_bool(j, "link", key->flags & KEY_FLAG_LINK);
    json_open_array(j, "values");
    for (uint32_t i = 0; i < key->value_count; i++) {
        const struct image_value *v = &key->values[i];

        json_open_object(j, NULL);
        value_json(j, v->name, v->type, v->data, v->size_bytes);
        json_close_object(j);
    }
    json_close_array(j);
    json_close_object(j);
    for (uint32_t i = 0; i < key->key_count; i++)
        json_key(j, key->keys[i]);
}

/* One registered key, from a key in it on (NULL: it is not captured, or does not exist). */
static void show_registered(const struct registered_key *k, const struct image_key *from,
                            struct json *j)
{
    if (j) {
        json_open_object(j, NULL);
        keytext_json(j, k);
        json_open_array(j, "content");
        if (from)
            json_key(j, from);
        json_close_array(j);
        json_close_object(j);
    } else if (from) {
        print_key(k, from);
    } else {
        printf("\nHKLM\\%s  (%d-bit view)\n    (%s)\n", k->path, k->view,
               k->flags & KEY_CAPTURED ? "does not exist" : "not captured yet");
    }
}

/* The properties and the state, for people. */
static void print_head(const char *name, const struct snapshot *s)
{
    const char *property;
    struct table t;
    char room[32];

    printf("%s\n", name);
    table_begin(&t, 2, NULL);
    for (unsigned i = 0; (property = resource_property(i)); i++) {
        char *value = resource_get(&s->resource, property);

        if (value && *value) {
            table_cell(&t, "%s", property);
            if (property_is_overridden(&s->resource, property))
                table_cell(&t, "stop (always with lag 0)");
            else
                table_cell(&t, "%s", value);
        }
        free(value);
    }
    table_cell(&t, "epoch");
    table_cell(&t, "%llu", (unsigned long long)s->state.epoch);
    table_cell(&t, "last owner");
    table_cell(&t, "%s", s->state.node[0] ? s->state.node : "none yet");
    table_cell(&t, "last saved");
    table_cell(&t, "%s", s->state.saved ? time_text(s->state.saved, room) : "never");
    table_cell(&t, "file");
    table_cell(&t, "%llu bytes, format %u", (unsigned long long)s->file_bytes, s->format);
    table_print(&t, stdout, "    ");
    table_free(&t);
}

/* Shows what is at and below one key. */
static int show_key(const struct cli *cli, const struct snapshot *s, struct json *j,
                    struct error *err)
{
    char *path = keyname_clean(cli->args[1], err);
    bool found = false;

    if (!path)
        return err->code;
    for (size_t i = 0; i < s->key_count; i++) {
        const char *below = key_path_below(&s->keys[i].key, path);
        const struct image_key *key;
        struct utf16 units;

        if (!below || utf16_from_utf8(below, strlen(below), &units))
            continue;
        key = image_find_key(&s->keys[i].image, units);
        free((void *)units.units);
        if (!key && *below)
            continue;
        found = true;
        show_registered(&s->keys[i].key, key, j);
    }
    if (!found)
        error_set(err, RESULT_NOT_FOUND,
                  "The checkpoint of %s holds no key \"%s\". \"regckpt list %s\" names the "
                  "registered keys, \"regckpt show %s\" all there is.",
                  cli->args[0], path, cli->args[0], cli->args[0]);
    free(path);
    return found ? RESULT_OK : RESULT_NOT_FOUND;
}

/* Reads the checkpoint and prints what was asked for. */
static int show(const struct cli *cli, struct error *err)
{
    struct json writer, *j = cli->json ? &writer : NULL;
    struct snapshot s;
    int result = access_read(cli, cli->args[0], 0, &s, err);

    if (result)
        return result;
    if (j) {
        json_begin(j, stdout);
        json_open_object(j, NULL);
        json_text(j, "resource", cli->args[0]);
        property_json(j, &s.resource);
        json_number(j, "epoch", s.state.epoch);
        json_text(j, "node", s.state.node);
        json_number(j, "saved", s.state.saved);
        json_open_array(j, "keys");
    } else if (cli->arg_count == 1) {
        print_head(cli->args[0], &s);
    }
    if (cli->arg_count == 2)
        result = show_key(cli, &s, j, err);
    else
        for (size_t i = 0; i < s.key_count; i++)
            show_registered(&s.keys[i].key, s.keys[i].image.root, j);
    if (j && result) {
        json_drop(j);
    } else if (j) {
        json_close_array(j);
        json_close_object(j);
        json_end(j);
    }
    snapshot_free(&s);
    return result;
}

int verb_show(int argc, char **argv)
{
    struct error err = {0};
    struct cli cli;
    int code = cli_begin(&cli, argc, argv, &text, (const struct cli_option[]){{0}});

    if (code != CLI_GO_ON)
        return code;
    code = 0;
    if (show(&cli, &err))
        code = cli_fail(&cli, &err);
    cli_end(&cli);
    return code;
}
