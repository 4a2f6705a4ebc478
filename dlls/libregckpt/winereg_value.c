/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading Wine's registry text: values (see winereg.h).
 *
 * NtSaveKey writes a name that ends in NUL without that NUL.  Where this shows it is put back: a
 * name of nothing but a NUL is "" (the default value is @), and a name that comes twice in a row
 * was written without the second time, for NAME and NAME with a NUL are neighbours.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "winereg_reader.h"

#define REG_SZ 1
#define REG_BINARY 3
#define REG_DWORD 4

/* One value as it was read; name and string data are in r->units, other data in r->bytes. */
struct value {
    struct utf16 name; /* with room for one unit behind it */
    uint32_t type;
    const void *data;
    size_t size_bytes;
};

/* Room for so many bytes of hex data. */
static int reserve_bytes(struct winereg_reader *r, size_t count)
{
    uint8_t *bigger;

    if (count <= r->bytes_room)
        return 0;
    if (!(bigger = realloc(r->bytes, count * 2)))
        return winereg_no_memory(r);
    r->bytes = bigger;
    r->bytes_room = count * 2;
    return 0;
}

/* The bytes behind "hex:", over as many lines as they take. */
static int read_hex(struct winereg_reader *r, const char *at, struct value *value)
{
    size_t count = 0;
    int result;

    for (;;) {
        const char *end = r->line_end;

        if ((result = reserve_bytes(r, count + (end - at) / 3 + 1)))
            return result;
        while (end - at >= 2) {
            int high = winereg_hex_digit(at[0]), low = winereg_hex_digit(at[1]);

            if ((high | low) < 0)
                return winereg_malformed(r, "hex data is not two digits a byte");
            r->bytes[count++] = high << 4 | low;
            at += 2;
            if (at == end || *at != ',' || ++at == end)
                break;
        }
        if (count > UINT32_MAX)
            return winereg_malformed(r, "the data is too large");
        if (at == end) {
            if (count && at[-1] == ',')
                return winereg_malformed(r, "hex data ends in a comma");
            break;
        }
        if (!count || at[-1] != ',' || *at != '\\' || at + 1 != end)
            return winereg_malformed(r, "hex data is not two digits a byte, separated by commas");
        if (!winereg_next_line(r) || r->line_end - r->line < 4 || r->line[0] != ' ' ||
            r->line[1] != ' ' || winereg_hex_digit(r->line[2]) < 0)
            return winereg_malformed(r, "hex data does not go on in the next line");
        at = r->line + 2;
    }
    value->data = r->bytes;
    value->size_bytes = count;
    return 0;
}

/* A string in quotation marks; `at` is behind the first. */
static int read_string(struct winereg_reader *r, const char *at, struct value *value)
{
    uint16_t *units = r->units + value->name.len + 1;
    size_t len;

    at = winereg_unescape(at, r->line_end, WINEREG_QUOTED, units, &len);
    if (!at || at + 1 != r->line_end)
        return winereg_malformed(r, "a malformed string");
    if (len >= UINT32_MAX / sizeof(*units))
        return winereg_malformed(r, "the data is too large");
    units[len++] = 0;
    value->data = units;
    value->size_bytes = len * sizeof(*units);
    return 0;
}

/* The number behind "dword:". */
static int read_dword(struct winereg_reader *r, const char *at, struct value *value)
{
    int result;

    if ((result = reserve_bytes(r, 4)))
        return result;
    if (r->line_end - at != 8)
        return winereg_malformed(r, "dword: has not 8 digits");
    for (int i = 0; i < 4; i++) {
        int high = winereg_hex_digit(at[2 * i]), low = winereg_hex_digit(at[2 * i + 1]);

        if (high < 0 || low < 0)
            return winereg_malformed(r, "dword: is not a hex number");
        r->bytes[3 - i] = high << 4 | low;
    }
    value->type = REG_DWORD;
    value->data = r->bytes;
    value->size_bytes = 4;
    return 0;
}

/* The type in "hex(TYPE):", behind the bracket; returns where its data begins, NULL: malformed. */
static const char *read_type(const char *at, const char *end, uint32_t *type)
{
    const char *first = at;

    *type = 0;
    for (; at < end && at - first < 8 && winereg_hex_digit(*at) >= 0; at++)
        *type = *type << 4 | winereg_hex_digit(*at);
    if (at == first || (*first == '0' && at > first + 1) || end - at < 2 || at[0] != ')' ||
        at[1] != ':')
        return NULL;
    return at + 2;
}

/* Does the text go on so?  Goes behind it then. */
static bool skip(const char **at, const char *end, const char *text, size_t len)
{
    if ((size_t)(end - *at) < len || memcmp(*at, text, len))
        return false;
    *at += len;
    return true;
}

/* Type and data, behind the '='. */
static int read_data(struct winereg_reader *r, const char *at, struct value *value)
{
    const char *end = r->line_end;
    int result;

    if (skip(&at, end, "\"", 1)) {
        value->type = REG_SZ;
        return read_string(r, at, value);
    }
    if (skip(&at, end, "dword:", 6))
        return read_dword(r, at, value);
    if (skip(&at, end, "hex:", 4)) {
        value->type = REG_BINARY;
        return read_hex(r, at, value);
    }
    if (skip(&at, end, "str(2):\"", 8) || skip(&at, end, "str(7):\"", 8)) {
        value->type = at[-4] - '0';
        return read_string(r, at, value);
    }
    if (!skip(&at, end, "hex(", 4) || !(at = read_type(at, end, &value->type)))
        return winereg_malformed(r, "a type of data that is not known");
    if ((result = read_hex(r, at, value)))
        return result;
    if (value->type == REG_BINARY || (value->type == REG_DWORD && value->size_bytes == 4) ||
        winereg_is_string(value->type, value->data, value->size_bytes))
        return winereg_malformed(r, "hex data of a type that has a form of its own");
    return 0;
}

/* A value of a key that had a section before: the same as there, in the same place. */
static int compare_again(struct winereg_reader *r, const struct value *value)
{
    const struct image_value *old;
    struct utf16 name = value->name;

    if (r->key->doubt == WINEREG_CONFLICT)
        return 0;
    if (r->values_seen == r->key->value_count)
        return winereg_conflict(r, r->key, WINEREG_OTHER_KEY);
    old = &r->key->values[r->values_seen++];
    if (old->name.len == name.len + 1 && !old->name.units[name.len])
        name.len++; /* put back the first time */
    if (!utf16_equal(old->name, name) || old->type != value->type ||
        old->size_bytes != value->size_bytes ||
        (old->size_bytes && memcmp(old->data, value->data, old->size_bytes)))
        return winereg_conflict(r, r->key, WINEREG_OTHER_KEY);
    return 0;
}

/* Puts a value into the image. */
static int store(struct winereg_reader *r, const struct value *value)
{
    struct image_key *key = r->key;
    struct utf16 name = value->name;
    uint32_t at;
    bool found;

    at = image_search_value(key, name, &found);
    if (found && at + 1 == key->value_count && utf16_equal(key->values[at].name, name)) {
        name.len++; /* the NUL that was not written; read_value has put it there */
        at = image_search_value(key, name, &found);
    }
    if (found)
        return winereg_malformed(r, "a value's name comes a second time");
    if (winereg_spend(r, (key->value_count - at) * sizeof(*key->values)))
        return winereg_malformed(r, "the values are far from sorted");
    r->values_seen++;
    switch (image_insert_value(r->image, key, at, name, value->type, value->data,
                               value->size_bytes)) {
    case 0:
        return 0;
    case ENOMEM:
        return winereg_no_memory(r);
    default:
        return winereg_malformed(r, "a value's name of more than 16383 units");
    }
}

int winereg_read_value(struct winereg_reader *r)
{
    struct value value = { .name = { NULL, 0 } };
    const char *at = r->line;
    bool quoted = *at == '"';
    int result;

    /* name, its NUL, the string and its NUL are fewer units than the line has bytes, plus 2 */
    if ((result = winereg_reserve_units(r, r->line_end - r->line + 2)))
        return result;
    if (quoted) {
        at = winereg_unescape(at + 1, r->line_end, WINEREG_QUOTED, r->units, &value.name.len);
        if (!at || at == r->line_end)
            return winereg_malformed(r, "a malformed value's name");
    } else if (*at != '@') {
        return winereg_malformed(r, "neither a value nor an empty line");
    }
    at++;
    if (at == r->line_end || *at++ != '=')
        return winereg_malformed(r, "no '=' behind a value's name");
    if (quoted && !value.name.len)
        r->units[value.name.len++] = 0;
    r->units[value.name.len] = 0; /* stays there: a string begins one further */
    value.name.units = r->units;
    if ((result = read_data(r, at, &value)))
        return result;
    return r->again ? compare_again(r, &value) : store(r, &value);
}
