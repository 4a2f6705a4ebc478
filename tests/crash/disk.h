/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A model of what storage keeps when the power goes.
 *
 * A write is on the disk for sure when a sync of its file has returned; a name (made, renamed, removed)
 * when a sync of its directory has.  Of what is not, any part may be there: single sectors of a write,
 * a later one without an earlier one, a name without what the file holds.  That is what POSIX allows;
 * most file systems are kinder.
 */
#ifndef REGCKPT_TEST_DISK_H
#define REGCKPT_TEST_DISK_H

#include "iorecord.h"

#define SECTOR_BYTES 512

/* What is kept of what was not synced. */
enum kept {
    KEPT_ALL,     /* as after a SIGKILL */
    KEPT_NOTHING,
    KEPT_LAST,    /* the last call alone */
    KEPT_HALF,    /* all but the last, and of that half of its sectors */
    KEPT_NAMES,   /* all that concerns names, nothing that files hold */
    KEPT_DATA,    /* the reverse */
    KEPT_RANDOM,  /* each sector and name by chance, as disk_seed has set it */
    KEPT_KINDS,
};

extern const char *const kept_names[KEPT_KINDS];

struct disk;

/* What the directory holds now, all of it on the disk. */
struct disk *disk_new(const char *dir);
void disk_free(struct disk *d);
void disk_seed(struct disk *d, uint64_t seed);
/* One call more. */
void disk_do(struct disk *d, const struct io *op);
/*
 * Makes the directory what the disk holds if the power goes now.  0: that was made before, with the same
 * salt (what else counts for who looks at it), and is not made again.
 */
int disk_cut(struct disk *d, enum kept kept, uint64_t salt);

#endif
