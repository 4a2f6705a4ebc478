/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The prefix's registry as the command reaches it: an agent of regckpt-host in the prefix, started
 * for one call and ended with it.
 */
#ifndef REGCKPT_WINESIDE_H
#define REGCKPT_WINESIDE_H

#include "access.h"
#include "hostlink.h"

struct wineside {
    struct wine_place place;
    struct hostlink link;
    int log_fd;
    bool linked;
};

/*
 * Finds the prefix (prefix: an option, or NULL), boots it and starts the agent.  Errors as of
 * wine_place_find, wine_boot and hostlink_start.  On failure nothing is left to close.
 */
int wineside_open(const struct cli *cli, const char *name, const struct resource *resource,
                  const char *prefix, struct progress *p, struct wineside *w, struct error *err);
void wineside_close(struct wineside *w);

/*
 * The registered key as it is in the registry, without what is excluded, into an empty image (root
 * NULL: it does not exist).  The link's list of keys must hold it (hostlink_keys).  known: what it
 * probably holds, or NULL (hostlink_settle_names).
 */
int wineside_scan(struct wineside *w, const struct registered_key *key, const struct image *known,
                  struct image *image, struct error *err);

#endif
