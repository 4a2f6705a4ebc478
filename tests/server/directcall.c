/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * directcall KEY NAME DATA: sets a value of HKLM\KEY, 64-bit view, by a system call stub of its own:
 * no code of ntdll runs, and so no hook in it.  Then waits to be ended.  64-bit.
 */
#include "testprogram.h"

#define USAGE "directcall KEY NAME DATA"
#define STUB_BYTES 32
#define NEIGHBOURS 16 /* stubs: more are not hooked in a row */

typedef NTSTATUS(NTAPI *set_value_fn)(HANDLE, const UNICODE_STRING *, ULONG, ULONG, const void *, ULONG);

/* mov r10,rcx; mov eax,NUMBER: what a stub begins with that is not hooked. */
static BOOL is_plain(const BYTE *stub)
{
    return stub[0] == 0x4c && stub[1] == 0x8b && stub[2] == 0xd1 && stub[3] == 0xb8;
}

/* Copies a stub whose own may be hooked: a neighbour's, whose number is one less for each stub. */
static set_value_fn copy_stub(const BYTE *stub)
{
    BYTE *copy = VirtualAlloc(NULL, STUB_BYTES, MEM_COMMIT | MEM_RESERVE, PAGE_EXECUTE_READWRITE);

    for (int i = 0; copy && i < NEIGHBOURS; i++, stub -= STUB_BYTES)
        if (is_plain(stub)) {
            memcpy(copy, stub, STUB_BYTES);
            copy[4] += i;
            return (set_value_fn)(void *)copy;
        }
    return NULL;
}

static int program(int argc, WCHAR *argv[])
{
    const WCHAR *path, *name, *data;
    UNICODE_STRING value;
    set_value_fn set;
    NTSTATUS status;
    int at = 0;
    HKEY key;

    path = next_argument(argc, argv, &at, USAGE);
    name = next_argument(argc, argv, &at, USAGE);
    data = next_argument(argc, argv, &at, USAGE);
    set = copy_stub((const BYTE *)(void *)GetProcAddress(GetModuleHandleA("ntdll.dll"), "NtSetValueKey"));
    if (!set || RegCreateKeyExW(HKEY_LOCAL_MACHINE, path, 0, NULL, 0, KEY_ALL_ACCESS | KEY_WOW64_64KEY,
                                NULL, &key, NULL))
        return 1;
    RtlInitUnicodeString(&value, name);
    status = set(key, &value, 0, REG_SZ, data, (wcslen(data) + 1) * sizeof(WCHAR));
    if (status)
        return 2;
    Sleep(INFINITE);
    return 0;
}
