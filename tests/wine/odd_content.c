/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Everything of oddcontent.h, as "fillkey Software\RegckptTest\Content 0 --odd" made it on some node,
 * is there in the program's own view, as Win32 shows it.
 */
#include "regckpt_test.h"
#include "oddcontent.h"
#include "testkey.h"

#define ROOT L"Software\\RegckptTest\\Content\\Odd"

static HKEY root;

/* Finds a value by a name of any units, by enumerating; its data malloc'ed. FALSE: not there. */
static BOOL find_value(HKEY key, const WCHAR *name, size_t name_len, DWORD *type, BYTE **data, DWORD *size)
{
    static WCHAR found[16384];
    DWORD index, len, room = 0;

    RegQueryInfoKeyW(key, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, &room, NULL, NULL);
    *data = testkey_alloc(NULL, room);
    for (index = 0;; index++) {
        len = ARRAY_SIZE(found);
        *size = room;
        if (RegEnumValueW(key, index, found, &len, NULL, type, *data, size)) break;
        if (len == name_len && !memcmp(found, name, len * sizeof(WCHAR))) return TRUE;
    }
    free(*data);
    return FALSE;
}

static void test_values(void)
{
    size_t i;

    for (i = 0; i < ARRAY_SIZE(odd_values); i++) {
        const struct odd_value *v = &odd_values[i];
        DWORD type = 0xdeadbeef, size = 0xdeadbeef;
        BYTE *data;
        BOOL found;

        winetest_push_context("value %u", (unsigned)i);
        found = find_value(root, v->name, v->name_len, &type, &data, &size);
        ok(found, "not there\n");
        if (found) {
            ok(type == v->type, "type %lx\n", (unsigned long)type);
            ok(size == v->size, "size %lu\n", (unsigned long)size);
            ok(size == v->size && !memcmp(data, v->data, size), "other data\n");
            free(data);
        }
        winetest_pop_context();
    }
}

static void test_keys(void)
{
    size_t i;

    for (i = 0; i < ARRAY_SIZE(odd_keys); i++) {
        const struct odd_key *k = &odd_keys[i];
        size_t class_len = k->class ? wcslen(k->class) : 0;
        WCHAR class[256];
        DWORD type, size, len = ARRAY_SIZE(class);
        NTSTATUS status;
        BYTE *data;
        HKEY key;

        winetest_push_context("key %u", (unsigned)i);
        key = testkey_open(root, k->name, k->name_len, KEY_READ, FALSE, &status);
        ok(key != NULL, "NtOpenKeyEx: %lx\n", (unsigned long)status);
        if (key) {
            ok(!RegQueryInfoKeyW(key, class, &len, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
               "RegQueryInfoKey\n");
            if (len == class_len + 1 && !class[class_len]) len--; /* Wine adds a NUL at a restart */
            ok(len == class_len, "class of %lu characters\n", (unsigned long)len);
            ok(len == class_len && (!len || !memcmp(class, k->class, len * sizeof(WCHAR))), "other class\n");
            if (find_value(key, L"name", 4, &type, &data, &size)) {
                ok(size == k->name_len * sizeof(WCHAR) && !memcmp(data, k->name, size), "another key\n");
                free(data);
            } else {
                ok(0, "value not there\n");
            }
            RegCloseKey(key);
        }
        winetest_pop_context();
    }
}

static void test_link(void)
{
    DWORD type = 0, size;
    BYTE *data;
    HKEY link, target;
    LSTATUS ret;

    ret = RegOpenKeyExW(root, L"link", 0, KEY_READ, &target);
    ok(!ret, "the link leads nowhere: %ld\n", (long)ret);
    if (!ret) {
        ok(!RegQueryValueExW(target, L"dword", NULL, NULL, NULL, NULL), "the link leads elsewhere\n");
        RegCloseKey(target);
    }
    ret = RegOpenKeyExW(root, L"link", REG_OPTION_OPEN_LINK, KEY_READ, &link);
    ok(!ret, "%ld\n", (long)ret);
    if (ret) return;
    ok(find_value(link, L"SymbolicLinkValue", 17, &type, &data, &size), "no link value\n");
    ok(type == REG_LINK, "%lx\n", (unsigned long)type);
    RegCloseKey(link);
}

static void test_large(void)
{
    DWORD size, i, keys = 0, wrong = 0, type;
    WCHAR name[ODD_LONG_VALUE_NAME + 1], path[16];
    HKEY key, next;
    BYTE *data;
    LSTATUS ret;

    for (i = 0; i < ODD_LONG_VALUE_NAME; i++) name[i] = 'a' + i % 26;
    name[i] = 0;
    ret = RegQueryValueExW(root, name, NULL, NULL, NULL, &size);
    ok(!ret, "long value name: %ld\n", (long)ret);
    name[ODD_LONG_KEY_NAME] = 0;
    ret = RegOpenKeyExW(root, name, 0, KEY_READ, &key);
    ok(!ret, "long key name: %ld\n", (long)ret);
    if (!ret) RegCloseKey(key);

    if (find_value(root, L"big", 3, &type, &data, &size)) {
        ok(size == ODD_BIG_VALUE, "big value of %lu bytes\n", (unsigned long)size);
        for (i = 0; i < size; i++) wrong += data[i] != (BYTE)(i * 7 + i / 253);
        ok(!wrong, "%lu bytes of the big value are wrong\n", (unsigned long)wrong);
        free(data);
    } else {
        ok(0, "no big value\n");
    }

    ret = RegOpenKeyExW(root, L"deep", 0, KEY_READ, &key);
    ok(!ret, "%ld\n", (long)ret);
    for (i = 0; i < ODD_DEPTH && !ret; i++) {
        swprintf(path, ARRAY_SIZE(path), L"%u", (unsigned)i);
        ret = RegOpenKeyExW(key, path, 0, KEY_READ, &next);
        ok(!ret, "level %lu: %ld\n", (unsigned long)i, (long)ret);
        RegCloseKey(key);
        key = next;
    }
    if (!ret) RegCloseKey(key);

    ret = RegOpenKeyExW(root, L"wide", 0, KEY_READ, &key);
    ok(!ret, "%ld\n", (long)ret);
    RegQueryInfoKeyW(key, NULL, NULL, NULL, &keys, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    ok(keys == ODD_WIDTH, "%lu keys\n", (unsigned long)keys);
    RegCloseKey(key);
}

START_TEST(odd_content)
{
    LSTATUS ret = RegOpenKeyExW(HKEY_LOCAL_MACHINE, ROOT, 0, KEY_READ, &root);

    ok(!ret, "no content: %ld\n", (long)ret);
    if (ret) return;
    test_values();
    test_keys();
    test_link();
    test_large();
    RegCloseKey(root);
}
