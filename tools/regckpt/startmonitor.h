/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starting a resource's monitor: for online as a daemon that tells how it goes, for run in our
 * place.
 */
#ifndef REGCKPT_STARTMONITOR_H
#define REGCKPT_STARTMONITOR_H

#include "cli.h"
#include "progress.h"
#include "takeover.h"

/* How a resource goes online. */
struct start {
    const char *prefix;    /* NULL: the resource's */
    const char *takeover;  /* the token of an owner that may be displaced (takeover.h); NULL: none */
    int timeout_ms;        /* -1: as long as it takes */
    const int *session_fd; /* its end of an edit's session (ctlproto.h), ours to close; NULL: no edit */
    char displaced[OWNER_TEXT_BYTES]; /* out: who was, as his lock named him; "": nobody */
};

/*
 * Starts it and waits until the resource is online or the monitor says why not.  RESULT_TIMEOUT: the
 * monitor goes on; the message says how to end it.
 */
int monitor_start(const struct cli *cli, const char *name, struct start *s, struct progress *p,
                  struct error *err);

/* Becomes the monitor in the foreground; returns only if that fails. */
int monitor_become(const struct cli *cli, const char *name, const char *prefix, struct error *err);

/* The exit codes of failures in a program's place: 120 to 124, told apart from the program's own. */
int own_exit_code(const struct error *err);

#endif
