/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a verb reaches a resource: by reading its checkpoint, by owning it while it is offline, or by
 * asking its monitor while it is online on this node.
 */
#ifndef REGCKPT_ACCESS_H
#define REGCKPT_ACCESS_H

#include "cli.h"
#include "ctlproto.h"
#include "progress.h"
#include "takeover.h"
#include "words.h"

/*
 * Is there a store, which answers?  Before anything else that a verb does with it; name: the resource
 * that it is about, or NULL.  RESULT_TIMEOUT after storage_timeout, or what store_check says.
 */
int access_store(const struct cli *cli, const char *name, struct error *err);

/* A checkpoint read whole or by its head (SNAPSHOT_*).  RESULT_NOT_FOUND names the resources there
 * are. */
int access_read(const struct cli *cli, const char *name, unsigned flags, struct snapshot *out,
                struct error *err);

/* A resource that is offline, taken for a change. */
struct offline {
    struct owner owner;
    struct checkpoint *c;
};
/* Owns it and opens its checkpoint for writing. RESULT_OWNED tells by whom it is held. */
int offline_open(const struct cli *cli, const char *name, struct offline *o, struct error *err);
void offline_close(struct offline *o);
/* Gives a resource that is offline these properties. */
int offline_set(const struct cli *cli, const char *name, const struct resource *resource,
                struct error *err);

/*
 * The monitor of a resource on this node: its socket, or -1: nobody listens (err->code is 0 then),
 * or it could not be asked (err is set).
 */
int ctl_connect(const struct cli *cli, const char *name, struct error *err);

#define CTL_WHILE_STORAGE_ANSWERS (-2)

/*
 * Sends the connection's one request and waits for its reply, passing its progress on; payload and
 * p may be NULL. timeout_ms -1: as long as the monitor lives; CTL_WHILE_STORAGE_ANSWERS: and its storage
 * has answered within the node's storage_timeout, else RESULT_STORAGE.  *u (may be NULL) stands behind the
 * reply's error text; *reply is the caller's (message_free) if the result is 0.
 */
int ctl_ask(int sock, enum ctl_message type, const struct pack *payload, struct progress *p,
            int timeout_ms, struct message *reply, struct unpack *u, struct error *err);

/*
 * Has a monitor on this node the resource online?  *prefix (may be NULL), malloc'ed: where, NULL if it
 * did not say.  RESULT_OWNED: it is on its way there or back, or edited; errors of asking.
 */
int ctl_is_online(const struct cli *cli, const char *name, bool *online, char **prefix,
                  struct error *err);

/* The prefix that the monitor at sock runs in, malloc'ed; NULL: it did not say. */
char *ctl_online_prefix(int sock);

/* ctl_connect, ctl_ask and close in one: a monitor takes one request a connection. */
int ctl_call(const struct cli *cli, const char *name, enum ctl_message type,
             const struct pack *payload, struct progress *p, int timeout_ms, struct message *reply,
             struct unpack *u, struct error *err);

/* How long a monitor may take for a quick question. */
#define CTL_QUICK_MS 5000

#endif
