/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * regbench: what the bench does inside of Wine.  Results go to the file OUT as lines "NAME NUMBER".
 *
 *   regbench edits KEY COUNT MS [--one]      sets COUNT values "Lag N", MS milliseconds apart, each to
 *                                            the time (microseconds since 1970); --one: always "Same"
 *   regbench first KEY NAME OUT              reads that value, says when, and stays
 *   regbench wait                            just stays
 */
#include "benchprogram.h"

#define USAGE "regbench edits KEY COUNT MS [--one] | first KEY NAME OUT | wait"

/* Now, in microseconds since 1970. */
static ULONGLONG now_us(void)
{
    FILETIME t;

    GetSystemTimePreciseAsFileTime(&t);
    return ((((ULONGLONG)t.dwHighDateTime << 32) | t.dwLowDateTime) - 116444736000000000ull) / 10;
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
    if (!wcscmp(argv[1], L"edits") && argc >= 5) run_edits(argc, argv);
    else if (!wcscmp(argv[1], L"first")) run_first(argc, argv);
    else if (!wcscmp(argv[1], L"wait")) Sleep(INFINITE);
    else usage_exit(USAGE);
    return 0;
}
