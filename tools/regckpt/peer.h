/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --peer of init and doctor: the test of a store by two nodes.
 */
#ifndef REGCKPT_PEER_H
#define REGCKPT_PEER_H

#include "../../dlls/libregckpt/store_peer.h"
#include "cli.h"

/*
 * The value of --timeout for it (NULL: a minute), and the test, with each finding given to fn, a last
 * one if it could not be finished.  Signals that end the command leave nothing in the store.
 */
int peer_timeout(const char *timeout, int *ms, struct error *err);
void peer_test(const struct cli *cli, int timeout_ms, store_peer_fn *fn, void *arg);

#endif
