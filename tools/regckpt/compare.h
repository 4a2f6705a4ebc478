/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two contents of registered keys, told as differences: '-' is of the first, '+' of the second.
 */
#ifndef REGCKPT_COMPARE_H
#define REGCKPT_COMPARE_H

#include "checkpoint.h"
#include "json.h"

struct compare_totals {
    uint64_t added, changed, removed; /* values, and keys that come or go */
    unsigned uncaptured;              /* registered keys that are not compared */
};

/*
 * Prints (or writes, to j) what makes one registered key's image `from` equal to `to`; both without
 * what is excluded.  Only what is at or below the pinned keys of one of the scopes, of which each may be
 * NULL (both, or scopes itself: all).
 */
int compare_images(const struct registered_key *key, const struct image *from,
                   const struct image *to, const struct image *const scopes[2],
                   struct json *j, struct compare_totals *totals, struct error *err);
/* The same of all of a key, with what it is to become. */
int compare_key(const struct snapshot_key *k, const struct image *here, struct json *j,
                struct compare_totals *totals, struct error *err);
/* A key that is not compared, and why. */
void compare_left_out(const struct registered_key *k, const char *why, struct json *j,
                      struct compare_totals *totals);
bool compare_found(const struct compare_totals *totals);

#endif
