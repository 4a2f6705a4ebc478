/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * upgrade: brings what a store holds to the newest format.  There is one format so far, so what is left
 * is to look whether all of it can be trusted to have it, and to say so; who adds a format adds the
 * step to it here, as one transaction of a resource that is owned.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "access.h"
#include "each.h"
#include "verbs.h"

_Static_assert(CHECKPOINT_FORMAT == 1, "a newer format needs the step to it in upgrade()");

static const struct verb_text text = {
    .name = "upgrade",
    .usage = "[NAME...]",
    .details = "Brings the checkpoints of the named resources, or of all, to the newest format\n"
               "that this version writes; do it when all nodes have this version. Until then\n"
               "a new version leaves the format alone, so that nodes can be upgraded one after\n"
               "the other. All versions so far write format 1: there is nothing to convert yet,\n"
               "each checkpoint and its last good copy is checked, and nothing is changed.",
    .least_args = 0,
    .most_args = -1,
    .has_json = true,
};

/* The format of one file, read and checked whole. *format 0: it is not there, and need not be. */
static int read_format(const struct cli *cli, const char *name, enum store_file which,
                       uint32_t *format, struct error *err)
{
    char *path = store_path(cli->settings.store, name, which);
    struct snapshot s;
    int result;

    *format = 0;
    if (!path)
        return error_system(err, ENOMEM, "Looking at %s", name);
    if (which == STORE_LAST_GOOD && access(path, F_OK) && errno == ENOENT) {
        free(path);
        return 0;
    }
    if (!(result = snapshot_read(path, 0, &s, err))) {
        *format = s.format;
        snapshot_free(&s);
    }
    free(path);
    return result;
}

/* One resource; returns the exit code. */
static int upgrade(const struct cli *cli, const char *name, struct json *j)
{
    uint32_t format = 0, last_good = 0;
    struct error err = {0};
    struct snapshot head;
    int result = access_read(cli, name, SNAPSHOT_HEAD, &head, &err);

    if (!result) {
        snapshot_free(&head);
        if (!(result = read_format(cli, name, STORE_CHECKPOINT, &format, &err)))
            result = read_format(cli, name, STORE_LAST_GOOD, &last_good, &err);
    }
    if (j) {
        json_open_object(j, NULL);
        json_text(j, "resource", name);
        json_number(j, "format", format);
        json_number(j, "newest_format", CHECKPOINT_FORMAT);
        json_number(j, "last_good_format", last_good);
        json_bool(j, "changed", false);
        if (result)
            json_text(j, "error", err.text);
        json_close_object(j);
    } else if (!result) {
        printf("%s: has format %u, which is the newest: nothing to do.\n", name, (unsigned)format);
    }
    if (result)
        fprintf(stderr, "regckpt upgrade: %s: %s. It is left as it is.\n", name, err.text);
    return result_exit_code(result);
}

int verb_upgrade(int argc, char **argv)
{
    struct cli cli;
    int code = cli_begin(&cli, argc, argv, &text, (const struct cli_option[]){{0}});

    if (code != CLI_GO_ON)
        return code;
    code = each_resource(&cli, upgrade);
    cli_end(&cli);
    return code;
}
