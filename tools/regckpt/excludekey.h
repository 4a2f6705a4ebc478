/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a registered key leaves out, from the command line (excludekey.c).
 */
#ifndef REGCKPT_EXCLUDEKEY_H
#define REGCKPT_EXCLUDEKEY_H

#include "cli.h"
#include "resource.h"

/*
 * Adds the patterns of --exclude and --exclude-value, each once.  RESULT_USAGE: one that cannot match
 * anything.
 */
int exclude_read(struct exclude *e, const struct text_list *keys, const struct text_list *values,
                 struct error *err);

#endif
