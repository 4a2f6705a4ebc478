/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * regbench: what the bench does inside of Wine.  Results go to the file OUT as lines "NAME NUMBER".
 *
 *   regbench calls KEY OTHER CALLS CPU SERVER OUT
 *                                            nanoseconds a call, pinned to that CPU, where wineserver
 *                                            (its Unix process id) is too, for set, query and open of
 *                                            the registered KEY and of the key OTHER; both are there
 *   regbench edits KEY COUNT MS [--one]      sets COUNT values "Lag N", MS milliseconds apart, each to
 *                                            the time (microseconds since 1970); --one: always "Same"
 *   regbench first KEY NAME OUT              reads that value, says when, and stays
 *   regbench wait                            just stays
 */
#include "../wine/testprogram.h"

/* Of Linux on x86-64. */
#define CALL_CLOCK_GETTIME 228
#define CPU_CLOCK_OF(pid) ((~(LONGLONG)(pid) << 3) | 2) /* of a process; 0: the caller */

#define USAGE "regbench calls KEY OTHER CALLS CPU SERVER OUT | edits KEY COUNT MS [--one] |\n" \
              "       first KEY NAME OUT | wait"

/* Now, in microseconds since 1970. */
static ULONGLONG now_us(void)
{
    FILETIME t;

    GetSystemTimePreciseAsFileTime(&t);
    return ((((ULONGLONG)t.dwHighDateTime << 32) | t.dwLowDateTime) - 116444736000000000ull) / 10;
}

static HKEY open_key(const WCHAR *path)
{
    HKEY key;
    DWORD error = RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_ALL_ACCESS | KEY_WOW64_64KEY, &key);

    if (error) testkey_die("RegOpenKeyEx", path, error);
    return key;
}

/* Opens the file for results under another name: it appears when it is whole. */
static FILE *open_out(const WCHAR *path, WCHAR *part, size_t room)
{
    FILE *out;

    if (swprintf(part, room, L"%ls.part", path) < 0 || !(out = _wfopen(part, L"w")))
        testkey_die("making", path, GetLastError());
    return out;
}

static void close_out(FILE *out, const WCHAR *part, const WCHAR *path)
{
    if (fclose(out) || !MoveFileExW(part, path, MOVEFILE_REPLACE_EXISTING))
        testkey_die("writing", path, GetLastError());
}

/* How long a Unix process has been on a CPU, in nanoseconds: a system call that Windows has not. */
static LONGLONG cpu_ns(unsigned pid)
{
    struct { LONGLONG s, ns; } t;
    LONGLONG result;

    __asm__ volatile("syscall" : "=a"(result)
                     : "a"((LONGLONG)CALL_CLOCK_GETTIME), "D"(CPU_CLOCK_OF(pid)), "S"(&t)
                     : "rcx", "r11", "memory");
    if (result) testkey_die("clock_gettime of a process", NULL, (DWORD)-result);
    return t.s * 1000000000 + t.ns;
}

/*
 * The time both sides of a call have spent.  They share a CPU and take turns, so this is what it takes
 * where nobody else runs, and others that do run are not measured with it.
 */
static LONGLONG spent_ns(unsigned server)
{
    return cpu_ns(0) + cpu_ns(server);
}

/* Measures the three kinds of calls on one key; the name says which. */
static void measure_key(FILE *out, const char *name, const WCHAR *path, unsigned calls,
                        unsigned server)
{
    HKEY key = open_key(path), again;
    DWORD n, size, error = 0;
    LONGLONG began;

    began = spent_ns(server);
    for (n = 0; n < calls; n++)
        error |= RegSetValueExW(key, L"Bench", 0, REG_DWORD, (BYTE *)&n, sizeof(n));
    fprintf(out, "set-%s %.1f\n", name, (double)(spent_ns(server) - began) / calls);

    began = spent_ns(server);
    for (n = 0; n < calls; n++) {
        DWORD data;

        size = sizeof(data);
        error |= RegQueryValueExW(key, L"Bench", NULL, NULL, (BYTE *)&data, &size);
    }
    fprintf(out, "query-%s %.1f\n", name, (double)(spent_ns(server) - began) / calls);

    began = spent_ns(server);
    for (n = 0; n < calls; n++) {
        error |= RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_READ | KEY_WOW64_64KEY, &again);
        error |= RegCloseKey(again);
    }
    fprintf(out, "open-%s %.1f\n", name, (double)(spent_ns(server) - began) / calls);
    if (error) testkey_die("a call on", path, error);
    RegCloseKey(key);
}

static void run_calls(int argc, WCHAR *argv[])
{
    int at = 3;
    unsigned calls = next_number(argc, argv, &at, USAGE), cpu = next_number(argc, argv, &at, USAGE);
    unsigned server = next_number(argc, argv, &at, USAGE);
    const WCHAR *path = next_argument(argc, argv, &at, USAGE);
    WCHAR part[MAX_PATH];
    FILE *out;

    if (!SetProcessAffinityMask(GetCurrentProcess(), (DWORD_PTR)1 << cpu))
        testkey_die("SetProcessAffinityMask", argv[5], GetLastError());
    out = open_out(path, part, ARRAYSIZE(part));
    measure_key(out, "registered", argv[2], calls, server);
    measure_key(out, "other", argv[3], calls, server);
    close_out(out, part, path);
}

static void run_edits(int argc, WCHAR *argv[])
{
    int at = 2;
    unsigned count = next_number(argc, argv, &at, USAGE), ms = next_number(argc, argv, &at, USAGE), n;
    BOOL one = at + 1 < argc && !wcscmp(argv[at + 1], L"--one");
    HKEY key = open_key(argv[2]);

    for (n = 0; n < count; n++) {
        WCHAR name[32];
        ULONGLONG now = now_us();
        DWORD error;

        swprintf(name, ARRAYSIZE(name), one ? L"Same" : L"Lag %06u", n);
        error = RegSetValueExW(key, name, 0, REG_QWORD, (BYTE *)&now, sizeof(now));
        if (error) testkey_die("RegSetValueEx", argv[2], error);
        Sleep(ms);
    }
    RegCloseKey(key);
}

static void run_first(int argc, WCHAR *argv[])
{
    WCHAR part[MAX_PATH];
    BYTE data[1024];
    DWORD size = sizeof(data), error;
    ULONGLONG now;
    HKEY key;
    FILE *out;

    if (argc != 5) usage_exit(USAGE);
    key = open_key(argv[2]);
    error = RegQueryValueExW(key, argv[3], NULL, NULL, data, &size);
    now = now_us();
    if (error) testkey_die("RegQueryValueEx", argv[3], error);
    out = open_out(argv[4], part, ARRAYSIZE(part));
    fprintf(out, "first %llu\n", now);
    close_out(out, part, argv[4]);
    Sleep(INFINITE);
}

static int program(int argc, WCHAR *argv[])
{
    if (argc < 2) usage_exit(USAGE);
    if (!wcscmp(argv[1], L"calls") && argc == 8) run_calls(argc, argv);
    else if (!wcscmp(argv[1], L"edits") && argc >= 5) run_edits(argc, argv);
    else if (!wcscmp(argv[1], L"first")) run_first(argc, argv);
    else if (!wcscmp(argv[1], L"wait")) Sleep(INFINITE);
    else usage_exit(USAGE);
    return 0;
}
