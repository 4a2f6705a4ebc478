/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What Windows test programs and tests share: reaching keys and values of any name, NUL included,
 * and where a key really is.  Static, for programs of one source file each.
 */
#ifndef REGCKPT_TESTKEY_H
#define REGCKPT_TESTKEY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>
#include <winternl.h>

#ifndef REGCKPT_USE_WINE_TEST_H /* Wine's winternl.h has them, mingw's leaves them out */
typedef int KEY_INFORMATION_CLASS;
NTSYSAPI NTSTATUS NTAPI NtOpenKeyEx(HANDLE *key, ACCESS_MASK access,
                                    const OBJECT_ATTRIBUTES *attributes, ULONG options);
NTSYSAPI NTSTATUS NTAPI NtCreateKey(HANDLE *key, ACCESS_MASK access,
                                    const OBJECT_ATTRIBUTES *attributes, ULONG title,
                                    const UNICODE_STRING *class, ULONG options, ULONG *disposition);
NTSYSAPI NTSTATUS NTAPI NtSetValueKey(HANDLE key, const UNICODE_STRING *name, ULONG title,
                                      ULONG type, const void *data, ULONG size);
NTSYSAPI NTSTATUS NTAPI NtQueryKey(HANDLE key, KEY_INFORMATION_CLASS class, void *info, ULONG size,
                                   ULONG *needed);
#endif

/* Memory or the end of the program. */
static inline void *testkey_alloc(void *old, size_t size)
{
    void *p = realloc(old, size ? size : 1);

    if (!p) {
        fprintf(stderr, "out of memory\n");
        exit(111);
    }
    return p;
}

/* Says which call failed on what, and ends the program with 111. */
static inline void testkey_die(const char *call, const WCHAR *what, DWORD error)
{
    fprintf(stderr, "%s %ls: error %u\n", call, what ? what : L"", (unsigned)error);
    exit(111);
}

/* Makes a counted string of any units. */
static inline UNICODE_STRING testkey_string(const WCHAR *units, size_t len)
{
    UNICODE_STRING s;

    s.Length = s.MaximumLength = (USHORT)(len * sizeof(WCHAR));
    s.Buffer = (WCHAR *)units;
    return s;
}

/* Opens a subkey by a name of any units; a symbolic link itself if link.  NULL: *status tells. */
static inline HKEY testkey_open(HKEY parent, const WCHAR *name, size_t len, REGSAM access, BOOL link,
                                NTSTATUS *status)
{
    UNICODE_STRING string = testkey_string(name, len);
    OBJECT_ATTRIBUTES attributes;
    HANDLE key = NULL;

    InitializeObjectAttributes(&attributes, &string, OBJ_CASE_INSENSITIVE, parent, NULL);
    if (link) attributes.Attributes |= OBJ_OPENLINK;
    *status = NtOpenKeyEx(&key, access, &attributes, link ? REG_OPTION_OPEN_LINK : 0);
    return *status ? NULL : (HKEY)key;
}

/* Where a handle's key really is, NUL-terminated, malloc'ed; NULL if it cannot be told. */
static inline WCHAR *testkey_real_path(HKEY key)
{
    struct { ULONG len; WCHAR name[1]; } *info; /* KEY_NAME_INFORMATION */
    ULONG needed = 0;
    WCHAR *path = NULL;

    NtQueryKey(key, (KEY_INFORMATION_CLASS)3, NULL, 0, &needed);
    if (!needed) return NULL;
    info = testkey_alloc(NULL, needed);
    if (!NtQueryKey(key, (KEY_INFORMATION_CLASS)3, info, needed, &needed)) {
        path = testkey_alloc(NULL, info->len + sizeof(WCHAR));
        memcpy(path, info->name, info->len);
        path[info->len / sizeof(WCHAR)] = 0;
    }
    free(info);
    return path;
}

#endif
