/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * unixwriter KEY NAME DATA: sets a value of HKLM\KEY from the Unix side, as win32u and other Unix
 * parts of Wine do: by ntdll.so's own functions, behind all that is hooked in ntdll.dll.  Winelib, but of
 * Windows' functions it calls none: the Unix side's are called as its compiler does, in Wine 10 as C's.
 */
#define WINE_UNIX_LIB
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <winternl.h>

#define ROOT "\\Registry\\Machine\\"

typedef NTSTATUS(WINAPI *create_key_fn)(HANDLE *, ACCESS_MASK, const OBJECT_ATTRIBUTES *, ULONG,
                                        const UNICODE_STRING *, ULONG, ULONG *);
typedef NTSTATUS(WINAPI *set_value_fn)(HANDLE, const UNICODE_STRING *, ULONG, ULONG, const void *, ULONG);

/* ASCII as a counted string in the room given, which is large enough. */
static UNICODE_STRING widen(const char *text, WCHAR *wide)
{
    UNICODE_STRING string = {.Buffer = wide};

    for (; *text; text++, string.Length += sizeof(WCHAR))
        *wide++ = (unsigned char)*text;
    *wide = 0;
    string.MaximumLength = string.Length + sizeof(WCHAR);
    return string;
}

int main(int argc, char **argv)
{
    void *ntdll = dlopen("ntdll.so", RTLD_NOW | RTLD_NOLOAD);
    create_key_fn create = ntdll ? (create_key_fn)dlsym(ntdll, "NtCreateKey") : NULL;
    set_value_fn set = ntdll ? (set_value_fn)dlsym(ntdll, "NtSetValueKey") : NULL;
    WCHAR path_room[300], name_room[64], data_room[64];
    UNICODE_STRING path, name, data;
    OBJECT_ATTRIBUTES attr;
    NTSTATUS status;
    char full[300];
    HANDLE key;

    if (argc != 4 || strlen(argv[1]) > 255 || strlen(argv[2]) > 63 || strlen(argv[3]) > 63)
        return 100;
    if (!create || !set) {
        fprintf(stderr, "unixwriter: no NtCreateKey or NtSetValueKey in ntdll.so: %s\n", dlerror());
        return 1;
    }
    snprintf(full, sizeof(full), ROOT "%s", argv[1]);
    path = widen(full, path_room);
    name = widen(argv[2], name_room);
    data = widen(argv[3], data_room);
    InitializeObjectAttributes(&attr, &path, OBJ_CASE_INSENSITIVE, 0, NULL);
    status = create(&key, KEY_ALL_ACCESS | KEY_WOW64_64KEY, &attr, 0, NULL, 0, NULL);
    if (!status) status = set(key, &name, 0, REG_SZ, data.Buffer, data.MaximumLength);
    if (status) fprintf(stderr, "unixwriter: status %#x\n", (unsigned)status);
    return status ? 3 : 0;
}
