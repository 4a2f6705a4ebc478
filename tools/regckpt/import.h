/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The statements of a .reg file on their way into the registered keys of a resource (import.c,
 * importkeys.c).  Everything is tried on copies of the images; nothing is written here.
 */
#ifndef REGCKPT_IMPORT_H
#define REGCKPT_IMPORT_H

#include "access.h"
#include "regfile.h"

struct import_target {
    const struct snapshot_key *now; /* as the checkpoint has it */
    struct utf16 physical;          /* its path, malloc'ed units */
    struct exclude exclude;         /* what is the node's own */
    bool touched;                   /* `after` was made */
    struct image after;
};

struct import {
    const char *name;               /* the resource */
    const char *file;               /* for messages */
    int view;                       /* VIEW_*: what the file's paths mean; 0: either, 64 first */
    const struct snapshot *now;
    struct import_target *targets;  /* one a registered key */
    uint64_t excluded;              /* statements that concern what is left out */
    struct utf16 key;               /* the file's key that `target` and `path` are of */
    struct import_target *target;
    struct utf16 path;              /* relative to the target, malloc'ed units */
    struct error *err;
};

/* name, file, view and now are set by the caller. 0 or ENOMEM; import_free in any case. */
int import_begin(struct import *im, struct error *err);
/*
 * Carries out a whole file on the copies.  What regfile_read gives; RESULT_USAGE: a key that is not
 * registered (named), not captured, or in which a symbolic link stands in the way.
 */
int import_apply(struct import *im, const uint8_t *bytes, size_t len, struct error *err);
void import_free(struct import *im);

#endif
