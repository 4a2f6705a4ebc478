/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a cluster's resource agent does with a resource on this node, with the exit codes of the OCF
 * Resource Agent API 1.0 (Pacemaker's "Resource Agents": "OCF Return Codes").  tools/ocf has the shell
 * around it.
 */
#ifndef REGCKPT_AGENT_H
#define REGCKPT_AGENT_H

#include "access.h"
#include "hostlink.h"

enum ocf_code {
    OCF_SUCCESS = 0,
    OCF_ERR_GENERIC = 1,       /* here, now: another try, or another node, may do */
    OCF_ERR_PERM = 4,          /* this node: rights */
    OCF_ERR_INSTALLED = 5,     /* this node lacks something */
    OCF_ERR_CONFIGURED = 6,    /* no node can do it as it is configured */
    OCF_NOT_RUNNING = 7,
    OCF_DEGRADED = 190,        /* it runs, and needs a look */
};

struct agent {
    struct cli cli;
    const char *name;
    const char *kind, *prefix, *user, *wine; /* NULL: as the resource says */
    int timeout_ms;      /* for the whole action */
    int64_t deadline_ms; /* of progress_now_ms */
    int depth;           /* of monitor: 0, 10, 20 */
    uint32_t max_lag_ms; /* of depth 20 */
    bool *asks_wine;     /* shared with the child that does the action: it waits for Wine */
};

/* Milliseconds until the deadline, at least 0. */
int agent_left_ms(const struct agent *a);

/* Tells an error, and the code it means where it comes from this node, or from the resource itself. */
enum ocf_code agent_fail(const struct agent *a, const struct error *err);

/*
 * Could this node run it?  OCF_SUCCESS with what the resource is (resource_free), else all is told.
 * Starts nothing.
 */
enum ocf_code agent_validate(const struct agent *a, struct resource *resource);

enum ocf_code agent_start(const struct agent *a);

/*
 * Stops it.  What does not end in order in half of the time is ended by force: monitor, host, program,
 * what holds the lock, and, where nothing else of regckpt runs in the prefix, all of that.  Afterwards
 * no process of the prefix uses the store's file system, unless that is the root's.
 */
enum ocf_code agent_stop(const struct agent *a);

/*
 * Does it run here?  Depth 0 asks the monitor, which answers whatever storage does; 10 also the program
 * and Wine's service manager; 20 also whether it is protected: storage, what cannot be saved, lag.  Where
 * no monitor is, processes that still hold the resource on this node make it a failure.
 */
enum ocf_code agent_monitor(const struct agent *a);

/* The status of its monitor on this node: 1 with *status (monitor_status_free), 0: no monitor; -1: err. */
int agent_ask(const struct agent *a, struct monitor_status *status, struct error *err);

#endif
