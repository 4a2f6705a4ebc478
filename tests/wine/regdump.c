/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * regdump KEY [--view 64|32] [--without NAME]...: prints a registry key below HKEY_LOCAL_MACHINE in
 * one form, to be compared with what tests/ckptdump.py prints of a checkpoint.  It reads by
 * RegEnumKeyEx, RegEnumValue and RegQueryInfoKey only, as no part of the product does.
 *
 *   key PATH CLASS LINK
 *   value PATH NAME TYPE DATA
 *
 * PATH is the components below KEY, each as the hex of its UTF-16LE bytes, joined by '/'; "." is KEY
 * itself.  CLASS, NAME and DATA are hex, "-" if empty; LINK is "link" or "plain"; TYPE is decimal.
 * Lines are sorted by their bytes.  --without leaves out subkeys of that name with all below them.
 *
 * Exit code: 0, 1 if the key does not exist (nothing is printed), 100 usage, 111 anything refused.
 */
#include "testprogram.h"

#define USAGE "regdump KEY [--view 64|32] [--without NAME]..."
#define MAX_WITHOUT 16

/* How Wine answers for the performance counters' keys, which hold nothing. */
#define PREDEFINED_HANDLE ((NTSTATUS)0x40000016)

static struct {
    char **lines;
    size_t count, room;
} output;

static const WCHAR *without[MAX_WITHOUT];
static int without_count;

/* Everything below is relative to an opened key, so only the bitness of names in it matters. */
static const REGSAM access_all = KEY_READ | KEY_WOW64_64KEY;

/* The hex of some bytes, "-" for none, malloc'ed. */
static char *hex(const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;
    char *text = testkey_alloc(NULL, 2 * len + 2);
    size_t i;

    for (i = 0; i < len; i++) {
        text[2 * i] = digits[p[i] >> 4];
        text[2 * i + 1] = digits[p[i] & 15];
    }
    strcpy(text + 2 * i, len ? "" : "-");
    return text;
}

/* Keeps one line for the sorting; takes the text over. */
static void keep(char *line)
{
    if (output.count == output.room) {
        output.room = output.room ? 2 * output.room : 256;
        output.lines = testkey_alloc(output.lines, output.room * sizeof(*output.lines));
    }
    output.lines[output.count++] = line;
}

/* A line of its words, one space between them, kept. */
static void keep_words(const char *const words[], int count)
{
    size_t len = 0;
    char *line;
    int i;

    for (i = 0; i < count; i++) len += strlen(words[i]) + 1;
    line = testkey_alloc(NULL, len + 1);
    line[0] = 0;
    for (i = 0, len = 0; i < count; i++)
        len += sprintf(line + len, "%s%s", i ? " " : "", words[i]);
    keep(line);
}

/* Is this subkey, opened as a link, one?  Then opening it the usual way leads elsewhere or nowhere. */
static BOOL is_link(HKEY parent, HKEY key, const WCHAR *name, size_t len)
{
    NTSTATUS status;
    HKEY target = testkey_open(parent, name, len, access_all, FALSE, &status);
    WCHAR *here, *there;
    BOOL link = TRUE;

    if (!target) return TRUE;
    here = testkey_real_path(key);
    there = testkey_real_path(target);
    if (here && there) link = wcscmp(here, there) != 0;
    free(here);
    free(there);
    RegCloseKey(target);
    return link;
}

/* Keeps the lines of all values. */
static void dump_values(HKEY key, const char *path)
{
    DWORD max_name = 0, max_data = 0, index = 0, error;
    WCHAR *name = NULL;
    BYTE *data = NULL;

    error = RegQueryInfoKeyW(key, NULL, NULL, NULL, NULL, NULL, NULL, NULL, &max_name, &max_data,
                             NULL, NULL);
    if (error) testkey_die("RegQueryInfoKey", NULL, error);
    for (;;) {
        DWORD name_len = max_name + 1, size = max_data, type;
        char type_text[16], *name_hex, *data_hex;

        name = testkey_alloc(name, name_len * sizeof(WCHAR));
        data = testkey_alloc(data, size);
        error = RegEnumValueW(key, index, name, &name_len, NULL, &type, data, &size);
        if (error == ERROR_MORE_DATA) { /* it grew meanwhile */
            max_name += 256;
            max_data = size > max_data ? size : 2 * max_data + 256;
            continue;
        }
        if (error == ERROR_NO_MORE_ITEMS) break;
        if (error) testkey_die("RegEnumValue", NULL, error);
        name_hex = hex(name, name_len * sizeof(WCHAR));
        data_hex = hex(data, size);
        sprintf(type_text, "%lu", type);
        keep_words((const char *[]){"value", path, name_hex, type_text, data_hex}, 5);
        free(name_hex);
        free(data_hex);
        index++;
    }
    free(name);
    free(data);
}

/*
 * Keeps the line of the key itself.  A NUL at the end of a class is left away: Wine adds one by itself
 * when it reads a registry file, so that any class has it after wineserver was started again.
 */
static void dump_key(HKEY key, const char *path, BOOL link)
{
    WCHAR class[512];
    DWORD len = ARRAYSIZE(class), error;
    char *class_hex;

    error = RegQueryInfoKeyW(key, class, &len, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    if (error) testkey_die("RegQueryInfoKey (class)", NULL, error);
    while (len && !class[len - 1]) len--;
    class_hex = hex(class, len * sizeof(WCHAR));
    keep_words((const char *[]){"key", path, class_hex, link ? "link" : "plain"}, 4);
    free(class_hex);
}

/* Is a subkey of this name left out? */
static BOOL left_out(const WCHAR *name)
{
    int i;

    for (i = 0; i < without_count; i++)
        if (!wcsicmp(without[i], name)) return TRUE;
    return FALSE;
}

/* Keeps the lines of a key and all below it. */
static void dump(HKEY key, const char *path, BOOL link)
{
    DWORD index, error;

    dump_key(key, path, link);
    dump_values(key, path);
    for (index = 0;; index++) {
        WCHAR name[257];
        DWORD len = ARRAYSIZE(name);
        NTSTATUS status;
        char *name_hex, *below;
        HKEY subkey;

        error = RegEnumKeyExW(key, index, name, &len, NULL, NULL, NULL, NULL);
        if (error == ERROR_NO_MORE_ITEMS) break;
        if (error) testkey_die("RegEnumKeyEx", NULL, error);
        if (left_out(name)) continue;
        subkey = testkey_open(key, name, len, access_all, TRUE, &status);
        if (status == PREDEFINED_HANDLE) continue;
        if (!subkey) testkey_die("NtOpenKeyEx", name, status);
        name_hex = hex(name, len * sizeof(WCHAR));
        below = testkey_alloc(NULL, strlen(path) + strlen(name_hex) + 2);
        if (strcmp(path, ".")) sprintf(below, "%s/%s", path, name_hex);
        else strcpy(below, name_hex);
        dump(subkey, below, is_link(key, subkey, name, len));
        free(name_hex);
        free(below);
        RegCloseKey(subkey);
    }
}

/* For qsort. */
static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int program(int argc, WCHAR *argv[])
{
    const WCHAR *name = NULL;
    REGSAM view = KEY_WOW64_64KEY;
    DWORD error;
    size_t i;
    HKEY key;
    int arg;

    for (arg = 1; arg < argc; arg++) {
        if (!wcscmp(argv[arg], L"--view")) view = next_view(argc, argv, &arg, USAGE);
        else if (!wcscmp(argv[arg], L"--without") && without_count < MAX_WITHOUT)
            without[without_count++] = next_argument(argc, argv, &arg, USAGE);
        else if (!name && argv[arg][0] != '-') name = argv[arg];
        else usage_exit(USAGE);
    }
    if (!name) usage_exit(USAGE);
    error = RegOpenKeyExW(HKEY_LOCAL_MACHINE, name, REG_OPTION_OPEN_LINK, KEY_READ | view, &key);
    if (error == ERROR_FILE_NOT_FOUND) return 1;
    if (error) testkey_die("RegOpenKeyEx", name, error);
    dump(key, ".", FALSE);
    RegCloseKey(key);
    qsort(output.lines, output.count, sizeof(*output.lines), compare_lines);
    _setmode(_fileno(stdout), _O_BINARY); /* lines end in LF, as the other side's do */
    for (i = 0; i < output.count; i++) printf("%s\n", output.lines[i]);
    return fflush(stdout) || ferror(stdout) ? 111 : 0;
}
