/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs the command of an edit in a prefix and waits for all of it: with our standard streams, in our
 * session and directory, so that it is the terminal's as if it had been started there.
 */
#ifndef REGCKPT_RUNCOMMAND_H
#define REGCKPT_RUNCOMMAND_H

#include "commandline.h"
#include "cli.h"
#include "hostlink.h"

struct command {
    const struct cli *cli;
    const char *name;         /* the resource */
    char *const *words;       /* of the command, NULL behind the last */
    const struct wine_place *place;
    bool own_wine;            /* the place's loader is not the system's */
    int lock_fd;              /* what its processes hold, owned by command_run; -1: nothing */
    int session;              /* of the edit (ctlproto.h): its end ends the command; -1: none */
    const char *regedit_key;  /* where regedit opens, as regedit writes it; NULL: it is another command */
    const char *window_title; /* of regedit's window */
};

/*
 * Returns when the command and, as far as they hold the lock or are of its job, all processes that it
 * started have ended.  *exit_code is the command's own then.  Errors, after which nothing of it runs:
 * RESULT_USAGE, RESULT_WINE, RESULT_UNPROTECTED: it cannot run;
 * RESULT_PROGRAM: there is none; it was ended by a signal or Ctrl-C, or we were told to end it (SIGTERM, SIGHUP, and
 * SIGINT while only what it left running is waited for); what the session's other end says.
 */
int command_run(const struct command *c, uint32_t *exit_code, struct error *err);

#endif
