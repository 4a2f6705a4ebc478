/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * unixwriter KEY NAME DATA: sets a value of HKLM\KEY from the Unix side, as win32u and other Unix
 * parts of Wine do: by ntdll.so's own NtSetValueKey, behind all that is hooked in ntdll.dll.  Winelib.
 */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <winternl.h>

typedef NTSTATUS(WINAPI *set_value_fn)(HANDLE, const UNICODE_STRING *, ULONG, ULONG, const void *, ULONG);

static USHORT widen(const char *text, WCHAR *wide)
{
    USHORT len = 0;

    while ((wide[len] = (unsigned char)text[len]))
        len++;
    return len;
}

int main(int argc, char **argv)
{
    void *ntdll = dlopen("ntdll.so", RTLD_NOW | RTLD_NOLOAD);
    set_value_fn set = ntdll ? (set_value_fn)dlsym(ntdll, "NtSetValueKey") : NULL;
    WCHAR path[256], name[64], data[64];
    UNICODE_STRING value;
    NTSTATUS status;
    USHORT len;
    HKEY key;

    if (argc != 4 || strlen(argv[1]) > 255 || strlen(argv[2]) > 63 || strlen(argv[3]) > 63)
        return 100;
    if (!set) {
        fprintf(stderr, "unixwriter: no NtSetValueKey in ntdll.so: %s\n", dlerror());
        return 1;
    }
    widen(argv[1], path);
    len = widen(argv[2], name);
    if (RegCreateKeyExW(HKEY_LOCAL_MACHINE, path, 0, NULL, 0, KEY_ALL_ACCESS | KEY_WOW64_64KEY, NULL,
                        &key, NULL))
        return 2;
    value.Buffer = name;
    value.Length = value.MaximumLength = len * sizeof(WCHAR);
    len = widen(argv[3], data);
    status = set(key, &value, 0, REG_SZ, data, (len + 1) * sizeof(WCHAR));
    if (status)
        fprintf(stderr, "unixwriter: status %#x\n", (unsigned)status);
    RegCloseKey(key);
    return status ? 3 : 0;
}
