/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The protocol between the command and a resource's monitor, over message.h: one request, any number
 * of CTL_PROGRESS, one CTL_REPLY.  The monitor answers CTL_STATUS at once, whatever storage does.
 */
#ifndef REGCKPT_CTLPROTO_H
#define REGCKPT_CTLPROTO_H

#include "message.h"
#include "registered_key_pack.h"

enum ctl_message {
    CTL_PROGRESS = 100, /* text, for people */
    CTL_REPLY,          /* u32 result (as a signed int), text error, then what the request says */

    CTL_STATUS,         /* reply: struct monitor_status, packed */
    CTL_OFFLINE,        /* u32 CTL_OFFLINE_* flags; replies when the resource is released */
    CTL_SAVE,           /* scans and commits now. reply: u64 changes committed */
    CTL_ADD,            /* a registered key, packed. reply: u32 captured, u64 keys, u64 values */
    CTL_REMOVE,         /* u32 id */
    CTL_SET,            /* u32 count, then text name, text value each */
    CTL_EXCLUDE,        /* a registered key, packed: its id, and what it excludes from now on. */
                        /* reply: u64 changes of the checkpoint */
    CTL_DIFF,           /* reply: u32 count, packed changes from the checkpoint to the live registry */

    /*
     * An edit's session: a socket pair whose one end the monitor was started with.  Once the registry
     * is restored CTL_EDIT_READY comes (no payload; the lock's descriptor rides along, for what the
     * command starts to hold).  When all of the command has ended, CTL_EDIT_SAVE asks for what it did
     * to be saved; its reply, once the resource is released: u64 changes, text what to know ("":
     * nothing).  A CTL_REPLY that was not asked for says why nothing will be saved, and so does the
     * end of the session, from either side.
     */
    CTL_EDIT_READY,
    CTL_EDIT_SAVE,
};

#define CTL_OFFLINE_RESTORE_LOCAL 1u /* put back what the node's registry held before */

enum monitor_phase {
    PHASE_STARTING = 1, /* booting Wine, taking ownership */
    PHASE_RESTORING,
    PHASE_LAUNCHING,
    PHASE_ONLINE,
    PHASE_STOPPING,
    PHASE_SAVING,
    PHASE_EDITING, /* for `regckpt edit`: restored, and its command runs in the program's place */
};

struct monitor_status {
    uint32_t phase;
    uint32_t pid, host_pid, program_pid; /* Unix pids, 0: none */
    uint64_t epoch, sequence;
    char *resource, *node, *store, *prefix;
    char *wine;                 /* the loader that it was to run with */
    uint64_t online_since;      /* Unix microseconds; 0: not yet */
    uint64_t keys, values, bytes;  /* in the checkpoint */
    uint32_t registered, uncaptured;
    uint64_t waiting;           /* changes seen but not committed; UINT64_MAX: not known (a scan is due) */
    uint64_t lag_us, lag_worst_us; /* from a notification to its commit: last, worst */
    uint64_t scans, scan_us, scan_worst_us; /* count, last, worst */
    uint64_t commits, commit_us, changes;
    uint64_t storage_failing_since; /* 0: fine */
    uint64_t busy_since;        /* storage has not answered since; 0: it does */
    uint64_t last_saved;
    uint32_t hooked, unhooked;  /* processes now; processes that could not be hooked */
    uint64_t hook_changes;      /* reported by hook or server */
    uint64_t corrections;       /* found by scans though these were to report them */
    char *source;               /* "watch", "hook", "server" (a patched wineserver) */
    char *not_hooked;           /* why the program, or which process last and why; "": all are, so far */
    char *last_error;           /* what goes wrong now; "" : nothing */
    uint64_t error_since;       /* 0: nothing goes wrong */
    char *past_error;           /* the last that is over; "" : none */
    uint64_t past_error_at;     /* since when it was */
};

void monitor_status_free(struct monitor_status *s);
void pack_monitor_status(struct pack *p, const struct monitor_status *s);
int unpack_monitor_status(struct unpack *u, struct monitor_status *s);

#endif
