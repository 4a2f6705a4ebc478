/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a rollback would make of a checkpoint: the content now, and the content then.
 */
#ifndef REGCKPT_ROLLBACK_PLAN_H
#define REGCKPT_ROLLBACK_PLAN_H

#include "cli.h"
#include "checkpoint.h"

struct rollback_plan {
    struct snapshot now;  /* with its history, which says where the way back begins */
    struct image *then;   /* for each registered key of now, what it is to become */
    unsigned passed_over; /* captured keys that have no such state and stay as they are, */
    bool *passes_over;    /* and which of now's keys they are */
    unsigned concerned;   /* registered keys that --key means; all without it */
    char *path;           /* --key, cleaned; NULL: all */
    char point[160];      /* what it goes back to, in words */
};

/*
 * point: "last-good", the number of a change, or a time.  key: NULL or the key it is limited to.
 * RESULT_DIFFERENT: the history does not reach back so far, or the data of a value were too large
 * to be kept; RESULT_USAGE, RESULT_NOT_FOUND; of the checkpoint what snapshot_read gives, and then
 * *damaged is true.
 */
int rollback_plan_make(const struct cli *cli, const char *point, const char *key,
                       struct rollback_plan *plan, bool *damaged, struct error *err);
void rollback_plan_free(struct rollback_plan *plan);
/* Is a registered key one that stays as it is? */
bool rollback_plan_passes_over(const struct rollback_plan *plan, uint32_t key_id);

#endif
