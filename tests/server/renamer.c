/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * renamer KEY FROM TO: renames HKLM\KEY\FROM, 64-bit view.
 */
#include "testprogram.h"

#define USAGE "renamer KEY FROM TO"

NTSTATUS NTAPI NtRenameKey(HANDLE key, UNICODE_STRING *name);

static int program(int argc, WCHAR *argv[])
{
    const WCHAR *path, *from, *to;
    UNICODE_STRING name;
    HKEY parent, key;
    int at = 0;

    path = next_argument(argc, argv, &at, USAGE);
    from = next_argument(argc, argv, &at, USAGE);
    to = next_argument(argc, argv, &at, USAGE);
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_ALL_ACCESS | KEY_WOW64_64KEY, &parent) ||
        RegOpenKeyExW(parent, from, 0, KEY_ALL_ACCESS, &key))
        return 1;
    RtlInitUnicodeString(&name, to);
    return NtRenameKey(key, &name) ? 2 : 0;
}
