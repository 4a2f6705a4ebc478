/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of hooks: the one list in hook_private.h as data. */
#include "hook_private.h"

struct hook_real real;

#define ROW(name) {&#name[2], hook_##name, (void **)&real.name},
const struct hook_row hook_rows[] = {HOOK_FUNCTIONS(ROW)};
const size_t hook_row_count = sizeof(hook_rows) / sizeof(hook_rows[0]);
