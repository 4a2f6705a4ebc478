/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * .reg files: what regedit and reg.exe export and import.
 *
 * Written is "Windows Registry Editor Version 5.00" as UTF-16LE with a byte order mark and CRLF.
 * Read is the same, also as UTF-16BE or UTF-8, and REGEDIT4 (Windows-1252, whose hex(1), hex(2) and
 * hex(7) data are 8-bit characters).
 *
 * The form cannot hold everything (tried with regedit and reg.exe of Wine 8.0):
 *   - A key's class has no place in it.
 *   - A symbolic link cannot be written as one, and a section of it would be read into its target.
 *   - A value's name with NUL, a key's name with NUL, CR or LF, a path too long for one call.
 *   - Text types (REG_SZ, REG_EXPAND_SZ, REG_MULTI_SZ) whose data does not end in NUL, or is no
 *     whole number of characters: regedit adds what is missing.  Our own reader does not.
 *   - A text of one byte: Wine's regedit and reg.exe crash there, and leave the file half imported.
 *     So none is written; our own reader takes it.
 */
#ifndef REGCKPT_REGFILE_H
#define REGCKPT_REGFILE_H

#include <stdio.h>

#include "image.h"

#define REGFILE_ROOT "HKEY_LOCAL_MACHINE"

/* The longest path behind the root, in units: what RegCreateKeyEx takes as one name. */
#define REGFILE_MAX_PATH 32766

/* Told of what the file does not say as it is: a sentence for people, UTF-8. */
typedef void regfile_remark_fn(const char *sentence, void *arg);

#define REGFILE_UNITS 8192

/* What is being written.  Set up by regfile_write_begin; belongs to the caller. */
struct regfile_writer {
    FILE *out;                 /* NULL: only look whether it can be written */
    bool terminal;             /* UTF-8 for people, without control characters and mark */
    bool leave_out;            /* what a .reg file cannot carry is left out with a remark */
    regfile_remark_fn *remark; /* may be NULL */
    void *arg;
    int result;                /* of the stream; sticks */
    uint16_t *path;            /* of the key in hand, with its root, malloc'ed */
    size_t path_len, path_room;
    size_t used;
    uint16_t units[REGFILE_UNITS];
};

/* Writes the header.  The stream stays the caller's, open until after regfile_write_end. */
void regfile_write_begin(struct regfile_writer *w, FILE *out, bool terminal);
/*
 * Writes a tree whose own key is `path`, UTF-8 and relative to HKEY_LOCAL_MACHINE as 64-bit
 * programs name it.  An absent image (no root) writes nothing.  RESULT_INVALID: there is a key or
 * a value that a .reg file cannot carry, told by its name, unless leave_out; ENOMEM; errno of the stream.
 */
int regfile_write_tree(struct regfile_writer *w, const char *path, const struct image *image,
                       struct error *err);
/* A line of comment, UTF-8 of one line. */
void regfile_write_comment(struct regfile_writer *w, const char *text);
/* Flushes and frees what belongs to the writer.  0, or the first failure, said. */
int regfile_write_end(struct regfile_writer *w, struct error *err);

enum regfile_kind {
    REGFILE_KEY = 1,      /* [KEY]: it exists */
    REGFILE_DELETE_KEY,   /* [-KEY]: it goes, with all below */
    REGFILE_SET_VALUE,
    REGFILE_DELETE_VALUE, /* "name"=- */
};

/* One statement of a file. All views live until the function that gets it returns. */
struct regfile_entry {
    enum regfile_kind kind;
    unsigned long line;       /* where it begins, from 1 */
    struct utf16 key;         /* as it stands between the brackets, with its root */
    struct utf16 name;        /* values; empty: the default value (@) */
    uint32_t type;            /* SET_VALUE */
    const uint8_t *data;
    uint32_t size_bytes;
};

/* Returns 0 to go on; anything else stops the reading and is returned by it. */
typedef int regfile_fn(const struct regfile_entry *entry, void *arg);

/*
 * Calls fn with each statement in the file's order.  Strict where regedit skips what it does not
 * understand: RESULT_INVALID with the line's number; RESULT_FOREIGN: the first line is not one of a
 * .reg file; ENOMEM.  fn has been called for what came before, so whoever changes something
 * collects first.  A file that ends within a value is an error.  Bounded in time and memory by
 * its size.
 */
int regfile_read(const uint8_t *bytes, size_t len, regfile_fn *fn, void *arg, struct error *err);
/* Reads a whole file ("-": the standard input) for it, at most REGFILE_MAX_BYTES. */
int regfile_load(const char *path, uint8_t **bytes, size_t *len, struct error *err);

#define REGFILE_MAX_BYTES ((size_t)2 << 30)

/* How both directions tell the two forms apart; the first line, without blanks around it. */
#define REGFILE_HEADER_5 "Windows Registry Editor Version 5.00"
#define REGFILE_HEADER_4 "REGEDIT4"

/* A file's text as units, without mark; what regfile_read works on. */
struct regfile_text {
    uint16_t *units; /* malloc'ed */
    size_t len;
    bool version_4;
};

/* RESULT_FOREIGN, RESULT_INVALID (with the line) or ENOMEM. */
int regfile_decode(const uint8_t *bytes, size_t len, struct regfile_text *out, struct error *err);
/* The unit of a byte in Windows-1252. */
uint16_t regfile_unit_1252(uint8_t byte);

#endif
