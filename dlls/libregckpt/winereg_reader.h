/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the two halves of the reader of Wine's registry text share: winereg.c reads lines and
 * sections, winereg_value.c values.
 */
#ifndef REGCKPT_WINEREG_READER_H
#define REGCKPT_WINEREG_READER_H

#include "image_edit.h"
#include "winereg.h"
#include "winereg_text.h"

/* Bytes that may be moved to put names in order; sorted texts, as Wine's are, move none. */
#define WINEREG_MOST_MOVED ((uint64_t)1 << 30)

struct winereg_reader {
    const char *line, *line_end; /* the line in hand, without its newline */
    const char *next, *end;      /* what is to be read */
    unsigned long line_number;
    struct image *image;
    struct winereg_facts *facts; /* NULL: two keys of one path are refused */
    struct error *err;
    struct image_key *key; /* whose section it is */
    bool again;            /* the key had a section before: this one must say the same */
    bool own_seen;         /* a section without a path */
    uint32_t values_seen;  /* of the section */
    bool classed;          /* the key has a #class= line */
    uint64_t moved;
    uint16_t *units;       /* strings as they are read */
    size_t units_room;
    uint8_t *bytes;        /* hex data as it is read */
    size_t bytes_room;
};

/* Sets the error; returns RESULT_INVALID, ENOMEM. */
int winereg_malformed(struct winereg_reader *r, const char *why);
int winereg_no_memory(struct winereg_reader *r);

/*
 * Something stands in the text a second time and is not the same, so that it is of another key, whose path
 * is written the same.  0: this one, or one above it, is doubtful then; or it is refused.
 */
int winereg_conflict(struct winereg_reader *r, struct image_key *key, const char *why);
/* Why: a second section. */
#define WINEREG_OTHER_KEY                                                                \
    "the key comes a second time and is not the same: the name of one of two keys ends " \
    "in NUL, which NtSaveKey does not write"

/* false: the end. */
bool winereg_next_line(struct winereg_reader *r);
/* Room in r->units; 0 or ENOMEM, said. */
int winereg_reserve_units(struct winereg_reader *r, size_t count);

/* Counts bytes that are moved; true: too many, the text is not sorted at all. */
static inline bool winereg_spend(struct winereg_reader *r, uint64_t bytes)
{
    r->moved += bytes;
    return r->moved > WINEREG_MOST_MOVED;
}

/* Reads the value that begins in the line in hand into r->key. */
int winereg_read_value(struct winereg_reader *r);

#endif
