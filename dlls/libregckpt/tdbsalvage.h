/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding the records of a TDB file whose structure is damaged.
 */
#ifndef REGCKPT_TDBSALVAGE_H
#define REGCKPT_TDBSALVAGE_H

#include "tdbfile.h"

/*
 * Calls fn with each record of a loaded copy that a chain leads to, as far as each chain can be
 * followed, and then with those that only a broken chain can have led to: these are found by their
 * place in the file, and taken only if whole() says that they are what they say, and no record of
 * the same key was found before.  So nothing that was deleted comes back, unless its place and its
 * chain are damaged both.  ENOMEM, or what fn returned, if not 0.
 */
int tdbfile_salvage(const struct tdbfile *f, bool (*whole)(const struct tdbfile_record *r),
                    int (*fn)(const struct tdbfile_record *r, void *arg), void *arg);

/* Is the key of a record what the record's hash says? */
bool tdbfile_key_is_whole(const struct tdbfile_record *r);

#endif
