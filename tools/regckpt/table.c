/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

size_t text_width(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

/* Takes a malloc'ed cell over. */
static void add_cell(struct table *t, char *text)
{
    if (text && t->count == t->room) {
        size_t room = t->room ? 2 * t->room : 64;
        char **cells = realloc(t->cells, room * sizeof(*cells));

        if (cells) {
            t->cells = cells;
            t->room = room;
        }
    }
    if (!text || t->count == t->room) {
        free(text);
        t->failed = 1;
        return;
    }
    t->cells[t->count++] = text;
}

void table_begin(struct table *t, unsigned columns, const char *const *headings)
{
    *t = (struct table){.columns = columns};
    for (unsigned i = 0; headings && i < columns; i++)
        add_cell(t, strdup(headings[i]));
}

void table_cell(struct table *t, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    add_cell(t, text);
}

void table_print(const struct table *t, FILE *out, const char *indent)
{
    size_t *widths = calloc(t->columns, sizeof(*widths));

    if (t->failed || !widths) {
        fprintf(out, "%s(no memory for a table)\n", indent);
        free(widths);
        return;
    }
    for (size_t i = 0; i < t->count; i++)
        if (text_width(t->cells[i]) > widths[i % t->columns])
            widths[i % t->columns] = text_width(t->cells[i]);
    for (size_t i = 0; i < t->count; i++) {
        size_t column = i % t->columns;
        size_t pad = widths[column] - text_width(t->cells[i]) + 2;

        fprintf(out, "%s%s", column ? "" : indent, t->cells[i]);
        if (column + 1 < t->columns)
            fprintf(out, "%*s", (int)pad, "");
        else
            fputc('\n', out);
    }
    free(widths);
}

void table_free(struct table *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->cells[i]);
    free(t->cells);
    *t = (struct table){0};
}
