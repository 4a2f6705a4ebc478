/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hook_exports: calls every export of the DLLs in front of the registry that looks as if it had to do
 * with keys and values, so that test_hook_exports.sh can see what the hook made of each.
 *
 *   hook_exports setup              a key for each row (exportcall.h), below HKLM\Software\RegckptHook\Exports
 *   hook_exports call HOOK          loads the hook, then calls all rows that need no process of their own
 *   hook_exports call HOOK ROW      calls one row
 *   HOOK is the DLL's Windows path; "-" loads none.
 *
 * What is asked for is read from the export tables of the loaded DLLs: a name that looks_like_registry
 * and has no row is printed as "unknown", and so is a row that no DLL exports.  A row is printed as
 *   row DLL.NAME KIND RESULT        RESULT: good, bad (the export did not say what the row expects),
 *                                   later (it wants a process of its own)
 *
 * Exit code: 0, 1 something unknown or bad, 100 usage, 111 anything refused.
 */
#include "exportcall.h"

#include <setjmp.h>

#define USAGE "hook_exports setup | call HOOK [ROW]"
#define ROOT L"Software\\RegckptHook\\Exports"
#define WINE_STUB 0x80000100 /* EXCEPTION_WINE_STUB */

static BYTE buffer[4096];

#define UNUSED __attribute__((unused))
#define DEFINE_ROW(suffix, name, ...)                                                              \
    static BOOL call_##suffix(struct row *row)                                                     \
    {                                                                                              \
        __typeof__(name) *f UNUSED = (__typeof__(name) *)(void *)row->function;                    \
        HKEY key UNUSED = row->key, out UNUSED = NULL;                                             \
        DWORD n UNUSED = 512, type UNUSED = 0;                                                     \
        IO_STATUS_BLOCK io UNUSED;                                                                 \
        HCRYPTKEY crypt UNUSED;                                                                    \
        HCRYPTPROV prov UNUSED;                                                                    \
        HUSKEY us UNUSED;                                                                          \
                                                                                                   \
        return __VA_ARGS__;                                                                        \
    }
#define ROW(name, kind, ...) DEFINE_ROW(name, name, __VA_ARGS__)
#define ROW_AT(ordinal, name, kind, ...) DEFINE_ROW(ordinal, name, __VA_ARGS__)
#define ROW_STUB(name)
#include "exportrows_nt.h"
#include "exportrows_reg.h"
#include "exportrows_sh.h"
#undef ROW
#undef ROW_AT
#undef ROW_STUB

static jmp_buf before_stub;

/* Goes back to call_stub when a function turns out to be one. */
static LONG CALLBACK on_exception(EXCEPTION_POINTERS *info)
{
    if (info->ExceptionRecord->ExceptionCode != WINE_STUB) return EXCEPTION_CONTINUE_SEARCH;
    longjmp(before_stub, 1);
}

/* A stub ignores its arguments, and never returns. */
static BOOL call_stub(struct row *row)
{
    void *handler = AddVectoredExceptionHandler(TRUE, on_exception);
    BOOL raised = TRUE;

    if (!setjmp(before_stub)) {
        ((void(WINAPI *)(void))(void *)row->function)();
        raised = FALSE;
    }
    RemoveVectoredExceptionHandler(handler);
    return raised;
}

#define ROW(name, kind, ...) {#name, kind, call_##name, NULL, 0},
#define ROW_AT(ordinal, name, kind, ...) {#name, kind, call_##ordinal, "shlwapi", ordinal},
#define ROW_STUB(name) {#name, STUB, call_stub, NULL, 0},
static const struct row_entry entries[] = {
#include "exportrows_nt.h"
#include "exportrows_reg.h"
#include "exportrows_sh.h"
};

static const char *const kinds[] = {
    [MUTATES] = "mutates", [EXEMPT] = "exempt", [SCANS] = "scans",
    [ELSEWHERE] = "elsewhere", [LAST] = "last", [STUB] = "stub",
};
static const char *const dlls[] = {"ntdll", "kernelbase", "advapi32", "shcore", "shlwapi"};

static BOOL exported[ARRAYSIZE(entries)]; /* by some DLL */
static WCHAR file[MAX_PATH], new_file[MAX_PATH];
static char file_a[MAX_PATH], new_file_a[MAX_PATH];
static int bad;

/* Does `word` stand in `name` so that none of the letters in `not_before` follows? */
static BOOL has_word(const char *name, const char *word, const char *not_before)
{
    const char *p = name;

    while ((p = strstr(p, word))) {
        p += strlen(word);
        if (!*p || !strchr(not_before, *p)) return TRUE;
    }
    return FALSE;
}

/* What writes there and does not say so by its name: as Wine's source has it (kernelbase, advapi32). */
static BOOL keeps_in_registry(const char *name)
{
    static const char *const beginnings[] = {
        "CredDelete", "CredEnumerate", "CredProfile", "CredRead", "CredRename", "CredWrite",
        "CryptAcquireContext", "CryptSetProvider", "MoveFileEx", "MoveFileWith", "SetCalendarInfo",
        "SetComputerName", "SetLocaleInfo", "SetUserGeo",
    };

    for (unsigned i = 0; i < ARRAYSIZE(beginnings); i++)
        if (!strncmp(name, beginnings[i], strlen(beginnings[i]))) return TRUE;
    return FALSE;
}

/*
 * Generous, as a name that is asked for in vain costs one row: anything with Reg (not Register,
 * Region), Key (not Keyboard), Hive, Registry, Predefined (handles), MRU lists, profile strings and
 * INI files (which some Windows map into the registry), MIME types, property bags, what the
 * shell keeps about file types (Assoc), and its functions with Value.
 */
static BOOL looks_like_registry(const char *name)
{
    return has_word(name, "Reg", "i") || has_word(name, "Registry", "") || has_word(name, "Key", "b") ||
           has_word(name, "Hive", "") || has_word(name, "Predefined", "") || has_word(name, "MRU", "") ||
           has_word(name, "ProfileS", "") || has_word(name, "ProfileL", "") ||
           has_word(name, "IniS", "") || has_word(name, "IniFile", "") || has_word(name, "MIME", "") ||
           has_word(name, "PropertyBag", "") || !strncmp(name, "Assoc", 5) ||
           (!strncmp(name, "SH", 2) && has_word(name, "Value", "")) || keeps_in_registry(name);
}

/* The row of a name, -1 if there is none.  Zw* is the same function as Nt*. */
static int row_of_name(const char *name)
{
    for (unsigned i = 0; i < ARRAYSIZE(entries); i++) {
        if (entries[i].ordinal) continue;
        if (!strcmp(entries[i].name, name)) return i;
        if (!strncmp(name, "Zw", 2) && !strncmp(entries[i].name, "Nt", 2) &&
            !strcmp(entries[i].name + 2, name + 2))
            return i;
    }
    return -1;
}

typedef void with_row(const char *label, unsigned entry, FARPROC function);

/* Calls `use` for everything that one DLL exports and that has a row; counts it. */
static void walk_dll(const char *dll, with_row *use)
{
    BYTE *base = (BYTE *)LoadLibraryA(dll);
    IMAGE_NT_HEADERS *nt = (IMAGE_NT_HEADERS *)(base + ((IMAGE_DOS_HEADER *)base)->e_lfanew);
    IMAGE_EXPORT_DIRECTORY *exports =
        (IMAGE_EXPORT_DIRECTORY *)(base + nt->OptionalHeader.DataDirectory[0].VirtualAddress);
    DWORD *names = (DWORD *)(base + exports->AddressOfNames);
    char label[200];

    for (DWORD i = 0; i < exports->NumberOfNames; i++) {
        const char *name = (const char *)base + names[i];
        int entry = row_of_name(name);

        snprintf(label, sizeof(label), "%s.%s", dll, name);
        if (entry >= 0) {
            exported[entry] = TRUE;
            use(label, entry, GetProcAddress((HMODULE)base, name));
        } else if (looks_like_registry(name)) {
            printf("unknown %s: no row says what it does to the registry\n", label);
            bad++;
        }
    }
    for (unsigned i = 0; i < ARRAYSIZE(entries); i++) {
        FARPROC function;

        if (!entries[i].ordinal || strcmp(entries[i].dll, dll)) continue;
        function = GetProcAddress((HMODULE)base, MAKEINTRESOURCEA(entries[i].ordinal));
        if (!function) continue;
        exported[i] = TRUE;
        snprintf(label, sizeof(label), "%s.%u.%s", dll, entries[i].ordinal, entries[i].name);
        use(label, i, function);
    }
}

static void walk(with_row *use)
{
    for (unsigned i = 0; i < ARRAYSIZE(dlls); i++) walk_dll(dlls[i], use);
    for (unsigned i = 0; i < ARRAYSIZE(entries); i++)
        if (!exported[i]) {
            printf("unknown %s: its row is exported by no DLL\n", entries[i].name);
            bad++;
        }
}

/* The key of a row, opened or made. */
static HKEY row_key(const char *label, BOOL make)
{
    WCHAR path[300];
    LONG error;
    HKEY key;

    swprintf(path, ARRAYSIZE(path), L"%ls\\%hs", ROOT, label);
    error = make ? RegCreateKeyExW(HKEY_LOCAL_MACHINE, path, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL)
                 : RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_ALL_ACCESS, &key);
    if (error) testkey_die("opening", path, error);
    return key;
}

static void set_text(HKEY key, const WCHAR *name, const WCHAR *text)
{
    LONG error = RegSetValueExW(key, name, 0, REG_SZ, (const BYTE *)text, 2 * wcslen(text) + 2);

    if (error) testkey_die("RegSetValueEx", name, error);
}

/* What a row finds: see exportcall.h. */
static void set_up_row(const char *label, unsigned entry, FARPROC function)
{
    HKEY key = row_key(label, TRUE), child, other;
    DWORD seven = 7;
    LONG error;

    (void)function;
    set_text(key, NULL, L"default");
    set_text(key, L"Text", L"text");
    RegSetValueExW(key, L"Number", 0, REG_DWORD, (const BYTE *)&seven, sizeof(seven));
    RegCreateKeyW(key, L"Child", &child);
    set_text(child, L"Deep", L"deep");
    set_text(child, L"Content Type", L"text/plain");
    RegCreateKeyW(key, L"Child\\Grand", &other);
    RegCloseKey(other);
    RegCreateKeyW(key, L"Empty", &other);
    RegCloseKey(other);
    if (entries[entry].kind == SCANS && (error = RegLoadKeyW(key, L"Loaded", file)))
        testkey_die("RegLoadKey", L"Loaded", error);
    RegCloseKey(child);
    RegCloseKey(key);
}

/* A saved tree for what loads one. */
static void make_file(void)
{
    LONG error;
    HKEY key;

    DeleteFileW(file);
    if (RegCreateKeyW(HKEY_LOCAL_MACHINE, ROOT L"\\Saved", &key))
        testkey_die("RegCreateKey", ROOT, GetLastError());
    set_text(key, L"Saved", L"saved");
    if ((error = RegSaveKeyW(key, file, NULL))) testkey_die("RegSaveKey", file, error);
    RegCloseKey(key);
}

static void call_row(const char *label, unsigned entry, FARPROC function)
{
    struct row row = {.function = function, .file = file, .new_file = new_file,
                      .file_a = file_a, .new_file_a = new_file_a};
    BOOL good;

    row.key = row_key(label, FALSE);
    swprintf(row.path, ARRAYSIZE(row.path), L"\\Registry\\Machine\\%ls\\%hs", ROOT, label);
    RegOverridePredefKey(HKEY_CURRENT_USER, row.key);
    RegOverridePredefKey(HKEY_CLASSES_ROOT, row.key);
    memset(buffer, 0, sizeof(buffer));
    good = entries[entry].call(&row);
    RegOverridePredefKey(HKEY_CURRENT_USER, NULL);
    RegOverridePredefKey(HKEY_CLASSES_ROOT, NULL);
    RegCloseKey(row.key);
    DeleteFileW(new_file);
    printf("row %s %s %s\n", label, kinds[entries[entry].kind], good ? "good" : "bad");
    if (!good) bad++;
}

static void call_unless_alone(const char *label, unsigned entry, FARPROC function)
{
    enum row_kind kind = entries[entry].kind;

    if (kind == SCANS || kind == ELSEWHERE || kind == LAST)
        printf("row %s %s later\n", label, kinds[kind]);
    else
        call_row(label, entry, function);
}

static char wanted[200];

static void call_wanted(const char *label, unsigned entry, FARPROC function)
{
    if (!strcmp(label, wanted)) call_row(label, entry, function);
}

static void allow(const WCHAR *privilege)
{
    TOKEN_PRIVILEGES p = {.PrivilegeCount = 1};
    HANDLE token;

    p.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &token) ||
        !LookupPrivilegeValueW(NULL, privilege, &p.Privileges[0].Luid) ||
        !AdjustTokenPrivileges(token, FALSE, &p, 0, NULL, NULL))
        testkey_die("AdjustTokenPrivileges", privilege, GetLastError());
    CloseHandle(token);
}

static int program(int argc, WCHAR *argv[])
{
    with_row *use = call_unless_alone;

    setvbuf(stdout, NULL, _IONBF, 0);
    allow(L"SeBackupPrivilege");
    allow(L"SeRestorePrivilege");
    GetFullPathNameW(L"saved.hive", ARRAYSIZE(file), file, NULL);
    GetFullPathNameW(L"new.hive", ARRAYSIZE(new_file), new_file, NULL);
    GetFullPathNameA("saved.hive", sizeof(file_a), file_a, NULL);
    GetFullPathNameA("new.hive", sizeof(new_file_a), new_file_a, NULL);

    if (argc == 2 && !wcscmp(argv[1], L"setup")) {
        RegDeleteTreeW(HKEY_LOCAL_MACHINE, ROOT);
        make_file();
        use = set_up_row;
    } else if ((argc == 3 || argc == 4) && !wcscmp(argv[1], L"call")) {
        if (wcscmp(argv[2], L"-") && !LoadLibraryW(argv[2]))
            testkey_die("LoadLibrary", argv[2], GetLastError());
        if (argc == 4) {
            snprintf(wanted, sizeof(wanted), "%ls", argv[3]);
            use = call_wanted;
        }
    } else {
        usage_exit(USAGE);
    }
    walk(use);
    return bad > 0;
}
