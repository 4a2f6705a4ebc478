/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "access.h"
#include "startmonitor.h"
#include "verbs.h"

static const struct verb_text text = {
    .name = "run",
    .usage = "NAME",
    .details = "As online, in the foreground: until the program ends, or a SIGTERM or SIGINT\n"
               "takes the resource offline. Exits with the program's exit code (above 255:\n"
               "125), or with 120 (owned elsewhere), 121 (the checkpoint is damaged, or was\n"
               "not restored exactly), 122 (the program could not be started), 123 (the\n"
               "store) or 124 (Wine, the host).",
    .least_args = 1,
    .most_args = 1,
};

/* Looks at the resource, then becomes its monitor; returns only if that fails. */
static int run(const struct cli *cli, const char *prefix, struct error *err)
{
    struct snapshot s;
    int result = access_store(cli, cli->args[0], err);

    if (result)
        return error_set(err, RESULT_STORAGE, "%s", err->text);
    if ((result = access_read(cli, cli->args[0], SNAPSHOT_HEAD, &s, err)))
        return result;
    snapshot_free(&s);
    if ((result = monitor_become(cli, cli->args[0], prefix, err)))
        error_set(err, RESULT_UNPROTECTED, "%s", err->text);
    return result;
}

int verb_run(int argc, char **argv)
{
    const char *prefix = NULL;
    const struct cli_option options[] = {
        {"prefix", OPTION_TEXT, &prefix, "DIR", "in this Wine prefix"},
        {0},
    };
    struct error err = {0};
    struct cli cli;
    int code = cli_begin(&cli, argc, argv, &text, options);

    if (code != CLI_GO_ON)
        return code;
    run(&cli, prefix, &err);
    cli_fail(&cli, &err);
    code = own_exit_code(&err);
    cli_end(&cli);
    return code;
}
