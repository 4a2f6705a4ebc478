/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scenarios of hook_handles.c about what is done to keys and values, and by which way. */
#ifndef REGCKPT_HANDLECASES_CONTENT_H
#define REGCKPT_HANDLECASES_CONTENT_H

#include "handlecase.h"

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

#endif
