/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

/* One UTF-16 unit inside a string. */
static void put_unit(FILE *out, uint16_t unit)
{
    if (unit == '"' || unit == '\\')
        fprintf(out, "\\%c", unit);
    else if (unit == '\n')
        fputs("\\n", out);
    else if (unit == '\t')
        fputs("\\t", out);
    else if (unit >= 0x20 && unit < 0x7f)
        fputc(unit, out);
    else
        fprintf(out, "\\u%04x", unit);
}

/* One character, as one or two units. */
static void put_character(FILE *out, uint32_t character)
{
    if (character >= 0x10000) {
        put_unit(out, (uint16_t)(0xd800 + ((character - 0x10000) >> 10)));
        put_unit(out, (uint16_t)(0xdc00 + ((character - 0x10000) & 0x3ff)));
    } else {
        put_unit(out, (uint16_t)character);
    }
}

/* Takes the next character of a UTF-8 text; what is no UTF-8 gives U+FFFD and moves one byte. */
static uint32_t next_character(const unsigned char **text)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *p = *text;
    unsigned more = *p < 0x80 ? 0 : *p >= 0xf0 && *p < 0xf8 ? 3 : *p >= 0xe0 ? 2 : 1;
    uint32_t character = more ? *p & (0x3fu >> more) : *p;

    (*text)++;
    if (*p >= 0xf8 || (*p >= 0x80 && *p < 0xc0))
        return 0xfffd;
    for (unsigned i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0xfffd;
        character = character << 6 | (p[i] & 0x3f);
    }
    /* U+0000 is written as two bytes in names of the registry */
    if ((character < least[more] && !(more == 1 && !character)) || character > 0x10ffff)
        return 0xfffd;
    *text += more;
    return character;
}

/* A whole string. */
static void put_text(FILE *out, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;

    fputc('"', out);
    while (*p)
        put_character(out, next_character(&p));
    fputc('"', out);
}

/* What stands in front of a value: comma, line, name. */
static void begin_value(struct json *j, const char *name)
{
    if (!j->depth)
        return;
    if (j->filled[j->depth])
        fputc(',', j->out);
    j->filled[j->depth] = true;
    fprintf(j->out, "\n%*s", (int)j->depth * 2, "");
    if (name) {
        put_text(j->out, name);
        fputs(": ", j->out);
    }
}

/* Opens an object or an array. */
static void open_level(struct json *j, const char *name, char bracket)
{
    begin_value(j, name);
    fputc(bracket, j->out);
    if (j->depth + 1 < JSON_DEPTH)
        j->depth++;
    j->filled[j->depth] = false;
}

/* Closes it. */
static void close_level(struct json *j, char bracket)
{
    bool filled = j->filled[j->depth];

    j->depth--;
    if (filled)
        fprintf(j->out, "\n%*s", (int)j->depth * 2, "");
    fputc(bracket, j->out);
}

void json_begin(struct json *j, FILE *out)
{
    memset(j, 0, sizeof(*j));
    j->target = out;
    if (!(j->out = open_memstream(&j->memory, &j->size)))
        j->out = out; /* no memory: then as it comes */
}

void json_end(struct json *j)
{
    fputc('\n', j->out);
    if (j->out != j->target) {
        fclose(j->out);
        fwrite(j->memory, 1, j->size, j->target);
        free(j->memory);
    }
    j->out = NULL;
}

void json_drop(struct json *j)
{
    if (j->out != j->target) {
        fclose(j->out);
        free(j->memory);
    }
    j->out = NULL;
}

void json_open_object(struct json *j, const char *name)
{
    open_level(j, name, '{');
}

void json_close_object(struct json *j)
{
    close_level(j, '}');
}

void json_open_array(struct json *j, const char *name)
{
    open_level(j, name, '[');
}

void json_close_array(struct json *j)
{
    close_level(j, ']');
}

void json_text(struct json *j, const char *name, const char *text)
{
    begin_value(j, name);
    put_text(j->out, text);
}

void json_utf16(struct json *j, const char *name, struct utf16 text)
{
    begin_value(j, name);
    fputc('"', j->out);
    for (size_t i = 0; i < text.len; i++)
        put_unit(j->out, text.units[i]);
    fputc('"', j->out);
}

void json_hex(struct json *j, const char *name, const void *bytes, size_t len)
{
    begin_value(j, name);
    fputc('"', j->out);
    for (size_t i = 0; i < len; i++)
        fprintf(j->out, "%02x", ((const unsigned char *)bytes)[i]);
    fputc('"', j->out);
}

void json_number(struct json *j, const char *name, uint64_t number)
{
    begin_value(j, name);
    fprintf(j->out, "%" PRIu64, number);
}

void json_bool(struct json *j, const char *name, bool value)
{
    begin_value(j, name);
    fputs(value ? "true" : "false", j->out);
}

void json_null(struct json *j, const char *name)
{
    begin_value(j, name);
    fputs("null", j->out);
}
