/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * UTF-16 strings as the registry has them: any 16-bit units, NUL and lone surrogates included,
 * with a length and without a terminator.
 *
 * Case is ignored the way wineserver ignores it (server/unicode.c, memicmp_strW): unit by unit by
 * the lower-case table of Wine's l_intl.nls.  The table is compiled in (casemap.c), so that a node
 * without Wine gives the same answers.
 *
 * The UTF-8 form is reversible: a lone surrogate becomes its three-byte form (WTF-8), U+0000 becomes
 * C0 80.  So a converted string holds no zero byte, and every UTF-16 string has one form only.
 */
#ifndef REGCKPT_UTF16_H
#define REGCKPT_UTF16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct utf16 { /* a view: whoever made the units owns them */
    const uint16_t *units;
    size_t len; /* in units */
};

/* The lower-case form of one unit (Wine's table). */
uint16_t utf16_fold_unit(uint16_t unit);

/* <0, 0, >0 in wineserver's order: by folded units, a prefix first (find_subkey). */
int utf16_compare_nocase(struct utf16 a, struct utf16 b);

/* Equal to the unit, case included. */
bool utf16_equal(struct utf16 a, struct utf16 b);

/*
 * UTF-8 form, NUL-terminated, malloc'ed (the caller frees); NULL: no memory.  With fold every unit
 * is folded first.  *len_bytes, if not NULL, gets the length without the NUL.
 */
char *utf16_to_utf8(struct utf16 s, bool fold, size_t *len_bytes);

/* At most 3 bytes a unit; writes no NUL; returns the bytes written to out (room: 3 * s.len). */
size_t utf16_put_utf8(struct utf16 s, bool fold, char *out);

/*
 * The units of a UTF-8 text, malloc'ed (the caller frees), in *out.  Accepts WTF-8 and C0 80.
 * Returns 0, RESULT_INVALID if the bytes are not of that form, or ENOMEM.
 */
int utf16_from_utf8(const char *text, size_t len_bytes, struct utf16 *out);

/* Writes a name for people: printable UTF-8, control characters and lone surrogates as \xNNNN. */
char *utf16_for_display(struct utf16 s);

#endif
