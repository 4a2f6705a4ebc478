/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * regckpt-inject PID DIRECTORY: loads the hook into a process of this program's width.  Its command
 * line is inject.c's: the directory is all that stands behind the number.  Exit code 0: it is
 * hooked.
 */
#include <stdio.h>
#include <stdlib.h>

#include "inject.h"

#define EXIT_USAGE 100
#define EXIT_FAILED 111

/* The process's number; *directory gets what stands behind it. 0: other words. */
static DWORD parse(const WCHAR *line, const WCHAR **directory)
{
    DWORD pid = 0;

    if (*line++ != '"')
        return 0;
    while (*line && *line != '"')
        line++;
    if (*line)
        line++;
    while (*line == ' ')
        line++;
    for (; *line >= '0' && *line <= '9'; line++)
        pid = pid * 10 + (*line - '0');
    if (*line != ' ' || !line[1])
        return 0;
    *directory = line + 1;
    return pid;
}

static bool open_ring(const WCHAR *directory, struct ring *ring)
{
    char *unix_name = wine_get_unix_file_name(directory), *path = NULL;
    struct error err;
    bool done;

    done = unix_name && asprintf(&path, "%s/" HOOK_RING, unix_name) >= 0 &&
           !ring_open(path, ring, &err);
    free(path);
    HeapFree(GetProcessHeap(), 0, unix_name);
    return done;
}

int main(void)
{
    struct inject_source source = {0};
    struct ring ring;
    char why[256];
    HANDLE process;
    DWORD pid = parse(GetCommandLineW(), &source.directory);

    if (!pid)
        return EXIT_USAGE;
    if (!(process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, pid)) ||
        !open_ring(source.directory, &ring))
        return EXIT_FAILED;
    source.ring = &ring;
    return inject_hook(&source, process, why, sizeof(why)) ? 0 : EXIT_FAILED;
}
