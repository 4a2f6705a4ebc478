/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One change of one key or value: what a scan finds, what a checkpoint records, what a restore
 * carries out.  Everything that moves registry content between parts moves it as this.
 */
#ifndef REGCKPT_CHANGE_H
#define REGCKPT_CHANGE_H

#include "utf16.h"

enum change_kind {
    CHANGE_CREATE_KEY = 1,   /* make the key, or give an existing one this class */
    CHANGE_DELETE_KEY = 2,   /* the key has no subkeys any more */
    CHANGE_SET_VALUE = 3,
    CHANGE_DELETE_VALUE = 4,
};

#define KEY_FLAG_LINK 1u /* a symbolic link (REG_OPTION_CREATE_LINK) */

/* All views are borrowed: valid as long as whoever made the change says, usually until it returns. */
struct change {
    enum change_kind kind;
    uint32_t key_id;      /* the registered key it is under (struct registered_key) */
    struct utf16 path;    /* relative to that key, components separated by '\'; empty: the key itself */
    uint32_t key_flags;   /* CREATE_KEY: KEY_FLAG_* */
    struct utf16 class;   /* CREATE_KEY: empty if none */
    struct utf16 name;    /* values: the name; empty: the default value */
    uint32_t type;        /* SET_VALUE: REG_SZ ... or any other number */
    const void *data;     /* SET_VALUE */
    uint32_t size_bytes;  /* SET_VALUE */
};

/* Returns 0 to go on; anything else stops the walk and is returned by it. */
typedef int change_fn(const struct change *change, void *arg);

#endif
