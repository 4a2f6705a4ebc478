/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A writer of JSON (RFC 8259).  Names are NULL inside arrays and for the outermost value.
 * What is written is ASCII: everything else is escaped, so that neither a terminal nor a locale
 * changes it.  A lone surrogate of the registry keeps its number as \uD800.  It reaches its stream
 * at the end, so that what fails half-way leaves no half of a text.
 */
#ifndef REGCKPT_JSON_H
#define REGCKPT_JSON_H

#include <stdio.h>

#include "utf16.h"

#define JSON_DEPTH 16

struct json {
    FILE *out;     /* into memory */
    FILE *target;
    char *memory;
    size_t size;
    unsigned depth;
    bool filled[JSON_DEPTH]; /* there is an element already on this level */
};

void json_begin(struct json *j, FILE *out);
void json_end(struct json *j);  /* ends the line and writes all */
void json_drop(struct json *j); /* writes nothing */
void json_open_object(struct json *j, const char *name);
void json_close_object(struct json *j);
void json_open_array(struct json *j, const char *name);
void json_close_array(struct json *j);
/* UTF-8 (or WTF-8); a byte that belongs to neither becomes U+FFFD. */
void json_text(struct json *j, const char *name, const char *text);
void json_utf16(struct json *j, const char *name, struct utf16 text);
void json_hex(struct json *j, const char *name, const void *bytes, size_t len);
void json_number(struct json *j, const char *name, uint64_t number);
void json_bool(struct json *j, const char *name, bool value);
void json_null(struct json *j, const char *name);

#endif
