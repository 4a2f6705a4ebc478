/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "add.h"
#include "json.h"
#include "mscs.h"
#include "table.h"
#include "verbs.h"

static const struct verb_text text = {
    .name = "import-mscs",
    .usage = "FILE",
    .details =
        "Makes resources of those of a Microsoft cluster: FILE is its HKLM\\Cluster, as reg\n"
        "export or reg save wrote it on one of its nodes (- is the standard input). Each Generic\n"
        "Service and Generic Application becomes a resource, with its registry checkpoints as\n"
        "registered keys; what they hold is captured from the prefix, or by the first online.\n"
        "Others are listed and left out, and so is one whose name is taken. All is checked\n"
        "first; what fails then is undone. Exit code 1: something does not come over; of a\n"
        "disk or an address, whose type has no program and no keys, only if --resource names it.",
    .least_args = 1,
    .most_args = 1,
    .has_json = true,
};

/* The options. */
struct importing {
    const struct cli *cli;
    struct text_list resources;
    const char *prefix, *view;
    bool broad, dry_run;
};

static const char *action_name(enum mscs_action action)
{
    static const char *const names[] = {
        [MSCS_CREATE] = "create", [MSCS_SKIP] = "skip", [MSCS_EXISTS] = "exists",
        [MSCS_REFUSE] = "refuse",
    };

    return names[action];
}

/* The plan as tables. */
static void print_plan(const struct importing *im, const struct mscs *m)
{
    static const char *const headings[] = {"IN THE CLUSTER", "TYPE", "HERE", "KEYS", "PROTECTS"};
    static const char *const key_headings[] = {"RESOURCE", "VIEW", "KEY"};
    struct table t, keys;

    table_begin(&t, 5, headings);
    table_begin(&keys, 3, key_headings);
    for (size_t i = 0; i < m->count; i++) {
        const struct mscs_resource *r = &m->resources[i];
        bool create = r->action == MSCS_CREATE;

        table_cell(&t, "%s", r->there);
        table_cell(&t, "%s", r->type);
        table_cell(&t, "%s", create ? r->here : "-");
        table_cell(&t, "%zu", r->keys.count);
        table_cell(&t, "%s", r->service ? r->service : r->command ? r->command : "-");
        for (size_t n = 0; create && n < r->keys.count; n++) {
            table_cell(&keys, "%s", r->here);
            table_cell(&keys, "%s", im->view);
            table_cell(&keys, "%s", r->keys.items[n]);
        }
    }
    table_print(&t, stdout, "");
    if (keys.count > 3) {
        putchar('\n');
        table_print(&keys, stdout, "");
    }
    table_free(&keys);
    table_free(&t);
}

/* Everything that does not come over, and why. */
static void print_remarks(const struct importing *im, const struct mscs *m)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct mscs_resource *r = &m->resources[i];

        if (r->action != MSCS_CREATE)
            cli_note(im->cli, "%s: left out: %s.", r->there, r->why ? r->why : "?");
        else if (strcmp(r->here, r->there))
            cli_note(im->cli, "%s: it is named \"%s\" here.", r->there, r->here);
        for (size_t n = 0; n < r->remarks.count; n++)
            cli_note(im->cli, "%s: %s", r->there, r->remarks.items[n]);
    }
    if (m->elsewhere)
        cli_note(im->cli, "%llu statements of the file are not below HKLM\\Cluster.",
                 (unsigned long long)m->elsewhere);
    if (!strcmp(im->view, "auto"))
        cli_note(im->cli, "The cluster's registry does not say whose view a key is of: each is "
                          "registered in that of its program (auto). Name another by --view.");
}

/* The plan for programs. */
static void write_plan(const struct importing *im, const struct mscs *m)
{
    struct json j;

    json_begin(&j, stdout);
    json_open_object(&j, NULL);
    json_text(&j, "store", im->cli->settings.store);
    json_bool(&j, "dry_run", im->dry_run);
    json_text(&j, "view", im->view);
    json_open_array(&j, "resources");
    for (size_t i = 0; i < m->count; i++) {
        const struct mscs_resource *r = &m->resources[i];

        json_open_object(&j, NULL);
        json_text(&j, "id", r->guid);
        json_text(&j, "name", r->there);
        json_text(&j, "type", r->type);
        json_text(&j, "action", action_name(r->action));
        if (r->why)
            json_text(&j, "why", r->why);
        json_text(&j, "resource", r->here);
        if (r->service)
            json_text(&j, "service", r->service);
        if (r->command)
            json_text(&j, "command", r->command);
        if (r->directory)
            json_text(&j, "directory", r->directory);
        json_open_array(&j, "keys");
        for (size_t n = 0; n < r->keys.count; n++)
            json_text(&j, NULL, r->keys.items[n]);
        json_close_array(&j);
        json_open_array(&j, "remarks");
        for (size_t n = 0; n < r->remarks.count; n++)
            json_text(&j, NULL, r->remarks.items[n]);
        json_close_array(&j);
        json_close_object(&j);
    }
    json_close_array(&j);
    json_close_object(&j);
    json_end(&j);
}

/* A property, if there is one. */
static int set(struct resource *resource, const char *name, const char *value, struct error *err)
{
    return value ? resource_set(resource, name, value, err) : RESULT_OK;
}

/* Makes one resource with its keys. */
static int make(const struct importing *im, const struct mscs_resource *r, bool *made,
                struct error *err)
{
    struct add a = {.cli = im->cli, .name = r->here, .words = r->keys.items,
                    .word_count = r->keys.count, .view = im->view, .prefix = im->prefix,
                    .future = true, .broad = im->broad};
    struct resource resource;
    int result;

    resource_init(&resource);
    if (!(result = set(&resource, "service", r->service, err)) &&
        !(result = set(&resource, "command", r->command, err)) &&
        !(result = set(&resource, "directory", r->directory, err)) &&
        !(result = set(&resource, "prefix", im->prefix, err)))
        result = store_create_resource(im->cli->settings.store, r->here, &resource, err);
    resource_free(&resource);
    *made = !result;
    if (!result && r->keys.count) {
        result = add_run(&a, err);
        add_free(&a);
    }
    return result ? error_prefix(err, "Making %s", r->here) : RESULT_OK;
}

/* Takes back what was made. */
static void unmake(const struct importing *im, const struct mscs_resource *r)
{
    const char *store = im->cli->settings.store;
    struct error err = {0};
    int lock_fd, result = store_own(store, r->here, &lock_fd, &err);

    if (!result) {
        result = store_delete_resource(store, r->here, lock_fd, &err);
        store_disown(lock_fd);
    }
    if (result)
        cli_note(im->cli, "%s could not be taken back (remove it with regckpt delete): %s", r->here,
                 err.text);
}

/* Makes all of them, or none. */
static int make_all(const struct importing *im, const struct mscs *m, struct error *err)
{
    bool *made = calloc(m->count + 1, sizeof(*made));
    int result = made ? RESULT_OK : error_system(err, ENOMEM, "Making the resources");

    for (size_t i = 0; !result && i < m->count; i++)
        if (m->resources[i].action == MSCS_CREATE)
            result = make(im, &m->resources[i], &made[i], err);
    for (size_t i = m->count; result && made && i--;)
        if (made[i])
            unmake(im, &m->resources[i]);
    free(made);
    return result;
}

/* One that cannot be stops all, so that nobody takes a part for the whole. */
static int refuse(const struct mscs *m, struct error *err)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct mscs_resource *r = &m->resources[i];

        if (r->action == MSCS_REFUSE)
            return error_set(err, RESULT_USAGE, "\"%s\" cannot be made: %s. Nothing was changed; take "
                             "the others by --resource.", r->there, r->why ? r->why : "?");
    }
    return RESULT_OK;
}

/*
 * The whole verb; *lacking: something does not come over that should.  Each cluster has disks and addresses;
 * to leave those out is what the verb is for, unless they were asked for.
 */
static int import(const struct importing *im, struct mscs *m, bool *lacking, struct error *err)
{
    size_t made = 0;
    int result = mscs_read(im->cli->args[0], m, err);

    if (result ||
        (result = access_store(im->cli, NULL, err)) ||
        (result = mscs_plan(m, im->resources.items, im->resources.count, im->cli->settings.store,
                            atoi(im->view), im->broad, err)) ||
        (!im->dry_run && ((result = refuse(m, err)) || (result = make_all(im, m, err)))))
        return result;
    for (size_t i = 0; i < m->count; i++) {
        const struct mscs_resource *r = &m->resources[i];

        made += r->action == MSCS_CREATE;
        *lacking |= r->action == MSCS_EXISTS || r->action == MSCS_REFUSE || r->remarks.count ||
                    (r->action == MSCS_SKIP && im->resources.count);
    }
    if (im->cli->json) {
        write_plan(im, m);
    } else {
        print_plan(im, m);
        printf("\n%s %zu of %zu resources in the store %s (from %s).\n",
               im->dry_run ? "Would make" : "Made", made, m->count, im->cli->settings.store,
               im->cli->settings.store_source);
        print_remarks(im, m);
    }
    return RESULT_OK;
}

int verb_import_mscs(int argc, char **argv)
{
    struct importing im = {.view = "auto"};
    const struct cli_option options[] = {
        {"dry-run", OPTION_FLAG, &im.dry_run, NULL, "show what would be made, make nothing"},
        {"resource", OPTION_LIST, &im.resources, "NAME", "only this one; may be repeated"},
        {"prefix", OPTION_TEXT, &im.prefix, "DIR", "their Wine prefix (else WINEPREFIX, ~/.wine)"},
        {"view", OPTION_TEXT, &im.view, "64|32|auto",
         "whose view the keys are of: 64-bit, 32-bit, the program's (auto)"},
        {"broad", OPTION_FLAG, &im.broad, NULL, "register keys that everybody shares, too"},
        {0},
    };
    bool lacking = false;
    struct error err = {0};
    struct mscs m = {0};
    struct cli cli;
    int code = cli_begin(&cli, argc, argv, &text, options);

    if (code == CLI_GO_ON) {
        im.cli = &cli;
        if (strcmp(im.view, "64") && strcmp(im.view, "32") && strcmp(im.view, "auto"))
            code = cli_usage(&cli, "--view: \"%s\" is none of 64, 32 and auto.", im.view);
        else if (import(&im, &m, &lacking, &err))
            code = cli_fail(&cli, &err);
        else
            code = lacking ? 1 : 0;
        mscs_free(&m);
        cli_end(&cli);
    }
    text_list_free(&im.resources);
    return code;
}
