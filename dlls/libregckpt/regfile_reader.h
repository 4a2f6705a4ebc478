/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the two halves of the reader of .reg files share: regfile_read.c reads lines and sections,
 * regfile_value.c values.
 */
#ifndef REGCKPT_REGFILE_READER_H
#define REGCKPT_REGFILE_READER_H

#include "regfile.h"

struct regfile_reader {
    const uint16_t *line, *line_end; /* the line in hand, without its end */
    const uint16_t *next, *end;      /* what is to be read */
    unsigned long line_number;
    bool version_4;
    regfile_fn *fn;
    void *arg;
    struct error *err;
    struct utf16 key;    /* whose section it is, a view into the text */
    bool has_key;        /* values may follow */
    uint16_t *name;      /* of the value in hand; grows */
    size_t name_room;
    uint16_t *units;     /* its text; grows */
    size_t units_room;
    uint8_t *bytes;      /* its data; grows */
    size_t bytes_room;
};

/* Sets the error with the line's number; returns RESULT_INVALID, ENOMEM. */
int regfile_malformed(struct regfile_reader *r, const char *why);
int regfile_no_memory(struct regfile_reader *r);

/* false: the end. A line ends at LF, CR or CRLF. */
bool regfile_next_line(struct regfile_reader *r);

/* Behind blanks. */
static inline const uint16_t *regfile_skip(const uint16_t *at, const uint16_t *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

/* Is there nothing but blanks and a comment? */
static inline bool regfile_is_rest(const uint16_t *at, const uint16_t *end)
{
    at = regfile_skip(at, end);
    return at == end || *at == ';';
}

/* Reads the value that begins in the line in hand at `at` ('@' or '"') and hands it on. */
int regfile_read_value(struct regfile_reader *r, const uint16_t *at);

#endif
