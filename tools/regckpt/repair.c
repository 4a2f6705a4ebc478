/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "access.h"
#include "checkpoint_repair.h"
#include "json.h"
#include "way_out.h"
#include "verbs.h"

static const struct verb_text text = {
    .name = "repair",
    .usage = "NAME",
    .details = "Saves what is whole of the damaged checkpoint of NAME into a new one that takes\n"
               "its place, and lists what is lost. The damaged one is kept beside it as\n"
               "checkpoint.damaged.N. NAME must be offline. Exit code 1 if anything was lost.\n\n"
               "The other way out of damage is regckpt rollback NAME: the last good checkpoint,\n"
               "whole, but older. Compare: what was lost, and how old the last good one is.",
    .least_args = 1,
    .most_args = 1,
    .has_json = true,
};

/* One thing that is lost. */
static void tell_loss(const char *where, const char *what, void *arg)
{
    struct json *j = arg;

    if (j) {
        json_open_object(j, NULL);
        json_text(j, "where", where);
        json_text(j, "what", what);
        json_close_object(j);
    } else {
        printf("lost: %s%s%s%s\n", *where ? "HKLM\\" : "", where, *where ? ": " : "", what);
    }
}

/* What was done, for people. */
static void print_report(const char *name, const struct repair *done)
{
    if (!done->needed) {
        printf("%s: fine, nothing to repair.\n", name);
        return;
    }
    printf("%s is repaired: %llu keys, %llu values and %llu changes of the history are saved, %llu "
           "losses.\nThe damaged checkpoint is kept as %s\n", name, (unsigned long long)done->keys,
           (unsigned long long)done->values, (unsigned long long)done->history,
           (unsigned long long)done->lost, done->kept);
    if (done->lost)
        printf("The alternative is the last good checkpoint, whole but older: regckpt rollback "
               "%s --dry-run shows what it would change.\n", name);
}

/* Owns the resource and repairs its checkpoint. */
static int repair(const struct cli *cli, struct repair *done, struct error *err)
{
    struct json writer, *j = cli->json ? &writer : NULL;
    const char *name = cli->args[0];
    char *path = store_path(cli->settings.store, name, STORE_CHECKPOINT),
         *good = store_path(cli->settings.store, name, STORE_LAST_GOOD);
    int lock_fd = -1, result = resource_name_check(name, err);

    if (!result && (!path || !good))
        result = error_system(err, ENOMEM, "Repairing %s", name);
    if (!result && !(result = access_store(cli, name, err)))
        result = store_own(cli->settings.store, name, &lock_fd, err);
    if (!result && j) {
        json_begin(j, stdout);
        json_open_object(j, NULL);
        json_text(j, "resource", name);
        json_open_array(j, "lost");
    }
    if (!result) {
        result = checkpoint_repair(path, good, tell_loss, j, done, err);
        store_disown(lock_fd);
        if (j && result) {
            json_drop(j);
        } else if (j) {
            json_close_array(j);
            json_bool(j, "needed", done->needed);
            json_number(j, "keys", done->keys);
            json_number(j, "values", done->values);
            json_number(j, "history", done->history);
            if (done->kept)
                json_text(j, "kept", done->kept);
            json_close_object(j);
            json_end(j);
        } else if (!result) {
            print_report(name, done);
        }
        if (result)
            result = way_out_tell(cli->settings.store, name, false, err);
    }
    free(path);
    free(good);
    return result;
}

int verb_repair(int argc, char **argv)
{
    struct repair done = {0};
    struct error err = {0};
    struct cli cli;
    int code = cli_begin(&cli, argc, argv, &text, (const struct cli_option[]){{0}});

    if (code != CLI_GO_ON)
        return code;
    code = repair(&cli, &done, &err) ? cli_fail(&cli, &err) : done.lost ? 1 : 0;
    free(done.kept);
    cli_end(&cli);
    return code;
}
