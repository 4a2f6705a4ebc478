/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All power cuts of a recording.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xxhash.h>

#include "cuts.h"

#define CHANCES 2 /* at each point where chance decides */

unsigned long long cut_seed(void)
{
    static unsigned long long seed;

    if (!seed) seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 10)
                                     : (unsigned long long)time(NULL);
    return seed;
}

/* The states that the disk may be in at one point, each in turn. */
static unsigned long cut_here(struct disk *d, const void *seen, size_t len, unsigned long n,
                              cut_check *check, void *arg)
{
    static const struct { enum kept kept; unsigned times; } ways[] = {
        { KEPT_ALL, 1 },   { KEPT_NOTHING, 1 }, { KEPT_LAST, 1 },         { KEPT_HALF, 1 },
        { KEPT_NAMES, 1 }, { KEPT_DATA, 1 },    { KEPT_RANDOM, CHANCES },
    };
    unsigned long states = 0;
    char what[120];

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        for (unsigned k = 0; k < ways[i].times; k++) {
            disk_seed(d, cut_seed() + k);
            if (!disk_cut(d, ways[i].kept, XXH64(seen, len, 0))) continue;
            snprintf(what, sizeof(what), "power lost before call %lu (kept of what was not synced: "
                     "%s; SEED=%llu)", n, kept_names[ways[i].kept], cut_seed());
            check(arg, seen, what);
            states++;
        }
    return states;
}

void cut_everywhere(struct disk *d, const struct iorecord *r, cut_check *check, void *arg,
                    unsigned long *points, unsigned long *states)
{
    for (size_t n = 0; n <= r->count; n++) {
        *states += cut_here(d, n < r->count ? r->ops[n].seen : r->last_seen, r->watched_len, n + 1,
                            check, arg);
        ++*points;
        if (n < r->count) disk_do(d, &r->ops[n]);
    }
}
