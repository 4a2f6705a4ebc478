/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "access.h"
#include "each.h"

/* Those in the list. */
static int each_of(const struct cli *cli, char **names, size_t count, each_fn *one)
{
    struct json writer, *j = cli->json ? &writer : NULL;
    int code = 0;

    if (j) {
        json_begin(j, stdout);
        json_open_object(j, NULL);
        json_open_array(j, "resources");
    } else if (!count) {
        printf("The store %s (from %s) has no resources.\n", cli->settings.store,
               cli->settings.store_source);
    }
    for (size_t i = 0; i < count; i++) {
        int its = one(cli, names[i], j);

        if (code != 2 && (its == 2 || its > code))
            code = its;
    }
    if (j) {
        json_close_array(j);
        json_close_object(j);
        json_end(j);
    }
    return code;
}

int each_resource(const struct cli *cli, each_fn *one)
{
    struct error err = {0};
    char **names;
    size_t count;
    int code;

    if (access_store(cli, NULL, &err))
        return cli_fail(cli, &err);
    if (cli->arg_count)
        return each_of(cli, cli->args, (size_t)cli->arg_count, one);
    if (store_list(cli->settings.store, &names, &count, &err))
        return cli_fail(cli, &err);
    code = each_of(cli, names, count, one);
    store_list_free(names, count);
    return code;
}
