/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Strings in Wine's registry text: which characters stand for themselves, and how the others are
 * escaped (dump_strW and parse_strW in server/unicode.c of Wine 8.0).
 */
#ifndef REGCKPT_WINEREG_TEXT_H
#define REGCKPT_WINEREG_TEXT_H

#include "image.h"

#define WINEREG_FIRST_LINE "WINE REGISTRY Version 2"
#define WINEREG_SECOND_LINE ";; All keys relative to "

/* The most characters that one unit takes: "\xffff". */
#define WINEREG_ESCAPE_BYTES 6

/* Where a string stands: what else must be escaped there. */
enum winereg_place {
    WINEREG_QUOTED = 1, /* between quotation marks: the mark */
    WINEREG_KEY = 2,    /* between brackets: both brackets */
};

/*
 * Escapes the first `count` units of s, whose form may depend on the unit behind them; returns the
 * end.  Room: WINEREG_ESCAPE_BYTES a unit.
 */
char *winereg_escape(char *out, struct utf16 s, size_t count, enum winereg_place place);

/*
 * Reads an escaped string until the character that ends it in its place, or until `end`.  Only the
 * one form that Wine writes is accepted.  *len_units gets the count; room: one unit a byte.
 * Returns where it stopped (at the ending character, or end); NULL: malformed.
 */
const char *winereg_unescape(const char *at, const char *end, enum winereg_place place,
                             uint16_t *units, size_t *len_units);

/* Does Wine write this data as a string in quotation marks? (a string type, whole, terminated) */
bool winereg_is_string(uint32_t type, const uint8_t *data, size_t size_bytes);

extern const uint8_t winereg_hex_digits[256]; /* the value plus 1; 0: not a digit */

/* The value of a hex digit as Wine writes it (small letters), or -1. */
static inline int winereg_hex_digit(char c)
{
    return winereg_hex_digits[(unsigned char)c] - 1;
}

#endif
