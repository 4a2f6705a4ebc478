/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * flusher KEY NAME DATA: sets a value of HKLM\KEY, 64-bit view, and flushes the key.
 */
#include "testprogram.h"

#define USAGE "flusher KEY NAME DATA"

static int program(int argc, WCHAR *argv[])
{
    const WCHAR *path, *name, *data;
    int at = 0;
    HKEY key;

    path = next_argument(argc, argv, &at, USAGE);
    name = next_argument(argc, argv, &at, USAGE);
    data = next_argument(argc, argv, &at, USAGE);
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_ALL_ACCESS | KEY_WOW64_64KEY, &key) ||
        RegSetValueExW(key, name, 0, REG_SZ, (const BYTE *)data, (wcslen(data) + 1) * sizeof(WCHAR)))
        return 1;
    return RegFlushKey(key) ? 2 : 0;
}
