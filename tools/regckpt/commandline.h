/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A command to run in a prefix: is it a Windows program, and what is its command line there?
 */
#ifndef REGCKPT_COMMANDLINE_H
#define REGCKPT_COMMANDLINE_H

#include <stdbool.h>

#include "error.h"

enum command_kind {
    COMMAND_WINDOWS, /* by a Windows path, by the path of a file that is one, by a name with .exe */
    COMMAND_UNIX,    /* by the path of any other executable file */
    COMMAND_BARE,    /* a name: Wine's if Wine finds it, else PATH's */
};

/*
 * What the first word means.  A backslash or a drive makes it a Windows path, a slash a Unix path;
 * a file is a Windows program by its first two bytes, or by its name.  RESULT_PROGRAM: there is
 * no such file; RESULT_USAGE: it cannot be run (a directory, a .msi, no execute permission).
 */
int command_kind(const char *word, enum command_kind *kind, struct error *err);

/* Is a name found as an executable file in PATH? */
bool command_in_path(const char *name);

/*
 * The words as one command line, quoted as Windows programs take it apart, malloc'ed; NULL: no memory.
 * A Unix path as the first word becomes one on drive Z:, which is the root in every prefix.
 */
char *command_line(char *const *words);

#endif
