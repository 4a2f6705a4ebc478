/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The program's children are hooked before they run: every child of NtCreateUserProcess starts
 * suspended, and goes on as its creator asked for when the hook is in.
 */
#include <errno.h>

#include "hook_private.h"
#include "inject.h"

static void hook_it(HANDLE process)
{
    struct inject_source source = {&hook.ring, hook.directory, hook.installed};
    DWORD last_error = GetLastError();
    int errnum = errno;
    char why[256];

    inject_hook(&source, process, why, sizeof(why));
    errno = errnum;
    SetLastError(last_error);
}

NTSTATUS WINAPI hook_NtCreateUserProcess(HANDLE *process, HANDLE *thread,
                                         ACCESS_MASK process_access, ACCESS_MASK thread_access,
                                         OBJECT_ATTRIBUTES *process_attr,
                                         OBJECT_ATTRIBUTES *thread_attr, ULONG process_flags,
                                         ULONG thread_flags, RTL_USER_PROCESS_PARAMETERS *params,
                                         PS_CREATE_INFO *info, PS_ATTRIBUTE_LIST *attributes)
{
    ULONG flags = thread_flags | THREAD_CREATE_FLAGS_CREATE_SUSPENDED;
    HANDLE child = NULL, first = NULL;
    NTSTATUS status;

    if (!ring_in_use() || inject_is_busy())
        return real.NtCreateUserProcess(process, thread, process_access, thread_access,
                                        process_attr, thread_attr, process_flags, thread_flags,
                                        params, info, attributes);
    status = real.NtCreateUserProcess(&child, &first, process_access, thread_access, process_attr,
                                      thread_attr, process_flags, flags, params, info, attributes);
    /* a Unix program has none, and what the caller's variables hold then is left as it was */
    if (status || !child)
        return status;
    *process = child;
    *thread = first;
    hook_it(child);
    if (flags != thread_flags)
        NtResumeThread(first, NULL);
    return status;
}
