/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The exit codes of `run` (regckpt-monitor in the foreground): the program's own up to 255, and those
 * of monitor.h for everything else.
 */
#include "monitor.h"

int exit_code_of_failure(int error)
{
    switch (error) {
    case RESULT_OWNED:
        return EXIT_OWNED;
    case RESULT_INEXACT:
    case RESULT_DAMAGED:
    case RESULT_NEWER:
    case RESULT_FOREIGN:
        return EXIT_RESTORE;
    case RESULT_PROGRAM:
    case RESULT_NOT_INSTALLED:
        return EXIT_PROGRAM;
    case RESULT_STORAGE:
        return EXIT_STORAGE;
    case RESULT_WINE:
    case RESULT_TIMEOUT:
    case RESULT_UNPROTECTED:
    case RESULT_NOT_FOUND:
    case RESULT_USAGE:
    case RESULT_FORBIDDEN:
        return EXIT_WINE;
    }
    return EXIT_STORAGE;
}

int exit_code_of_ending(const struct monitor *m)
{
    switch (m->ending) {
    case ENDING_STORAGE:
        return EXIT_STORAGE;
    case ENDING_DISPLACED:
        return EXIT_OWNED;
    case ENDING_HOST:
    case ENDING_SERVER:
        return EXIT_WINE;
    case ENDING_PROGRAM:
        return m->exit_code > 255 ? EXIT_ABOVE_255 : (int)m->exit_code;
    default:
        return 0;
    }
}
