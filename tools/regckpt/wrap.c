/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * wrap and unwrap: the two directions of one change of a service's configuration.
 */
#include <stdio.h>
#include <unistd.h>

#include "json.h"
#include "unwrap.h"
#include "verbs.h"

static const struct verb_text wrap_text = {
    .name = "wrap",
    .usage = "NAME",
    .details = "Puts regckpt-host in front of the Windows service of NAME in this node's\n"
               "prefix, so that every start of the service, by whomever, restores its keys\n"
               "first. online does it by itself where it is missing.",
    .least_args = 1,
    .most_args = 1,
    .has_json = true,
};

static const struct verb_text unwrap_text = {
    .name = "unwrap",
    .usage = "NAME | --all",
    .details = "Takes regckpt-host away again from the Windows service of NAME: its own\n"
               "program and start type come back, and it starts unprotected. With --all from\n"
               "all services on this node that are known to have it, those of a deleted\n"
               "resource or of another store too, before regckpt is taken from the node.",
    .least_args = 0,
    .most_args = 1,
    .has_json = true,
};

struct wrapping {
    bool unwrap, autostart, changed;
    struct unwrap_all all;
    const char *prefix;
};

/* Notes it first, so that nothing can be wrapped and not be known. */
static int wrap_service(const struct cli *cli, struct wineside *wine, const struct resource *resource,
                        struct wrapping *w, struct error *err)
{
    const char *name = cli->args[0];
    struct program_facts facts = {0};
    int result = hostlink_query_program(&wine->link, resource, &facts, err);

    if (result)
        return result;
    program_facts_free(&facts);
    if (facts.exists &&
        wrapped_note(&cli->settings, &wine->place, resource, name, facts.bits, err)) {
        cli_note(cli, "%s", err->text);
        *err = (struct error){0};
    }
    return hostlink_wrap(&wine->link, resource, name, &cli->settings, w->autostart, &w->changed, err);
}

/* Changes the service's configuration. */
static int change_service(const struct cli *cli, struct wrapping *w, struct error *err)
{
    const char *name = cli->args[0];
    struct wineside wine;
    struct progress p;
    struct snapshot s;
    int sock, result;

    progress_begin(&p, cli->json);
    if ((result = access_read(cli, name, SNAPSHOT_HEAD, &s, err)))
        return result;
    if (s.resource.kind != RESOURCE_SERVICE)
        result = error_set(err, RESULT_USAGE,
                           "%s is a program, not a Windows service: there is nothing "
                           "to wrap. \"regckpt online %s\" starts it.",
                           name, name);
    if (!result && w->unwrap && (sock = ctl_connect(cli, name, err)) >= 0) {
        close(sock);
        result = error_set(err, RESULT_OWNED,
                           "%s is online on this node. Take it offline first: regckpt "
                           "offline %s.",
                           name, name);
    }
    if (!result && !(result = wineside_open(cli, name, &s.resource, w->prefix, &p, &wine, err))) {
        result = w->unwrap ? unwrap_service(cli, &wine, &s.resource, &w->changed, err)
                           : wrap_service(cli, &wine, &s.resource, w, err);
        if (!result && !cli->json)
            printf("%s: the service \"%s\" in the prefix %s %s%s.\n", name, s.resource.service,
                   wine.place.prefix, w->changed ? "is now " : "was already ",
                   w->unwrap ? "without regckpt-host" : "behind regckpt-host");
        wineside_close(&wine);
    }
    snapshot_free(&s);
    return result;
}

/* Either verb, from its options on. */
static int wrap_or_unwrap(int argc, char **argv, const struct verb_text *text,
                          const struct cli_option *options, struct wrapping *w)
{
    struct error err = {0};
    struct cli cli;
    int code = cli_begin(&cli, argc, argv, text, options);

    if (code != CLI_GO_ON)
        return code;
    if (!w->all.all && !cli.arg_count)
        code = cli_usage(&cli, "A name is missing, or --all.");
    else if (!w->all.all && (w->all.dry_run || w->all.gone))
        code = cli_usage(&cli, "--dry-run and --gone are for --all.");
    else if (w->all.all && (cli.arg_count || w->prefix))
        code = cli_usage(&cli, "--all is for every service: name no resource and no prefix.");
    else if (w->all.all)
        code = unwrap_all(&cli, &w->all);
    else
        code = change_service(&cli, w, &err) ? cli_fail(&cli, &err) : 0;
    if (!code && cli.json && !w->all.all) {
        struct json j;

        json_begin(&j, stdout);
        json_open_object(&j, NULL);
        json_text(&j, "resource", cli.args[0]);
        json_bool(&j, "wrapped", !w->unwrap);
        json_bool(&j, "changed", w->changed);
        json_close_object(&j);
        json_end(&j);
    }
    cli_end(&cli);
    return code;
}

int verb_wrap(int argc, char **argv)
{
    struct wrapping w = {0};
    const struct cli_option options[] = {
        {"autostart", OPTION_FLAG, &w.autostart, NULL, "start the service when the prefix boots"},
        {"prefix", OPTION_TEXT, &w.prefix, "DIR", "in this Wine prefix"},
        {0},
    };

    return wrap_or_unwrap(argc, argv, &wrap_text, options, &w);
}

int verb_unwrap(int argc, char **argv)
{
    struct wrapping w = {.unwrap = true};
    const struct cli_option options[] = {
        {"all", OPTION_FLAG, &w.all.all, NULL, "all services on this node"},
        {"dry-run", OPTION_FLAG, &w.all.dry_run, NULL, "with --all: tell which; exit code 1 if any"},
        {"gone", OPTION_FLAG, &w.all.gone, NULL, "with --all: forget those whose prefix is not there"},
        {"prefix", OPTION_TEXT, &w.prefix, "DIR", "in this Wine prefix"},
        {0},
    };

    return wrap_or_unwrap(argc, argv, &unwrap_text, options, &w);
}
