/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Wine's registry text, "WINE REGISTRY Version 2": what NtSaveKey writes and NtLoadKey reads
 * (the format: server/registry.c and server/unicode.c of Wine 8.0).
 */
#ifndef REGCKPT_WINEREG_H
#define REGCKPT_WINEREG_H

#include <stdio.h>

#include "image.h"

/*
 * NtSaveKey leaves a NUL at a name's end out (dump_strW), so that two keys can have one path in its text.
 * What is read of a key (image_key.doubt) may be another's, then:
 */
enum winereg_doubt {
    WINEREG_NO_DOUBT = 0,
    WINEREG_TWICE,    /* there are two sections of it, which say the same */
    WINEREG_CONFLICT, /* they do not: what is in the image is some of both */
    WINEREG_SURE,     /* a text of its own told it (set by who asked for that) */
};

/* What the image does not say. */
struct winereg_facts {
    bool doubts;      /* there are doubtful keys in it */
    bool own_section; /* a section without a path: of the saved key, or of its subkey named by one NUL */
    bool nul_section; /* a second one, so that this is the subkey's */
    uint16_t name[IMAGE_MAX_KEY_NAME_CHARS]; /* the saved key's own, but for a NUL at its end */
    size_t name_len;
};

/*
 * Reads a text into an empty image.  Key names are relative to the saved key, which is always
 * there, even if the text has only a header; a name that is left out is that of one NUL.  Strict: what
 * NtSaveKey would not write is RESULT_INVALID with the line number, so that a torn or foreign file is
 * never taken for a picture of the registry, and so are, without `facts` (NULL: nobody can be asked),
 * two sections of one path that differ.  RESULT_FOREIGN: the first line is not Wine's.  ENOMEM.
 * On failure the image is empty.  The text must end in a newline (NtSaveKey's always does).
 */
int winereg_parse(const char *text, size_t len_bytes, struct image *image,
                  struct winereg_facts *facts, struct error *err);

/* The same from a file, given by path for messages and an open descriptor; reads from its start. */
int winereg_parse_fd(int fd, const char *path, struct image *image, struct winereg_facts *facts,
                     struct error *err);

/*
 * Writes what NtLoadKey turns into the image, as nearly as it can: an empty section first (else
 * NtLoadKey guesses a prefix to strip), no classes (it would lengthen them by a NUL), no subtree
 * whose name begins with NUL, no key's time.  The rest is left to a diff after the load.
 * 0 or ENOMEM or the errno of the stream.
 */
int winereg_write(const struct image *image, FILE *out);

/*
 * What the "#arch=" line of a system.reg says: 64, 32, or 0 if it has none.  -1 with errno: it
 * cannot be read.
 */
int winereg_file_arch(const char *path);

#endif
