/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * regckpt.dll's entry point: finds the ring beside the path it was loaded by, and hooks.  If it cannot,
 * LoadLibrary fails, and the ring, if there is one, says why.
 */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hook_private.h"
#include "inject.h"

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved);

struct hook_context hook;

static WCHAR directory[MAX_PATH * 4];
static char installed[PATH_MAX], ring_path[PATH_MAX];

/* The directory part of a path, without a final slash. */
static void to_directory(char *path)
{
    char *slash = strrchr(path, '/');

    *(slash ? slash : path) = 0;
}

static bool find_paths(HINSTANCE module)
{
    DWORD len = GetModuleFileNameW(module, directory, ARRAYSIZE(directory));
    Dl_info info;

    if (!len || len >= ARRAYSIZE(directory) || !dladdr(&hook, &info) ||
        strlen(info.dli_fname) + sizeof(HOOK_RING) >= sizeof(ring_path) ||
        !realpath(info.dli_fname, installed))
        return false;
    while (len && directory[len] != '\\')
        len--;
    directory[len] = 0;
    to_directory(installed);
    strcpy(ring_path, info.dli_fname);
    to_directory(ring_path);
    strcat(ring_path, "/" HOOK_RING);
    hook.directory = directory;
    hook.installed = installed;
    return true;
}

static bool start(HINSTANCE module)
{
    char why[256], name[256];
    struct error err;

    if (!find_paths(module) || ring_open(ring_path, &hook.ring, &err))
        return false;
    inject_program_name(&NtCurrentTeb()->Peb->ProcessParameters->ImagePathName, name, sizeof(name));
    if (__atomic_load_n(&hook.ring.shared->state, __ATOMIC_RELAXED) != RING_OPEN)
        snprintf(why, sizeof(why), "the resource is not online any more");
    else {
        hook.process = ring_attach(&hook.ring, GetCurrentProcessId(), name);
        if (hook_stubs_install(hook_rows, hook_row_count, why, sizeof(why))) {
            ring_attach_ready(&hook.ring, hook.process);
            return true;
        }
    }
    ring_note_unhooked(&hook.ring, name, why);
    ring_close(&hook.ring);
    return false;
}

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved)
{
    DWORD last_error = GetLastError();
    bool done = true;

    (void)reserved;
    if (reason == DLL_PROCESS_ATTACH) {
        DisableThreadLibraryCalls(module);
        done = start(module);
        if (done) /* the stubs lead here for as long as the process lives */
            LdrAddRefDll(LDR_ADDREF_DLL_PIN, module);
        SetLastError(last_error);
    }
    return done;
}
