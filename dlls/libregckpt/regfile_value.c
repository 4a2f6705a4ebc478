/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading .reg files: values (see regfile.h).
 *
 *   "name"="text"             REG_SZ; \\ \" \r \n stand for one character each
 *   @=dword:0000002a          REG_DWORD
 *   "name"=hex:01,02,\        REG_BINARY, going on in the next line; comments may stand between
 *   "name"=hex(7):41,00       any type, its number in hexadecimal
 *   "name"=-                  the value goes
 */
#include <stdlib.h>
#include <string.h>

#include "regfile_reader.h"

#define REG_SZ 1
#define REG_EXPAND_SZ 2
#define REG_BINARY 3
#define REG_DWORD 4
#define REG_MULTI_SZ 7

/* Makes room for count items; false: no memory. */
static bool reserve(void **array, size_t *room, size_t count, size_t item_bytes)
{
    void *bigger;

    if (count <= *room)
        return true;
    count += count / 2 + 64;
    if (!(bigger = realloc(*array, count * item_bytes)))
        return false;
    *array = bigger;
    *room = count;
    return true;
}

/* A hexadecimal digit's value, or -1. */
static int digit(uint16_t unit)
{
    if (unit >= '0' && unit <= '9')
        return unit - '0';
    unit |= 0x20;
    return unit >= 'a' && unit <= 'f' ? unit - 'a' + 10 : -1;
}

/* Reads a number of 1 to `most` digits. Returns where it ends; NULL: there is none, or a longer. */
static const uint16_t *number(const uint16_t *at, const uint16_t *end, int most, uint32_t *out)
{
    const uint16_t *start = at;

    for (*out = 0; at < end && digit(*at) >= 0; at++) {
        if (at - start == most)
            return NULL;
        *out = *out << 4 | (uint32_t)digit(*at);
    }
    return at == start ? NULL : at;
}

/* What a backslash and this unit stand for; 0: nothing. */
static uint16_t escaped(uint16_t unit)
{
    switch (unit) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case '\\':
    case '"':
        return unit;
    }
    return 0;
}

/*
 * Reads a text between quotation marks from behind the first one on; may_break: over line breaks,
 * which old versions of regedit write as they are.  Room: one unit a unit of the text read.
 */
static int read_quoted(struct regfile_reader *r, const uint16_t **at, bool may_break,
                       uint16_t **units, size_t *room, size_t *len)
{
    unsigned long first = r->line_number;

    *len = 0;
    for (;;) {
        const uint16_t *p = *at, *line_end = r->line_end;

        if (!reserve((void **)units, room, *len + (size_t)(line_end - p) + 3, sizeof(**units)))
            return regfile_no_memory(r);
        for (; p < line_end && *p != '"'; p++) {
            uint16_t unit = *p;

            if (unit == '\\' && (++p == line_end || !(unit = escaped(*p))))
                return regfile_malformed(r, "a backslash that stands for itself is written twice; "
                                            "before n, r, \" and itself only it may stand alone.");
            (*units)[(*len)++] = unit;
        }
        if (p < line_end) {
            *at = p + 1;
            return RESULT_OK;
        }
        for (; may_break && p < r->next; p++)
            (*units)[(*len)++] = *p;
        if (!may_break || !regfile_next_line(r)) {
            r->line_number = first;
            return regfile_malformed(r, "the closing quotation mark is missing.");
        }
        *at = r->line;
    }
}

/* Goes to the next line of hexadecimal data, over empty ones and comments. */
static bool next_data_line(struct regfile_reader *r, const uint16_t **at)
{
    while (regfile_next_line(r)) {
        *at = regfile_skip(r->line, r->line_end);
        if (*at < r->line_end && **at != ';')
            return true;
    }
    return false;
}

/* The bytes behind "hex:", over as many lines as they take. */
static int read_hex(struct regfile_reader *r, const uint16_t *at, size_t *size)
{
    unsigned long first = r->line_number;

    *size = 0;
    for (;;) {
        const uint16_t *end = r->line_end;
        uint32_t byte;
        bool comma = true;

        if (!reserve((void **)&r->bytes, &r->bytes_room, *size + (size_t)(end - at) / 2 + 2, 1))
            return regfile_no_memory(r);
        for (at = regfile_skip(at, end); at < end && digit(*at) >= 0; at = regfile_skip(at, end)) {
            if (!comma || !(at = number(at, end, 2, &byte)))
                return regfile_malformed(r, "bytes are one or two hexadecimal digits each, with a "
                                            "comma between them.");
            r->bytes[(*size)++] = (uint8_t)byte;
            at = regfile_skip(at, end);
            if ((comma = at < end && *at == ','))
                at++;
        }
        if (at == end || *at == ';')
            return RESULT_OK;
        if (*at != '\\' || !comma || !regfile_is_rest(at + 1, end))
            return regfile_malformed(r, "neither bytes, \",\\\" to go on in the next line, nor the "
                                        "end of the data.");
        if (!next_data_line(r, &at)) {
            r->line_number = first;
            return regfile_malformed(r, "the file ends within this value: it is not whole.");
        }
    }
}

/* REGEDIT4: text is 8-bit characters there; regedit ends it where it is not ended. */
static int widen(struct regfile_reader *r, size_t *size)
{
    size_t count = *size;

    if (!count)
        return RESULT_OK;
    if (!reserve((void **)&r->units, &r->units_room, count + 1, sizeof(*r->units)))
        return regfile_no_memory(r);
    for (size_t i = 0; i < count; i++)
        r->units[i] = regfile_unit_1252(r->bytes[i]);
    if (r->units[count - 1])
        r->units[count++] = 0;
    if (!reserve((void **)&r->bytes, &r->bytes_room, count * sizeof(*r->units), 1))
        return regfile_no_memory(r);
    memcpy(r->bytes, r->units, count * sizeof(*r->units));
    *size = count * sizeof(*r->units);
    return RESULT_OK;
}

/* Does the text continue with this word (small letters), in any case?  Moves behind it then. */
static bool take(const uint16_t **at, const uint16_t *end, const char *word)
{
    const uint16_t *p = *at;

    for (; *word; word++, p++)
        if (p == end || (*p >= 'A' && *p <= 'Z' ? *p + 'a' - 'A' : *p) != *word)
            return false;
    *at = p;
    return true;
}

/* Data that is written as bytes: the type, then these. */
static int read_bytes(struct regfile_reader *r, const uint16_t *at, struct regfile_entry *entry)
{
    bool is_text;
    size_t size;
    int result;

    entry->type = REG_BINARY;
    if (*at == '(') {
        at = number(at + 1, r->line_end, 8, &entry->type);
        if (!at || !take(&at, r->line_end, "):"))
            return regfile_malformed(r, "the type in hex(TYPE): is not a number of at most eight "
                                        "hexadecimal digits.");
    } else {
        at++;
    }
    if ((result = read_hex(r, at, &size)))
        return result;
    is_text = entry->type == REG_SZ || entry->type == REG_EXPAND_SZ || entry->type == REG_MULTI_SZ;
    if (r->version_4 && is_text && (result = widen(r, &size)))
        return result;
    if (size > UINT32_MAX)
        return regfile_malformed(r, "the value is larger than the registry can hold.");
    entry->data = r->bytes;
    entry->size_bytes = (uint32_t)size;
    return RESULT_OK;
}

/* A text in quotation marks. */
static int read_text(struct regfile_reader *r, const uint16_t *at, struct regfile_entry *entry)
{
    size_t len;
    int result = read_quoted(r, &at, true, &r->units, &r->units_room, &len);

    if (result)
        return result;
    if (!regfile_is_rest(at, r->line_end))
        return regfile_malformed(r, "there is something behind the closing quotation mark.");
    r->units[len++] = 0; /* read_quoted leaves room */
    if (len > UINT32_MAX / sizeof(*r->units))
        return regfile_malformed(r, "the value is larger than the registry can hold.");
    entry->type = REG_SZ;
    entry->data = (const uint8_t *)r->units;
    entry->size_bytes = (uint32_t)(len * sizeof(*r->units));
    return RESULT_OK;
}

/* What stands behind the '='. */
static int read_data(struct regfile_reader *r, const uint16_t *at, struct regfile_entry *entry)
{
    const uint16_t *end = r->line_end;

    entry->kind = REGFILE_SET_VALUE;
    if (at < end && *at == '-' && regfile_is_rest(at + 1, end)) {
        entry->kind = REGFILE_DELETE_VALUE;
        return RESULT_OK;
    }
    if (at < end && *at == '"')
        return read_text(r, at + 1, entry);
    if (take(&at, end, "dword:")) {
        at = number(regfile_skip(at, end), end, 8, &entry->type);
        if (!at || !regfile_is_rest(at, end))
            return regfile_malformed(r, "dword: needs one number of at most eight hexadecimal "
                                        "digits.");
        if (!reserve((void **)&r->bytes, &r->bytes_room, sizeof(uint32_t), 1))
            return regfile_no_memory(r);
        memcpy(r->bytes, &entry->type, sizeof(uint32_t)); /* both are little-endian */
        entry->type = REG_DWORD;
        entry->data = r->bytes;
        entry->size_bytes = sizeof(uint32_t);
        return RESULT_OK;
    }
    if (take(&at, end, "hex") && at < end && (*at == ':' || *at == '('))
        return read_bytes(r, at, entry);
    return regfile_malformed(r, "the value is neither \"text\", dword:, hex:, hex(TYPE):, nor -.");
}

int regfile_read_value(struct regfile_reader *r, const uint16_t *at)
{
    struct regfile_entry entry = {.line = r->line_number, .key = r->key};
    size_t len = 0;
    int result;

    if (*at++ == '"') {
        if ((result = read_quoted(r, &at, false, &r->name, &r->name_room, &len)))
            return result;
        entry.name = (struct utf16){r->name, len};
        if (len > IMAGE_MAX_NAME_CHARS)
            return regfile_malformed(r, "the value's name is longer than the registry takes.");
    }
    at = regfile_skip(at, r->line_end);
    if (at == r->line_end || *at != '=')
        return regfile_malformed(r, "there is no \"=\" behind the value's name.");
    if ((result = read_data(r, regfile_skip(at + 1, r->line_end), &entry)))
        return result;
    return r->fn(&entry, r->arg);
}
