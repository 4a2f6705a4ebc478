/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loading the hook into another process: by the hooked parent of a child, by regckpt-host for the
 * program itself, and by the injectors, which do it for whoever is of the other width.
 */
#ifndef REGCKPT_INJECT_H
#define REGCKPT_INJECT_H

#include <stdarg.h>
#include <stdbool.h>

#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <winternl.h>

#include "hook.h"
#include "ring.h"

struct inject_source {
    struct ring *ring;
    const WCHAR *directory; /* the run directory, as LoadLibrary takes it */
    const char *installed;  /* the Unix directory of the injectors; NULL: own width only */
};

/*
 * Loads the hook into a process none of whose threads has begun to run, and waits until it is in,
 * or HOOK_CHILD_WAIT_MS. The handle needs all access. false: it is not hooked, *why says why, and
 * so does the ring.  A process that is being debugged is left alone.  Last error and errno may
 * change.
 */
bool inject_hook(const struct inject_source *source, HANDLE process, char *why, size_t why_bytes);

/* Is this thread just starting an injector?  That one is not to be hooked. */
bool inject_is_busy(void);

/* The last component of a program's path, UTF-8, cut. */
void inject_program_name(const UNICODE_STRING *path, char *name, size_t name_bytes);

#endif
