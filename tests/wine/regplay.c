/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * regplay KEY FILE [--view 64|32]: carries out the lines of FILE on a registry key, which is made if it is
 * not there: those of regdump make or set what they name, "gone PATH" deletes a key with all below it,
 * "unset PATH NAME" a value (tests/randomreg.py).  It goes by native calls, so that names may hold any unit,
 * and never through a symbolic link.
 *
 * Exit code: 0, 100 usage, 111 a line that is none, or a call that failed.
 */
#include "testprogram.h"

#define USAGE "regplay KEY FILE [--view 64|32]"
#define WORDS 5

NTSYSAPI NTSTATUS NTAPI NtDeleteKey(HANDLE key);
NTSYSAPI NTSTATUS NTAPI NtDeleteValueKey(HANDLE key, const UNICODE_STRING *name);

static REGSAM view = KEY_WOW64_64KEY;
static unsigned line_number;

/* Says what failed in which line, and ends the program. */
static void fail(const char *call, NTSTATUS status)
{
    fprintf(stderr, "line %u: %s: status %08x\n", line_number, call, (unsigned)status);
    exit(111);
}

/* The bytes of a word of hex ("-": none) in its own place; their number. */
static size_t from_hex(char *word)
{
    static const char digits[] = "0123456789abcdef";
    BYTE *out = (BYTE *)word;
    size_t i;

    if (!strcmp(word, "-")) return 0;
    for (i = 0; word[2 * i]; i++) {
        const char *high = strchr(digits, word[2 * i]), *low;

        if (!high || !word[2 * i + 1] || !(low = strchr(digits, word[2 * i + 1]))) fail("hex", 0);
        out[i] = (BYTE)((high - digits) << 4 | (low - digits));
    }
    return i;
}

/* The same of a name, as a string that lies there. */
static UNICODE_STRING name_of(char *word)
{
    size_t bytes = from_hex(word);
    WCHAR *units = testkey_alloc(NULL, bytes);

    memcpy(units, word, bytes);
    return testkey_string(units, bytes / sizeof(WCHAR));
}

/* The key at a path, opened; if last is wanted, the one above it, and *last its name. */
static HKEY open_path(HKEY root, char *path, char **last)
{
    char *next;
    HKEY key = root, below;

    for (; path && strcmp(path, "."); path = next) {
        UNICODE_STRING name;
        NTSTATUS status;

        if ((next = strchr(path, '/'))) *next++ = 0;
        if (!next && last) {
            *last = path;
            break;
        }
        name = name_of(path);
        below = testkey_open(key, name.Buffer, name.Length / sizeof(WCHAR), KEY_ALL_ACCESS | view, TRUE,
                             &status);
        if (!below) fail("NtOpenKeyEx", status);
        free(name.Buffer);
        if (key != root) RegCloseKey(key);
        key = below;
    }
    return key;
}

static void play_key(HKEY root, char *path, char *class_word, BOOL link)
{
    char *last = NULL;
    HKEY parent = open_path(root, path, &last);
    UNICODE_STRING name, class = name_of(class_word);
    OBJECT_ATTRIBUTES attributes;
    NTSTATUS status;
    HANDLE key;

    if (last) {
        name = name_of(last);
        InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | (link ? OBJ_OPENLINK : 0),
                                   parent, NULL);
        status = NtCreateKey(&key, KEY_ALL_ACCESS | view, &attributes, 0, class.Length ? &class : NULL,
                             link ? REG_OPTION_CREATE_LINK : 0, NULL);
        if (status) fail("NtCreateKey", status);
        RegCloseKey((HKEY)key);
        free(name.Buffer);
    }
    free(class.Buffer);
    if (parent != root) RegCloseKey(parent);
}

static void play_value(HKEY root, char *path, char *name_word, const char *type, char *data)
{
    HKEY key = open_path(root, path, NULL);
    UNICODE_STRING name = name_of(name_word);
    size_t size = from_hex(data);
    NTSTATUS status = NtSetValueKey(key, &name, 0, strtoul(type, NULL, 10), data, (ULONG)size);

    if (status) fail("NtSetValueKey", status);
    free(name.Buffer);
    if (key != root) RegCloseKey(key);
}

static void play_unset(HKEY root, char *path, char *name_word)
{
    HKEY key = open_path(root, path, NULL);
    UNICODE_STRING name = name_of(name_word);
    NTSTATUS status = NtDeleteValueKey(key, &name);

    if (status) fail("NtDeleteValueKey", status);
    free(name.Buffer);
    if (key != root) RegCloseKey(key);
}

/* Deletes a key with all below, and closes it. */
static void delete_tree(HKEY key)
{
    NTSTATUS status;
    HKEY below;

    for (;;) {
        WCHAR name[257];
        DWORD len = ARRAYSIZE(name), error = RegEnumKeyExW(key, 0, name, &len, NULL, NULL, NULL, NULL);

        if (error == ERROR_NO_MORE_ITEMS) break;
        if (error) fail("RegEnumKeyEx", error);
        below = testkey_open(key, name, len, KEY_ALL_ACCESS | view, TRUE, &status);
        if (!below) fail("NtOpenKeyEx", status);
        delete_tree(below);
    }
    if ((status = NtDeleteKey(key))) fail("NtDeleteKey", status);
    RegCloseKey(key);
}

/* A line of any length without its end, in a buffer that grows; NULL: no more. */
static char *next_line(FILE *file, char **buffer, size_t *room)
{
    size_t len = 0;

    for (;;) {
        if (*room - len < 2) *buffer = testkey_alloc(*buffer, *room = *room ? 2 * *room : 4096);
        if (!fgets(*buffer + len, (int)(*room - len), file)) return NULL;
        len += strlen(*buffer + len);
        if (len && (*buffer)[len - 1] == '\n') break;
    }
    (*buffer)[len - 1] = 0;
    return *buffer;
}

/* Takes the words of a line apart; their number. */
static int split(char *line, char *words[WORDS])
{
    int count = 0;

    while (count < WORDS && line) {
        words[count++] = line;
        if ((line = strchr(line, ' '))) *line++ = 0;
    }
    return line ? 0 : count;
}

static void play(HKEY root, char *line)
{
    char *words[WORDS];
    int count = split(line, words);

    if (count == 4 && !strcmp(words[0], "key"))
        play_key(root, words[1], words[2], !strcmp(words[3], "link"));
    else if (count == 5 && !strcmp(words[0], "value"))
        play_value(root, words[1], words[2], words[3], words[4]);
    else if (count == 3 && !strcmp(words[0], "unset")) play_unset(root, words[1], words[2]);
    else if (count == 2 && !strcmp(words[0], "gone")) delete_tree(open_path(root, words[1], NULL));
    else fail("no line of a script", 0);
}

static int program(int argc, WCHAR *argv[])
{
    char *buffer = NULL, *line;
    size_t room = 0;
    DWORD error;
    FILE *file;
    HKEY root;
    int arg = 2;

    if (argc < 3) usage_exit(USAGE);
    while (++arg < argc) {
        if (wcscmp(argv[arg], L"--view")) usage_exit(USAGE);
        view = next_view(argc, argv, &arg, USAGE);
    }
    if (!(file = _wfopen(argv[2], L"rb"))) testkey_die("opening", argv[2], GetLastError());
    error = RegCreateKeyExW(HKEY_LOCAL_MACHINE, argv[1], 0, NULL, 0, KEY_ALL_ACCESS | view, NULL, &root,
                            NULL);
    if (error) testkey_die("RegCreateKeyEx", argv[1], error);
    for (line_number = 1; (line = next_line(file, &buffer, &room)); line_number++) play(root, line);
    fclose(file);
    free(buffer);
    RegCloseKey(root);
    return 0;
}
