/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The properties of a resource as options of create and set, made from the one table of properties
 * (resource.h).
 */
#ifndef REGCKPT_PROPERTY_OPTIONS_H
#define REGCKPT_PROPERTY_OPTIONS_H

#include "cli.h"
#include "json.h"
#include "resource.h"

#define PROPERTY_OPTIONS_MAX 32

struct property_options {
    struct cli_option options[PROPERTY_OPTIONS_MAX + 1];
    const char *values[PROPERTY_OPTIONS_MAX]; /* as given; NULL: not given */
};

void property_options_init(struct property_options *p);
/* How many were given. */
unsigned property_options_count(const struct property_options *p);
/*
 * Sets what was given. RESULT_USAGE: a value that is wrong, both --service and --command, or
 * --on-storage-error continue with lag 0.
 */
int property_options_apply(const struct property_options *p, struct resource *resource,
                           struct error *err);
/* Does a change of it wait for the next online? */
bool property_needs_restart(const char *name);
/* Says on the standard error what a resource's properties mean that a node may refuse later. */
void property_remarks(const struct cli *cli, const struct resource *resource);
/* on-storage-error with lag 0, which is "stop" then whatever is stored. */
bool property_is_overridden(const struct resource *resource, const char *name);
/* All properties in an object "properties". */
void property_json(struct json *j, const struct resource *resource);

#endif
