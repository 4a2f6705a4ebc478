/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "keytext.h"

char *keytext_excluded(const struct registered_key *k)
{
    char *text = NULL, *more;

    for (size_t i = 0; i < k->exclude.key_count + k->exclude.value_count; i++) {
        bool key = i < k->exclude.key_count;
        const char *pattern = key ? k->exclude.keys[i]
                                  : k->exclude.values[i - k->exclude.key_count];

        if (asprintf(&more, "%s%s%s%s", text ? text : "", text ? ", " : "", key ? "" : "value ",
                     pattern) < 0)
            break;
        free(text);
        text = more;
    }
    return text;
}

const char *keytext_flags(const struct registered_key *k)
{
    if ((k->flags & KEY_FUTURE) && (k->flags & KEY_BROAD))
        return "future broad";
    return k->flags & KEY_FUTURE ? "future" : k->flags & KEY_BROAD ? "broad" : "-";
}

/* An array of patterns. */
static void json_patterns(struct json *j, const char *name, char **patterns, size_t count)
{
    json_open_array(j, name);
    for (size_t i = 0; i < count; i++)
        json_text(j, NULL, patterns[i]);
    json_close_array(j);
}

void keytext_json(struct json *j, const struct registered_key *k)
{
    json_number(j, "id", k->id);
    json_text(j, "key", k->path);
    json_number(j, "view", k->view);
    json_bool(j, "captured", k->flags & KEY_CAPTURED);
    json_bool(j, "future", k->flags & KEY_FUTURE);
    json_bool(j, "broad", k->flags & KEY_BROAD);
    json_patterns(j, "exclude_keys", k->exclude.keys, k->exclude.key_count);
    json_patterns(j, "exclude_values", k->exclude.values, k->exclude.value_count);
}

/* Types by their number. */
enum {
    TYPE_NONE, TYPE_SZ, TYPE_EXPAND_SZ, TYPE_BINARY, TYPE_DWORD, TYPE_DWORD_BIG_ENDIAN, TYPE_LINK,
    TYPE_MULTI_SZ, TYPE_QWORD = 11
};

const char *value_type_name(uint32_t type, char *room)
{
    static const char *const names[] = {
        "REG_NONE", "REG_SZ", "REG_EXPAND_SZ", "REG_BINARY", "REG_DWORD", "REG_DWORD_BIG_ENDIAN",
        "REG_LINK", "REG_MULTI_SZ", "REG_RESOURCE_LIST", "REG_FULL_RESOURCE_DESCRIPTOR",
        "REG_RESOURCE_REQUIREMENTS_LIST", "REG_QWORD"};

    if (type < sizeof(names) / sizeof(names[0]))
        return names[type];
    snprintf(room, 16, "0x%x", type);
    return room;
}

/* A little-endian number, or a big-endian one. */
static uint64_t number_of(const uint8_t *bytes, uint32_t size, bool big_endian)
{
    uint64_t number = 0;

    for (uint32_t i = 0; i < size; i++)
        number = number << 8 | bytes[big_endian ? i : size - 1 - i];
    return number;
}

/* Is it a number of the size its type says? */
static bool is_number(uint32_t type, uint32_t size_bytes)
{
    return ((type == TYPE_DWORD || type == TYPE_DWORD_BIG_ENDIAN) && size_bytes == 4) ||
           (type == TYPE_QWORD && size_bytes == 8);
}

/* The units of a text, malloc'ed and aligned, without the one NUL at the end. */
static bool text_units(const void *data, uint32_t size_bytes, struct utf16 *out)
{
    uint16_t *units = malloc(size_bytes ? size_bytes : 1);

    *out = (struct utf16){units, size_bytes / 2};
    if (!units)
        return false;
    memcpy(units, data ? data : "", data ? size_bytes : 0);
    if (out->len && !units[out->len - 1])
        out->len--;
    return true;
}

/* The bytes in hexadecimal digits. */
static char *hex_text(const uint8_t *data, uint32_t size_bytes)
{
    static const char digits[] = "0123456789ABCDEF";
    char *text = malloc(2 * (size_t)size_bytes + 1);

    for (uint32_t i = 0; text && i < size_bytes; i++) {
        text[2 * (size_t)i] = digits[data[i] >> 4];
        text[2 * (size_t)i + 1] = digits[data[i] & 15];
    }
    if (text)
        text[2 * (size_t)size_bytes] = 0;
    return text;
}

/* The parts of a MULTI_SZ with "\0" between them. */
static char *multi_text(struct utf16 all)
{
    char *text = strdup(""), *part, *more;
    size_t at = 0;

    if (all.len && !all.units[all.len - 1])
        all.len--; /* the last part's own NUL */
    while (text && at <= all.len && all.len) {
        size_t end = at;

        while (end < all.len && all.units[end])
            end++;
        part = utf16_for_display((struct utf16){all.units + at, end - at});
        if (!part || asprintf(&more, "%s%s%s", text, at ? "\\0" : "", part) < 0)
            more = NULL;
        free(part);
        free(text);
        text = more;
        at = end + 1;
    }
    return text;
}

char *value_data_text(uint32_t type, const void *data, uint32_t size_bytes)
{
    struct utf16 units;
    char *text = NULL;

    if (is_number(type, size_bytes)) {
        uint64_t number = number_of(data, size_bytes, type == TYPE_DWORD_BIG_ENDIAN);

        return asprintf(&text, "0x%llx", (unsigned long long)number) < 0 ? NULL : text;
    }
    if ((type != TYPE_SZ && type != TYPE_EXPAND_SZ && type != TYPE_LINK && type != TYPE_MULTI_SZ) ||
        size_bytes % 2)
        return hex_text(data, size_bytes);
    if (text_units(data, size_bytes, &units))
        text = type == TYPE_MULTI_SZ ? multi_text(units) : utf16_for_display(units);
    free((void *)units.units);
    return text;
}

/* The parts of a MULTI_SZ as an array. */
static void json_multi(struct json *j, struct utf16 all)
{
    json_open_array(j, "data");
    if (all.len && !all.units[all.len - 1])
        all.len--;
    for (size_t at = 0; all.len && at <= all.len;) {
        size_t end = at;

        while (end < all.len && all.units[end])
            end++;
        json_utf16(j, NULL, (struct utf16){all.units + at, end - at});
        at = end + 1;
    }
    json_close_array(j);
}

void value_json(struct json *j, struct utf16 name, uint32_t type, const void *data,
                uint32_t size_bytes)
{
    struct utf16 units = {0};
    char room[16];

    json_utf16(j, "name", name);
    json_text(j, "type", value_type_name(type, room));
    if (is_number(type, size_bytes)) {
        json_number(j, "data", number_of(data, size_bytes, type == TYPE_DWORD_BIG_ENDIAN));
    } else if (size_bytes % 2 == 0 && type != TYPE_NONE && type != TYPE_BINARY &&
               (type <= TYPE_EXPAND_SZ || type == TYPE_LINK || type == TYPE_MULTI_SZ) &&
               text_units(data, size_bytes, &units)) {
        if (type == TYPE_MULTI_SZ)
            json_multi(j, units);
        else
            json_utf16(j, "data", units);
    }
    free((void *)units.units);
    json_hex(j, "hex", data, size_bytes);
}

char *time_text(uint64_t unix_us, char *room)
{
    time_t seconds = (time_t)(unix_us / 1000000);
    struct tm tm;

    if (!localtime_r(&seconds, &tm) || !strftime(room, 32, "%Y-%m-%d %H:%M:%S", &tm))
        snprintf(room, 32, "@%llu", (unsigned long long)seconds);
    return room;
}
