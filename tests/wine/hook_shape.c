/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hook_shape: does the hook leave an ntdll alone whose stubs it does not know?
 *
 *   hook_shape HOOK NAME...
 *
 * For each of ntdll's functions named: changes the code of its stub, not what it does; loads HOOK (the
 * DLL's Windows path), which must fail; compares all that ntdll exports with what it was; and puts the
 * stub back.  At last, with all as it was, HOOK must load.  Prints what went wrong, and
 *   NAME refused
 *   whole loaded
 *
 * Exit code: 0, 1 something went wrong, 100 usage, 111 anything else.
 */
#include "testprogram.h"

#define USAGE "hook_shape HOOK NAME..."
#define STUB_BYTES 32 /* or less */
#define MOST_EXPORTS 4000

static const BYTE *ntdll;
static BYTE before[MOST_EXPORTS][STUB_BYTES];
static int bad;

/* The code behind the n-th of ntdll's exports, NULL behind the last one. */
static const BYTE *export_code(unsigned n)
{
    const IMAGE_NT_HEADERS *headers = (void *)(ntdll + ((IMAGE_DOS_HEADER *)ntdll)->e_lfanew);
    const IMAGE_EXPORT_DIRECTORY *exports =
        (void *)(ntdll + headers->OptionalHeader.DataDirectory[0].VirtualAddress);

    if (n >= exports->NumberOfFunctions) return NULL;
    return ntdll + ((DWORD *)(ntdll + exports->AddressOfFunctions))[n];
}

/* Remembers the code of all exports, or says which have changed since. */
static void look(const char *name, BOOL compare)
{
    const BYTE *code;

    for (unsigned n = 0; (code = export_code(n)); n++) {
        if (n == MOST_EXPORTS) testkey_die("the exports are too many", NULL, 0);
        if (!compare)
            memcpy(before[n], code, STUB_BYTES);
        else if (memcmp(before[n], code, STUB_BYTES)) {
            printf("%s: export %u of ntdll has changed\n", name, n);
            bad++;
        }
    }
}

static void write_code(BYTE *at, const void *code, size_t bytes)
{
    DWORD old;

    if (!VirtualProtect(at, bytes, PAGE_EXECUTE_READWRITE, &old))
        testkey_die("VirtualProtect", NULL, GetLastError());
    memcpy(at, code, bytes);
    VirtualProtect(at, bytes, old, &old);
    FlushInstructionCache(GetCurrentProcess(), at, bytes);
}

/* Other code that does the same; *was gets what was there. */
static BYTE *reshape(BYTE *stub, BYTE was[3])
{
#ifdef _WIN64
    static const BYTE same_move[] = {0x49, 0x89, 0xca}; /* mov rcx, r10, by its other opcode */

    memcpy(was, stub, 3);
    write_code(stub, same_move, 3);
    return stub;
#else
    static const BYTE never_reached[] = {0xcc, 0xcc, 0xcc}; /* behind the return */

    memcpy(was, stub + 15, 1);
    write_code(stub + 15, never_reached, 1);
    return stub + 15;
#endif
}

static int program(int argc, WCHAR *argv[])
{
    BYTE was[3], *changed;

    if (argc < 3) usage_exit(USAGE);
    ntdll = (BYTE *)GetModuleHandleW(L"ntdll");
    for (int i = 2; i < argc; i++) {
        char name[64];
        BYTE *stub;

        snprintf(name, sizeof(name), "%ls", argv[i]);
        if (!(stub = (BYTE *)GetProcAddress((HMODULE)ntdll, name))) {
            printf("%s not there\n", name);
            continue;
        }
        changed = reshape(stub, was);
        look(name, FALSE);
        if (LoadLibraryW(argv[1])) {
            printf("%s: the hook was loaded\n", name);
            return 1; /* and stays */
        }
        look(name, TRUE);
        write_code(changed, was, changed == stub ? 3 : 1);
        printf("%s refused\n", name);
    }
    if (!LoadLibraryW(argv[1])) {
        printf("whole: the hook was not loaded: %lu\n", GetLastError());
        bad++;
    } else {
        printf("whole loaded\n");
    }
    return bad > 0;
}
