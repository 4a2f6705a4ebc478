/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The registered keys as this node's registry has them, for comparing.
 */
#ifndef REGCKPT_LIVEKEYS_H
#define REGCKPT_LIVEKEYS_H

#include "wineside.h"

/* Gives the agent in the prefix the list of keys; wineside_scan then knows them. */
int live_keys_tell(const struct snapshot *s, struct wineside *w, struct error *err);
/*
 * Asks the prefix: images[i] of s->keys[i], empty before, root NULL where there is no such key.  What
 * is excluded is not in them.
 */
int live_keys_offline(const struct snapshot *s, struct wineside *w, struct image *images,
                      struct error *err);
/* The same of a resource that is online here, by asking its monitor at sock. */
int live_keys_online(const struct snapshot *s, int sock, struct progress *p, struct image *images,
                     struct error *err);

#endif
