/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "display.h"
#include "edit.h"
#include "hostlink.h"
#include "keymatch.h"
#include "keyname.h"
#include "verbs.h"

#define TITLE_BYTES 512

static const struct verb_text text = {
    .name = "regedit",
    .usage = "NAME [KEY]",
    .details = "Opens Wine's regedit on the first registered key of NAME, or on KEY, as edit would\n"
               "(\"regckpt edit --help\"): what is changed below the registered keys is in the\n"
               "checkpoint when regedit is closed or, where NAME is online here, at once. The\n"
               "window's title says whose registry it shows. Needs an X display.",
    .least_args = 1,
    .most_args = 2,
};

/* What regedit shows: the path below HKEY_LOCAL_MACHINE as a 64-bit program has it, malloc'ed. */
static char *shown_path(const char *path, enum view view, const struct wine_place *place)
{
    char *physical = place->bits == 32 ? strdup(path) : keyname_physical(path, view);
    char *shown = NULL;

    if (physical && asprintf(&shown, "HKEY_LOCAL_MACHINE\\%s", physical) < 0)
        shown = NULL;
    free(physical);
    return shown;
}

/* The registered key that KEY lies in, or that is meant by its beginning; NULL: none. */
static const struct registered_key *registered_at(const struct snapshot *s, const char *path)
{
    struct utf16 below;

    for (size_t i = 0; i < s->key_count; i++)
        if (key_path_below(&s->keys[i].key, path))
            return &s->keys[i].key;
    for (size_t i = 0; i < s->key_count; i++)
        if (key_path_meets(&s->keys[i].key, path, &below)) {
            free((void *)below.units);
            return &s->keys[i].key;
        }
    return NULL;
}

/* Where it opens.  A key that is not registered is opened too, but that is said. */
static int find_key(const struct cli *cli, const struct snapshot *s, const struct wine_place *place,
                    char **key, struct error *err)
{
    const struct registered_key *k;
    char *path = NULL;

    if (!s->key_count)
        return error_set(err, RESULT_USAGE, "No keys are registered for %s: nothing that is edited would be "
                         "saved. Register some first (\"regckpt add %s KEY\").", cli->args[0],
                         cli->args[0]);
    if (cli->arg_count < 2) {
        k = &s->keys[0].key;
        *key = shown_path(k->path, k->view, place);
    } else {
        if (!(path = keyname_clean(cli->args[1], err)))
            return err->code;
        if (!(k = registered_at(s, path))) {
            char list[ERROR_TEXT_BYTES / 2];

            cli_note(cli, "\"%s\" is not registered for %s: what is changed there is not saved. Registered "
                          "are: %s.", path, cli->args[0], key_list(s, list, sizeof(list)));
        }
        *key = shown_path(path, k ? k->view : VIEW_64, place);
        free(path);
    }
    return *key ? RESULT_OK : error_system(err, ENOMEM, "Opening regedit");
}

/* Whose registry it is; the prefix is where it runs. */
static void make_title(const struct cli *cli, const char *prefix, bool online, char title[TITLE_BYTES])
{
    snprintf(title, TITLE_BYTES, "Registry Editor - %s%s - prefix %s, store %s", cli->args[0],
             online ? " (online)" : "", prefix, cli->settings.store);
}

static int open_on(const struct cli *cli, const char *prefix_option, const struct snapshot *s, int *code,
                   struct error *err)
{
    static char *const words[] = {(char *)"regedit.exe", NULL};
    struct edit e = {.prefix = prefix_option, .words = words};
    struct wine_place place = {0};
    char title[TITLE_BYTES], *key = NULL, *prefix = NULL;
    bool online;
    int result = ctl_is_online(cli, cli->args[0], &online, &prefix, err);

    if (!result)
        result = wine_place_find(&s->resource, prefix ? prefix : prefix_option, &cli->settings, &place, err);
    if (!result && !(result = find_key(cli, s, &place, &key, err))) {
        make_title(cli, place.prefix, online, title);
        e.regedit_key = key;
        e.window_title = title;
        result = edit_run(cli, cli->args[0], &e, code, err);
    }
    free(key);
    free(prefix);
    wine_place_free(&place);
    return result;
}

int verb_regedit(int argc, char **argv)
{
    const char *prefix = NULL;
    const struct cli_option options[] = {
        {"prefix", OPTION_TEXT, &prefix, "DIR", "in this Wine prefix"},
        {0},
    };
    struct error err = {0};
    struct snapshot s;
    struct cli cli;
    int result, code = cli_begin(&cli, argc, argv, &text, options);

    if (code != CLI_GO_ON)
        return code;
    cli.exit_code = edit_exit_code;
    if (!(result = display_check(&err)) && !(result = access_read(&cli, cli.args[0], SNAPSHOT_HEAD, &s, &err))) {
        result = open_on(&cli, prefix, &s, &code, &err);
        snapshot_free(&s);
    }
    if (result)
        code = cli_fail(&cli, &err);
    cli_end(&cli);
    return code;
}
