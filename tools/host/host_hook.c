/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hooking the program.  The host itself is not hooked: what it writes comes from the checkpoint.
 */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../dlls/regckpt/inject.h"
#include "host.h"

/* The Unix directory this program is installed in, where the injectors are too. */
static bool find_installed(char *path)
{
    Dl_info info;
    char *slash;

    if (!dladdr(find_installed, &info) || !realpath(info.dli_fname, path) ||
        !(slash = strrchr(path, '/')))
        return false;
    *slash = 0;
    return true;
}

static bool load_hook(HANDLE target, const char *directory, struct ring *r, char *why,
                      size_t why_bytes)
{
    struct inject_source source = {.ring = r};
    static char installed[PATH_MAX];
    WCHAR *dos = wine_get_dos_file_name(directory);
    bool done = false;

    source.directory = dos;
    source.installed = find_installed(installed) ? installed : NULL;
    if (!dos)
        snprintf(why, why_bytes, "%s has no name that Windows programs can use", directory);
    else
        done = inject_hook(&source, target, why, why_bytes);
    HeapFree(GetProcessHeap(), 0, dos);
    return done;
}

bool hook_program(HANDLE target, const char *directory, char *why, size_t why_bytes)
{
    char path[PATH_MAX];
    struct error err;
    struct ring r;
    bool done;

    if (snprintf(path, sizeof(path), "%s/" HOOK_RING, directory) >= (int)sizeof(path)) {
        snprintf(why, why_bytes, "the name of the run directory is too long");
        return false;
    }
    if (ring_open(path, &r, &err)) {
        snprintf(why, why_bytes, "%s", err.text);
        return false;
    }
    done = load_hook(target, directory, &r, why, why_bytes);
    ring_close(&r);
    return done;
}
