/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hook_children: a family of processes, for test_hook_children.sh.
 *
 *   hook_children HOOK ACTION...      HOOK is the DLL's Windows path; "-" loads none
 *     set NAME                        sets that value of HKLM\Software\RegckptHook\Children, at once
 *     start PROGRAM ACTION...         starts "PROGRAM - ACTION..." and waits for its end
 *     suspended PROGRAM ACTION...     the same by CREATE_SUSPENDED: it must not have begun
 *     debug PROGRAM ACTION...         the same as its debugger
 *     native PROGRAM ACTION...        the same by NtCreateUserProcess, which starts it running
 *     many COUNT PROGRAM NAME         starts COUNT children at once, which set NAME0, NAME1, ...
 *     unix PROGRAM                    starts a program of Linux
 *
 * Exit code: the child's; 0, 100 usage, 110 something is not as it should be, 111 anything refused.
 */
#include "testprogram.h"

#define USAGE "hook_children HOOK set NAME | start|suspended|debug|native PROGRAM ACTION... | " \
              "many COUNT PROGRAM NAME | unix PROGRAM"
#define KEY L"Software\\RegckptHook\\Children"
#define MAX_CHILDREN 64
#define NOT_SO 110

static HKEY key_of_all(void)
{
    LONG error;
    HKEY key;

    if ((error = RegOpenKeyExW(HKEY_LOCAL_MACHINE, KEY, 0, KEY_ALL_ACCESS, &key)))
        testkey_die("RegOpenKeyEx", KEY, error);
    return key;
}

static int set(const WCHAR *name)
{
    LONG error = RegSetValueExW(key_of_all(), name, 0, REG_SZ, (const BYTE *)L"set", sizeof(L"set"));

    if (error) testkey_die("RegSetValueEx", name, error);
    return 0;
}

static void start(WCHAR *line, DWORD flags, PROCESS_INFORMATION *info)
{
    STARTUPINFOW startup = {.cb = sizeof(startup)};

    if (!CreateProcessW(NULL, line, NULL, NULL, FALSE, flags, NULL, NULL, &startup, info))
        testkey_die("CreateProcess", line, GetLastError());
}

static int end_of(HANDLE process)
{
    DWORD code = NOT_SO;

    WaitForSingleObject(process, INFINITE);
    GetExitCodeProcess(process, &code);
    return code;
}

/* "PROGRAM" - ACTION... */
static void command_line(WCHAR *line, size_t room, int argc, WCHAR *argv[])
{
    size_t len = swprintf(line, room, L"\"%ls\" -", argv[0]);

    for (int i = 1; i < argc; i++) len += swprintf(line + len, room - len, L" \"%ls\"", argv[i]);
}

static int run_suspended(WCHAR *line)
{
    PROCESS_INFORMATION info;
    DWORD count;

    start(line, CREATE_SUSPENDED, &info);
    if (WaitForSingleObject(info.hProcess, 0) != WAIT_TIMEOUT) return NOT_SO;
    count = SuspendThread(info.hThread); /* as deep as without the hook */
    if (count != 1 || ResumeThread(info.hThread) != 2) {
        fprintf(stderr, "suspended %u times\n", (unsigned)count);
        return NOT_SO;
    }
    if (ResumeThread(info.hThread) != 1) return NOT_SO;
    return end_of(info.hProcess);
}

static int run_debugged(WCHAR *line)
{
    PROCESS_INFORMATION info;
    DEBUG_EVENT event;
    DWORD answer;

    start(line, DEBUG_ONLY_THIS_PROCESS, &info);
    do {
        if (!WaitForDebugEvent(&event, 30000)) testkey_die("WaitForDebugEvent", line, GetLastError());
        answer = event.dwDebugEventCode == EXCEPTION_DEBUG_EVENT &&
                         event.u.Exception.ExceptionRecord.ExceptionCode != EXCEPTION_BREAKPOINT
                     ? DBG_EXCEPTION_NOT_HANDLED
                     : DBG_CONTINUE;
        ContinueDebugEvent(event.dwProcessId, event.dwThreadId, answer);
    } while (event.dwDebugEventCode != EXIT_PROCESS_DEBUG_EVENT);
    return end_of(info.hProcess);
}

/* NtCreateUserProcess as hardly a program calls it; the headers leave it out. */
typedef struct { ULONG_PTR attribute, size; const void *value; ULONG_PTR *returned; } native_attribute;
typedef struct { SIZE_T total; native_attribute image; } native_attributes;
#define ATTRIBUTE_IMAGE_NAME 0x20005
#define PARAMETERS_NORMALIZED 1
NTSTATUS NTAPI RtlCreateProcessParametersEx(void **, const UNICODE_STRING *, const UNICODE_STRING *,
                                            const UNICODE_STRING *, const UNICODE_STRING *, void *,
                                            const UNICODE_STRING *, const UNICODE_STRING *,
                                            const UNICODE_STRING *, const UNICODE_STRING *, ULONG);
NTSTATUS NTAPI NtCreateUserProcess(HANDLE *, HANDLE *, ACCESS_MASK, ACCESS_MASK, void *, void *, ULONG,
                                   ULONG, void *, void *, native_attributes *);

static int run_native(WCHAR *line, const WCHAR *program_path)
{
    static ULONG_PTR create_info[64]; /* PS_CREATE_INFO begins with its size */
    UNICODE_STRING command = testkey_string(line, wcslen(line)), image, dos;
    WCHAR path[500];
    native_attributes attributes = {sizeof(attributes), {ATTRIBUTE_IMAGE_NAME, 0, path, NULL}};
    HANDLE process, thread;
    NTSTATUS status;
    void *parameters;

    swprintf(path, ARRAYSIZE(path), L"\\??\\%ls", program_path);
    dos = testkey_string(program_path, wcslen(program_path));
    image = testkey_string(path, wcslen(path));
    attributes.image.size = image.Length;
    create_info[0] = sizeof(create_info);
    status = RtlCreateProcessParametersEx(&parameters, &dos, NULL, NULL, &command, NULL, NULL, NULL,
                                          NULL, NULL, PARAMETERS_NORMALIZED);
    if (!status)
        status = NtCreateUserProcess(&process, &thread, PROCESS_ALL_ACCESS, THREAD_ALL_ACCESS, NULL,
                                     NULL, 0, 0, parameters, create_info, &attributes);
    if (status) testkey_die("NtCreateUserProcess", path, status);
    return end_of(process);
}

static int run_many(unsigned count, const WCHAR *program_path, const WCHAR *name)
{
    PROCESS_INFORMATION info[MAX_CHILDREN];
    WCHAR line[1000];
    int code = 0;

    if (count > MAX_CHILDREN) usage_exit(USAGE);
    for (unsigned i = 0; i < count; i++) {
        swprintf(line, ARRAYSIZE(line), L"\"%ls\" - set %ls%u", program_path, name, i);
        start(line, 0, &info[i]);
    }
    for (unsigned i = 0; i < count; i++) code |= end_of(info[i].hProcess);
    return code;
}

/*
 * A program of Linux, right behind a child that waits.  Wine leaves the handles of the former as they
 * were on its stack, maybe those of the latter: nobody may take them for a process's.
 */
static int run_unix(const WCHAR *program_path)
{
    PROCESS_INFORMATION waiting, info;
    WCHAR self[MAX_PATH], line[1000];

    GetModuleFileNameW(NULL, self, ARRAYSIZE(self));
    swprintf(line, ARRAYSIZE(line), L"\"%ls\" - set Behind", self);
    start(line, CREATE_SUSPENDED, &waiting);
    swprintf(line, ARRAYSIZE(line), L"\"%ls\"", program_path);
    start(line, CREATE_SUSPENDED, &info);
    if (SuspendThread(waiting.hThread) != 1 || ResumeThread(waiting.hThread) != 2) {
        fprintf(stderr, "the waiting child was resumed\n");
        return NOT_SO;
    }
    ResumeThread(waiting.hThread);
    return end_of(waiting.hProcess);
}

static int program(int argc, WCHAR *argv[])
{
    const WCHAR *action = argc > 2 ? argv[2] : L"";
    PROCESS_INFORMATION info;
    WCHAR line[4000];

    if (argc == 4 && !wcscmp(argv[1], L"-") && !wcscmp(action, L"set")) return set(argv[3]);
    if (argc < 4) usage_exit(USAGE);
    if (wcscmp(argv[1], L"-") && !LoadLibraryW(argv[1]))
        testkey_die("LoadLibrary", argv[1], GetLastError());
    if (!wcscmp(action, L"set")) return set(argv[3]);
    if (!wcscmp(action, L"unix")) return run_unix(argv[3]);
    if (!wcscmp(action, L"many") && argc == 6)
        return run_many(wcstoul(argv[3], NULL, 10), argv[4], argv[5]);
    command_line(line, ARRAYSIZE(line), argc - 3, argv + 3);
    if (!wcscmp(action, L"suspended")) return run_suspended(line);
    if (!wcscmp(action, L"debug")) return run_debugged(line);
    if (!wcscmp(action, L"native")) return run_native(line, argv[3]);
    if (wcscmp(action, L"start")) usage_exit(USAGE);
    start(line, 0, &info);
    return end_of(info.hProcess);
}
