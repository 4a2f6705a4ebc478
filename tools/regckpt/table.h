/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Aligned tables for people.  Columns are separated by two blanks, the last one is not padded.
 */
#ifndef REGCKPT_TABLE_H
#define REGCKPT_TABLE_H

#include <stdio.h>

struct table {
    unsigned columns;
    char **cells; /* rows of columns, the heading first */
    size_t count, room;
    int failed;   /* no memory: printed as a remark in place of the table */
};

/* headings: one text a column; NULL: a table without a heading. */
void table_begin(struct table *t, unsigned columns, const char *const *headings);
/* One cell after the other; copied. */
void table_cell(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints all, every line behind this indent. */
void table_print(const struct table *t, FILE *out, const char *indent);
void table_free(struct table *t);

/* The width of a UTF-8 text on a terminal, counting every character as one column. */
size_t text_width(const char *text);

#endif
