/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For verbs that do the same to each of the named resources, or to all of the store.
 */
#ifndef REGCKPT_EACH_H
#define REGCKPT_EACH_H

#include "cli.h"
#include "json.h"

/* One resource; j NULL: for people.  Says its failures itself and returns the exit code. */
typedef int each_fn(const struct cli *cli, const char *name, struct json *j);

/*
 * Calls one with each; with --json inside of an array "resources".  The worst exit code counts, damage
 * before everything.  Tells by itself that there is no store or no resource.
 */
int each_resource(const struct cli *cli, each_fn *one);

#endif
