/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two nodes that meet by files in the store, and take steps together.
 *
 * Each has a note there, .probe-peer-ID, which it replaces as a whole (written, synced, renamed): who
 * it is, whom it is with, a beat that tells it from what a killed command has left, and a line for each
 * step so far.  The files in it begin with .probe-, which a store may hold at any time.
 */
#ifndef REGCKPT_PEER_MEET_H
#define REGCKPT_PEER_MEET_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"

#define PEER_ID_BYTES 40
#define PEER_STEPS 64
#define PEER_TEXT_BYTES 400

struct peer {
    const char *store, *node;    /* the caller's */
    char id[PEER_ID_BYTES], other[PEER_ID_BYTES];
    char other_node[256];
    bool first;                  /* of the two; they never agree on that otherwise */
    uint64_t beat;
    unsigned said, heard;        /* steps */
    char lines[PEER_STEPS][PEER_TEXT_BYTES];
};

/*
 * Waits for another node that does the same, at most so long.  RESULT_TIMEOUT names what was seen.
 * From here on there are files in the store: peer_part.
 */
int peer_meet(struct peer *p, const char *store, const char *node, int timeout_ms, struct error *err);
/* The next step of one's own. */
int peer_say(struct peer *p, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The other's next step; room for PEER_TEXT_BYTES.  RESULT_TIMEOUT, or it is gone (RESULT_NOT_FOUND). */
int peer_hear(struct peer *p, char *text, struct error *err);
/* The last step of both, then one's own files are removed; whatever was before. */
void peer_part(struct peer *p);
/* The path of a file of this node's (own) or the other's, "STORE/.probe-peer-ID-WHAT". */
void peer_path(const struct peer *p, bool own, const char *what, char path[PATH_MAX]);
/* Removes this process's files at once; for a handler of signals. */
void peer_clean_up(void);

int64_t peer_now_ms(void);     /* monotonic */
void peer_pause(void);         /* between two looks */

#endif
