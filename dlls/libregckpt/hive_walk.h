/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the two sides of reading a hive say to each other: hive_walk.c in the child that has the
 * library, hive_read.c outside.
 *
 * Each item is an opcode of one byte with what follows it, as pack.h packs it.  The root comes
 * first; values and subkeys follow their key, HIVE_UP ends a key, the root's ends all.
 */
#ifndef REGCKPT_HIVE_WALK_H
#define REGCKPT_HIVE_WALK_H

#include <stdio.h>

#include "error.h"
#include "pack.h"

enum hive_item {
    HIVE_KEY = 1, /* u32 KEY_FLAG_*, utf16 class, utf16 name (ignored of the root) */
    HIVE_VALUE,   /* utf16 name, u32 type, bytes data */
    HIVE_UP,
};

/*
 * Walks the hive, whose bytes are also those of the file at `path`, and writes its items.  Whatever
 * is in the file, ends after less than about eight times its size.  RESULT_DAMAGED,
 * RESULT_INVALID, errno.
 */
int hive_walk(const uint8_t *bytes, size_t len, const char *path, FILE *out, struct error *err);

#endif
