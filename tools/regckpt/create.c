/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "access.h"
#include "property_options.h"
#include "verbs.h"

static const struct verb_text text = {
    .name = "create",
    .usage = "NAME --service SVC | --command CMDLINE",
    .details = "Makes the resource NAME in the store: one Windows service, or one program, whose\n"
               "registered keys (regckpt add) will follow it from node to node.",
    .least_args = 1,
    .most_args = 1,
    .has_json = true,
};

/* Makes it in the store. */
static int create(const struct cli *cli, const struct property_options *properties,
                  struct resource *resource, struct error *err)
{
    const char *name = cli->args[0];
    int result = resource_name_check(name, err);

    if (!result)
        result = property_options_apply(properties, resource, err);
    if (!result && !resource->kind)
        result = error_set(err, RESULT_USAGE,
                           "What is to be protected? Name a Windows service (--service SVC) or a "
                           "program's command line (--command CMDLINE).");
    if (!result)
        result = access_store(cli, NULL, err);
    return result ? result : store_create_resource(cli->settings.store, name, resource, err);
}

int verb_create(int argc, char **argv)
{
    struct property_options properties;
    struct resource resource;
    struct error err = {0};
    struct cli cli;
    int code;

    property_options_init(&properties);
    if ((code = cli_begin(&cli, argc, argv, &text, properties.options)) != CLI_GO_ON)
        return code;
    resource_init(&resource);
    if (create(&cli, &properties, &resource, &err)) {
        code = cli_fail(&cli, &err);
    } else {
        code = 0;
        if (cli.json) {
            struct json j;

            json_begin(&j, stdout);
            json_open_object(&j, NULL);
            json_text(&j, "resource", cli.args[0]);
            json_text(&j, "store", cli.settings.store);
            property_json(&j, &resource);
            json_close_object(&j);
            json_end(&j);
        } else {
            printf("Created %s in the store %s (from %s). Next: regckpt add %s 'Software\\...'\n",
                   cli.args[0], cli.settings.store, cli.settings.store_source, cli.args[0]);
        }
        property_remarks(&cli, &resource);
    }
    resource_free(&resource);
    cli_end(&cli);
    return code;
}
