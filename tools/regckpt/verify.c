/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "access.h"
#include "each.h"
#include "verbs.h"
#include "way_out.h"

static const struct verb_text text = {
    .name = "verify",
    .usage = "[NAME...]",
    .details = "Checks the checkpoints of the named resources, or of all: the file's\n"
               "structure, every record's checksum, the sums over all, the order of keys.\n"
               "Changes nothing and may run while a resource is online. Exit code 2 if one is\n"
               "damaged.",
    .least_args = 0,
    .most_args = -1,
    .has_json = true,
};

struct verifying {
    const char *name;
    struct json *j;
};

/* One problem. */
static void tell_problem(const char *where, const char *what, void *arg)
{
    struct verifying *v = arg;

    if (v->j) {
        json_open_object(v->j, NULL);
        json_text(v->j, "where", where);
        json_text(v->j, "what", what);
        json_close_object(v->j);
    } else {
        printf("%s: %s%s%s\n", v->name, where, *where ? ": " : "", what);
    }
}

/* One resource; returns the exit code. */
static int verify(const struct cli *cli, const char *name, struct json *j)
{
    struct verifying v = {name, j};
    struct snapshot head;
    struct error err = {0};
    char *path;
    int result = access_read(cli, name, SNAPSHOT_HEAD, &head, &err);

    if (!result)
        snapshot_free(&head);
    if (j) {
        json_open_object(j, NULL);
        json_text(j, "resource", name);
        json_open_array(j, "problems");
    }
    /* What has no readable head is still looked through, so that all that is wrong is told. */
    if (!result || result == RESULT_DAMAGED) {
        err = (struct error){0};
        if ((path = store_path(cli->settings.store, name, STORE_CHECKPOINT)))
            result = checkpoint_verify(path, tell_problem, &v, &err)
                         ? way_out_tell(cli->settings.store, name, true, &err) : RESULT_OK;
        else
            result = error_system(&err, ENOMEM, "Verifying %s", name);
        free(path);
    }
    if (j) {
        json_close_array(j);
        json_text(j, "result", result ? result_name(result) : "fine");
        if (result)
            json_text(j, "error", err.text);
        json_close_object(j);
    } else if (!result) {
        printf("%s: fine.\n", name);
    }
    if (result)
        fprintf(stderr, "regckpt verify: %s: %s\n", name, err.text);
    return result_exit_code(result);
}

int verb_verify(int argc, char **argv)
{
    struct cli cli;
    int code = cli_begin(&cli, argc, argv, &text, (const struct cli_option[]){{0}});

    if (code != CLI_GO_ON)
        return code;
    code = each_resource(&cli, verify);
    cli_end(&cli);
    return code;
}
