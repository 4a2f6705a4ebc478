/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Running a command on a resource's registry, captured: where the resource is online on this node,
 * in its prefix as it is; where it is offline, after a restore, and saved as a whole at the end.
 */
#ifndef REGCKPT_EDIT_H
#define REGCKPT_EDIT_H

#include "access.h"

struct edit {
    const char *prefix;  /* an option, or NULL */
    char *const *words;  /* the command, NULL behind the last */
    const char *regedit_key, *window_title; /* as of runcommand.h; NULL */
};

/*
 * Edits the resource `name`; says on the standard error where, and what was saved.  *code is the
 * command's own exit code then, above 255 as 125.  Errors as of command_run and of going online;
 * RESULT_OWNED names the node that owns it; RESULT_USAGE: no keys are registered.
 */
int edit_run(const struct cli *cli, const char *name, const struct edit *e, int *code,
             struct error *err);

/* The exit code of its own failures: 3 (owned elsewhere), else as `run` has them. */
int edit_exit_code(const struct error *err);

#endif
