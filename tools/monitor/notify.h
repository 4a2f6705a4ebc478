/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Telling systemd how a resource is, where it started us as a unit of Type=notify (sd_notify(3): text
 * datagrams to the socket in NOTIFY_SOCKET; done without its library).  Everywhere else these do
 * nothing.  The engine's thread only.
 *
 * Told are READY=1 once the program runs, STOPPING=1, STATUS= with every phase and when the storage
 * fails or is back, and EXTEND_TIMEOUT_USEC= for what a phase may take: the resource's own timeouts
 * count, not the unit's.
 */
#ifndef REGCKPT_NOTIFY_H
#define REGCKPT_NOTIFY_H

#include "../../dlls/libregckpt/ctlproto.h"
#include "../../dlls/libregckpt/resource.h"

/*
 * Before anything is started.  Takes NOTIFY_SOCKET out of the environment: nothing that is started from
 * here shall speak for us.
 */
void notify_begin(void);
/* What is new in the status since the last call. */
void notify_publish(const struct monitor_status *status, const struct resource *resource);
/* The last word: why it did not go online. */
void notify_failure(const char *why);

#endif
