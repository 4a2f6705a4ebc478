/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The statements of a .reg file, or a hive, on their way into the registered keys of a resource
 * (import.c, importkeys.c, importhive.c).  Everything is tried on copies of the images; nothing is
 * written here.
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
    struct image named;             /* note_named: the keys that the file names, pinned */
};

struct import {
    const char *name;               /* the resource */
    const char *file;               /* for messages */
    const char *place;              /* where a hive's root goes; NULL: the only registered key */
    int view;                       /* VIEW_*: what the file's paths mean; 0: either, 64 first */
    bool note_named;                /* fill targets[].named */
    const struct snapshot *now;
    struct import_target *targets;  /* one a registered key */
    uint64_t excluded;              /* statements that concern what is left out */
    struct utf16 key;               /* the file's key that `target` and `path` are of */
    struct import_target *target;
    struct utf16 path;              /* relative to the target, malloc'ed units */
    struct error *err;
};

/* name, file, place, view, note_named and now are set by the caller. 0 or ENOMEM; import_free in any case. */
int import_begin(struct import *im, struct error *err);
/*
 * Carries out a whole file on the copies.  What regfile_read gives; RESULT_USAGE: a key that is not
 * registered (named), not captured, or in which a symbolic link stands in the way.
 */
int import_apply(struct import *im, const uint8_t *bytes, size_t len, struct error *err);
/*
 * The same of a hive: the key it is for is made equal to it, as "reg restore" does.  What hive_read
 * gives; RESULT_USAGE: which key?; as above.
 */
int import_apply_hive(struct import *im, const uint8_t *bytes, size_t len, struct error *err);
void import_free(struct import *im);

/* The registered key that a path is or is below, and the rest of the path, malloc'ed units. */
struct import_target *import_match(struct import *im, const char *path, struct utf16 *rest);
/* Makes the copy that is changed, once. RESULT_USAGE: not captured. */
int import_touch(struct import *im, struct import_target *t);
/* With note_named: takes down that the file names im->path in im->target. 0, ENOMEM, EINVAL. */
int import_note_named(struct import *im);
/* Is one of the keys on the path a symbolic link?  What Windows would do is elsewhere then. */
bool import_meets_link(const struct import_target *t, struct utf16 path);

#endif
