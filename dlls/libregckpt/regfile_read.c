/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading .reg files: lines and sections (see regfile.h; values: regfile_value.c).
 *
 * regedit skips what it does not understand without a word.  Here that is an error: a file of which
 * half is taken is worse than one that is refused with the line's number.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "regfile_reader.h"

int regfile_malformed(struct regfile_reader *r, const char *why)
{
    return error_set(r->err, RESULT_INVALID, "Line %lu of the .reg file: %s", r->line_number, why);
}

int regfile_no_memory(struct regfile_reader *r)
{
    return error_system(r->err, ENOMEM, "Reading line %lu of the .reg file", r->line_number);
}

bool regfile_next_line(struct regfile_reader *r)
{
    const uint16_t *at = r->next;

    if (at == r->end)
        return false;
    r->line = at;
    while (at < r->end && *at != '\n' && *at != '\r')
        at++;
    r->line_end = at;
    if (at < r->end && *at++ == '\r' && at < r->end && *at == '\n')
        at++;
    r->next = at;
    r->line_number++;
    return true;
}

/* Hands a section's head on. */
static int tell_key(struct regfile_reader *r, enum regfile_kind kind)
{
    struct regfile_entry entry = {.kind = kind, .line = r->line_number, .key = r->key};

    return r->fn(&entry, r->arg);
}

/* "[KEY]" or "[-KEY]", from behind the bracket on.  The last one ends it: names may hold some. */
static int read_section(struct regfile_reader *r, const uint16_t *at)
{
    const uint16_t *close = r->line_end;
    bool deletes = at < r->line_end && *at == '-';

    while (close > at && close[-1] != ']')
        close--;
    if (close == at)
        return regfile_malformed(r, "the \"]\" behind the key's name is missing.");
    if (!regfile_is_rest(close, r->line_end))
        return regfile_malformed(r, "there is something behind the key's \"]\".");
    close--;
    at += deletes;
    if (at == close || *at == ' ' || *at == '\t')
        return regfile_malformed(r, "there is no key's name behind the \"[\".");
    r->key = (struct utf16){at, (size_t)(close - at)};
    r->has_key = !deletes;
    return tell_key(r, deletes ? REGFILE_DELETE_KEY : REGFILE_KEY);
}

/* Any line behind the first. */
static int read_line(struct regfile_reader *r)
{
    const uint16_t *at = regfile_skip(r->line, r->line_end);

    if (at == r->line_end || *at == ';' || *at == '#')
        return RESULT_OK;
    if (*at == '[')
        return read_section(r, at + 1);
    if (*at != '@' && *at != '"')
        return regfile_malformed(r, "it is neither a [key], a \"name\"=value, nor a comment.");
    if (!r->has_key)
        return regfile_malformed(r, "a value that belongs to no key: the last [key] before it is "
                                    "missing, or deletes.");
    return regfile_read_value(r, at);
}

int regfile_read(const uint8_t *bytes, size_t len, regfile_fn *fn, void *arg, struct error *err)
{
    struct regfile_reader r = {.fn = fn, .arg = arg, .err = err};
    struct regfile_text text;
    int result = regfile_decode(bytes, len, &text, err);

    if (result)
        return result;
    r.next = text.units;
    r.end = text.units + text.len;
    r.version_4 = text.version_4;
    regfile_next_line(&r); /* the first line was looked at already */
    while (!result && regfile_next_line(&r))
        result = read_line(&r);
    free(r.name);
    free(r.units);
    free(r.bytes);
    free(text.units);
    return result;
}
