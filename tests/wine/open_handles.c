/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handles that a program holds, while its key is scanned again and again: they stay valid, and what
 * the program waits for is told to it for its own changes only.  Run both bare and as a resource's
 * program, with Software\RegckptTest\Handles registered.
 */
#include "regckpt_test.h"
#include <winreg.h>

#define ROOT L"Software\\RegckptTest\\Handles"
#define ROUNDS 25
#define ROUND_MS 100 /* each round's changes are scanned within this or the next */

static HKEY root;

/* A key below the root, new. */
static HKEY make(const WCHAR *name)
{
    HKEY key = NULL;
    LSTATUS ret;

    RegDeleteTreeW(root, name);
    ret = RegCreateKeyExW(root, name, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL);
    ok(!ret, "%ld\n", (long)ret);
    return key;
}

static void test_handles_over_many_scans(void)
{
    HKEY writer = make(L"Shared"), reader = NULL, child = NULL;
    DWORD round, seen, size, keys;
    LSTATUS ret;

    ret = RegOpenKeyExW(root, L"Shared", 0, KEY_READ, &reader);
    ok(!ret, "%ld\n", (long)ret);
    ret = RegCreateKeyExW(writer, L"Child", 0, NULL, 0, KEY_ALL_ACCESS, NULL, &child, NULL);
    ok(!ret, "%ld\n", (long)ret);
    for (round = 0; round < ROUNDS; round++) {
        WCHAR name[] = {(WCHAR)('a' + round), 0};
        HKEY key;

        winetest_push_context("round %lu", (unsigned long)round);
        ret = RegSetValueExW(writer, L"Round", 0, REG_DWORD, (const BYTE *)&round, sizeof(round));
        ok(!ret, "%ld\n", (long)ret);
        ret = RegSetValueExW(child, name, 0, REG_DWORD, (const BYTE *)&round, sizeof(round));
        ok(!ret, "%ld\n", (long)ret);
        ret = RegCreateKeyExW(child, name, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL);
        ok(!ret, "%ld\n", (long)ret);
        RegCloseKey(key);
        Sleep(ROUND_MS);
        seen = 0xdeadbeef;
        size = sizeof(seen);
        ret = RegQueryValueExW(reader, L"Round", NULL, NULL, (BYTE *)&seen, &size);
        ok(!ret, "%ld\n", (long)ret);
        ok(seen == round, "%lx\n", (unsigned long)seen);
        keys = 0;
        ret = RegQueryInfoKeyW(child, NULL, NULL, NULL, &keys, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
        ok(!ret, "%ld\n", (long)ret);
        ok(keys == round + 1, "%lu\n", (unsigned long)keys);
        winetest_pop_context();
    }
    RegCloseKey(child);
    RegCloseKey(reader);
    RegCloseKey(writer);
}

static void test_handle_of_deleted_key(void)
{
    HKEY old = make(L"Deleted"), new;
    DWORD value = 1;
    LSTATUS ret;

    Sleep(ROUND_MS);
    ret = RegDeleteKeyW(root, L"Deleted");
    ok(!ret, "%ld\n", (long)ret);
    ret = RegSetValueExW(old, L"v", 0, REG_DWORD, (const BYTE *)&value, sizeof(value));
    ok(ret == ERROR_KEY_DELETED, "%ld\n", (long)ret);
    new = make(L"Deleted");
    Sleep(ROUND_MS);
    ret = RegSetValueExW(old, L"v", 0, REG_DWORD, (const BYTE *)&value, sizeof(value));
    ok(ret == ERROR_KEY_DELETED, "%ld\n", (long)ret);
    ret = RegQueryValueExW(new, L"v", NULL, NULL, NULL, NULL);
    ok(ret == ERROR_FILE_NOT_FOUND, "%ld\n", (long)ret);
    RegCloseKey(old);
    RegCloseKey(new);
}

static void test_notification_without_change(void)
{
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    HKEY key = make(L"Quiet"), other = make(L"Busy");
    DWORD i, value = 7, ret;

    ret = RegNotifyChangeKeyValue(key, TRUE, REG_NOTIFY_CHANGE_NAME | REG_NOTIFY_CHANGE_ATTRIBUTES |
                                  REG_NOTIFY_CHANGE_LAST_SET | REG_NOTIFY_CHANGE_SECURITY, event, TRUE);
    ok(!ret, "%lu\n", (unsigned long)ret);
    for (i = 0; i < 15; i++) { /* scans are caused next to it; they are no changes */
        RegSetValueExW(other, L"v", 0, REG_DWORD, (const BYTE *)&i, sizeof(i));
        ret = WaitForSingleObject(event, ROUND_MS);
        ok(ret == WAIT_TIMEOUT, "%lu: %lx\n", (unsigned long)i, (unsigned long)ret);
    }
    RegSetValueExW(key, L"v", 0, REG_DWORD, (const BYTE *)&value, sizeof(value));
    ret = WaitForSingleObject(event, 2000);
    ok(ret == WAIT_OBJECT_0, "%lx\n", (unsigned long)ret);
    CloseHandle(event);
    RegCloseKey(key);
    RegCloseKey(other);
}

static void test_delete_key_right_after_scan(void)
{
    DWORD i;

    /* Nobody else may hold what the program deletes, or it could not be made again. */
    for (i = 0; i < 10; i++) {
        HKEY key = make(L"Comes and Goes");
        DWORD disposition = 0xdeadbeef;
        LSTATUS ret;

        winetest_push_context("round %lu", (unsigned long)i);
        RegSetValueExW(key, L"v", 0, REG_DWORD, (const BYTE *)&i, sizeof(i));
        RegCloseKey(key);
        Sleep(ROUND_MS / 2);
        ret = RegDeleteTreeW(root, L"Comes and Goes");
        ok(!ret, "%ld\n", (long)ret);
        ret = RegCreateKeyExW(root, L"Comes and Goes", 0, NULL, 0, KEY_READ, NULL, &key, &disposition);
        ok(!ret, "%ld\n", (long)ret);
        ok(disposition == REG_CREATED_NEW_KEY, "%lx\n", (unsigned long)disposition);
        RegCloseKey(key);
        winetest_pop_context();
    }
}

START_TEST(open_handles)
{
    LSTATUS ret = RegCreateKeyExW(HKEY_LOCAL_MACHINE, ROOT, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &root, NULL);

    ok(!ret, "%ld\n", (long)ret);
    if (ret) {
        skip("no key to test with\n");
        return;
    }
    test_handles_over_many_scans();
    test_handle_of_deleted_key();
    test_notification_without_change();
    test_delete_key_right_after_scan();
    RegCloseKey(root);
}
