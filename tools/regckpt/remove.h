/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef REGCKPT_REMOVE_H
#define REGCKPT_REMOVE_H

#include "access.h"

/*
 * Forgets registered keys of a resource, online here or offline, all or none; view as given, "" for
 * either.  What key_find gives, and RESULT_USAGE for a key that is named twice.
 */
int remove_run(const struct cli *cli, const char *name, char *const *words, size_t count,
               const char *view, struct error *err);

#endif
