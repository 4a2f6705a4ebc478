/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef REGCKPT_EXPORTHIVE_H
#define REGCKPT_EXPORTHIVE_H

#include "access.h"

/*
 * Writes one registered key as a hive file, to `file` (NULL or "-": the standard output, which must
 * be no terminal).  word: the key as given, or NULL if there is only one to mean; view as given, ""
 * for either.  RESULT_USAGE: which key?; RESULT_NOT_FOUND: it is not registered, or the checkpoint
 * has none; RESULT_INVALID: a hive cannot carry it.
 */
int export_hive(const struct snapshot *s, const char *name, const char *word, const char *view,
                const char *file, struct error *err);

#endif
