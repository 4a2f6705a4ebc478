/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Points in time on the command line.
 */
#ifndef REGCKPT_TIMEPOINT_H
#define REGCKPT_TIMEPOINT_H

#include <stdint.h>

#include "error.h"

#define TIMEPOINT_FORMS \
    "10m, 2h, 3d (so long ago), 2026-11-23, \"2026-11-23 12:30\" or 2026-11-23T12:30:05 (local " \
    "time; with a Z behind it UTC)"

/*
 * Unix microseconds of a time: so long before now_us ("30s", "10m", "2h", "3d", "1w"), or a date
 * with or without a time.  A time is meant with all of its second:
 * 12:30 is 12:30:00.999999.  RESULT_USAGE names the forms there are.
 */
int timepoint_parse(const char *text, uint64_t now_us, uint64_t *out, struct error *err);

#endif
