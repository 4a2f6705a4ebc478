/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * wrap and unwrap: the two directions of one change of a service's configuration.
 */
#include <stdio.h>
#include <unistd.h>

#include "json.h"
#include "verbs.h"
#include "wineside.h"

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
    .usage = "NAME",
    .details = "Takes regckpt-host away again from the Windows service of NAME: its own\n"
               "program and start type come back, and it starts unprotected.",
    .least_args = 1,
    .most_args = 1,
    .has_json = true,
};

struct wrapping {
    bool unwrap, autostart, changed;
    const char *prefix;
};

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
        result = w->unwrap ? hostlink_unwrap(&wine.link, &s.resource, &w->changed, err)
                           : hostlink_wrap(&wine.link, &s.resource, name, &cli->settings,
                                           w->autostart, &w->changed, err);
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
    code = change_service(&cli, w, &err) ? cli_fail(&cli, &err) : 0;
    if (!code && cli.json) {
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
        {"prefix", OPTION_TEXT, &w.prefix, "DIR", "in this Wine prefix"},
        {0},
    };

    return wrap_or_unwrap(argc, argv, &unwrap_text, options, &w);
}
