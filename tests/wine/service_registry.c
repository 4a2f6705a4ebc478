/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a program sees of its registry: the same whether or not its key is registered.  Run both bare
 * and as a resource's program, with Software\RegckptTest\Registry registered.
 */
#include "regckpt_test.h"
#include <winreg.h>

#define ROOT L"Software\\RegckptTest\\Registry"
#define THREADS 8
#define THREAD_VALUES 300

static HKEY root;

/* Sets a value and expects to read back exactly that. */
static void check_value(HKEY key, const WCHAR *name, DWORD type, const void *data, DWORD size)
{
    BYTE buffer[512];
    DWORD got_type = 0xdeadbeef, got_size = sizeof(buffer);
    LSTATUS ret;

    ret = RegSetValueExW(key, name, 0, type, data, size);
    ok(!ret, "RegSetValueEx: %ld\n", (long)ret);
    memset(buffer, 0xcc, sizeof(buffer));
    ret = RegQueryValueExW(key, name, NULL, &got_type, buffer, &got_size);
    ok(!ret, "RegQueryValueEx: %ld\n", (long)ret);
    ok(got_type == type, "type %lx\n", (unsigned long)got_type);
    ok(got_size == size, "size %lu\n", (unsigned long)got_size);
    ok(!memcmp(buffer, data, size), "other data\n");
    ok(buffer[size] == 0xcc, "written beyond the data: %x\n", buffer[size]);
}

static void test_create_key_twice(void)
{
    DWORD disposition = 0xdeadbeef;
    HKEY first, second;
    LSTATUS ret;

    ret = RegCreateKeyExW(root, L"Twice\\Deeper", 0, NULL, 0, KEY_ALL_ACCESS, NULL, &first, &disposition);
    ok(!ret, "%ld\n", (long)ret);
    ok(disposition == REG_CREATED_NEW_KEY, "%lx\n", (unsigned long)disposition);
    ret = RegCreateKeyExW(root, L"twice\\DEEPER", 0, NULL, 0, KEY_ALL_ACCESS, NULL, &second, &disposition);
    ok(!ret, "%ld\n", (long)ret);
    ok(disposition == REG_OPENED_EXISTING_KEY, "%lx\n", (unsigned long)disposition);
    check_value(first, L"through the first handle", REG_SZ, L"x", 4);
    ret = RegQueryValueExW(second, L"Through The First Handle", NULL, NULL, NULL, NULL);
    ok(!ret, "%ld\n", (long)ret);
    RegCloseKey(first);
    RegCloseKey(second);
}

static void test_values_of_all_types(void)
{
    static const BYTE data[] = {1, 0, 2, 0, 0xff, 0xfe, 0, 0};
    DWORD type;

    for (type = 0; type <= 14; type++) {
        winetest_push_context("type %lu", (unsigned long)type);
        check_value(root, L"Type", type == 13 ? 0x10000000 : type == 14 ? 0xffffffff : type, data,
                    sizeof(data));
        winetest_pop_context();
    }
    check_value(root, L"Empty", REG_BINARY, data, 0);
    check_value(root, L"", REG_BINARY, data, sizeof(data));
    check_value(root, NULL, REG_SZ, L"default", 16);
}

static void test_query_with_too_little_room(void)
{
    BYTE buffer[8];
    DWORD size = 4, type = 0xdeadbeef;
    LSTATUS ret;

    check_value(root, L"Ten", REG_BINARY, "0123456789", 10);
    memset(buffer, 0xcc, sizeof(buffer));
    ret = RegQueryValueExW(root, L"Ten", NULL, &type, buffer, &size);
    ok(ret == ERROR_MORE_DATA, "%ld\n", (long)ret);
    ok(size == 10, "%lu\n", (unsigned long)size);
    ok(type == REG_BINARY, "%lx\n", (unsigned long)type);
    ok(buffer[4] == 0xcc, "written beyond the room\n");
}

static void test_delete_what_is_not_there(void)
{
    HKEY key = (HKEY)0xdeadbeef;
    LSTATUS ret;

    ret = RegDeleteValueW(root, L"Not There");
    ok(ret == ERROR_FILE_NOT_FOUND, "%ld\n", (long)ret);
    ret = RegDeleteKeyW(root, L"Not There");
    ok(ret == ERROR_FILE_NOT_FOUND, "%ld\n", (long)ret);
    ret = RegOpenKeyExW(root, L"Not There", 0, KEY_READ, &key);
    ok(ret == ERROR_FILE_NOT_FOUND, "%ld\n", (long)ret);
}

static void test_delete_key_with_subkeys(void)
{
    HKEY key;
    LSTATUS ret;

    ret = RegCreateKeyExW(root, L"Above\\Below", 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL);
    ok(!ret, "%ld\n", (long)ret);
    RegCloseKey(key);
    ret = RegDeleteKeyW(root, L"Above");
    ok(ret == ERROR_ACCESS_DENIED, "%ld\n", (long)ret);
    ret = RegDeleteTreeW(root, L"Above");
    ok(!ret, "%ld\n", (long)ret);
    ret = RegOpenKeyExW(root, L"Above", 0, KEY_READ, &key);
    ok(ret == ERROR_FILE_NOT_FOUND, "%ld\n", (long)ret);
}

static void test_counts_and_order(void)
{
    DWORD keys = 0xdeadbeef, values = 0xdeadbeef, longest = 0, index, len;
    static const WCHAR *const names[] = {L"b", L"A", L"c"};
    WCHAR name[32];
    HKEY key, sub;
    LSTATUS ret;

    RegCreateKeyExW(root, L"Counts", 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL);
    for (index = 0; index < ARRAY_SIZE(names); index++) {
        RegCreateKeyExW(key, names[index], 0, NULL, 0, KEY_ALL_ACCESS, NULL, &sub, NULL);
        RegCloseKey(sub);
        RegSetValueExW(key, names[index], 0, REG_DWORD, (const BYTE *)&index, sizeof(index));
    }
    ret = RegQueryInfoKeyW(key, NULL, NULL, NULL, &keys, &longest, NULL, &values, NULL, NULL, NULL, NULL);
    ok(!ret, "%ld\n", (long)ret);
    ok(keys == 3, "%lu\n", (unsigned long)keys);
    ok(values == 3, "%lu\n", (unsigned long)values);
    ok(longest == 1, "%lu\n", (unsigned long)longest);
    for (index = 0; index < 3; index++) {
        len = ARRAY_SIZE(name);
        ret = RegEnumKeyExW(key, index, name, &len, NULL, NULL, NULL, NULL);
        ok(!ret, "%lu: %ld\n", (unsigned long)index, (long)ret);
        ok(len == 1 && (name[0] | 32) == 'a' + (int)index, "%lu: %x\n", (unsigned long)index, name[0]);
    }
    len = ARRAY_SIZE(name);
    ret = RegEnumKeyExW(key, 3, name, &len, NULL, NULL, NULL, NULL);
    ok(ret == ERROR_NO_MORE_ITEMS, "%ld\n", (long)ret);
    RegCloseKey(key);
}

static void test_flush(void)
{
    LSTATUS ret = RegFlushKey(root);

    ok(!ret, "%ld\n", (long)ret);
}

static void test_volatile_key(void)
{
    HKEY key, below = NULL;
    LSTATUS ret;

    ret = RegCreateKeyExW(root, L"Volatile", 0, NULL, REG_OPTION_VOLATILE, KEY_ALL_ACCESS, NULL, &key, NULL);
    ok(!ret, "%ld\n", (long)ret);
    ret = RegCreateKeyExW(key, L"Stable", 0, NULL, 0, KEY_ALL_ACCESS, NULL, &below, NULL);
    ok(ret == ERROR_CHILD_MUST_BE_VOLATILE, "%ld\n", (long)ret);
    if (!ret) RegCloseKey(below);
    RegCloseKey(key);
    ret = RegDeleteKeyW(root, L"Volatile");
    ok(!ret, "%ld\n", (long)ret);
}

static void test_notification(void)
{
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    DWORD value = GetTickCount(), ret;

    ret = RegNotifyChangeKeyValue(root, TRUE, REG_NOTIFY_CHANGE_NAME | REG_NOTIFY_CHANGE_LAST_SET, event, TRUE);
    ok(!ret, "%lu\n", (unsigned long)ret);
    ret = WaitForSingleObject(event, 0);
    ok(ret == WAIT_TIMEOUT, "%lx\n", (unsigned long)ret);
    RegSetValueExW(root, L"Notify", 0, REG_DWORD, (const BYTE *)&value, sizeof(value));
    ret = WaitForSingleObject(event, 2000);
    ok(ret == WAIT_OBJECT_0, "%lx\n", (unsigned long)ret);
    value++;
    RegSetValueExW(root, L"Notify", 0, REG_DWORD, (const BYTE *)&value, sizeof(value));
    ret = WaitForSingleObject(event, 200);
    ok(ret == WAIT_TIMEOUT, "fired again: %lx\n", (unsigned long)ret);
    CloseHandle(event);
}

/* Fills one key and checks each value at once. */
static DWORD WINAPI write_and_read(void *arg)
{
    DWORD number = (DWORD)(DWORD_PTR)arg, i, wrong = 0;
    WCHAR name[16] = L"Thread 0";
    HKEY key;

    name[7] += number;
    if (RegCreateKeyExW(root, name, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL)) return 1;
    for (i = 0; i < THREAD_VALUES; i++) {
        DWORD value = number << 16 | i, back = 0xdeadbeef, size = sizeof(back);
        WCHAR value_name[] = {(WCHAR)('a' + i % 26), (WCHAR)('a' + i / 26), 0};

        if (RegSetValueExW(key, value_name, 0, REG_DWORD, (const BYTE *)&value, sizeof(value)) ||
            RegQueryValueExW(key, value_name, NULL, NULL, (BYTE *)&back, &size) || back != value)
            wrong++;
    }
    RegCloseKey(key);
    return wrong;
}

static void test_many_threads(void)
{
    HANDLE threads[THREADS];
    DWORD i, wrong, values;
    HKEY key;

    for (i = 0; i < THREADS; i++)
        threads[i] = CreateThread(NULL, 0, write_and_read, (void *)(DWORD_PTR)i, 0, NULL);
    for (i = 0; i < THREADS; i++) {
        WCHAR name[16] = L"Thread 0";

        winetest_push_context("thread %lu", (unsigned long)i);
        ok(WaitForSingleObject(threads[i], 60000) == WAIT_OBJECT_0, "does not end\n");
        GetExitCodeThread(threads[i], &wrong);
        ok(!wrong, "%lu values were not what had been written\n", (unsigned long)wrong);
        name[7] += i;
        values = 0;
        ok(!RegOpenKeyExW(root, name, 0, KEY_READ, &key), "no key\n");
        RegQueryInfoKeyW(key, NULL, NULL, NULL, NULL, NULL, NULL, &values, NULL, NULL, NULL, NULL);
        ok(values == THREAD_VALUES, "%lu values\n", (unsigned long)values);
        RegCloseKey(key);
        winetest_pop_context();
        CloseHandle(threads[i]);
    }
}

static void test_restore_is_a_stub(void)
{
    HKEY key;
    LSTATUS ret;

    /* Wine says that it did what it did not: regckpt cannot rely on it, nor can programs. */
    RegCreateKeyExW(root, L"Restore", 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL);
    ret = RegRestoreKeyW(key, L"C:\\no such file", 0);
    todo_wine ok(ret != 0, "%ld\n", (long)ret);
    RegCloseKey(key);
}

START_TEST(service_registry)
{
    LSTATUS ret = RegCreateKeyExW(HKEY_LOCAL_MACHINE, ROOT, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &root, NULL);

    ok(!ret, "%ld\n", (long)ret);
    if (ret) {
        skip("no key to test with\n");
        return;
    }
    RegDeleteTreeW(root, NULL); /* what an earlier run left */
    test_create_key_twice();
    test_values_of_all_types();
    test_query_with_too_little_room();
    test_delete_what_is_not_there();
    test_delete_key_with_subkeys();
    test_counts_and_order();
    test_flush();
    test_volatile_key();
    test_notification();
    test_many_threads();
    test_restore_is_a_stub();
    RegCloseKey(root);
}
