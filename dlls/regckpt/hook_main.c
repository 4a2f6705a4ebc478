/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * regckpt.dll's entry point: finds the ring beside the path it was loaded by, and hooks.  If it
 * cannot, LoadLibrary fails, and the ring, if there is one, says why.
 */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hook_private.h"
#include "inject.h"
#include "ring_quick.h"

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved);

struct hook_context hook;

static char installed[PATH_MAX], run_directory[PATH_MAX], ring_path[PATH_MAX + sizeof(HOOK_RING)];

/* The directory part of a path, without a final slash. */
static void to_directory(char *path)
{
    char *slash = strrchr(path, '/');

    *(slash ? slash : path) = 0;
}

/* The loader's own name for this DLL may be none that it takes again: made from the path. */
static bool find_paths(void)
{
    Dl_info info;

    if (!dladdr(&hook, &info) || strlen(info.dli_fname) >= sizeof(ring_path) ||
        !realpath(info.dli_fname, installed))
        return false;
    strcpy(ring_path, info.dli_fname);
    to_directory(ring_path);
    to_directory(installed);
    if (!realpath(ring_path, run_directory))
        return false;
    snprintf(ring_path, sizeof(ring_path), "%s/" HOOK_RING, run_directory);
    hook.directory = wine_get_dos_file_name(run_directory);
    hook.installed = installed;
    return hook.directory != NULL;
}

/* See hook_set_value.c. */
static uintptr_t where_own_tid(void)
{
    uintptr_t storage = 0;

#ifdef __x86_64__
    __asm__("movq %%fs:0, %0" : "=r"(storage));
#endif
    return (uintptr_t)&ring_own_tid - storage;
}

static bool start(void)
{
    char why[256], name[256];
    struct error err;

    if (!find_paths() || ring_open(ring_path, &hook.ring, &err))
        return false;
    inject_program_name(&NtCurrentTeb()->Peb->ProcessParameters->ImagePathName, name, sizeof(name));
    if (!ring_in_use())
        snprintf(why, sizeof(why), "the resource is not online any more");
    else {
        hook.own_tid = where_own_tid();
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
        done = start();
        if (done) /* the stubs lead here for as long as the process lives */
            LdrAddRefDll(LDR_ADDREF_DLL_PIN, module);
        SetLastError(last_error);
    }
    return done;
}
