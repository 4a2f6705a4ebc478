/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "property_options.h"
#include "verbs.h"

static const struct verb_text text = {
    .name = "set",
    .usage = "NAME --PROPERTY VALUE...",
    .details = "Changes properties of the resource NAME; an empty value takes one away. While\n"
               "it is online on this node, lag, on-storage-error, stop-timeout and history\n"
               "count at once, the others from the next online on.",
    .least_args = 1,
    .most_args = 1,
    .has_json = true,
};

/* Asks the monitor of a resource that is online to change what was given. */
static int set_online(int sock, const struct property_options *properties, struct error *err)
{
    struct message reply;
    struct pack payload;
    int result;

    pack_init(&payload);
    pack_u32(&payload, property_options_count(properties));
    for (unsigned i = 0; i < PROPERTY_OPTIONS_MAX; i++)
        if (properties->values[i]) {
            pack_text(&payload, properties->options[i].name);
            pack_text(&payload, properties->values[i]);
        }
    if (!(result = ctl_ask(sock, CTL_SET, &payload, NULL, 6 * CTL_QUICK_MS, &reply, NULL, err)))
        message_free(&reply);
    pack_free(&payload);
    return result;
}

/* Changes the resource; *online tells in which way. */
static int set(const struct cli *cli, const struct property_options *properties,
               struct resource *resource, bool *online, struct error *err)
{
    struct snapshot now;
    int sock, result;

    if (!property_options_count(properties))
        return error_set(err, RESULT_USAGE,
                         "Nothing to set: name a property, as --lag 50. See \"regckpt "
                         "set --help\".");
    if ((result = access_read(cli, cli->args[0], SNAPSHOT_HEAD, &now, err)))
        return result;
    resource_free(resource);
    if ((result = resource_copy(resource, &now.resource)))
        error_system(err, result, "Reading the properties of %s", cli->args[0]);
    snapshot_free(&now);
    if (result || (result = property_options_apply(properties, resource, err)))
        return result;
    if ((sock = ctl_connect(cli, cli->args[0], err)) < 0)
        return err->code ? err->code : offline_set(cli, cli->args[0], resource, err);
    *online = true;
    result = set_online(sock, properties, err);
    close(sock);
    return result;
}

/* Tells what was done. */
static void report(const struct cli *cli, const struct property_options *properties,
                   const struct resource *resource, bool online)
{
    if (cli->json) {
        struct json j;

        json_begin(&j, stdout);
        json_open_object(&j, NULL);
        json_text(&j, "resource", cli->args[0]);
        json_bool(&j, "online", online);
        property_json(&j, resource);
        json_close_object(&j);
        json_end(&j);
    } else {
        for (unsigned i = 0; i < PROPERTY_OPTIONS_MAX; i++)
            if (properties->values[i])
                printf("%s: %s is now \"%s\"%s.\n", cli->args[0], properties->options[i].name,
                       properties->values[i], !online ? ""
                       : property_needs_restart(properties->options[i].name)
                           ? "; it counts from the next online on" : ", from now on");
    }
    property_remarks(cli, resource);
}

int verb_set(int argc, char **argv)
{
    struct property_options properties;
    struct resource resource;
    struct error err = {0};
    bool online = false;
    struct cli cli;
    int code;

    property_options_init(&properties);
    if ((code = cli_begin(&cli, argc, argv, &text, properties.options)) != CLI_GO_ON)
        return code;
    resource_init(&resource);
    if (set(&cli, &properties, &resource, &online, &err)) {
        code = cli_fail(&cli, &err);
    } else {
        code = 0;
        report(&cli, &properties, &resource, online);
    }
    resource_free(&resource);
    cli_end(&cli);
    return code;
}
