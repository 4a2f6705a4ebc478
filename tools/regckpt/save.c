/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <unistd.h>

#include "access.h"
#include "json.h"
#include "verbs.h"

static const struct verb_text text = {
    .name = "save",
    .usage = "NAME",
    .details = "Scans the registered keys of NAME, which is online on this node, and returns\n"
               "when what they hold now is in the checkpoint.",
    .least_args = 1,
    .most_args = 1,
    .has_json = true,
};

/* No monitor is here: say where the resource is. */
static int not_here(const struct cli *cli, const char *name, struct error *err)
{
    struct snapshot s;
    int lock_fd, result = access_read(cli, name, SNAPSHOT_HEAD, &s, err);

    if (result)
        return result;
    snapshot_free(&s);
    if ((result = store_own(cli->settings.store, name, &lock_fd, err)))
        return result;
    store_disown(lock_fd);
    return error_set(err, RESULT_USAGE,
                     "%s is offline: its checkpoint is what the last offline saved, and nothing "
                     "runs that could be saved. \"regckpt online %s\" starts it.",
                     name, name);
}

/* Has the monitor save; *changes: how many were committed. */
static int save(const struct cli *cli, uint64_t *changes, struct error *err)
{
    const char *name = cli->args[0];
    struct message reply;
    struct progress p;
    struct unpack u;
    int sock, result = resource_name_check(name, err);

    if (result)
        return result;
    progress_begin(&p, cli->json);
    if ((sock = ctl_connect(cli, name, err)) < 0)
        return err->code ? err->code : not_here(cli, name, err);
    if (!(result = ctl_ask(sock, CTL_SAVE, NULL, &p, CTL_WHILE_STORAGE_ANSWERS, &reply, &u, err))) {
        *changes = unpack_u64(&u);
        message_free(&reply);
    }
    close(sock);
    return result;
}

int verb_save(int argc, char **argv)
{
    struct error err = {0};
    struct cli cli;
    uint64_t changes = 0;
    int code = cli_begin(&cli, argc, argv, &text, (const struct cli_option[]){{0}});

    if (code != CLI_GO_ON)
        return code;
    if (save(&cli, &changes, &err)) {
        code = cli_fail(&cli, &err);
    } else if (cli.json) {
        struct json j;

        json_begin(&j, stdout);
        json_open_object(&j, NULL);
        json_text(&j, "resource", cli.args[0]);
        json_number(&j, "changes", changes);
        json_close_object(&j);
        json_end(&j);
        code = 0;
    } else {
        printf("%s is saved (%llu changes were not yet).\n", cli.args[0],
               (unsigned long long)changes);
        code = 0;
    }
    cli_end(&cli);
    return code;
}
