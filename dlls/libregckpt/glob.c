/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Glob patterns on registry names: '*' any units, '\' too, '?' one unit, "[a-z]" one of a set,
 * "[!a-z]" one not of it (']' first in a set is a member), everything else itself, case ignored.
 *
 * The pattern is read as UTF-8 where it stands, so a match allocates nothing and cannot fail.  On a
 * mismatch only the last '*' takes one unit more: earlier ones need not move, whatever they could
 * match the last one can too.  So the time is at most pattern times text, never exponential.
 */
#include <string.h>

#include "image.h"

enum { AT_END = -1, INVALID = -2 }; /* beside a unit */

/* A place in a pattern. */
struct cursor {
    const char *at;
    uint16_t low; /* the second unit of a character just read; 0: none */
};

/* The next unit of the pattern; bytes that are not UTF-8 are INVALID and match nothing. */
static int next_unit(struct cursor *c)
{
    const unsigned char *p = (const unsigned char *)c->at;
    uint32_t code;
    unsigned more;

    if (c->low) {
        int low = c->low;

        c->low = 0;
        return low;
    }
    if (!*p)
        return AT_END;
    if (*p < 0x80) {
        c->at++;
        return *p;
    }
    more = *p < 0xc2 ? 0 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : *p < 0xf5 ? 3 : 0;
    if (!more)
        return INVALID;
    code = *p & (0x3f >> more);
    for (unsigned i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return INVALID;
        code = code << 6 | (p[i] & 0x3f);
    }
    c->at += more + 1;
    if (code < 0x10000)
        return code;
    if (code > 0x10ffff)
        return INVALID;
    c->low = 0xdc00 | (code & 0x3ff);
    return 0xd800 | (code - 0x10000) >> 10;
}

/* Is a unit between two others, in any case? */
static bool in_range(int low, int high, uint16_t unit)
{
    uint16_t folded = utf16_fold_unit(unit);

    return (low <= unit && unit <= high) ||
           (utf16_fold_unit(low) <= folded && folded <= utf16_fold_unit(high));
}

/*
 * Matches one unit against the set behind a '['.  Returns false if the set has no end: then the
 * '[' stands for itself.
 */
static bool match_set(struct cursor *c, uint16_t unit, bool *matched)
{
    struct cursor at = *c, ahead;
    bool negated = false, hit = false, first = true;
    int low, high;

    ahead = at;
    low = next_unit(&ahead);
    if (low == '!' || low == '^') {
        negated = true;
        at = ahead;
    }
    for (;; first = false) {
        low = next_unit(&at);
        if (low < 0)
            return false;
        if (low == ']' && !first)
            break;
        high = low;
        ahead = at;
        if (next_unit(&ahead) == '-') {
            struct cursor behind = ahead;
            int end = next_unit(&behind);

            if (end >= 0 && end != ']') { /* a '-' at the end of a set is a member */
                high = end;
                at = behind;
            }
        }
        hit |= in_range(low, high, unit);
    }
    *c = at;
    *matched = hit != negated;
    return true;
}

/* Matches one unit against the next item of the pattern, which is no '*', and goes behind it. */
static bool match_one(struct cursor *c, uint16_t unit)
{
    int item = next_unit(c);
    bool matched;

    if (item < 0)
        return false;
    if (item == '?')
        return true;
    if (item == '[' && match_set(c, unit, &matched))
        return matched;
    return utf16_fold_unit(item) == utf16_fold_unit(unit);
}

/* Is the next item a '*'?  Goes behind it then. */
static bool skip_star(struct cursor *c)
{
    if (c->low || *c->at != '*')
        return false;
    c->at++;
    return true;
}

bool glob_matches(const char *pattern_utf8, struct utf16 text)
{
    struct cursor at = { pattern_utf8, 0 }, behind_star = { NULL, 0 };
    size_t i = 0, star_i = 0;

    while (i < text.len) {
        if (skip_star(&at)) {
            if (!*at.at)
                return true;
            behind_star = at;
            star_i = i;
        } else if (match_one(&at, text.units[i])) {
            i++;
        } else {
            if (!behind_star.at)
                return false;
            at = behind_star;
            i = ++star_i;
        }
    }
    while (skip_star(&at))
        ;
    return !at.low && !*at.at;
}
