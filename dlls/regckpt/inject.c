/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A thread in the other process calls LoadLibraryW, which lies at the same address in all processes
 * of one width. What tells success is the ring's table of processes: the thread's exit code is half
 * a pointer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inject.h"
#include "ring_private.h"

#define OWN_BITS (sizeof(void *) * 8)

/* Windows programs and Wine's macros are of 16-bit characters; C's wide functions are not. */
#if defined(__x86_64__)
#define OWN_DLL L"\\" HOOK_DLL64
#define OTHER_INJECTOR L"\\" HOOK_INJECTOR32
#else
#define OWN_DLL L"\\" HOOK_DLL32
#define OTHER_INJECTOR L"\\" HOOK_INJECTOR64
#endif

static __thread bool busy;

bool inject_is_busy(void)
{
    return busy;
}

void inject_program_name(const UNICODE_STRING *path, char *name, size_t name_bytes)
{
    struct utf16 last = {(const uint16_t *)path->Buffer, path->Length / sizeof(WCHAR)};

    for (size_t i = last.len; i-- > 0;) {
        if (last.units[i] == '\\' || last.units[i] == '/') {
            last.units += i + 1;
            last.len -= i + 1;
            break;
        }
    }
    if (last.len > (name_bytes - 1) / 3)
        last.len = (name_bytes - 1) / 3;
    name[utf16_put_utf8(last, false, name)] = 0;
}

/* 32 or 64. */
static unsigned bits_of(HANDLE process)
{
    ULONG_PTR in_wow64 = 0;

    if (!NtQueryInformationProcess(process, ProcessWow64Information, &in_wow64, sizeof(in_wow64),
                                   NULL) && in_wow64)
        return 32;
    if (OWN_BITS == 64 || process == GetCurrentProcess())
        return OWN_BITS;
    /* in a 64-bit prefix all that are not in WOW64 are 64-bit */
    in_wow64 = 0;
    NtQueryInformationProcess(GetCurrentProcess(), ProcessWow64Information, &in_wow64,
                              sizeof(in_wow64), NULL);
    return in_wow64 ? 64 : 32;
}

static bool is_debugged(HANDLE process)
{
    DWORD_PTR port = 0;

    return !NtQueryInformationProcess(process, ProcessDebugPort, &port, sizeof(port), NULL) && port;
}

/* Has this process told the ring that it is hooked?  Its number may have been another's before. */
static bool is_ready(const struct ring *r, uint32_t win_pid)
{
    for (uint32_t i = 0; i < RING_PROCESSES; i++) {
        const struct ring_process *p = &r->shared->processes[i];
        uint32_t pid = __atomic_load_n(&p->pid, __ATOMIC_ACQUIRE);

        if (pid && p->win_pid == win_pid && __atomic_load_n(&p->ready, __ATOMIC_ACQUIRE) &&
            !ring_process_is_dead(pid))
            return true;
    }
    return false;
}

static WCHAR *join(const WCHAR *directory, const WCHAR *name)
{
    size_t len = lstrlenW(directory);
    WCHAR *path = malloc((len + lstrlenW(name) + 1) * sizeof(WCHAR));

    if (path) {
        memcpy(path, directory, len * sizeof(WCHAR));
        lstrcpyW(path + len, name);
    }
    return path;
}

static void say(char *why, size_t why_bytes, const char *what)
{
    snprintf(why, why_bytes, "%s: Win32 error %u", what, (unsigned)GetLastError());
}

/* A path that is in use by a thread for too long stays where it is. */
static void load_by_thread(HANDLE process, const WCHAR *path, char *why, size_t why_bytes)
{
    HMODULE kernel32 = GetModuleHandleA("kernel32.dll");
    LPTHREAD_START_ROUTINE load = (void *)GetProcAddress(kernel32, "LoadLibraryW");
    SIZE_T bytes = (lstrlenW(path) + 1) * sizeof(WCHAR);
    WCHAR *there = VirtualAllocEx(process, NULL, bytes, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    HANDLE thread = NULL;
    DWORD result = WAIT_FAILED;

    if (!there || !WriteProcessMemory(process, there, path, bytes, NULL))
        say(why, why_bytes, "no memory in it");
    else if (!(thread = CreateRemoteThread(process, NULL, 0, load, there, 0, NULL)))
        say(why, why_bytes, "no thread in it could be started");
    else if ((result = WaitForSingleObject(thread, HOOK_CHILD_WAIT_MS)) == WAIT_OBJECT_0)
        snprintf(why, why_bytes, "it could not load the hook");
    else
        snprintf(why, why_bytes, "it did not load the hook within %u ms", HOOK_CHILD_WAIT_MS);
    if (thread)
        CloseHandle(thread);
    if (there && (!thread || result == WAIT_OBJECT_0))
        VirtualFreeEx(process, there, 0, MEM_RELEASE);
}

/* "INJECTOR" PID DIRECTORY, malloc'ed. */
static WCHAR *injector_command(const struct inject_source *source, DWORD win_pid)
{
    WCHAR *installed = wine_get_dos_file_name(source->installed), number[16], *command = NULL;
    char digits[16];
    size_t room;

    if (!installed)
        return NULL;
    snprintf(digits, sizeof(digits), "%u", (unsigned)win_pid);
    for (size_t i = 0; i < sizeof(digits); i++)
        number[i] = digits[i];
    room = lstrlenW(installed) + lstrlenW(source->directory) + 64;
    if ((command = malloc(room * sizeof(WCHAR)))) {
        lstrcpyW(command, L"\"");
        lstrcatW(command, installed);
        lstrcatW(command, OTHER_INJECTOR L"\" ");
        lstrcatW(command, number);
        lstrcatW(command, L" ");
        lstrcatW(command, source->directory);
    }
    HeapFree(GetProcessHeap(), 0, installed);
    return command;
}

static void load_by_injector(const struct inject_source *source, HANDLE process, char *why,
                             size_t why_bytes)
{
    WCHAR *command = injector_command(source, GetProcessId(process));
    PROCESS_INFORMATION info;
    STARTUPINFOW startup;
    DWORD code = 0;
    BOOL started;

    if (!command) {
        snprintf(why, why_bytes, "no memory");
        return;
    }
    memset(&startup, 0, sizeof(startup));
    startup.cb = sizeof(startup);
    busy = true;
    started = CreateProcessW(NULL, command, NULL, NULL, FALSE, DETACHED_PROCESS, NULL, NULL,
                             &startup, &info);
    busy = false;
    free(command);
    if (!started && GetLastError() == ERROR_BAD_EXE_FORMAT) {
        snprintf(why, why_bytes, "this Wine has no %u-bit Unix part, which the hook would run in",
                 OWN_BITS == 64 ? 32 : 64);
        return;
    }
    if (!started) {
        say(why, why_bytes, "the injector for the other width could not be started");
        return;
    }
    if (WaitForSingleObject(info.hProcess, HOOK_CHILD_WAIT_MS) != WAIT_OBJECT_0)
        snprintf(why, why_bytes, "the injector for the other width took more than %u ms",
                 HOOK_CHILD_WAIT_MS);
    else if (GetExitCodeProcess(info.hProcess, &code))
        snprintf(why, why_bytes, "the injector for the other width ended with exit code %u",
                 (unsigned)code);
    CloseHandle(info.hThread);
    CloseHandle(info.hProcess);
}

/* For status: which program is not hooked, and why. */
static void note(struct ring *r, HANDLE process, const char *why)
{
    union {
        UNICODE_STRING path;
        uint8_t room[1024];
    } image;
    char name[256];

    if (NtQueryInformationProcess(process, ProcessImageFileName, &image, sizeof(image), NULL))
        snprintf(name, sizeof(name), "process %u", (unsigned)GetProcessId(process));
    else
        inject_program_name(&image.path, name, sizeof(name));
    ring_note_unhooked(r, name, why);
}

bool inject_hook(const struct inject_source *source, HANDLE process, char *why, size_t why_bytes)
{
    struct ring_shared *shared = source->ring->shared;
    uint32_t noted = __atomic_load_n(&shared->unhooked, __ATOMIC_ACQUIRE);
    unsigned bits = bits_of(process);
    WCHAR *path;

    if (is_debugged(process)) {
        snprintf(why, why_bytes, "it is being debugged");
    } else if (bits != OWN_BITS && !source->installed) {
        snprintf(why, why_bytes, "it is a %u-bit program", bits);
    } else if (bits != OWN_BITS) {
        load_by_injector(source, process, why, why_bytes);
    } else if (!(path = join(source->directory, OWN_DLL))) {
        snprintf(why, why_bytes, "no memory");
    } else {
        load_by_thread(process, path, why, why_bytes);
        free(path);
    }
    if (is_ready(source->ring, GetProcessId(process)))
        return true;
    if (__atomic_load_n(&shared->unhooked, __ATOMIC_ACQUIRE) != noted) /* who knew better said it */
        snprintf(why, why_bytes, "%.*s", (int)sizeof(shared->unhooked_why), shared->unhooked_why);
    else
        note(source->ring, process, why);
    return false;
}
