/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files share that ask the host what is in the registry; nobody else needs it.
 *
 * Twins are subkeys of one key whose names differ by NULs at the end: NtSaveKey writes "a" for "a" and for
 * "a" with a NUL (dump_strW and save_subkeys in Wine 8.0's server), so that its text mixes the two.  A scan
 * of each by itself, which has no name in it, does not.
 */
#ifndef REGCKPT_HOSTLINK_PRIVATE_H
#define REGCKPT_HOSTLINK_PRIVATE_H

#include "hostlink.h"
#include "winereg.h"

#define HOSTLINK_BULK_MS 120000 /* a scan or load of millions of values */

/* An empty file in memory for a scan or load to travel in; -1: *err says why. */
int hostlink_memory_file(struct error *err);

/* A key's path below a registered key: `base`, then the path of a key of an image, then `name`; each may be
 * empty.  *out: malloc'ed.  0 or ENOMEM. */
int hostlink_path_below(struct utf16 base, const struct image_key *key, struct utf16 name,
                        struct utf16 *out);

/*
 * A key below a registered one (base "": itself) as hostlink_scan gives it; facts may be NULL.  said: what
 * the text has of the key itself.  The image is the caller's to free, and empty after an error: EIO (no
 * file in memory), and what hostlink_ask, winereg_parse_fd and the two below give.
 */
int hostlink_scan_below(struct hostlink *link, uint32_t key_id, struct utf16 base, bool watch,
                        struct image *image, struct scan_facts *facts, struct winereg_facts *said,
                        struct error *err);

/*
 * Puts into the image, which is of the key `base`, what the key named by one NUL holds, of which the text
 * may have taken the one section without a path for the key's own.  ENOMEM, and what hostlink_ask and
 * hostlink_scan_below give.
 */
int hostlink_part_nul(struct hostlink *link, uint32_t key_id, struct utf16 base, struct image *image,
                      struct error *err);
/*
 * Looks in the registry for the twins of all doubtful keys of an image, and of those above them, and reads
 * anew what has some; the rest is WINEREG_SURE then.  *parted: some was.
 * RESULT_INVALID: two sections of a key differ that has no twin; ENOMEM, and what hostlink_ask and
 * hostlink_scan_below give.
 */
int hostlink_part_twins(struct hostlink *link, uint32_t key_id, struct utf16 base, struct image *image,
                        bool *parted, struct error *err);

#endif
