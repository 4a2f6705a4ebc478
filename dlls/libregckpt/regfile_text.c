/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * .reg files as text: getting the bytes, telling the encoding and the form (see regfile.h).
 */
#include "regfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Windows-1252 from 0x80 to 0x9f; the five bytes that mean nothing stay controls, as in Windows. */
static const uint16_t upper_1252[32] = {
    0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160,
    0x2039, 0x152,  0x8d,   0x17d,  0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178,
};

uint16_t regfile_unit_1252(uint8_t byte)
{
    return byte >= 0x80 && byte < 0xa0 ? upper_1252[byte - 0x80] : byte;
}

/* Does the text begin with this ASCII line, blanks around it? */
static bool first_line_is(const struct regfile_text *t, const char *line)
{
    size_t at = 0;

    while (at < t->len && (t->units[at] == ' ' || t->units[at] == '\t'))
        at++;
    for (; *line; line++, at++)
        if (at == t->len || t->units[at] != (uint16_t)*line)
            return false;
    while (at < t->len && (t->units[at] == ' ' || t->units[at] == '\t'))
        at++;
    return at == t->len || t->units[at] == '\r' || t->units[at] == '\n';
}

/* Does a file of single bytes begin so, behind blanks? */
static bool bytes_begin(const uint8_t *bytes, size_t len, const char *with)
{
    size_t want = strlen(with);

    while (len && (*bytes == ' ' || *bytes == '\t')) {
        bytes++;
        len--;
    }
    return len >= want && !memcmp(bytes, with, want);
}

/* Two bytes a unit; `high`: which of them is the upper one. */
static int decode_utf16(const uint8_t *bytes, size_t len, unsigned high, struct regfile_text *out,
                        struct error *err)
{
    if (len % 2)
        return error_set(err, RESULT_INVALID, "The .reg file ends in the middle of a character: "
                         "it is not whole.");
    out->len = len / 2;
    for (size_t i = 0; i < out->len; i++)
        out->units[i] = (uint16_t)(bytes[2 * i + high] << 8 | bytes[2 * i + 1 - high]);
    return RESULT_OK;
}

/* Characters of one to four bytes. */
static int decode_utf8(const uint8_t *bytes, size_t len, struct regfile_text *out,
                       struct error *err)
{
    struct utf16 units;
    int result = utf16_from_utf8((const char *)bytes, len, &units);

    if (result == RESULT_INVALID)
        return error_set(err, RESULT_INVALID,
                         "The .reg file is neither UTF-16 (with a byte order mark) nor UTF-8, "
                         "which its first line asks for, or it holds NUL bytes. Export it again, "
                         "or convert it with iconv -t UTF-8.");
    if (result)
        return error_system(err, result, "Reading the .reg file");
    free(out->units);
    out->units = (uint16_t *)units.units;
    out->len = units.len;
    return RESULT_OK;
}

/* Any encoding into units. */
static int decode(const uint8_t *bytes, size_t len, struct regfile_text *out, struct error *err)
{
    if (len >= 2 && bytes[0] == 0xff && bytes[1] == 0xfe)
        return decode_utf16(bytes + 2, len - 2, 1, out, err);
    if (len >= 2 && bytes[0] == 0xfe && bytes[1] == 0xff)
        return decode_utf16(bytes + 2, len - 2, 0, out, err);
    if (len >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3))
        return decode_utf8(bytes + 3, len - 3, out, err);
    if (bytes_begin(bytes, len, REGFILE_HEADER_4)) {
        for (size_t i = 0; i < len; i++)
            out->units[i] = regfile_unit_1252(bytes[i]);
        out->len = len;
        return RESULT_OK;
    }
    if (!bytes_begin(bytes, len, REGFILE_HEADER_5)) /* say that, not that it is no UTF-8 */
        return RESULT_OK;
    return decode_utf8(bytes, len, out, err);
}

/* A NUL nowhere has a meaning in a .reg file; readers in C end there. */
static int check_units(const struct regfile_text *t, struct error *err)
{
    unsigned long line = 1;

    for (size_t i = 0; i < t->len; i++) {
        line += t->units[i] == '\n';
        if (!t->units[i])
            return error_set(err, RESULT_INVALID, "Line %lu of the .reg file holds a NUL "
                             "character: it is damaged, or in an encoding that it does not say.",
                             line);
    }
    return RESULT_OK;
}

int regfile_decode(const uint8_t *bytes, size_t len, struct regfile_text *out, struct error *err)
{
    int result;

    *out = (struct regfile_text){0};
    if (!(out->units = malloc((len + 1) * sizeof(*out->units))))
        return error_system(err, ENOMEM, "Reading a .reg file of %zu bytes", len);
    if (!(result = decode(bytes, len, out, err))) {
        out->version_4 = first_line_is(out, REGFILE_HEADER_4);
        if (!out->version_4 && !first_line_is(out, REGFILE_HEADER_5))
            result = error_set(err, RESULT_FOREIGN,
                               "This is no .reg file: its first line is neither \"%s\" nor \"%s\".",
                               REGFILE_HEADER_5, REGFILE_HEADER_4);
        else
            result = check_units(out, err);
    }
    if (result) {
        free(out->units);
        *out = (struct regfile_text){0};
    }
    return result;
}

int regfile_load(const char *path, uint8_t **bytes, size_t *len, struct error *err)
{
    bool standard = !strcmp(path, "-");
    FILE *in = standard ? stdin : fopen(path, "rbe");
    size_t room = 1 << 16, used = 0;
    uint8_t *buffer = NULL, *bigger;
    int result = RESULT_OK;

    if (!in && errno == ENOENT)
        return error_set(err, RESULT_NOT_FOUND, "There is no file %s.", path);
    if (!in)
        return error_system(err, errno, "Opening the .reg file %s", path);
    for (;;) {
        if (!(bigger = realloc(buffer, room))) {
            result = error_system(err, ENOMEM, "Reading the .reg file %s", path);
            break;
        }
        buffer = bigger;
        errno = 0;
        used += fread(buffer + used, 1, room - used, in);
        if (ferror(in)) {
            result = error_system(err, errno, "Reading the .reg file %s", path);
            break;
        }
        if (used < room)
            break;
        if (room >= REGFILE_MAX_BYTES) {
            result = error_set(err, RESULT_INVALID, "The .reg file %s is larger than %zu bytes, "
                               "more than regckpt reads at once. Split it.",
                               path, REGFILE_MAX_BYTES);
            break;
        }
        room *= 2;
    }
    if (!standard)
        fclose(in);
    if (result) {
        free(buffer);
        return result;
    }
    *bytes = buffer;
    *len = used;
    return RESULT_OK;
}
