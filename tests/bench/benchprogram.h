/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the Windows programs of the bench share.  Results go to a file as lines "NAME NUMBER".
 */
#ifndef REGCKPT_BENCHPROGRAM_H
#define REGCKPT_BENCHPROGRAM_H

#include "../wine/testprogram.h"

static inline HKEY open_key(const WCHAR *path)
{
    HKEY key;
    DWORD error = RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_ALL_ACCESS | KEY_WOW64_64KEY, &key);

    if (error) testkey_die("RegOpenKeyEx", path, error);
    return key;
}

/* Opens the file for results under another name: it appears when it is whole. */
static inline FILE *open_out(const WCHAR *path, WCHAR *part, size_t room)
{
    FILE *out;

    if (swprintf(part, room, L"%ls.part", path) < 0 || !(out = _wfopen(part, L"w")))
        testkey_die("making", path, GetLastError());
    return out;
}

static inline void close_out(FILE *out, const WCHAR *part, const WCHAR *path)
{
    if (fclose(out) || !MoveFileExW(part, path, MOVEFILE_REPLACE_EXISTING))
        testkey_die("writing", path, GetLastError());
}

static inline int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The middle one; sorts them. */
static inline double median(double *numbers, size_t count)
{
    qsort(numbers, count, sizeof(*numbers), compare_doubles);
    return numbers[count / 2];
}

#endif
