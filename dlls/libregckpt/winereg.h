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
 * Reads a text into an empty image.  Key names are relative to the saved key, which is always
 * there, even if the text has only a header.  Strict: what NtSaveKey would not write is
 * RESULT_INVALID with the line number, so that a torn or foreign file is never taken for a picture
 * of the registry.  RESULT_FOREIGN: the first line is not Wine's.  ENOMEM.
 * On failure the image is empty.  The text must end in a newline (NtSaveKey's always does).
 */
int winereg_parse(const char *text, size_t len_bytes, struct image *image, struct error *err);

/* The same from a file, given by path for messages and an open descriptor; reads from its start. */
int winereg_parse_fd(int fd, const char *path, struct image *image, struct error *err);

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
