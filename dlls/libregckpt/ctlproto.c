/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packing of what command and monitor tell each other.
 */
#include <stdlib.h>
#include <string.h>

#include "ctlproto.h"

void monitor_status_free(struct monitor_status *s)
{
    free(s->resource);
    free(s->node);
    free(s->store);
    free(s->prefix);
    free(s->source);
    free(s->not_hooked);
    free(s->last_error);
    memset(s, 0, sizeof(*s));
}

/* Every number and text of the status, in the order of the message: named once for both ways. */
#define STATUS_NUMBERS32(X) \
    X(phase) X(pid) X(host_pid) X(program_pid) X(registered) X(uncaptured) X(hooked) \
    X(unhooked)
#define STATUS_NUMBERS64(X) \
    X(epoch) X(sequence) X(online_since) X(keys) X(values) X(bytes) X(waiting) X(lag_us) \
    X(lag_worst_us) X(scans) X(scan_us) X(scan_worst_us) X(commits) X(commit_us) X(changes) \
    X(storage_failing_since) X(busy_since) X(last_saved) X(hook_changes) \
    X(corrections)
#define STATUS_TEXTS(X) X(resource) X(node) X(store) X(prefix) X(source) X(not_hooked) X(last_error)

void pack_monitor_status(struct pack *p, const struct monitor_status *s)
{
#define PACK32(field) pack_u32(p, s->field);
#define PACK64(field) pack_u64(p, s->field);
#define PACK_TEXT(field) pack_text(p, s->field);
    STATUS_NUMBERS32(PACK32)
    STATUS_NUMBERS64(PACK64)
    STATUS_TEXTS(PACK_TEXT)
}

int unpack_monitor_status(struct unpack *u, struct monitor_status *s)
{
    memset(s, 0, sizeof(*s));
#define UNPACK32(field) s->field = unpack_u32(u);
#define UNPACK64(field) s->field = unpack_u64(u);
#define UNPACK_TEXT(field) s->field = unpack_text(u);
    STATUS_NUMBERS32(UNPACK32)
    STATUS_NUMBERS64(UNPACK64)
    STATUS_TEXTS(UNPACK_TEXT)
    if (!unpack_failed(u))
        return 0;
    monitor_status_free(s);
    return RESULT_INVALID;
}
