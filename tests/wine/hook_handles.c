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
#include "testprogram.h"

#define USAGE "hook_handles setup SCENARIO | run SCENARIO HOOK | child HOOK ACTION..."
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

/* --- scenarios --- */

/* A handle value goes from a registered key to another one, and back, again and again. */
static void reused(void)
{
    WCHAR name[20];
    HKEY at, first;

    hook();
    first = at = opened(key, L"Child");
    TRY(set(at, L"First"));
    for (int i = 0; i < MANY; i++) {
        swprintf(name, ARRAYSIZE(name), L"Round %d", i);
        RegCloseKey(at);
        at = opened_as(first, i % 2 ? key : other, i % 3 ? L"Child" : L"Second");
        if (set(at, name)) TRY(set(at, name));
    }
    RegCloseKey(at);
    at = opened_as(first, other, L"Child");
    TRY(set(at, L"Not here"));
    TRY(RegDeleteValueW(at, L"Deep"));
    CloseHandle((HANDLE)at);
    at = opened_as(first, key, L"Second");
    TRY(set(at, L"Here"));
    NtClose((HANDLE)at);
    at = opened_as(first, key, L"Child\\Grand");
    TRY(set(at, L"Here too"));
    TRY(RegCloseKey(at));
    TRY(RegCloseKey(at));
    TRY(set(at, L"On a closed handle"));
}

/* DuplicateHandle in the process: a copy, one that closes its source, one onto another key's value. */
static void duplicated(void)
{
    HANDLE process = GetCurrentProcess(), copy;
    HKEY at, elsewhere;

    hook();
    at = opened(key, L"Child");
    TRY(set(at, L"Before"));
    TRY(DuplicateHandle(process, (HANDLE)at, process, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS));
    TRY(set((HKEY)copy, L"By the copy"));
    RegCloseKey(at);
    TRY(set((HKEY)copy, L"By the copy alone"));
    elsewhere = opened_as(at, other, L"Child");
    TRY(set(elsewhere, L"Not here"));
    TRY(DuplicateHandle(process, (HANDLE)elsewhere, process, &copy, 0, FALSE,
                        DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE));
    at = opened(key, L"Second");
    TRY(at == elsewhere || copy == (HANDLE)elsewhere); /* the value is in use again */
    TRY(set(at, L"Here"));
    TRY(set((HKEY)copy, L"Not here either"));
    TRY(DuplicateHandle(process, copy, process, NULL, 0, FALSE, DUPLICATE_CLOSE_SOURCE));
    at = opened(key, L"Child\\Grand");
    TRY(set(at, L"Here too"));
    TRY(DuplicateHandle(process, (HANDLE)at, process, &copy, KEY_READ, FALSE, 0));
    TRY(set((HKEY)copy, L"Refused"));
}

/* A handle duplicated into another process, which did not open it. */
static void duplicated_out(void)
{
    HANDLE child, thread, theirs, ready = CreateEventW(NULL, TRUE, FALSE, L"regckpt hook_handles");
    HANDLE mapping = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 64,
                                        L"regckpt hook_handles value");
    ULONG *shared = MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, 64);
    HKEY at;

    hook();
    at = opened(key, L"Child");
    child = start_child(L"set-shared", FALSE, &thread);
    TRY(DuplicateHandle(GetCurrentProcess(), (HANDLE)at, child, &theirs, 0, FALSE,
                        DUPLICATE_SAME_ACCESS));
    *shared = HandleToUlong(theirs);
    SetEvent(ready);
    ResumeThread(thread);
    TRY(end_of(child));
    TRY(set(at, L"By the parent"));
}

/* A handle that the child inherits. */
static void inherited(void)
{
    WCHAR words[100];
    HKEY at;

    hook();
    at = opened(key, L"Child\\Grand");
    SetHandleInformation((HANDLE)at, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    swprintf(words, ARRAYSIZE(words), L"set-handle %lu", HandleToUlong(at));
    TRY(end_of(start_child(words, TRUE, NULL)));
    TRY(set(at, L"By the parent"));
}

/* Another process closes a handle of this one, and its value is used for another key. */
static void closed_by_other(void)
{
    WCHAR words[100];
    HKEY at, again, elsewhere;
    HANDLE copy;

    hook();
    at = opened(key, L"Child");
    TRY(set(at, L"Before"));
    swprintf(words, ARRAYSIZE(words), L"close-in %lu %lu", GetCurrentProcessId(), HandleToUlong(at));
    TRY(run_child(words));
    again = opened_as(at, other, L"Child");
    TRY(set(again, L"Not here"));
    swprintf(words, ARRAYSIZE(words), L"close-in %lu %lu", GetCurrentProcessId(), HandleToUlong(again));
    TRY(run_child(words));
    again = opened_as(at, key, L"Second");
    TRY(set(again, L"Here"));
    TRY(run_child(words));
    at = opened_as(again, other, L"Second");
    TRY(set(at, L"Not here"));
    elsewhere = opened(key, L"Child");
    TRY(run_child(words));
    TRY(DuplicateHandle(GetCurrentProcess(), (HANDLE)elsewhere, GetCurrentProcess(), &copy, 0, FALSE,
                        DUPLICATE_SAME_ACCESS));
    TRY(copy == (HANDLE)at);
    TRY(set((HKEY)copy, L"By the copy"));
}

/* The same the other way round, with a copy of a key in the old handle's place. */
static void swapped_by_other(void)
{
    HANDLE known = CreateEventW(NULL, TRUE, FALSE, L"regckpt hook_handles known");
    HANDLE ready = CreateEventW(NULL, TRUE, FALSE, L"regckpt hook_handles");
    HANDLE mapping = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 64,
                                        L"regckpt hook_handles value");
    ULONG *shared = MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, 64);
    HANDLE child, copy, theirs;
    WCHAR words[300];

    hook();
    swprintf(words, ARRAYSIZE(words), L"set-and-wait %ls", other_path);
    child = start_child(words, FALSE, NULL);
    if (WaitForSingleObject(known, 30000)) testkey_die("waiting for the child", words, 0);
    TRY(DuplicateHandle(child, ULongToHandle(*shared), GetCurrentProcess(), &copy, 0, FALSE,
                        DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE));
    TRY(DuplicateHandle(GetCurrentProcess(), (HANDLE)opened(key, L"Child"), child, &theirs, 0, FALSE,
                        DUPLICATE_SAME_ACCESS));
    TRY(HandleToUlong(theirs) == *shared);
    SetEvent(ready);
    TRY(end_of(child));
    TRY(set((HKEY)copy, L"Not here either"));
    TRY(set(key, L"By the parent"));
}

/* A key that is not registered gets the name of a registered one, and loses it. */
static void moved_in(void)
{
    HKEY at;

    hook();
    at = opened(other, L"Child\\Grand");
    TRY(set(at, L"Not here"));
    TRY(RegRenameKey(other, L"Child", L"Third"));
    TRY(set(at, L"Here"));
    TRY(RegRenameKey(other, L"Third", L"Third too"));
    TRY(set(at, L"Not here any more"));
    TRY(set(key, L"After"));
}

/*
 * The new name sorts behind all others: in Wine 8.0 a key that sorts directly behind the new name of
 * its sibling is lost, and the server damaged.
 */
static void renamed(void)
{
    HKEY at;

    hook();
    at = opened(key, L"Child");
    TRY(set(at, L"Before"));
    TRY(RegRenameKey(key, L"Child", L"Third"));
    TRY(set(at, L"After"));
    TRY(set(opened(key, L"Third\\Grand"), L"Opened after"));
}

static void renamed_above(void)
{
    HKEY at;

    hook();
    at = opened(key, L"Child\\Grand");
    TRY(set(at, L"Before"));
    TRY(RegRenameKey(key, L"Child", L"Third"));
    TRY(set(at, L"After"));
}

static void renamed_by_other(void)
{
    WCHAR words[300];
    HKEY at, second;

    hook();
    at = opened(key, L"Child\\Grand");
    second = opened(key, L"Second");
    TRY(set(at, L"Before"));
    TRY(set(second, L"Before"));
    swprintf(words, ARRAYSIZE(words), L"rename %ls Child Third", key_path);
    TRY(run_child(words));
    TRY(set(at, L"After"));
    TRY(set(second, L"After"));
}

/* A key is deleted and made again while handles to the old one are open. */
static void deleted(void)
{
    HKEY stale, at;

    hook();
    stale = opened(key, L"Second");
    at = opened(key, L"Second");
    TRY(set(stale, L"Before"));
    TRY(NtDeleteKey((HANDLE)at));
    TRY(set(stale, L"On the deleted key"));
    at = created(key, L"Second");
    TRY(set(at, L"In the new key"));
    TRY(set(stale, L"Still on the deleted key"));
    TRY(RegDeleteValueW(stale, L"In the new key"));
    TRY(NtDeleteKey((HANDLE)stale));
    TRY(set(at, L"It is still there"));
    TRY(RegDeleteKeyW(key, L"Second"));
    TRY(RegDeleteKeyW(key, L"Second"));
    TRY(NtDeleteKey((HANDLE)at));
    TRY(RegDeleteKeyW(key, L"Child"));
    TRY(RegDeleteTreeW(key, L"Child"));
    TRY(NtDeleteKey((HANDLE)key));
    TRY(set(key, L"On the deleted root"));
}

/* HKEY_CURRENT_USER and HKEY_LOCAL_MACHINE stand for other keys. */
static void predefined(void)
{
    HKEY at;

    hook();
    TRY(RegOverridePredefKey(HKEY_CURRENT_USER, key));
    TRY(set(HKEY_CURRENT_USER, L"By HKCU"));
    TRY(RegCreateKeyW(HKEY_CURRENT_USER, L"New", &at));
    TRY(set(at, L"Below HKCU"));
    TRY(RegOverridePredefKey(HKEY_CURRENT_USER, other));
    TRY(set(HKEY_CURRENT_USER, L"Not here"));
    TRY(RegOverridePredefKey(HKEY_CURRENT_USER, NULL));
    TRY(RegOverridePredefKey(HKEY_LOCAL_MACHINE, opened(key, L"Child")));
    TRY(RegSetKeyValueW(HKEY_LOCAL_MACHINE, L"Grand", L"By HKLM", REG_SZ, L"set", sizeof(L"set")));
    TRY(RegOverridePredefKey(HKEY_LOCAL_MACHINE, NULL));
}

/* Keys that were opened, and duplicated, before the hook came. */
static void before(void)
{
    HKEY at = opened(HKEY_LOCAL_MACHINE, key_path), child = opened(at, L"Child");
    HKEY elsewhere = opened(HKEY_LOCAL_MACHINE, other_path);
    HANDLE copy;

    DuplicateHandle(GetCurrentProcess(), (HANDLE)child, GetCurrentProcess(), &copy, 0, FALSE,
                    DUPLICATE_SAME_ACCESS);
    hook();
    TRY(set(at, L"By the old handle"));
    TRY(set((HKEY)copy, L"By the old copy"));
    TRY(set(elsewhere, L"Not here"));
    TRY(RegDeleteValueW(child, L"Deep"));
    TRY(NtDeleteKey((HANDLE)opened(at, L"Second")));
    TRY(RegSetKeyValueW(child, L"Grand", L"Below the old handle", REG_SZ, L"set", sizeof(L"set")));
    TRY(set(created(elsewhere, L"New"), L"Not here either"));
}

/* HKEY_CLASSES_ROOT, whose keys are in two places; says where this one is. */
static void classes(void)
{
    HKEY at;

    hook();
    at = created(HKEY_CLASSES_ROOT, L"RegckptHook");
    printf("real path %ls\n", testkey_real_path(at));
    TRY(set(at, L"By HKCR"));
    TRY(set(created(at, L"shell\\open\\command"), NULL));
    TRY(RegDeleteTreeW(HKEY_CLASSES_ROOT, L"RegckptHook\\shell\\open"));
}

/* Through a link to a registered key, from outside and from inside; the link itself is made here. */
static void links(void)
{
    HKEY link, child = opened(HKEY_LOCAL_MACHINE, key_path);
    WCHAR *target;

    hook();
    child = opened(key, L"Child");
    target = testkey_real_path(child);
    TRY(RegCreateKeyExW(key, L"Link", 0, NULL, REG_OPTION_CREATE_LINK, KEY_ALL_ACCESS, NULL, &link, NULL));
    TRY(RegSetValueExW(link, L"SymbolicLinkValue", 0, REG_LINK, (BYTE *)target, 2 * wcslen(target)));
    TRY(RegCreateKeyExW(other, L"Link", 0, NULL, REG_OPTION_CREATE_LINK, KEY_ALL_ACCESS, NULL, &link,
                        NULL));
    TRY(RegSetValueExW(link, L"SymbolicLinkValue", 0, REG_LINK, (BYTE *)target, 2 * wcslen(target)));
    TRY(set(opened(key, L"Link"), L"By the inner link"));
    TRY(set(opened(other, L"Link"), L"By the outer link"));
    TRY(set(opened(other, L"Link\\Grand"), L"Below the outer link"));
    TRY(set(created(other, L"Link\\New"), L"In a key made through it"));
    TRY(RegDeleteKeyW(other, L"Link\\New"));
    link = testkey_open(other, L"Link", 4, KEY_ALL_ACCESS, TRUE, &(NTSTATUS){0});
    TRY(NtDeleteKey((HANDLE)link));
}

static void volatiles(void)
{
    HKEY at, below;

    hook();
    TRY(RegCreateKeyExW(key, L"Volatile", 0, NULL, REG_OPTION_VOLATILE, KEY_ALL_ACCESS, NULL, &at, NULL));
    TRY(set(at, L"In it"));
    TRY(RegCreateKeyExW(at, L"Below", 0, NULL, 0, KEY_ALL_ACCESS, NULL, &below, NULL));
    TRY(RegCreateKeyExW(at, L"Below", 0, NULL, REG_OPTION_VOLATILE, KEY_ALL_ACCESS, NULL, &below, NULL));
    TRY(set(below, L"Below it"));
    TRY(RegCreateKeyExW(key, L"Second", 0, NULL, REG_OPTION_VOLATILE, KEY_ALL_ACCESS, NULL, &at, NULL));
    TRY(set(at, L"In one that was there"));
}

static void views(void)
{
    HKEY at64, at32;
    WCHAR path[300];

    hook();
    TRY(RegOpenKeyExW(HKEY_LOCAL_MACHINE, key_path, 0, KEY_ALL_ACCESS | KEY_WOW64_64KEY, &at64));
    TRY(RegOpenKeyExW(HKEY_LOCAL_MACHINE, key_path, 0, KEY_ALL_ACCESS | KEY_WOW64_32KEY, &at32));
    TRY(set(at64, L"64"));
    TRY(set(at32, L"32"));
    TRY(RegDeleteKeyExW(at64, L"Second", KEY_WOW64_64KEY, 0));
    TRY(set(created(at32, L"New"), L"Below 32"));
    swprintf(path, ARRAYSIZE(path), L"Software\\Wow6432Node%ls", key_path + wcslen(L"Software"));
    TRY(set(opened(HKEY_LOCAL_MACHINE, path), L"By the physical path"));
}

/* Names and data that nobody writes, but that can be. */
static void odd(void)
{
    static const WCHAR high[] = {'h', 0xd800, 'x'}, both[] = {0xd83d, 0xde00}, tab[] = L"a\tb\nc";
    static const BYTE bytes[5] = {1, 0, 2, 0, 3};
    UNICODE_STRING name = testkey_string(L"K\0ey", 4);
    OBJECT_ATTRIBUTES attributes;
    HANDLE made;

    hook();
    TRY(RegSetValueExW(key, NULL, 0, REG_SZ, (const BYTE *)L"none", 10));
    TRY(RegSetValueExW(key, L"", 0, REG_SZ, (const BYTE *)L"empty", 12));
    TRY(set_bytes(key, L"Nul\0inside", 10, bytes, 5));
    TRY(set_bytes(key, L"Nul\0", 4, bytes, 5));
    TRY(set_bytes(key, high, 3, bytes, 5));
    TRY(set_bytes(key, both, 2, bytes, 5));
    TRY(set_bytes(key, tab, 5, bytes, 5));
    TRY(set_bytes(key, L"With\\backslash", 14, bytes, 5));
    TRY(RegSetValueExW(key, L"No data", 0, REG_BINARY, NULL, 0));
    TRY(RegSetValueExW(key, L"Odd type", 0, 0x12345678, bytes, 5));
    TRY(RegSetValueExW(key, L"No NUL", 0, REG_SZ, (const BYTE *)L"abc", 6));
    TRY(RegSetValueExW(key, L"Odd length", 0, REG_SZ, (const BYTE *)L"abc", 5));
    TRY(RegSetValueExW(key, L"TEXT", 0, REG_SZ, (const BYTE *)L"other case", 22));
    TRY(RegDeleteValueW(key, L"tExT"));
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, (HANDLE)key, NULL);
    TRY(NtCreateKey(&made, KEY_ALL_ACCESS, &attributes, 0, NULL, 0, NULL));
    TRY(set((HKEY)made, L"In a key with NUL"));
    TRY(set(opened(key, L"CHILD\\gRAND"), L"By another case"));
    TRY(set(created(key, L"\x00c4rger \x0131\x0130"), L"Not ASCII"));
    TRY(RegDeleteValueW(key, NULL));
    TRY(RegDeleteValueW(key, L""));
}

/* Data that is too large for a lane; what comes after it. */
static void big(void)
{
    static BYTE data[300000];

    hook();
    TRY(RegSetValueExW(key, L"Big", 0, REG_BINARY, data, sizeof(data)));
    TRY(set(key, L"After"));
    TRY(RegDeleteValueW(key, L"Big"));
}

/* More changes than a lane holds, read by nobody. */
static void full(void)
{
    WCHAR name[20];

    hook();
    for (int i = 0; i < MANY; i++) {
        swprintf(name, ARRAYSIZE(name), L"Value %d", i);
        if (set(key, name)) TRY(set(key, name));
    }
    TRY(set(key, L"Last"));
}

/* A class for a key that is there overwrites the one it had. */
static void class(void)
{
    DWORD disposition;
    WCHAR text[50];
    DWORD len;
    HKEY at;

    hook();
    TRY(RegCreateKeyExW(key, L"Child", 0, (WCHAR *)L"One", 0, KEY_ALL_ACCESS, NULL, &at, &disposition));
    TRY(disposition);
    TRY(RegCreateKeyExW(key, L"Child", 0, (WCHAR *)L"Two", 0, KEY_READ, NULL, &at, NULL));
    TRY(RegCreateKeyExW(key, L"Child", 0, NULL, 0, KEY_READ, NULL, &at, NULL));
    TRY(RegCreateKeyExW(key, L"Child", 0, (WCHAR *)L"", 0, KEY_READ, NULL, &at, NULL));
    len = ARRAYSIZE(text);
    TRY(RegQueryInfoKeyW(at, text, &len, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    printf("class of %lu: %ls\n", len, text);
    TRY(RegCreateKeyExW(key, L"New", 0, (WCHAR *)L"Three", 0, KEY_ALL_ACCESS, NULL, &at, &disposition));
    TRY(disposition);
}

/* What fails must fail the same way, and report nothing. */
static void errors(void)
{
    static WCHAR long_name[70000];
    UNICODE_STRING string = testkey_string(L"Text", 4);
    OBJECT_ATTRIBUTES attributes;
    ULONG needed = POISON;
    BYTE info[16];
    HKEY readable, at = (HKEY)(ULONG_PTR)POISON;
    HANDLE made = (HANDLE)(ULONG_PTR)POISON;

    hook();
    for (unsigned i = 0; i < ARRAYSIZE(long_name) - 1; i++) long_name[i] = 'x';
    RegOpenKeyExW(key, NULL, 0, KEY_READ, &readable);
    TRY(set(readable, L"Refused"));
    TRY(RegDeleteValueW(readable, L"Text"));
    TRY(NtDeleteKey((HANDLE)readable));
    TRY(set((HKEY)(ULONG_PTR)0x7ffc, L"No such handle"));
    TRY(set(NULL, L"No handle"));
    TRY(set((HKEY)GetCurrentProcess(), L"Not a key"));
    TRY(set((HKEY)CreateEventW(NULL, TRUE, FALSE, NULL), L"An event"));
    TRY(RegDeleteValueW(key, L"No such value"));
    TRY(RegDeleteKeyW(key, L"No such key"));
    TRY(RegDeleteKeyW(key, L"Child"));
    TRY(RegOpenKeyExW(key, L"No such key", 0, KEY_READ, &at));
    printf("handle %lx\n", (unsigned long)HandleToUlong(at));
    TRY(RegCreateKeyExW(key, long_name, 0, NULL, 0, KEY_READ, NULL, &at, NULL));
    TRY(RegSetValueExW(key, long_name, 0, REG_SZ, NULL, 0));
    TRY(RegSetValueExW(key, L"No data", 0, REG_BINARY, NULL, 8));
    TRY(RegRenameKey(key, L"Child", L"Second"));
    TRY(RegRenameKey(key, L"No such key", L"New"));
    TRY(NtQueryValueKey((HANDLE)key, &string, 2, info, 2, &needed));
    printf("needed %lu\n", (unsigned long)needed);
    string.Length = 3;
    TRY(NtSetValueKey((HANDLE)key, &string, 0, REG_SZ, L"x", 4));
    TRY(NtDeleteValueKey((HANDLE)key, &string));
    InitializeObjectAttributes(&attributes, &string, 0, (HANDLE)key, NULL);
    TRY(NtCreateKey(&made, KEY_ALL_ACCESS, &attributes, 0, NULL, 0, &needed));
    attributes.Length = 1;
    TRY(NtCreateKey(&made, KEY_ALL_ACCESS, &attributes, 0, NULL, 0, &needed));
    string = testkey_string(L"No\\Such\\Path", 12);
    InitializeObjectAttributes(&attributes, &string, OBJ_CASE_INSENSITIVE, (HANDLE)key, NULL);
    TRY(NtCreateKey(&made, KEY_ALL_ACCESS, &attributes, 0, NULL, 0, &needed));
    printf("handle %lx, disposition %lu\n", (unsigned long)HandleToUlong(made), (unsigned long)needed);
    TRY(NtCreateKey(NULL, KEY_ALL_ACCESS, &attributes, 0, NULL, 0, NULL));
    TRY(NtDeleteKey(NULL));
    TRY(NtClose((HANDLE)(ULONG_PTR)0x7ffc));
    TRY(set(key, L"And one that is right"));
}

/* A load or unload that fails may have done half of it. */
static void failed_loads(void)
{
    hook();
    TRY(RegLoadKeyW(key, L"New", L"C:\\no such file"));
    TRY(RegUnLoadKeyW(key, L"No such key"));
    TRY(set(key, L"After"));
}

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
