/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a node's registry held below the registered keys before a resource went online there: kept on
 * the node itself, so that "offline --restore-local" can put it back.
 *
 * One file for each resource and prefix of a node, in <state_dir>/before (1777, as /tmp: monitors run
 * as any user), 0600, about as large as the names and data in it.  Written anew, synced and renamed,
 * with a checksum, before the first change of a restore.  It is open while the resource's stay lasts;
 * a clean offline closes it, that is, renames it.  So an online after a crash finds it open and leaves
 * it: what the registry holds then is not the node's own.  The next online after a clean offline
 * replaces it.  Not thread-safe.
 */
#ifndef REGCKPT_BEFORE_H
#define REGCKPT_BEFORE_H

#include "resource.h"
#include "settings.h"

struct before_key {
    uint32_t view;
    char *path;         /* as registered */
    struct image image; /* without what was excluded; root NULL: the key did not exist */
};

struct before {
    uint64_t epoch;     /* of the stay before which it was */
    struct before_key *keys;
    size_t key_count;
};

/*
 * Is an open one there that can be read?  It belongs to a stay that did not end in order.  One of an
 * epoch that has not been yet is of another resource that had the name.
 */
bool before_is_open(const struct settings *s, const char *name, const char *prefix, uint64_t epoch);
/*
 * Keeps images[i] of keys[i], without those that are left out by NULL; replaces whatever is there.
 * errno, or ENOMEM.
 */
int before_write(const struct settings *s, const char *name, const char *prefix, uint64_t epoch,
                 const struct registered_key *const *keys, const struct image *const *images,
                 size_t count, struct error *err);
/* The stay has ended in order. Nothing there is no error. */
int before_close(const struct settings *s, const char *name, const char *prefix, struct error *err);
/*
 * Reads the open one, or else the closed one.  RESULT_NOT_FOUND (err says nothing); RESULT_DAMAGED;
 * errno.
 */
int before_read(const struct settings *s, const char *name, const char *prefix, struct before *out,
                struct error *err);
const struct before_key *before_find(const struct before *b, const struct registered_key *key);
void before_free(struct before *b);
/* It has been put back. */
int before_remove(const struct settings *s, const char *name, const char *prefix, struct error *err);
/* The resource is no more: those of all prefixes. */
void before_forget(const struct settings *s, const char *name);

#endif
