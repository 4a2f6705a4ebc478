/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * treeloader save KEY FILE: saves HKLM\KEY, 64-bit view.
 * treeloader load KEY NAME FILE: loads what was saved as the key NAME below it.
 * treeloader unload KEY NAME: takes that away again.
 */
#include "testprogram.h"

#define USAGE "treeloader save KEY FILE | load KEY NAME FILE | unload KEY NAME"

int WINAPI RtlAdjustPrivilege(ULONG privilege, BOOLEAN enable, BOOLEAN of_thread, BOOLEAN *before);

static int program(int argc, WCHAR *argv[])
{
    const WCHAR *what, *path, *next;
    BOOLEAN before;
    LONG error;
    int at = 0;
    HKEY key;

    what = next_argument(argc, argv, &at, USAGE);
    path = next_argument(argc, argv, &at, USAGE);
    next = next_argument(argc, argv, &at, USAGE);
    RtlAdjustPrivilege(17, TRUE, FALSE, &before); /* SE_BACKUP_NAME */
    RtlAdjustPrivilege(18, TRUE, FALSE, &before); /* SE_RESTORE_NAME */
    error = RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_ALL_ACCESS | KEY_WOW64_64KEY, &key);
    if (error) testkey_die("RegOpenKeyEx", path, error);
    if (!wcscmp(what, L"save")) error = RegSaveKeyW(key, next, NULL);
    else if (!wcscmp(what, L"load")) error = RegLoadKeyW(key, next, next_argument(argc, argv, &at, USAGE));
    else if (!wcscmp(what, L"unload")) error = RegUnLoadKeyW(key, next);
    else usage_exit(USAGE);
    if (error) testkey_die("the registry call", next, error);
    return 0;
}
