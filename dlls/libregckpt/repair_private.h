/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the two halves of a repair share: gathering (checkpoint_repair.c) and writing.
 */
#ifndef REGCKPT_REPAIR_PRIVATE_H
#define REGCKPT_REPAIR_PRIVATE_H

#include "checkpoint_private.h"
#include "checkpoint_repair.h"
#include "content.h"

struct repairing {
    struct tdbfile file;
    struct content content;
    struct state_record head;
    struct snapshot saved;     /* what will be written: properties, keys, images */
    struct snapshot last_good;
    bool have_state, have_resource, have_last_good;
    size_t history_from;       /* the first item of the history that is saved */
    repair_fn *fn;
    void *arg;
    struct repair *out;
};

/* Writes all that was gathered to a new checkpoint at a path, and checks it. */
int repair_write(struct repairing *r, const char *fresh, struct error *err);

#endif
