/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a store needs of storage that several nodes use, tried by two of them together: that a lock
 * taken on one keeps the other out and is free when its process died, that what one has renamed into
 * place or written and synced is what the other reads; and how far their clocks are apart.
 */
#ifndef REGCKPT_STORE_PEER_H
#define REGCKPT_STORE_PEER_H

#include <stdbool.h>

#include "error.h"

/* One thing that was tried. */
typedef void store_peer_fn(const char *what, bool fine, const char *detail, void *arg);

/*
 * Meets another node that calls this for the same store at the same time, within timeout_ms, and tries
 * it all, each in both directions; both are told all.  0 whatever was found; RESULT_TIMEOUT, or an
 * error of the store, if it could not be tried to the end.  Leaves nothing in the store.
 */
int store_peer_test(const char *store, const char *node, int timeout_ms, store_peer_fn *fn, void *arg,
                    struct error *err);

#endif
