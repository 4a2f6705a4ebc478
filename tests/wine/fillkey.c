/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fillkey KEY COUNT [--view 64|32] [--per-key N] [--odd] [--twins] [--volatile] [--hidden] [--class]:
 * makes a key below HKEY_LOCAL_MACHINE with COUNT values of mixed content in subkeys of N values each
 * (default 500), the same for the same COUNT always.
 *   --odd       also a subkey Odd with everything that is legal and unusual (oddcontent.h): types,
 *               names, classes, a symbolic link, a deep and a wide tree, a big value
 *   --twins     also a subkey Twins with two values whose names differ only in a NUL at the end
 *   --hidden    also a subkey Hidden\Deeper that holds nothing but a volatile subkey Volatile
 *   --class     also gives KEY itself a class, of which Wine notifies nobody if the key was there
 *   --volatile  also a volatile subkey Volatile with content, which no checkpoint may have
 */
#include "oddcontent.h"
#include "testprogram.h"

#define USAGE "fillkey KEY COUNT [--view 64|32] [--per-key N] [--odd] [--twins] [--volatile] [--hidden] " \
              "[--class]"

/* Makes or opens a subkey by a name of any units. */
static HKEY make_key(HKEY parent, const WCHAR *name, size_t len, const WCHAR *class, ULONG options)
{
    UNICODE_STRING string = testkey_string(name, len);
    UNICODE_STRING class_string = testkey_string(class, class ? wcslen(class) : 0);
    OBJECT_ATTRIBUTES attributes;
    NTSTATUS status;
    HANDLE key;

    InitializeObjectAttributes(&attributes, &string, OBJ_CASE_INSENSITIVE, parent, NULL);
    if (options & REG_OPTION_CREATE_LINK) attributes.Attributes |= OBJ_OPENLINK;
    status = NtCreateKey(&key, KEY_ALL_ACCESS | KEY_WOW64_64KEY, &attributes, 0,
                         class ? &class_string : NULL, options, NULL);
    if (status) testkey_die("NtCreateKey", name, status);
    return (HKEY)key;
}

/* Sets a value by a name of any units. */
static void set_value(HKEY key, const WCHAR *name, size_t len, DWORD type, const void *data,
                      DWORD size)
{
    UNICODE_STRING string = testkey_string(name, len);
    NTSTATUS status = NtSetValueKey(key, &string, 0, type, data, size);

    if (status) testkey_die("NtSetValueKey", name, status);
}

/* Sets the n-th value: kinds and sizes as settings of real programs have them. */
static void set_nth(HKEY key, unsigned n)
{
    WCHAR name[64], text[128];
    BYTE binary[256];
    ULONGLONG number = n * 0x9e3779b97f4a7c15ull;
    int len = swprintf(name, ARRAYSIZE(name), L"Value %06u", n), text_len;
    unsigned i;

    switch (n % 10) {
    case 0: case 1: case 2: case 3:
        set_value(key, name, len, REG_DWORD, &number, sizeof(DWORD));
        break;
    case 4: case 5: case 6:
        text_len = swprintf(text, ARRAYSIZE(text), L"C:\\Program Files\\Vendor\\File %u.\x00e9xt", n);
        set_value(key, name, len, REG_SZ, text, (text_len + 1) * sizeof(WCHAR));
        break;
    case 7:
        text_len = swprintf(text, ARRAYSIZE(text), L"%%TEMP%%\\%u", n);
        set_value(key, name, len, REG_EXPAND_SZ, text, (text_len + 1) * sizeof(WCHAR));
        break;
    case 8:
        for (i = 0; i < sizeof(binary); i++) binary[i] = (BYTE)(number >> (i % 8 * 8)) + i;
        set_value(key, name, len, REG_BINARY, binary, n / 10 % sizeof(binary));
        break;
    default:
        set_value(key, name, len, REG_QWORD, &number, sizeof(number));
    }
}

/* Makes count values, per_key in each subkey. */
static void fill_plain(HKEY root, unsigned count, unsigned per_key)
{
    unsigned n;
    HKEY part = NULL;

    for (n = 0; n < count; n++) {
        if (n % per_key == 0) {
            WCHAR name[32];
            int len = swprintf(name, ARRAYSIZE(name), L"Part %05u", n / per_key);

            if (part) RegCloseKey(part);
            part = make_key(root, name, len, NULL, 0);
        }
        set_nth(part, n);
    }
    if (part) RegCloseKey(part);
}

/* Makes a symbolic link to where target really is, unless there is one. */
static void fill_link(HKEY parent, const WCHAR *name, HKEY target)
{
    WCHAR *path = testkey_real_path(target);
    NTSTATUS status;
    HKEY link = testkey_open(parent, name, wcslen(name), KEY_ALL_ACCESS | KEY_WOW64_64KEY, TRUE,
                             &status);

    if (!link) link = make_key(parent, name, wcslen(name), NULL, REG_OPTION_CREATE_LINK);
    if (!path) testkey_die("NtQueryKey", name, 0);
    set_value(link, UNITS(L"SymbolicLinkValue"), REG_LINK, path, wcslen(path) * sizeof(WCHAR));
    RegCloseKey(link);
    free(path);
}

/* Makes what is large: names, a value, depth, width. */
static void fill_large(HKEY odd)
{
    static WCHAR name[ODD_LONG_VALUE_NAME];
    BYTE *big = testkey_alloc(NULL, ODD_BIG_VALUE);
    HKEY key, next;
    unsigned i;

    for (i = 0; i < ODD_LONG_VALUE_NAME; i++) name[i] = L'a' + i % 26;
    for (i = 0; i < ODD_BIG_VALUE; i++) big[i] = i * 7 + i / 253;
    set_value(odd, name, ODD_LONG_VALUE_NAME, REG_SZ, TEXT_DATA(L"a long name"));
    set_value(odd, UNITS(L"big"), REG_BINARY, big, ODD_BIG_VALUE);
    free(big);
    RegCloseKey(make_key(odd, name, ODD_LONG_KEY_NAME, NULL, 0));

    key = make_key(odd, UNITS(L"deep"), NULL, 0);
    for (i = 0; i < ODD_DEPTH; i++) {
        int len = swprintf(name, ARRAYSIZE(name), L"%u", i);

        set_value(key, UNITS(L"level"), REG_DWORD, &i, sizeof(i));
        next = make_key(key, name, len, NULL, 0);
        RegCloseKey(key);
        key = next;
    }
    RegCloseKey(key);

    key = make_key(odd, UNITS(L"wide"), NULL, 0);
    for (i = 0; i < ODD_WIDTH; i++) {
        int len = swprintf(name, ARRAYSIZE(name), L"Key %u", i * 7919 % ODD_WIDTH);

        RegCloseKey(make_key(key, name, len, NULL, 0));
    }
    RegCloseKey(key);
}

/* Makes everything of oddcontent.h. */
static void fill_odd(HKEY root)
{
    HKEY odd = make_key(root, UNITS(L"Odd"), NULL, 0);
    unsigned i;

    for (i = 0; i < ARRAYSIZE(odd_values); i++) {
        const struct odd_value *v = &odd_values[i];

        set_value(odd, v->name, v->name_len, v->type, v->data, v->size);
    }
    for (i = 0; i < ARRAYSIZE(odd_keys); i++) {
        const struct odd_key *k = &odd_keys[i];
        HKEY key = make_key(odd, k->name, k->name_len, k->class, 0);

        set_value(key, UNITS(L"name"), REG_BINARY, k->name, k->name_len * sizeof(WCHAR));
        RegCloseKey(key);
    }
    fill_link(odd, L"link", odd);
    fill_large(odd);
    RegCloseKey(odd);
}

/* Makes what NtSaveKey shows as one value twice. */
static void fill_twins(HKEY root)
{
    HKEY key = make_key(root, UNITS(L"Twins"), NULL, 0);

    set_value(key, UNITS(L"twin"), REG_SZ, TEXT_DATA(L"one"));
    set_value(key, UNITS(L"twin\0"), REG_SZ, TEXT_DATA(L"the other"));
    RegCloseKey(key);
}

/* Makes a volatile tree. */
static void fill_volatile(HKEY root)
{
    HKEY key = make_key(root, UNITS(L"Volatile"), L"Gone", REG_OPTION_VOLATILE), below;

    set_value(key, UNITS(L"volatile"), REG_SZ, TEXT_DATA(L"gone with the server"));
    below = make_key(key, UNITS(L"Below"), NULL, REG_OPTION_VOLATILE);
    set_nth(below, 1);
    RegCloseKey(below);
    RegCloseKey(key);
}

/* Makes keys that NtSaveKey does not write. */
static void fill_hidden(HKEY root)
{
    HKEY hidden = make_key(root, UNITS(L"Hidden"), NULL, 0);
    HKEY deeper = make_key(hidden, UNITS(L"Deeper"), NULL, 0);

    fill_volatile(deeper);
    RegCloseKey(deeper);
    RegCloseKey(hidden);
}

static int program(int argc, WCHAR *argv[])
{
    BOOL odd = FALSE, twins = FALSE, is_volatile = FALSE, hidden = FALSE, class = FALSE;
    WCHAR class_name[] = L"Filled";
    REGSAM view = KEY_WOW64_64KEY;
    unsigned count, per_key = 500;
    DWORD error;
    HKEY root;
    int arg = 1;

    if (argc < 3) usage_exit(USAGE);
    count = next_number(argc, argv, &arg, USAGE);
    while (++arg < argc) {
        if (!wcscmp(argv[arg], L"--view")) view = next_view(argc, argv, &arg, USAGE);
        else if (!wcscmp(argv[arg], L"--per-key")) per_key = next_number(argc, argv, &arg, USAGE);
        else if (!wcscmp(argv[arg], L"--odd")) odd = TRUE;
        else if (!wcscmp(argv[arg], L"--twins")) twins = TRUE;
        else if (!wcscmp(argv[arg], L"--volatile")) is_volatile = TRUE;
        else if (!wcscmp(argv[arg], L"--hidden")) hidden = TRUE;
        else if (!wcscmp(argv[arg], L"--class")) class = TRUE;
        else usage_exit(USAGE);
    }
    if (!per_key) usage_exit(USAGE);
    error = RegCreateKeyExW(HKEY_LOCAL_MACHINE, argv[1], 0, class ? class_name : NULL, 0,
                            KEY_ALL_ACCESS | view, NULL, &root, NULL);
    if (error) testkey_die("RegCreateKeyEx", argv[1], error);
    fill_plain(root, count, per_key);
    if (odd) fill_odd(root);
    if (twins) fill_twins(root);
    if (is_volatile) fill_volatile(root);
    if (hidden) fill_hidden(root);
    RegCloseKey(root);
    return 0;
}
