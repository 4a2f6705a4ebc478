/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The marker: a volatile key HKLM\Software\regckpt\RESOURCE with the epoch, made after a restore.
 * It lives as long as this registry does, so a scan that does not find it comes from another one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "host.h"

static const WCHAR value_name[] = {'E', 'p', 'o', 'c', 'h', 0};
static WCHAR *marker_path; /* relative to HKLM; NULL: no marker was made */

uint64_t marker_read(void)
{
    uint64_t epoch = 0;
    DWORD size = sizeof(epoch), type = 0;
    HKEY key;

    if (!marker_path ||
        RegOpenKeyExW(HKEY_LOCAL_MACHINE, marker_path, 0, KEY_READ | KEY_WOW64_64KEY, &key))
        return 0;
    if (RegQueryValueExW(key, value_name, NULL, &type, (BYTE *)&epoch, &size) || type != REG_QWORD ||
        size != sizeof(epoch))
        epoch = 0;
    RegCloseKey(key);
    return epoch;
}

/* Makes a volatile key and opens it; a missing parent is an error. */
static LSTATUS create_volatile(const WCHAR *path, HKEY *key, DWORD *disposition)
{
    return RegCreateKeyExW(HKEY_LOCAL_MACHINE, path, 0, NULL, REG_OPTION_VOLATILE,
                           KEY_ALL_ACCESS | KEY_WOW64_64KEY, NULL, key, disposition);
}

/*
 * What an earlier program left in the marker's place is removed first: whether a key is volatile
 * cannot be asked.
 */
static LSTATUS make_marker(uint64_t epoch)
{
    static const WCHAR parent_path[] = {'S', 'o', 'f', 't', 'w', 'a', 'r', 'e', '\\', 'r', 'e', 'g',
                                        'c', 'k', 'p', 't', 0};
    DWORD disposition;
    LSTATUS error;
    HKEY parent, key;

    RegDeleteTreeW(HKEY_LOCAL_MACHINE, marker_path);
    if ((error = create_volatile(parent_path, &parent, &disposition)))
        return error;
    if (!(error = create_volatile(marker_path, &key, &disposition))) {
        error = RegSetValueExW(key, value_name, 0, REG_QWORD, (const BYTE *)&epoch, sizeof(epoch));
        if (!error && disposition != REG_CREATED_NEW_KEY)
            error = ERROR_ALREADY_EXISTS;
        RegCloseKey(key);
    }
    RegCloseKey(parent);
    return error;
}

bool registry_marker(struct unpack *u, struct reply *reply)
{
    char *resource = unpack_text(u), path[128];
    uint64_t epoch = unpack_u64(u);
    LSTATUS error;

    snprintf(path, sizeof(path), "Software\\regckpt\\%s", resource ? resource : "");
    free(resource);
    if (unpack_failed(u))
        return fail_win32(reply, ERROR_INVALID_PARAMETER, "reading the marker's request");
    free(marker_path);
    marker_path = wide_from_utf8(path);
    error = marker_path ? make_marker(epoch) : ERROR_NOT_ENOUGH_MEMORY;
    return error ? fail_win32(reply, error, "making the marker key below HKLM\\Software\\regckpt")
                 : true;
}
