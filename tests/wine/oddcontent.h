/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Registry content that is legal and unusual, in one table: fillkey makes it, the test oddcontent
 * looks for it on the node where it arrives.  With names that end in NUL, which NtSaveKey writes without
 * it.
 */
#ifndef REGCKPT_ODDCONTENT_H
#define REGCKPT_ODDCONTENT_H

#include <windows.h>

/* A string literal with its length, so that it may hold NUL. */
#define UNITS(text) text, ARRAYSIZE(text) - 1
#define TEXT_DATA(text) text, sizeof(text)         /* with the final NUL */
#define TEXT_BARE(text) text, sizeof(text) - sizeof(WCHAR)
#define BYTES(text) text, sizeof(text) - 1

struct odd_value {
    const WCHAR *name;
    size_t name_len;
    DWORD type;
    const void *data;
    DWORD size;
};

static const struct odd_value odd_values[] = {
    {UNITS(L""), REG_SZ, TEXT_DATA(L"the default value")},
    {UNITS(L"empty string"), REG_SZ, TEXT_DATA(L"")},
    {UNITS(L"no string at all"), REG_SZ, NULL, 0},
    {UNITS(L"string without its NUL"), REG_SZ, TEXT_BARE(L"open")},
    {UNITS(L"string of three bytes"), REG_SZ, BYTES("a\0b")},
    {UNITS(L"string with NUL inside"), REG_SZ, TEXT_DATA(L"one\0two")},
    {UNITS(L"string with a lone surrogate"), REG_SZ, TEXT_DATA(L"a\xd800z")},
    {UNITS(L"string with controls"), REG_SZ, TEXT_DATA(L"\x01\x02\t\r\n\x1f\x7f\\\"")},
    {UNITS(L"expand"), REG_EXPAND_SZ, TEXT_DATA(L"%SystemRoot%\\\x00fc\x4e2d")},
    {UNITS(L"multi"), REG_MULTI_SZ, TEXT_DATA(L"one\0two\0")},
    {UNITS(L"multi with an empty one"), REG_MULTI_SZ, TEXT_DATA(L"one\0\0three\0")},
    {UNITS(L"multi, unfinished"), REG_MULTI_SZ, TEXT_BARE(L"one")},
    {UNITS(L"multi, empty"), REG_MULTI_SZ, NULL, 0},
    {UNITS(L"none"), REG_NONE, NULL, 0},
    {UNITS(L"none with data"), REG_NONE, BYTES("\x00\xff")},
    {UNITS(L"binary"), REG_BINARY, BYTES("\x00\x01\x7f\x80\xfe\xff")},
    {UNITS(L"binary, empty"), REG_BINARY, NULL, 0},
    {UNITS(L"dword"), REG_DWORD, BYTES("\xef\xbe\xad\xde")},
    {UNITS(L"dword of two bytes"), REG_DWORD, BYTES("\x12\x34")},
    {UNITS(L"dword of no bytes"), REG_DWORD, NULL, 0},
    {UNITS(L"big-endian dword"), REG_DWORD_BIG_ENDIAN, BYTES("\x01\x02\x03\x04")},
    {UNITS(L"qword"), REG_QWORD, BYTES("\x01\x02\x03\x04\x05\x06\x07\x08")},
    {UNITS(L"link type in a plain key"), REG_LINK, TEXT_BARE(L"\\Registry\\Machine\\Nowhere")},
    {UNITS(L"resource list"), REG_RESOURCE_LIST, BYTES("\x00\x00\x00\x00")},
    {UNITS(L"unknown type"), 0x12345678, BYTES("\x01\x02\x03\x04\x05")},
    {UNITS(L"the highest type"), 0xffffffff, NULL, 0},
    {UNITS(L"@"), REG_SZ, TEXT_DATA(L"at")},
    {UNITS(L"\"quoted\"=dword:00000001"), REG_SZ, TEXT_DATA(L"\"quoted\"")},
    {UNITS(L"back\\slash\\"), REG_SZ, TEXT_DATA(L"\\")},
    {UNITS(L"[section]"), REG_SZ, TEXT_DATA(L"[section]")},
    {UNITS(L"two\r\nlines"), REG_SZ, TEXT_DATA(L"two\r\nlines")},
    {UNITS(L" spaces around "), REG_SZ, TEXT_DATA(L" ")},
    {UNITS(L"\x0047r\x00f6\x00df\x0065 \x03a9 \x6f22\x5b57 \xd83d\xde00"), REG_SZ, TEXT_DATA(L"\x6f22")},
    {UNITS(L"CaSe Is KePt \x00c4\x00e4"), REG_SZ, TEXT_DATA(L"case")},
    {UNITS(L"lone high \xd800"), REG_SZ, TEXT_DATA(L"high")},
    {UNITS(L"\xdc00 lone low"), REG_SZ, TEXT_DATA(L"low")},
    {UNITS(L"\xffff\xfffe"), REG_SZ, TEXT_DATA(L"not characters")},
    {UNITS(L"NUL\0inside"), REG_SZ, TEXT_DATA(L"NUL inside")},
    {UNITS(L"\0NUL first"), REG_SZ, TEXT_DATA(L"NUL first")},
    {UNITS(L"NUL last\0"), REG_SZ, TEXT_DATA(L"NUL last")},
    {UNITS(L"two of them\0\0"), REG_SZ, TEXT_DATA(L"two NULs last")},
};

/* Names of keys; each has one value, "name", that holds its own name, and this class. */
struct odd_key {
    const WCHAR *name;
    size_t name_len;
    const WCHAR *class;
};

static const struct odd_key odd_keys[] = {
    {UNITS(L"plain"), NULL},
    {UNITS(L"classy"), L"A Class"},
    {UNITS(L"classy in other letters"), L"\x4e2d \"x\" [y] \\"},
    {UNITS(L"[brackets] \"quotes\" = @"), NULL},
    {UNITS(L"two\nlines"), NULL},
    {UNITS(L" spaces around "), NULL},
    {UNITS(L"CaSe \x00c4\x00e4\x0130\x0131"), NULL},
    {UNITS(L"\x6f22\x5b57 \xd83d\xde00"), NULL},
    {UNITS(L"lone high \xd800"), NULL},
    {UNITS(L"\xdc00 lone low"), L"\xdc00"},
    {UNITS(L"NUL\0inside"), NULL},
    {UNITS(L"\0NUL first"), NULL},
    {UNITS(L"NUL last\0"), L"And a class"},
};

#define ODD_LONG_VALUE_NAME 16000 /* of its 16383 units */
#define ODD_LONG_KEY_NAME 255
#define ODD_BIG_VALUE (1024 * 1024 + 3)
#define ODD_DEPTH 120
#define ODD_WIDTH 300

#endif
