/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A store with one resource, "res", something that is done to it in a process of its own, and the power
 * cuts at each call of that.
 */
#ifndef REGCKPT_TEST_PLACE_H
#define REGCKPT_TEST_PLACE_H

#include "checkpoint_fixture.h"
#include "cuts.h"
#include "iofault.h"
#include "takeover.h"

#define VALUES 40 /* that place_write_values sets */

/* Shared with the process that acts. */
struct told {
    struct fault_report report; /* if it has set a fault */
    int result;
    bool done;            /* it has returned */
    uint64_t number;      /* acknowledged last; 0: nothing yet */
    char text[ERROR_TEXT_BYTES];
};

struct place {
    char dir[64], store[80], checkpoint[120], good[120];
    char token[OWNER_TOKEN_BYTES];
    struct told *told;
    struct image content; /* what a whole checkpoint holds */
};

extern struct place here;

void place_begin(void); /* an empty directory */
void place_end(void);

void place_given_store(void);
/* One commit; values from `first` on. From 0: and the registered key. */
int place_write_values(unsigned first, uint8_t data, struct error *err);
void place_keep_good(void);
/* A resource with content, which is the last good one too. */
void place_given_content(void);

/* The registered key's content; fails the test with `what`. */
struct image place_content(const char *path, const char *what);
/* Fails the test if it is not here.content. */
void place_check_content(const char *path, const char *what);
void place_must(int ret, const struct error *err, const char *what);

/*
 * Runs a verb of the command on "res", with more arguments up to a NULL, in this process, whose output is
 * nowhere from then on; or in one of its own.  Its exit code.
 */
int place_verb(int (*verb)(int argc, char **argv), const char *const *more);
int place_verb_apart(int (*verb)(int argc, char **argv), const char *const *more);

/* told: as it was when the power went. */
typedef void place_check(const struct told *told, const char *what);

/*
 * Does it in a process that is recorded, from what is there now on, and looks at each state of the disk
 * that a power cut can leave.  Adds up as cut_everywhere.
 */
void place_cut(int (*act)(struct error *err), place_check *check, unsigned long *points,
               unsigned long *states);
/* All of it: in a place of its own, with a line about it. */
void place_cut_all(const char *name, void (*given)(void), int (*act)(struct error *err),
                   place_check *check);

#endif
