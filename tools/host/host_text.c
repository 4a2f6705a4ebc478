/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Wide strings.  Code that winegcc links to glibc must not call wcs* (its wchar_t has four bytes).
 */
#include <stdlib.h>

#include "host.h"

size_t wide_len(const WCHAR *text)
{
    size_t len = 0;

    while (text[len])
        len++;
    return len;
}

WCHAR *wide_from_utf8(const char *text)
{
    int len = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    WCHAR *wide = len ? malloc(len * sizeof(WCHAR)) : NULL;

    if (wide)
        MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, len);
    return wide;
}

char *utf8_from_wide(const WCHAR *text)
{
    int len = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
    char *utf8 = len ? malloc(len) : NULL;

    if (utf8)
        WideCharToMultiByte(CP_UTF8, 0, text, -1, utf8, len, NULL, NULL);
    return utf8;
}
