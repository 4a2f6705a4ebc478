/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who a resource's owner is, and displacing one that cannot be asked any more.
 *
 * The lock file's text names the owner.  A forced takeover puts a new lock file, locked already, in
 * the place of the old: that instant the old owner is displaced, though it may not know.  So an owner
 * that can be displaced keeps two rules:
 *   - It asks takeover_check after each commit, and acknowledges nothing where that fails.  What was
 *     committed and checked is in the file before the new owner copies it.
 *   - What it renames into place has a name that nobody else uses and is there before it asks.  Who
 *     displaces it removes all such files, so that one who stops between asking and renaming, for
 *     however long, finds nothing to rename.
 * The new lock file is itself renamed by these rules: of two who would displace the same owner only
 * one can.
 */
#ifndef REGCKPT_TAKEOVER_H
#define REGCKPT_TAKEOVER_H

#include "store.h"

#define OWNER_TEXT_BYTES 512
#define OWNER_TOKEN_BYTES 64

/* An owner's own name, as it stands in the lock file. */
struct owner {
    const char *store, *resource, *node; /* the caller's */
    int lock_fd;                         /* -1: it owns nothing */
    char text[OWNER_TEXT_BYTES];
};

/*
 * What tells one owner of a lock from the next: read it, let somebody confirm that this owner is off,
 * and displace it by takeover_displace.
 */
int takeover_token(const char *store, const char *resource, char token[OWNER_TOKEN_BYTES],
                   struct error *err);
/* What the lock file says about its owner; "" if nothing. */
void takeover_owner_text(const char *store, const char *resource, char text[OWNER_TEXT_BYTES]);

/*
 * Owns a resource that is free, and says so in its lock file.  RESULT_OWNED as store_own, or: somebody
 * else was faster.
 */
int takeover_own(struct owner *o, struct error *err);
/*
 * Displaces the owner that the token was read from.  RESULT_OWNED: there is another one since.  Nobody
 * of this node may be owner; that is the caller's to look after.
 */
int takeover_displace(struct owner *o, const char *token, struct error *err);
/*
 * The first thing to do with a resource that is owned: where its last owner was displaced, and may
 * still write to its checkpoint, or left it in doubt, a copy takes that file's place.
 */
int takeover_settle(struct owner *o, struct error *err);
/*
 * A copy of the checkpoint takes its file's place: after a failed sync.  The system then takes for
 * written what is not on storage, and shows it to who reads; so the content is right, and the file is
 * not to be trusted.  Nobody has it open.
 */
int takeover_renew(struct owner *o, struct error *err);
/* Before the release: that could not be done, and is for the next owner to do. */
void takeover_doubt(struct owner *o);
/* Gives the resource up at once, whoever else still has the descriptor. */
void takeover_release(struct owner *o);
/*
 * Is it still the owner?  Reads the file system afresh.  RESULT_OWNED with who took it over, or the
 * error of looking.
 */
int takeover_check(const struct owner *o, struct error *err);

#endif
