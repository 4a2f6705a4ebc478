/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "cli.h"
#include "json.h"
#include "store.h"
#include "verbs.h"

static const struct verb_text text = {
    .name = "init",
    .usage = "",
    .details = "Makes a store, the directory with all checkpoints, and tests on it what is\n"
               "needed: locks that exclude each other, rename, fsync, space. A store that is\n"
               "there is tested again and left as it is.",
    .least_args = 0,
    .most_args = 0,
    .has_json = true,
};

int verb_init(int argc, char **argv)
{
    struct error err = {0};
    struct cli cli;
    bool made = false;
    int code = cli_begin(&cli, argc, argv, &text, (const struct cli_option[]){{0}});

    if (code != CLI_GO_ON)
        return code;
    if (store_init(cli.settings.store, &made, &err)) {
        code = cli_fail(&cli, &err);
    } else if (cli.json) {
        struct json j;

        json_begin(&j, stdout);
        json_open_object(&j, NULL);
        json_text(&j, "store", cli.settings.store);
        json_bool(&j, "made", made);
        json_close_object(&j);
        json_end(&j);
        code = 0;
    } else {
        printf(made ? "Made the store %s (from %s); locks, rename, fsync and space are fine "
                      "there.\n"
                    : "The store %s (from %s) is there already; locks, rename, fsync and space are "
                      "fine.\n",
               cli.settings.store, cli.settings.store_source);
        code = 0;
    }
    cli_end(&cli);
    return code;
}
