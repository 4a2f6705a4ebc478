/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hook_handles: what can make the hook take one key for another, one scenario a run, for
 * test_hook_handles.sh.
 *
 *   hook_handles setup SCENARIO       makes the keys anew
 *   hook_handles run SCENARIO HOOK    HOOK is the DLL's Windows path, "-" for none
 *   hook_handles child HOOK ACTION... what a scenario starts itself as
 *
 * The keys are HKLM\Software\RegckptHook\Handles\SCENARIO (registered) and
 * HKLM\Software\RegckptOther\Handles\SCENARIO (not), each with
 *   Text "text", Child (Deep "deep"), Child\Grand (Low "low"), Second (Two "two")
 * Each call is printed with its result and the last error, which must be the same without the hook.
 *
 * Exit code: 0, 100 usage, 111 anything refused that no scenario is about.
 */
#include "handlecases_content.h"
#include "handlecases_names.h"

#define USAGE "hook_handles setup SCENARIO | run SCENARIO HOOK | child HOOK ACTION..."
static const struct {
    const WCHAR *name;
    void (*run)(void);
} scenarios[] = {
    {L"reused", reused},
    {L"duplicated", duplicated},
    {L"duplicated_out", duplicated_out},
    {L"inherited", inherited},
    {L"closed_by_other", closed_by_other},
    {L"swapped_by_other", swapped_by_other},
    {L"renamed", renamed},
    {L"renamed_above", renamed_above},
    {L"renamed_by_other", renamed_by_other},
    {L"moved_in", moved_in},
    {L"deleted", deleted},
    {L"predefined", predefined},
    {L"before", before},
    {L"classes", classes},
    {L"links", links},
    {L"volatiles", volatiles},
    {L"views", views},
    {L"odd", odd},
    {L"big", big},
    {L"full", full},
    {L"class", class},
    {L"errors", errors},
    {L"failed_loads", failed_loads},
};

/* --- the program --- */

static void set_text(HKEY at, const WCHAR *name, const WCHAR *text)
{
    RegSetValueExW(at, name, 0, REG_SZ, (const BYTE *)text, 2 * wcslen(text) + 2);
    RegCloseKey(at);
}

static void set_up(const WCHAR *path, REGSAM view)
{
    HKEY at;

    if (!RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_ALL_ACCESS | view, &at)) {
        NTSTATUS status;
        HKEY link = testkey_open(at, L"Link", 4, KEY_ALL_ACCESS, TRUE, &status);
        if (link) NtDeleteKey((HANDLE)link);
        RegDeleteTreeW(at, NULL);
        NtDeleteKey((HANDLE)at);
    }
    if (RegCreateKeyExW(HKEY_LOCAL_MACHINE, path, 0, NULL, 0, KEY_ALL_ACCESS | view, NULL, &at, NULL))
        testkey_die("RegCreateKeyEx", path, GetLastError());
    set_text(created(at, L"Child\\Grand"), L"Low", L"low");
    set_text(created(at, L"Child"), L"Deep", L"deep");
    set_text(created(at, L"Second"), L"Two", L"two");
    set_text(at, L"Text", L"text");
}

static void allow(const WCHAR *privilege)
{
    TOKEN_PRIVILEGES p = {.PrivilegeCount = 1};
    HANDLE token;

    p.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &token) ||
        !LookupPrivilegeValueW(NULL, privilege, &p.Privileges[0].Luid) ||
        !AdjustTokenPrivileges(token, FALSE, &p, 0, NULL, NULL))
        testkey_die("AdjustTokenPrivileges", privilege, GetLastError());
    CloseHandle(token);
}

/* What another process does for a scenario. */
static int be_child(int argc, WCHAR *argv[])
{
    const WCHAR *action = argc > 3 ? argv[3] : L"";

    if (wcscmp(argv[2], L"-") && !LoadLibraryW(argv[2]))
        testkey_die("LoadLibrary", argv[2], GetLastError());
    if (!wcscmp(action, L"set-handle") && argc == 5)
        return set((HKEY)ULongToHandle(wcstoul(argv[4], NULL, 10)), L"By the child");
    if (!wcscmp(action, L"set-shared") && argc == 4) {
        HANDLE ready = OpenEventW(SYNCHRONIZE, FALSE, L"regckpt hook_handles");
        HANDLE mapping = OpenFileMappingW(FILE_MAP_READ, FALSE, L"regckpt hook_handles value");
        ULONG *shared = MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, 64);
        if (!shared || WaitForSingleObject(ready, 30000)) return 111;
        return set((HKEY)ULongToHandle(*shared), L"By the other process");
    }
    if (!wcscmp(action, L"set-and-wait") && argc == 5) {
        HANDLE known = OpenEventW(EVENT_MODIFY_STATE, FALSE, L"regckpt hook_handles known");
        HANDLE ready = OpenEventW(SYNCHRONIZE, FALSE, L"regckpt hook_handles");
        HANDLE mapping = OpenFileMappingW(FILE_MAP_WRITE, FALSE, L"regckpt hook_handles value");
        ULONG *shared = MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, 64);
        HKEY at = opened(HKEY_LOCAL_MACHINE, argv[4]);
        if (!shared || set(at, L"Not here")) return 111;
        *shared = HandleToUlong(at);
        SetEvent(known);
        if (WaitForSingleObject(ready, 30000)) return 111;
        return set(at, L"By the other process");
    }
    if (!wcscmp(action, L"close-in") && argc == 6) {
        HANDLE process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, wcstoul(argv[4], NULL, 10)), copy;
        return !DuplicateHandle(process, ULongToHandle(wcstoul(argv[5], NULL, 10)), GetCurrentProcess(),
                                &copy, 0, FALSE, DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE);
    }
    if (!wcscmp(action, L"rename") && argc == 7)
        return RegRenameKey(opened(HKEY_LOCAL_MACHINE, argv[4]), argv[5], argv[6]);
    usage_exit(USAGE);
    return 0;
}

static int program(int argc, WCHAR *argv[])
{
    unsigned i = 0;

    setvbuf(stdout, NULL, _IONBF, 0);
    if (argc >= 4 && !wcscmp(argv[1], L"child")) return be_child(argc, argv);
    if (argc < 3) usage_exit(USAGE);
    scenario = argv[2];
    while (i < ARRAYSIZE(scenarios) && wcscmp(scenarios[i].name, scenario)) i++;
    if (i == ARRAYSIZE(scenarios)) usage_exit(USAGE);
    swprintf(key_path, ARRAYSIZE(key_path), L"Software\\RegckptHook\\Handles\\%ls", scenario);
    swprintf(other_path, ARRAYSIZE(other_path), L"Software\\RegckptOther\\Handles\\%ls", scenario);

    if (argc == 3 && !wcscmp(argv[1], L"setup")) {
        RegDeleteTreeW(HKEY_CLASSES_ROOT, L"RegckptHook");
        set_up(key_path, KEY_WOW64_64KEY);
        set_up(key_path, KEY_WOW64_32KEY);
        set_up(other_path, 0);
        return 0;
    }
    if (argc != 4 || wcscmp(argv[1], L"run")) usage_exit(USAGE);
    hook_path = argv[3];
    allow(L"SeRestorePrivilege");
    scenarios[i].run();
    printf("done\n");
    return 0;
}
