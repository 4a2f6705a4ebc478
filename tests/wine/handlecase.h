/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the scenarios of hook_handles.c are made of.  For one source file. */
#ifndef REGCKPT_HANDLECASE_H
#define REGCKPT_HANDLECASE_H

#include "testprogram.h"

#define POISON 0xdeadbeef
#define MANY 300

NTSTATUS NTAPI NtDeleteKey(HANDLE key);
NTSTATUS NTAPI NtDeleteValueKey(HANDLE key, const UNICODE_STRING *name);
NTSTATUS NTAPI NtQueryValueKey(HANDLE key, const UNICODE_STRING *name, int class, void *info, ULONG size,
                               ULONG *needed);

static const WCHAR *scenario, *hook_path;
static WCHAR key_path[200], other_path[200];
static HKEY key, other; /* opened when the hook is loaded */

/* --- helpers --- */

static LONG tried(const char *call, LONG result)
{
    DWORD error = GetLastError();

    printf("%s: %ld, last error %lu\n", call, (long)result, (unsigned long)error);
    SetLastError(error);
    return result;
}
#define TRY(call) tried(#call, (SetLastError(POISON), (LONG)(call)))

static HKEY opened(HKEY parent, const WCHAR *name)
{
    HKEY result;
    LONG error = RegOpenKeyExW(parent, name, 0, KEY_ALL_ACCESS, &result);

    if (error) testkey_die("RegOpenKeyEx", name, error);
    return result;
}

static HKEY created(HKEY parent, const WCHAR *name)
{
    HKEY result;
    LONG error = RegCreateKeyExW(parent, name, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &result, NULL);

    if (error) testkey_die("RegCreateKeyEx", name, error);
    return result;
}

static LONG set(HKEY at, const WCHAR *name)
{
    return RegSetValueExW(at, name, 0, REG_SZ, (const BYTE *)L"set", sizeof(L"set"));
}

static LONG set_bytes(HKEY at, const WCHAR *name, size_t name_len, const void *data, ULONG size)
{
    UNICODE_STRING string = testkey_string(name, name_len);

    return NtSetValueKey((HANDLE)at, &string, 0, REG_BINARY, data, size);
}

static void hook(void)
{
    if (wcscmp(hook_path, L"-") && !LoadLibraryW(hook_path))
        testkey_die("LoadLibrary", hook_path, GetLastError());
    key = opened(HKEY_LOCAL_MACHINE, key_path);
    other = opened(HKEY_LOCAL_MACHINE, other_path);
}

/* Starts "hook_handles child HOOK ..." and returns its process; suspended if `thread` is given. */
static HANDLE start_child(const WCHAR *words, BOOL inherit, HANDLE *thread)
{
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    WCHAR self[MAX_PATH], line[1000];
    PROCESS_INFORMATION info;

    GetModuleFileNameW(NULL, self, ARRAYSIZE(self));
    swprintf(line, ARRAYSIZE(line), L"\"%ls\" child %ls %ls", self, hook_path, words);
    if (!CreateProcessW(NULL, line, NULL, NULL, inherit, thread ? CREATE_SUSPENDED : 0, NULL, NULL,
                        &startup, &info))
        testkey_die("CreateProcess", line, GetLastError());
    if (thread) *thread = info.hThread;
    else CloseHandle(info.hThread);
    return info.hProcess;
}

static DWORD end_of(HANDLE process)
{
    DWORD code = 0;

    WaitForSingleObject(process, INFINITE);
    GetExitCodeProcess(process, &code);
    CloseHandle(process);
    return code;
}

static DWORD run_child(const WCHAR *words)
{
    return end_of(start_child(words, FALSE, NULL));
}

/* Opens keys until one gets the handle value that was just freed; the others stay open. */
static HKEY opened_as(HKEY wanted, HKEY parent, const WCHAR *name)
{
    for (int i = 0; i < MANY; i++) {
        HKEY result = opened(parent, name);
        if (result == wanted) return result;
    }
    testkey_die("reusing a handle", name, 0);
    return NULL;
}

#endif
