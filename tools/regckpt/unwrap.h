/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Taking regckpt-host away from Windows services: one, or all that this node has notes of.
 */
#ifndef REGCKPT_UNWRAP_H
#define REGCKPT_UNWRAP_H

#include "wineside.h"
#include "wrapped.h"

/* The service of a resource that is offline, through an open wineside; its note goes too. */
int unwrap_service(const struct cli *cli, struct wineside *wine, const struct resource *resource,
                   bool *changed, struct error *err);

struct unwrap_all {
    bool all, dry_run;
    bool gone; /* those whose prefix is not there are forgotten */
};
/*
 * unwrap --all; says everything itself and returns the exit code: with dry_run 1 if there are any,
 * else the worst of what kept one from being unwrapped.
 */
int unwrap_all(const struct cli *cli, const struct unwrap_all *how);

#endif
