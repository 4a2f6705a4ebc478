/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * keepwriting KEY COUNT FILE: sets values below HKLM\KEY, 64-bit view, until FILE is there: each once, vN
 * of the subkey N % COUNT to the text N.  A change that somebody misses is not made up for by a later one.
 */
#include "testprogram.h"

#define USAGE "keepwriting KEY COUNT FILE"
#define MOST_KEYS 16
#define AT_ONCE 10 /* then it lets others run */

static int program(int argc, WCHAR *argv[])
{
    const WCHAR *path, *file;
    HKEY keys[MOST_KEYS];
    unsigned count;
    int at = 0;

    path = next_argument(argc, argv, &at, USAGE);
    count = next_number(argc, argv, &at, USAGE);
    file = next_argument(argc, argv, &at, USAGE);
    if (!count || count > MOST_KEYS) usage_exit(USAGE);
    for (unsigned i = 0; i < count; i++) {
        WCHAR name[MAX_PATH];
        LONG error;

        swprintf(name, ARRAYSIZE(name), L"%ls\\%u", path, i);
        error = RegCreateKeyExW(HKEY_LOCAL_MACHINE, name, 0, NULL, 0,
                                KEY_ALL_ACCESS | KEY_WOW64_64KEY, NULL, &keys[i], NULL);
        if (error) testkey_die("RegCreateKeyEx", name, error);
    }
    for (DWORD n = 0; n % AT_ONCE || GetFileAttributesW(file) == INVALID_FILE_ATTRIBUTES; n++) {
        WCHAR name[16];
        LONG error;

        swprintf(name, ARRAYSIZE(name), L"v%u", (unsigned)n);
        error = RegSetValueExW(keys[n % count], name, 0, REG_SZ, (const BYTE *)(name + 1),
                               wcslen(name) * sizeof(WCHAR));
        if (error) testkey_die("RegSetValueEx", name, error);
        if (n % AT_ONCE == AT_ONCE - 1) Sleep(1);
    }
    return 0;
}
