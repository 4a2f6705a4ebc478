/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Strings in Wine's registry text (see winereg_text.h).
 *
 * Units above 127 are "\x" with one to four hex digits, four if a hex digit follows; control
 * characters have C's letters or one to three octal digits, three if an octal digit follows; a
 * backslash stands before itself and before what would end the string.
 */
#include "winereg_text.h"

#include <string.h>

#define REG_SZ 1
#define REG_EXPAND_SZ 2
#define REG_MULTI_SZ 7

/* The control characters that have a letter, by their number. */
static const char letters[32] = { [7] = 'a', [8] = 'b', [9] = 't', [10] = 'n', [11] = 'v',
                                  [12] = 'f', [13] = 'r', [27] = 'e' };

/* In which places a character stands for itself. */
static const uint8_t plain[256] = {
    [' ' ... '!'] = WINEREG_QUOTED | WINEREG_KEY,
    ['"'] = WINEREG_KEY,
    ['#' ... 'Z'] = WINEREG_QUOTED | WINEREG_KEY,
    ['['] = WINEREG_QUOTED,
    [']'] = WINEREG_QUOTED,
    ['^' ... 0x7f] = WINEREG_QUOTED | WINEREG_KEY,
};

static const char hex[] = "0123456789abcdef";

static bool is_octal(int c)
{
    return c >= '0' && c <= '7';
}

/* A hex digit of either case: what would be read as one more digit. */
static bool is_hex(int c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

const uint8_t winereg_hex_digits[256] = {
    ['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

/* One unit that does not stand for itself; next is the unit behind it, or -1. */
static char *escape_unit(char *out, uint16_t unit, int next)
{
    int shift;

    *out++ = '\\';
    if (unit > 127) {
        *out++ = 'x';
        for (shift = 12; shift > 0 && !is_hex(next) && !(unit >> shift); shift -= 4)
            ;
        for (; shift >= 0; shift -= 4)
            *out++ = hex[unit >> shift & 15];
    } else if (unit >= 32) {
        *out++ = unit;
    } else if (letters[unit]) {
        *out++ = letters[unit];
    } else {
        for (shift = 6; shift > 0 && !is_octal(next) && !(unit >> shift); shift -= 3)
            ;
        for (; shift >= 0; shift -= 3)
            *out++ = '0' + (unit >> shift & 7);
    }
    return out;
}

char *winereg_escape(char *out, struct utf16 s, size_t count, enum winereg_place place)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t unit = s.units[i];

        if (unit < 256 && (plain[unit] & place))
            *out++ = unit;
        else
            out = escape_unit(out, unit, i + 1 < s.len ? s.units[i + 1] : -1);
    }
    return out;
}

/* Reads the digits behind "\x". */
static const char *unescape_hex(const char *at, const char *end, uint16_t *unit)
{
    unsigned value = 0, count = 0;
    bool padded = at < end && *at == '0';

    while (count < 4 && at < end && winereg_hex_digit(*at) >= 0) {
        value = value << 4 | winereg_hex_digit(*at++);
        count++;
    }
    /* zeros in front only where the next character would count as a digit */
    if (value <= 127 || (padded && !(count == 4 && at < end && is_hex(*at))))
        return NULL;
    *unit = value;
    return at;
}

/* Reads one to three octal digits. */
static const char *unescape_octal(const char *at, const char *end, uint16_t *unit)
{
    unsigned value = 0, count = 0;
    bool padded = *at == '0';

    while (count < 3 && at < end && is_octal(*at)) {
        value = value << 3 | (*at++ - '0');
        count++;
    }
    if (value >= 32 || letters[value] ||
        (padded && count > 1 && !(count == 3 && at < end && is_octal(*at))))
        return NULL;
    *unit = value;
    return at;
}

/* Reads what stands behind a backslash. */
static const char *unescape_unit(const char *at, const char *end, enum winereg_place place,
                                 uint16_t *unit)
{
    const char *letter;
    char c;

    if (at == end)
        return NULL;
    c = *at;
    if (c == 'x')
        return unescape_hex(at + 1, end, unit);
    if (is_octal(c))
        return unescape_octal(at, end, unit);
    if (c >= 'a' && c <= 'z') {
        if (!(letter = memchr(letters, c, sizeof(letters))))
            return NULL;
        *unit = letter - letters;
        return at + 1;
    }
    if (c < ' ' || c == 0x7f || (plain[(unsigned char)c] & place))
        return NULL;
    *unit = c;
    return at + 1;
}

const char *winereg_unescape(const char *at, const char *end, enum winereg_place place,
                             uint16_t *units, size_t *len_units)
{
    char close = place == WINEREG_KEY ? ']' : '"';
    uint16_t *out = units;

    while (at && at < end) {
        unsigned char c;

        while (at < end && (plain[c = *at] & place)) {
            *out++ = c;
            at++;
        }
        if (at == end)
            break;
        if (c == '\\') {
            at = unescape_unit(at + 1, end, place, out++);
        } else if (c == close) {
            break;
        } else {
            return NULL;
        }
    }
    *len_units = out - units;
    return at;
}

bool winereg_is_string(uint32_t type, const uint8_t *data, size_t size_bytes)
{
    return (type == REG_SZ || type == REG_EXPAND_SZ || type == REG_MULTI_SZ) && size_bytes >= 2 &&
           size_bytes % 2 == 0 && !data[size_bytes - 1] && !data[size_bytes - 2];
}
