/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * serverbench: what RegSetValueEx takes with one wineserver or another.
 *
 *   serverbench KEY CALLS OUT      sets a DWORD of HKLM\KEY so often, always another, in turns; the median
 *                                  turn's nanoseconds a call go to the file OUT as "set NUMBER"
 */
#include "benchprogram.h"

#define USAGE "serverbench KEY CALLS OUT"
#define TURNS 40

static int program(int argc, WCHAR *argv[])
{
    LARGE_INTEGER begin, end, hz;
    WCHAR part[MAX_PATH];
    double ns[TURNS];
    unsigned calls;
    int at = 1;
    FILE *out;
    HKEY key;

    if (argc != 4) usage_exit(USAGE);
    calls = next_number(argc, argv, &at, USAGE) / TURNS;
    key = open_key(argv[1]);
    QueryPerformanceFrequency(&hz);
    for (unsigned turn = 0, n = 0; turn < TURNS; turn++) {
        QueryPerformanceCounter(&begin);
        for (unsigned i = 0; i < calls; i++, n++) {
            DWORD error = RegSetValueExW(key, L"Count", 0, REG_DWORD, (BYTE *)&n, sizeof(n));
            if (error) testkey_die("RegSetValueEx", argv[1], error);
        }
        QueryPerformanceCounter(&end);
        ns[turn] = (end.QuadPart - begin.QuadPart) * (1e9 / hz.QuadPart) / calls;
    }
    out = open_out(argv[3], part, ARRAYSIZE(part));
    fprintf(out, "set %.1f\n", median(ns, TURNS));
    close_out(out, part, argv[3]);
    return 0;
}
