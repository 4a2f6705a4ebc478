/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * UTF-16 strings: case, order and their UTF-8 form (see utf16.h).
 */
#include "utf16.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "casemap.h"
#include "error.h"

/* Inlined into the loops below: a fold is two look-ups and an addition. */
static inline uint16_t fold(uint16_t unit)
{
    return unit + casemap_delta[casemap_index[unit / CASEMAP_BLOCK]][unit % CASEMAP_BLOCK];
}

static inline bool is_high(uint16_t unit)
{
    return (unit & 0xfc00) == 0xd800;
}

static inline bool is_low(uint16_t unit)
{
    return (unit & 0xfc00) == 0xdc00;
}

uint16_t utf16_fold_unit(uint16_t unit)
{
    return fold(unit);
}

int utf16_compare_nocase(struct utf16 a, struct utf16 b)
{
    size_t len = a.len < b.len ? a.len : b.len;

    for (size_t i = 0; i < len; i++) {
        int diff;

        if (a.units[i] == b.units[i])
            continue;
        diff = (int)fold(a.units[i]) - (int)fold(b.units[i]);
        if (diff)
            return diff;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

bool utf16_equal(struct utf16 a, struct utf16 b)
{
    return a.len == b.len && (!a.len || !memcmp(a.units, b.units, a.len * sizeof(*a.units)));
}

size_t utf16_put_utf8(struct utf16 s, bool folded, char *out)
{
    unsigned char *p = (unsigned char *)out;

    for (size_t i = 0; i < s.len; i++) {
        uint16_t unit = folded ? fold(s.units[i]) : s.units[i];

        if (unit && unit < 0x80) {
            *p++ = unit;
        } else if (unit < 0x800) {
            *p++ = 0xc0 | unit >> 6;
            *p++ = 0x80 | (unit & 0x3f);
        } else if (is_high(unit) && i + 1 < s.len && is_low(s.units[i + 1])) {
            uint32_t c = 0x10000 + ((uint32_t)(unit & 0x3ff) << 10) + (s.units[++i] & 0x3ff);

            *p++ = 0xf0 | c >> 18;
            *p++ = 0x80 | (c >> 12 & 0x3f);
            *p++ = 0x80 | (c >> 6 & 0x3f);
            *p++ = 0x80 | (c & 0x3f);
        } else {
            *p++ = 0xe0 | unit >> 12;
            *p++ = 0x80 | (unit >> 6 & 0x3f);
            *p++ = 0x80 | (unit & 0x3f);
        }
    }
    return p - (unsigned char *)out;
}

char *utf16_to_utf8(struct utf16 s, bool folded, size_t *len_bytes)
{
    char *out, *smaller;
    size_t len;

    if (s.len > (SIZE_MAX - 1) / 3 || !(out = malloc(s.len * 3 + 1)))
        return NULL;
    len = utf16_put_utf8(s, folded, out);
    out[len] = 0;
    if (len_bytes)
        *len_bytes = len;
    smaller = realloc(out, len + 1);
    return smaller ? smaller : out;
}

/*
 * Reads one character of strict WTF-8 with C0 80 for NUL, at most len bytes.  Returns its bytes, 0
 * if they are not of that form.
 */
static size_t get_character(const unsigned char *text, size_t len, uint32_t *out)
{
    static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint32_t c = text[0];
    size_t want = c < 0x80 ? 1 : c < 0xc0 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf8 ? 4 : 0;

    if (!c || !want || want > len)
        return 0;
    if (want > 1)
        c &= 0x7f >> want;
    for (size_t i = 1; i < want; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (text[i] & 0x3f);
    }
    if (c > 0x10ffff || (c < lowest[want] && !(!c && want == 2)))
        return 0;
    *out = c;
    return want;
}

int utf16_from_utf8(const char *text, size_t len_bytes, struct utf16 *out)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + len_bytes;
    uint16_t *units, *smaller;
    size_t count = 0;
    bool after_lone_high = false;

    if (len_bytes >= SIZE_MAX / sizeof(*units) ||
        !(units = malloc((len_bytes ? len_bytes : 1) * sizeof(*units))))
        return ENOMEM;
    while (p < end) {
        uint32_t c;
        size_t n = get_character(p, end - p, &c);

        /* two surrogates of three bytes each that make a pair have a form of four bytes */
        if (!n || (after_lone_high && c < 0x10000 && is_low(c))) {
            free(units);
            return RESULT_INVALID;
        }
        after_lone_high = c < 0x10000 && is_high(c);
        if (c < 0x10000) {
            units[count++] = c;
        } else {
            units[count++] = 0xd800 | (c - 0x10000) >> 10;
            units[count++] = 0xdc00 | (c & 0x3ff);
        }
        p += n;
    }
    smaller = realloc(units, (count ? count : 1) * sizeof(*units));
    out->units = smaller ? smaller : units;
    out->len = count;
    return 0;
}

/* Would the unit move the cursor, turn the writing direction or stay unseen on a terminal? */
static bool is_unprintable(uint16_t unit)
{
    return unit < 0x20 || (unit >= 0x7f && unit < 0xa0) || unit == 0xad ||
           (unit >= 0x200b && unit <= 0x200f) || (unit >= 0x2028 && unit <= 0x202e) ||
           (unit >= 0x2060 && unit <= 0x206f) || unit == 0xfeff || unit >= 0xfff0;
}

char *utf16_for_display(struct utf16 s)
{
    char *out, *p, *smaller;

    if (s.len > (SIZE_MAX - 1) / 6 || !(out = p = malloc(s.len * 6 + 1)))
        return NULL;
    for (size_t i = 0; i < s.len; i++) {
        bool pair = is_high(s.units[i]) && i + 1 < s.len && is_low(s.units[i + 1]);

        if (is_unprintable(s.units[i]) ||
            (!pair && (is_high(s.units[i]) || is_low(s.units[i])))) {
            p += sprintf(p, "\\x%04x", s.units[i]);
        } else {
            struct utf16 one = { s.units + i, pair ? 2 : 1 };

            p += utf16_put_utf8(one, false, p);
            i += pair;
        }
    }
    *p++ = 0;
    smaller = realloc(out, p - out);
    return smaller ? smaller : out;
}
