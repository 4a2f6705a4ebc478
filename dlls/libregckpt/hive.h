/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hive files (regf): what RegSaveKey and "reg save" of Windows write, what RegLoadKey and "reg load"
 * read.  A hive has one nameless root: the registered key.
 *
 * Reading is the hivex library's work, done in a child process with bounds: a hive comes from
 * elsewhere, and what one crafted to harm can do to the library ends there.
 *
 * Writing is done here.  What hivex 1.3.23 writes was tried, and is not what is wanted: a subkey
 * copies the list it comes into (10,000 of them: 421 MB), data end at 1 MB, there are neither
 * classes nor symbolic links, and names stand in another order than the one Windows searches by.
 * Every file written is read back through hivex before anybody gets it.
 *
 * A hive carries all that an image holds, within these bounds (Windows', hivex's where marked).
 */
#ifndef REGCKPT_HIVE_H
#define REGCKPT_HIVE_H

#include <stdio.h>

#include "image.h"

#define HIVE_MAX_BYTES ((size_t)1 << 30)
#define HIVE_MAX_KEY_NAME_CHARS 255
#define HIVE_MAX_CLASS_CHARS 32767
#define HIVE_MAX_DATA_BYTES 8000000u /* hivex */
#define HIVE_MAX_SUBKEYS 70000u      /* hivex: of one key */
#define HIVE_MAX_VALUES 110000u      /* hivex: of one key */

/* Do these bytes begin as a hive does? */
bool hive_is(const void *bytes, size_t len);

/*
 * Reads a hive into an empty image.  RESULT_FOREIGN: none of its beginning; RESULT_DAMAGED: its
 * structure is, or it was not closed cleanly (what is missing stands in its .LOG files);
 * RESULT_INVALID: it holds what no registry can (two subkeys of one name, a name with a backslash)
 * or goes beyond the bounds; ENOMEM, errno.  On failure the image is empty.  Takes memory and time
 * in proportion to the file, whatever stands in it.
 */
int hive_read(const void *bytes, size_t len, struct image *image, struct error *err);

/*
 * Writes an image that has a root; root_name is what the root is called (a key's last component; no
 * reader minds).  All keys get the time given (in microseconds, of Unix) and one security
 * descriptor, that of HKLM\Software.  The bytes, malloc'ed, are the caller's.  RESULT_INVALID: the
 * image goes beyond the bounds above, told by the name of key and value; ENOMEM.
 */
int hive_write(const struct image *image, struct utf16 root_name, uint64_t time, uint8_t **bytes,
               size_t *len, struct error *err);

#endif
