/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "access.h"
#include "json.h"
#include "keytext.h"
#include "property_options.h"
#include "table.h"
#include "verbs.h"

static const struct verb_text text = {
    .name = "list",
    .usage = "[NAME]",
    .details = "Lists the resources of the store, or the registered keys of the resource\n"
               "NAME. Works on any node, without Wine. A resource that cannot be read is\n"
               "listed with the reason.",
    .least_args = 0,
    .most_args = 1,
    .has_json = true,
};

/* One resource's row of the table or the array. */
static void list_resource(const char *name, const struct snapshot *s, struct table *t,
                          struct json *j)
{
    bool service = s->resource.kind == RESOURCE_SERVICE;
    const char *program = service ? s->resource.service : s->resource.command;
    size_t captured = 0;

    for (size_t i = 0; i < s->key_count; i++)
        captured += s->keys[i].key.flags & KEY_CAPTURED ? 1 : 0;
    if (j) {
        json_open_object(j, NULL);
        json_text(j, "resource", name);
        json_text(j, "kind", service ? "service" : "application");
        property_json(j, &s->resource);
        json_number(j, "registered", s->key_count);
        json_number(j, "captured", captured);
        json_close_object(j);
        return;
    }
    table_cell(t, "%s", name);
    table_cell(t, "%s", service ? "service" : "program");
    table_cell(t, "%s", program);
    if (captured == s->key_count)
        table_cell(t, "%zu", captured);
    else
        table_cell(t, "%zu, %zu not captured yet", s->key_count, s->key_count - captured);
}

/* A resource that could not be read. */
static void list_unreadable(const char *name, const struct error *err, struct table *t,
                            struct json *j)
{
    if (j) {
        json_open_object(j, NULL);
        json_text(j, "resource", name);
        json_text(j, "error", err->text);
        json_close_object(j);
        return;
    }
    table_cell(t, "%s", name);
    table_cell(t, "%s", result_name(err->code));
    table_cell(t, "-");
    table_cell(t, "-");
}

/* All resources; returns the exit code. */
static int list_all(const struct cli *cli, char **names, size_t count, struct json *j)
{
    static const char *const headings[] = {"NAME", "KIND", "PROGRAM", "KEYS"};
    struct table t;
    int code = 0;

    table_begin(&t, 4, headings);
    if (j)
        json_open_array(j, "resources");
    for (size_t i = 0; i < count; i++) {
        struct error why = {0};
        struct snapshot s;

        if (access_read(cli, names[i], SNAPSHOT_HEAD, &s, &why)) {
            list_unreadable(names[i], &why, &t, j);
            fprintf(stderr, "regckpt list: %s\n", why.text);
            code = result_exit_code(why.code);
        } else {
            list_resource(names[i], &s, &t, j);
            snapshot_free(&s);
        }
    }
    if (j)
        json_close_array(j);
    else if (!count)
        printf("The store %s (from %s) has no resources. Make one with regckpt create.\n",
               cli->settings.store, cli->settings.store_source);
    else
        table_print(&t, stdout, "");
    table_free(&t);
    return code;
}

/* One registered key's row of the table. */
static void list_key(const struct registered_key *k, struct table *t)
{
    char *excluded = keytext_excluded(k);

    table_cell(t, "%s", k->path);
    table_cell(t, "%d", k->view);
    table_cell(t, "%s", k->flags & KEY_CAPTURED ? "yes" : "not yet");
    table_cell(t, "%s", keytext_flags(k));
    table_cell(t, "%s", excluded ? excluded : "-");
    free(excluded);
}

/* The registered keys of one resource. */
static void list_keys(const char *name, const struct snapshot *s, struct json *j)
{
    static const char *const headings[] = {"KEY", "VIEW", "CAPTURED", "FLAGS", "EXCLUDED"};
    struct table t;

    table_begin(&t, 5, headings);
    if (j) {
        json_text(j, "resource", name);
        json_open_array(j, "keys");
    }
    for (size_t i = 0; i < s->key_count; i++) {
        if (j) {
            json_open_object(j, NULL);
            keytext_json(j, &s->keys[i].key);
            json_close_object(j);
        } else {
            list_key(&s->keys[i].key, &t);
        }
    }
    if (j)
        json_close_array(j);
    else if (s->key_count)
        table_print(&t, stdout, "");
    else
        printf("%s has no registered keys. Add some: regckpt add %s 'Software\\...'\n", name, name);
    table_free(&t);
}

/* Reads what is to be listed, then prints it; the exit code in *code. */
static int list(const struct cli *cli, int *code, struct error *err)
{
    const char *name = cli->arg_count ? cli->args[0] : NULL;
    struct json writer, *j = cli->json ? &writer : NULL;
    struct snapshot s = {0};
    char **names = NULL;
    size_t count = 0;
    int result;

    if (name)
        result = access_read(cli, name, SNAPSHOT_HEAD, &s, err);
    else if (!(result = access_store(cli, NULL, err)))
        result = store_list(cli->settings.store, &names, &count, err);
    if (result)
        return result;
    if (j) {
        json_begin(j, stdout);
        json_open_object(j, NULL);
    }
    if (name) {
        list_keys(name, &s, j);
        snapshot_free(&s);
    } else {
        *code = list_all(cli, names, count, j);
        store_list_free(names, count);
    }
    if (j) {
        json_close_object(j);
        json_end(j);
    }
    return RESULT_OK;
}

int verb_list(int argc, char **argv)
{
    struct error err = {0};
    struct cli cli;
    int code = cli_begin(&cli, argc, argv, &text, (const struct cli_option[]){{0}});

    if (code != CLI_GO_ON)
        return code;
    code = 0;
    if (list(&cli, &code, &err))
        code = cli_fail(&cli, &err);
    cli_end(&cli);
    return code;
}
