/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "access.h"
#include "startmonitor.h"
#include "storeask.h"
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

/* In a child (storeask.h): is it there, and can it be read? */
static void look(struct pack *p, const struct cli *cli, const char *name)
{
    struct error err = {0};
    struct snapshot s;
    int result = access_store(cli, name, &err);

    if (result)
        result = RESULT_STORAGE;
    else if (!(result = access_read(cli, name, SNAPSHOT_HEAD, &s, &err)))
        snapshot_free(&s);
    pack_u32(p, (uint32_t)result);
    pack_text(p, err.text);
}

/*
 * Looks at the resource, then becomes its monitor; returns only if that fails.  It has to be this
 * process, which systemd knows; so storage is not touched by it before.
 */
static int run(const struct cli *cli, const char *prefix, struct error *err)
{
    const char *name = cli->args[0];
    int result = resource_name_check(name, err);
    struct unpack u;
    struct pack p;
    char *text;

    if (result)
        return result;
    pack_init(&p);
    if (store_ask(cli, name, look, true, (int)cli->settings.storage_timeout_s * 1000, &p, err)) {
        result = error_set(err, RESULT_STORAGE, "%s", err->text);
    } else {
        unpack_init(&u, p.bytes, p.len);
        result = (int)unpack_u32(&u);
        text = unpack_text(&u);
        if (result)
            error_set(err, result, "%s", text ? text : "");
        free(text);
    }
    pack_free(&p);
    if (!result && (result = monitor_become(cli, name, prefix, err)))
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
    cli.exit_code = own_exit_code;
    run(&cli, prefix, &err);
    code = cli_fail(&cli, &err);
    cli_end(&cli);
    return code;
}
