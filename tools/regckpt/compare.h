/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The registry of this node against a checkpoint, for diff and online --dry-run.  Directions: '-'
 * is here now, '+' is there after the next online.
 */
#ifndef REGCKPT_COMPARE_H
#define REGCKPT_COMPARE_H

#include "json.h"
#include "wineside.h"

struct compare_totals {
    uint64_t added, changed, removed; /* values, and keys that come or go */
    unsigned uncaptured;              /* registered keys that are not compared */
};

/* Compares one registered key's image with what it is to become. */
int compare_key(const struct snapshot_key *k, const struct image *here, struct json *j,
                struct compare_totals *totals, struct error *err);
/* Compares all captured keys with the prefix's registry and prints (or writes) what differs. */
int compare_offline(const struct snapshot *s, struct wineside *w, struct json *j,
                    struct compare_totals *totals, struct error *err);
/* The same for a resource that is online here, by asking its monitor. */
int compare_online(const struct snapshot *s, int sock, struct progress *p, struct json *j,
                   struct compare_totals *totals, struct error *err);
/* The sum in a line for people. */
void compare_print_totals(const char *name, const struct compare_totals *totals);

#endif
