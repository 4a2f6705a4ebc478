/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "progress.h"

#define PATIENCE_MS 1000

int64_t progress_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void progress_begin(struct progress *p, int quiet)
{
    memset(p, 0, sizeof(*p));
    p->begun_ms = progress_now_ms();
    p->quiet = quiet;
}

void progress_say(struct progress *p, const char *text)
{
    snprintf(p->text, sizeof(p->text), "%s", text);
    progress_tick(p);
}

void progress_tick(struct progress *p)
{
    if (!p->text[0] || p->quiet || progress_now_ms() - p->begun_ms < PATIENCE_MS)
        return;
    fprintf(stderr, "%s ...\n", p->text);
    p->text[0] = 0;
}
