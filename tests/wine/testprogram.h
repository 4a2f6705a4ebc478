/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The start of the Windows test programs that are tools, not tests: program() gets the arguments as
 * they are, where main's own have lost what the code page does not know.  For one source file each.
 */
#ifndef REGCKPT_TESTPROGRAM_H
#define REGCKPT_TESTPROGRAM_H

#include <fcntl.h>
#include <io.h>

#include "testkey.h"

static int program(int argc, WCHAR *argv[]);

/* In the C library, where its start-up code gets them; its headers leave it out. */
int __wgetmainargs(int *argc, WCHAR ***argv, WCHAR ***env, int glob, int *new_mode);

int main(void)
{
    WCHAR **argv, **env;
    int argc, new_mode = 0;

    if (__wgetmainargs(&argc, &argv, &env, 0, &new_mode)) return 111;
    return program(argc, argv);
}

/* Says that the words were off, and ends the program. */
static inline void usage_exit(const char *usage)
{
    fprintf(stderr, "usage: %s\n", usage);
    exit(100);
}

/* The next argument, or the usage and the end. */
static inline const WCHAR *next_argument(int argc, WCHAR *argv[], int *at, const char *usage)
{
    if (*at + 1 >= argc) usage_exit(usage);
    return argv[++*at];
}

/* The same as a number. */
static inline unsigned next_number(int argc, WCHAR *argv[], int *at, const char *usage)
{
    const WCHAR *text = next_argument(argc, argv, at, usage);
    WCHAR *end;
    unsigned long n = wcstoul(text, &end, 10);

    if (end == text || *end) usage_exit(usage);
    return n;
}

/* The access flag for --view's argument. */
static inline REGSAM next_view(int argc, WCHAR *argv[], int *at, const char *usage)
{
    const WCHAR *text = next_argument(argc, argv, at, usage);

    if (!wcscmp(text, L"64")) return KEY_WOW64_64KEY;
    if (wcscmp(text, L"32")) usage_exit(usage);
    return KEY_WOW64_32KEY;
}

#endif
