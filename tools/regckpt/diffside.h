/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One side of a diff: this node's registry, the checkpoint, a point of its history, or a file, each
 * as images of the registered keys, without what these exclude.
 */
#ifndef REGCKPT_DIFFSIDE_H
#define REGCKPT_DIFFSIDE_H

#include "compare.h"
#include "wineside.h"

/* The forms of a side, for messages and help. */
#define DIFF_SIDE_FORMS "live, checkpoint, last-good, the number of a change, a time, or a file"

/* What all sides are read with. */
struct diff_request {
    const struct cli *cli;
    const char *name;        /* the resource */
    const struct snapshot *s; /* whole; diff_request_begin takes out what is excluded */
    const char *prefix;      /* of the registry; NULL: the resource's */
    struct wineside *wine;   /* open already, or NULL */
    struct progress *p;
    int view;                /* VIEW_* of the names in a .reg file; 0: either, 64 first */
    const char *key;         /* that a hive file is of; NULL: the only registered one */
};

struct diff_side {
    const char *word;        /* as given */
    char words[256];         /* what it is: "in the checkpoint" */
    const struct image **images; /* for each registered key */
    const char **missing;    /* why it is not compared; NULL: it is */
    struct image *scopes;    /* what of each key is named (compare_images); NULL: all */
    struct image *own;       /* those of `images` that are the side's */
};

/* Takes what is excluded out of the snapshot's images. */
int diff_request_begin(struct snapshot *s, struct error *err);
/*
 * word: one of DIFF_SIDE_FORMS.  RESULT_USAGE, RESULT_NOT_FOUND; else what reading the side gives.
 * diff_side_free in any case.
 */
int diff_side_read(const struct diff_request *r, const char *word, struct diff_side *side,
                   struct error *err);
void diff_side_free(const struct diff_request *r, struct diff_side *side);

/* Prints (or writes, to j) what makes `from` equal to `to`. */
int diff_sides(const struct diff_request *r, const struct diff_side *from,
               const struct diff_side *to, struct json *j, struct compare_totals *totals,
               struct error *err);
/* The sum in a line for people. */
void diff_print_totals(const struct diff_request *r, const struct diff_side *from,
                       const struct diff_side *to, const struct compare_totals *totals);

#endif
