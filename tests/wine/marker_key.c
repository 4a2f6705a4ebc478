/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * While a resource is online its program finds a marker below HKLM\Software\regckpt, which vanishes
 * with the registry it was made in: a scan of another registry is known by its absence.
 */
#include "regckpt_test.h"
#include <winreg.h>

#define MARKERS L"Software\\regckpt"

START_TEST(marker_key)
{
    WCHAR name[256] = {0};
    DWORD len = ARRAY_SIZE(name), type = 0xdeadbeef, size;
    ULONGLONG epoch = 0;
    HKEY markers, marker, below = NULL;
    LSTATUS ret;

    ret = RegOpenKeyExW(HKEY_LOCAL_MACHINE, MARKERS, 0, KEY_ALL_ACCESS | KEY_WOW64_64KEY, &markers);
    ok(!ret, "no markers: %ld\n", (long)ret);
    if (ret) return;
    ret = RegEnumKeyExW(markers, 0, name, &len, NULL, NULL, NULL, NULL);
    ok(!ret, "%ld\n", (long)ret);
    ret = RegOpenKeyExW(markers, name, 0, KEY_ALL_ACCESS | KEY_WOW64_64KEY, &marker);
    ok(!ret, "%ld\n", (long)ret);
    size = sizeof(epoch);
    ret = RegQueryValueExW(marker, L"Epoch", NULL, &type, (BYTE *)&epoch, &size);
    ok(!ret, "%ld\n", (long)ret);
    ok(type == REG_QWORD && size == sizeof(epoch), "type %lu, %lu bytes\n", (unsigned long)type,
       (unsigned long)size);
    ok(epoch != 0, "no epoch\n");
    /* Only below a volatile key is this refused. */
    ret = RegCreateKeyExW(marker, L"Stable", 0, NULL, 0, KEY_ALL_ACCESS, NULL, &below, NULL);
    ok(ret == ERROR_CHILD_MUST_BE_VOLATILE, "the marker would outlive the server: %ld\n", (long)ret);
    if (!ret) {
        RegCloseKey(below);
        RegDeleteKeyW(marker, L"Stable");
    }
    RegCloseKey(marker);
    RegCloseKey(markers);
}
