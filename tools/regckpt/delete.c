/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <unistd.h>

#include "access.h"
#include "before.h"
#include "verbs.h"

static const struct verb_text text = {
    .name = "delete",
    .usage = "NAME",
    .details = "Deletes the resource NAME with its checkpoints. The registries of the nodes\n"
               "are left as they are. A resource that is online, here or elsewhere, is\n"
               "refused.",
    .least_args = 1,
    .most_args = 1,
};

/* Owns it, so that nobody can take it online meanwhile, and deletes it. */
static int delete_resource(const struct cli *cli, const char *name, struct error *err)
{
    struct snapshot now;
    int lock_fd, sock, result;

    /* A damaged checkpoint may be deleted: only that it is there counts. */
    result = access_read(cli, name, SNAPSHOT_HEAD, &now, err);
    if (!result)
        snapshot_free(&now);
    else if (result != RESULT_DAMAGED && result != RESULT_FOREIGN)
        return result;
    if ((sock = ctl_connect(cli, name, err)) >= 0) {
        close(sock);
        return error_set(err, RESULT_OWNED,
                         "%s is online on this node. Take it offline first: regckpt "
                         "offline %s.",
                         name, name);
    }
    if (err->code)
        return err->code;
    if ((result = store_own(cli->settings.store, name, &lock_fd, err)))
        return result;
    if (!(result = store_delete_resource(cli->settings.store, name, lock_fd, err)))
        before_forget(&cli->settings, name);
    store_disown(lock_fd);
    return result;
}

int verb_delete(int argc, char **argv)
{
    struct error err = {0};
    struct cli cli;
    int code = cli_begin(&cli, argc, argv, &text, (const struct cli_option[]){{0}});

    if (code != CLI_GO_ON)
        return code;
    if (delete_resource(&cli, cli.args[0], &err)) {
        code = cli_fail(&cli, &err);
    } else {
        printf("Deleted %s from the store %s (from %s).\n", cli.args[0], cli.settings.store,
               cli.settings.store_source);
        code = 0;
    }
    cli_end(&cli);
    return code;
}
