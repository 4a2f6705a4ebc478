/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A writer's life: it makes a checkpoint, commits some times, keeps the last good one.  It runs in
 * a process of its own with a fault set, and the one that started it looks at what is left.
 */
#ifndef REGCKPT_TEST_SCENARIO_H
#define REGCKPT_TEST_SCENARIO_H

#include "checkpoint_fixture.h"
#include "iofault.h"
#include "iorecord.h"

#define COMMITS 5 /* after the one that makes the checkpoint */

/* Shared between the two processes. */
struct progress {
    struct fault_report report;
    uint64_t sequence;     /* committed for sure; 0: there may be no checkpoint */
    bool in_commit;
    bool kept;             /* last good is there for sure */
    int result;            /* 0, or what failed */
    char text[ERROR_TEXT_BYTES];
};

struct scenario {
    char dir[64], path[128], good[128];
    struct progress *progress;
    struct image states[COMMITS + 2]; /* by sequence; [0] is not used */
};

/* Makes the directory and finds out what each commit leads to. */
void scenario_init(struct scenario *s);
void scenario_free(struct scenario *s);
void scenario_empty(struct scenario *s); /* the directory */
/* Runs the writer with a fault, in an empty directory. */
void scenario_run(struct scenario *s, enum fault fault, unsigned long n);
/* Runs it whole and without a fault, and writes its calls down; each has seen the progress. */
void scenario_record(struct scenario *s, struct iorecord *record);
/*
 * Looks at what is left: readers see the state before or after the commit in progress, whole; a
 * writer can open it, finds the same, and can go on.  Fails the test with `what`.
 */
void scenario_check(struct scenario *s, const char *what);

#endif
