/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Progress for people: what is being done, on the standard error, once the whole has taken longer
 * than a second.  Whoever waits calls progress_tick at least a few times a second.
 */
#ifndef REGCKPT_PROGRESS_H
#define REGCKPT_PROGRESS_H

#include <stdint.h>

struct progress {
    int64_t begun_ms;
    int quiet;      /* --json: say nothing */
    char text[256]; /* not said yet; "" : nothing */
};

void progress_begin(struct progress *p, int quiet);
void progress_say(struct progress *p, const char *text);
void progress_tick(struct progress *p);

/* CLOCK_MONOTONIC in milliseconds. */
int64_t progress_now_ms(void);

#endif
