/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <unistd.h>

#include "compare.h"
#include "verbs.h"

static const struct verb_text text = {
    .name = "diff",
    .usage = "NAME",
    .details = "Compares the registered keys in this node's registry with the checkpoint of NAME:\n"
               "'-' is here now, '+' is there after the next online. Exit code 1 if there is a\n"
               "difference.",
    .least_args = 1,
    .most_args = 1,
    .has_json = true,
};

/* Compares with whoever can tell what the registry holds, all bracketed for JSON. */
static int diff(const struct cli *cli, const char *prefix, struct compare_totals *totals,
                struct error *err)
{
    struct json writer, *j = cli->json ? &writer : NULL;
    const char *name = cli->args[0];
    struct wineside wine;
    struct progress p;
    struct snapshot s;
    int sock, result;

    progress_begin(&p, cli->json);
    if ((result = access_read(cli, name, 0, &s, err)))
        return result;
    sock = ctl_connect(cli, name, err);
    result = sock < 0 ? err->code : RESULT_OK;
    if (!result && sock < 0)
        result = wineside_open(cli, name, &s.resource, prefix, &p, &wine, err);
    if (!result && j) {
        json_begin(j, stdout);
        json_open_object(j, NULL);
        json_text(j, "resource", name);
        json_open_array(j, "differences");
    }
    if (!result) {
        result = sock < 0 ? compare_offline(&s, &wine, j, totals, err)
                          : compare_online(&s, sock, &p, j, totals, err);
        if (j && result) {
            json_drop(j);
        } else if (j) {
            json_close_array(j);
            json_number(j, "uncaptured", totals->uncaptured);
            json_close_object(j);
            json_end(j);
        } else if (!result) {
            compare_print_totals(name, totals);
        }
        if (sock < 0)
            wineside_close(&wine);
    }
    if (sock >= 0)
        close(sock);
    snapshot_free(&s);
    return result;
}

int verb_diff(int argc, char **argv)
{
    const char *prefix = NULL;
    const struct cli_option options[] = {
        {"prefix", OPTION_TEXT, &prefix, "DIR", "compare with this Wine prefix"},
        {0},
    };
    struct compare_totals totals = {0};
    struct error err = {0};
    struct cli cli;
    int code = cli_begin(&cli, argc, argv, &text, options);

    if (code != CLI_GO_ON)
        return code;
    if (diff(&cli, prefix, &totals, &err))
        code = cli_fail(&cli, &err);
    else
        code = totals.added + totals.changed + totals.removed ? 1 : 0;
    cli_end(&cli);
    return code;
}
