/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hook_durable: writes whose results are printed as they come, for test_hook_durable.sh.
 *
 *   hook_durable HOOK sets COUNT        sets V0, V1, ... : "V0 RESULT" behind each
 *   hook_durable HOOK others            sets V0, then one of each other change: "NAME RESULT"
 *   hook_durable HOOK flush             sets V0, flushes: "V0 RESULT", "flush RESULT"
 *   hook_durable HOOK gone COUNT HOW    sets so many, and ends at once by "exit" or "terminate"
 *   hook_durable HOOK suspend COUNT     a thread that writes is suspended again and again, and at last
 *                                       terminated, while three others each set COUNT values
 *
 * All below HKLM\Software\RegckptHook\Durable, which is there, with a subkey Old and a value Old.
 *
 * Exit code: 0, 100 usage, 110 a thread's write failed, 111 anything else refused.
 */
#include "testprogram.h"

#define USAGE "hook_durable HOOK sets COUNT | others | flush | gone COUNT exit|terminate | suspend COUNT"
#define KEY L"Software\\RegckptHook\\Durable"
#define THREADS 3
#define NOT_SO 110

static HKEY key;

static LONG set(HKEY at, const WCHAR *name)
{
    return RegSetValueExW(at, name, 0, REG_SZ, (const BYTE *)L"set", sizeof(L"set"));
}

static LONG set_number(HKEY at, const WCHAR *prefix, unsigned number)
{
    WCHAR name[40];

    swprintf(name, ARRAYSIZE(name), L"%ls%u", prefix, number);
    return set(at, name);
}

static void run_others(void)
{
    HKEY made = NULL;
    LONG result;

    printf("V0 %ld\n", (long)set_number(key, L"V", 0));
    result = RegCreateKeyExW(key, L"New", 0, NULL, 0, KEY_READ, NULL, &made, NULL);
    printf("create %ld\n", (long)result);
    printf("delete-value %ld\n", (long)RegDeleteValueW(key, L"Old"));
    printf("delete-key %ld\n", (long)RegDeleteKeyW(key, L"Old"));
    printf("rename %ld\n", (long)RegRenameKey(key, L"Name", L"Other"));
    printf("open %ld\n", (long)RegOpenKeyExW(key, L"Name", 0, KEY_READ, &made));
    printf("read %ld\n", (long)RegQueryValueExW(key, NULL, NULL, NULL, NULL, NULL));
}

/* --- threads --- */

static volatile LONG writing = 1;
static unsigned wanted;

/* Writes until it is stopped by force. */
static DWORD WINAPI victim(void *unused)
{
    (void)unused;
    for (unsigned i = 0; writing; i++)
        if (set_number(key, L"Victim", i % 8)) return NOT_SO;
    return 0;
}

/* Writes to the victim's own key, so through its lane. */
static DWORD WINAPI writer(void *prefix)
{
    for (unsigned i = 0; i < wanted; i++)
        if (set_number(key, prefix, i)) return NOT_SO;
    return 0;
}

static int run_suspend(void)
{
    static const WCHAR *const prefixes[THREADS] = {L"A", L"B", L"C"};
    HANDLE threads[THREADS], hurt = CreateThread(NULL, 0, victim, NULL, 0, NULL);
    DWORD code = 0, one;

    for (int i = 0; i < THREADS; i++)
        threads[i] = CreateThread(NULL, 0, writer, (void *)prefixes[i], 0, NULL);
    do {
        SuspendThread(hurt);
        if (set(key, L"While it sleeps")) code = NOT_SO;
        ResumeThread(hurt);
    } while (WaitForMultipleObjects(THREADS, threads, TRUE, 1) == WAIT_TIMEOUT);
    for (int i = 0; i < THREADS; i++) {
        GetExitCodeThread(threads[i], &one);
        code |= one;
    }
    TerminateThread(hurt, 0);
    WaitForSingleObject(hurt, INFINITE);
    if (set(key, L"After its end")) code = NOT_SO;
    return code;
}

static int program(int argc, WCHAR *argv[])
{
    const WCHAR *action = argc > 2 ? argv[2] : L"";
    LONG error;

    setvbuf(stdout, NULL, _IONBF, 0);
    if (argc < 3) usage_exit(USAGE);
    if (wcscmp(argv[1], L"-") && !LoadLibraryW(argv[1]))
        testkey_die("LoadLibrary", argv[1], GetLastError());
    if ((error = RegOpenKeyExW(HKEY_LOCAL_MACHINE, KEY, 0, KEY_ALL_ACCESS, &key)))
        testkey_die("RegOpenKeyEx", KEY, error);
    if (argc > 3) wanted = wcstoul(argv[3], NULL, 10);

    if (!wcscmp(action, L"sets") || !wcscmp(action, L"flush")) {
        for (unsigned i = 0; i < (argc > 3 ? wanted : 1); i++)
            printf("V%u %ld\n", i, (long)set_number(key, L"V", i));
        if (!wcscmp(action, L"flush")) printf("flush %ld\n", (long)RegFlushKey(key));
    } else if (!wcscmp(action, L"others")) {
        run_others();
    } else if (!wcscmp(action, L"gone") && argc == 5) {
        for (unsigned i = 0; i < wanted; i++)
            if (set_number(key, L"Gone", i)) return NOT_SO;
        if (!wcscmp(argv[4], L"terminate")) TerminateProcess(GetCurrentProcess(), 0);
        ExitProcess(0);
    } else if (!wcscmp(action, L"suspend")) {
        return run_suspend();
    } else {
        usage_exit(USAGE);
    }
    return 0;
}
