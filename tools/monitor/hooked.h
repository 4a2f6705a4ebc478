/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the hooked processes report (ring.h), or a patched wineserver, on its way into the checkpoint.
 *
 * A cut is absorbed at once: carried out on the images of the registered keys, and kept as pending
 * changes until a transaction holds them.  So the images are what the registry was at the last cut,
 * and the file is that without what is pending.  After a failed commit both are read from the file
 * again and a scan is flagged.
 *
 * What the ring could not tell (ring_flag_scan), or what does not fit the images, flags a scan: then
 * nothing is committed but together with pictures that were taken later (capture.c).
 *
 * The watch stays armed.  When it fires and no hooked change can be why, somebody else wrote: the key
 * is scanned soon.  When a hooked change may be why, somebody else may have written as well: it is
 * armed again at once, and one scan settles it, UNSURE_US later at most.
 *
 * Where wineserver reports, it tells of everybody: nothing is watched, and no scan is due but for what
 * did not fit into the ring.  The hooks in the program only wait then.
 */
#ifndef REGCKPT_HOOKED_H
#define REGCKPT_HOOKED_H

#include "../../dlls/libregckpt/checkpoint.h"
#include "../../dlls/libregckpt/ring.h"

struct held_key;
struct monitor;
struct listener;
struct patience;

#define UNSURE_US 500000LL           /* and the scan itself: within the second that is promised */
#define ANSWER_US 100000LL
#define PENDING_MAX_BYTES (64u << 20) /* while storage hangs; then they are dropped for a scan */

/* A change that is in an image and in no transaction yet. */
struct pending_change {
    struct change change;
    uint64_t time_us;  /* CLOCK_MONOTONIC */
    uint32_t process;
    void *own;         /* malloc'ed memory of its path and name; NULL: they are in a batch */
};

struct hooked {
    struct ring ring;          /* shared NULL: there is none */
    struct listener *listener;
    bool attached;             /* the program is hooked, or wineserver reports */
    bool in_program;           /* the program is hooked: its calls can wait for a commit */
    bool reporting;            /* wineserver was told of the ring */
    struct pending_change *pending;
    size_t pending_count, pending_room;
    uint32_t *index;           /* hash of pending values, by key and name (absorb.c) */
    size_t index_room, index_used;
    struct ring_batch *batches; /* what the pending changes point into */
    size_t batch_count;
    uint64_t batch_bytes;
    struct ring_batch held_back; /* a cut that must wait for the next scan */
    bool holds_back;
    uint64_t number;           /* of the last cut that was absorbed, */
    uint64_t read[RING_LANES]; /* and how far it reached */
    uint64_t oldest_us;        /* of the pending changes and of what flagged; 0: none */
    uint32_t scan_seen;        /* the ring's counter of flags at that cut */
    bool flagged;              /* the ring says so: nothing may be committed without a scan */
    bool unknown;              /* the same: a change was for a key that no image has, */
    bool unseen;               /* nor a picture that was taken before it */
    uint64_t scan_number;      /* of the cut before the pictures */
    uint64_t lanes;            /* held over some scans, as ring_all_take said; */
    bool holds_lanes;          /* or not */
    bool rung;                 /* the doorbell: somebody waits, or a lane fills */
    int64_t next_cut_us, not_before_us;
    int64_t next_news_us, busy_until_us;
    uint32_t waited;           /* calls that waited when the last commit was done */
    uint32_t unhooked_told;
    struct error why_not;      /* code 0: hooked, or not tried */
};

/* --- hooked.c: its life --- */

/* With lag 0: is the hook installed?  RESULT_UNPROTECTED. */
int hooked_check(struct monitor *m, struct error *err);
/*
 * Makes ring and links in the run directory, and has wineserver report into the ring where it can: from
 * here on nothing that changes is missed.  The directory that the program is to be hooked by, or "".
 */
const char *hooked_prepare(struct monitor *m);
/* Tells the ring the registered keys (after keys_tell_host). No ring: nothing to do. */
int hooked_tell_keys(struct monitor *m, struct error *err);
/* The program was loaded with the hook, or why it was not ("" : it was). 0, or RESULT_UNPROTECTED. */
int hooked_started(struct monitor *m, const char *why_not, struct error *err);
/* wineserver has stopped reporting: the watch alone has to do, or the program ends. */
void hooked_server_lost(struct monitor *m);
/* What a monitor that died had not saved, if the checkpoint is still what that monitor wrote last. */
int hooked_take_leftover(struct monitor *m, struct error *err);
/* Nobody reads any more: says so, and takes ring and links away. */
void hooked_finish(struct monitor *m);
/* Into the status, and news into the log. */
void hooked_note(struct monitor *m);
bool hooked_is_on(const struct monitor *m);
bool hooked_by_server(const struct monitor *m); /* it is, by wineserver */
/* The property lag has changed. */
void hooked_set_durable(struct monitor *m);
/* What is in the ring and not released follows the checkpoint as it was committed just now. */
void hooked_set_sequence(struct monitor *m);

/* --- absorb.c --- */

/*
 * Cuts and absorbs.  `seen`, where taken[i], are pictures of the keys begun after the cut before
 * (NULL: none were taken): they get the changes too.  With held_back (not NULL) and a scan flagged
 * since the last cut, what was cut is held back for the next one, and *held_back says so.  0, ENOMEM.
 */
int hooked_cut(struct monitor *m, struct image *seen, const bool *taken, bool *held_back,
               struct error *err);
/*
 * Holds all lanes, so that pictures of several keys show one moment: hooked calls wait meanwhile, for
 * about 20 ms each; who waited in vain flags a scan.  Cuts are made with them held then.
 */
void hooked_hold(struct monitor *m);
void hooked_let_go(struct monitor *m); /* where they are not held: nothing */
/* Puts what is pending into the open transaction. */
int hooked_record(struct monitor *m, uint64_t *count, struct error *err);
/* It is committed; settled: with pictures of all keys, begun after the cut with this scan_seen. */
void hooked_committed(struct monitor *m, bool settled);
bool hooked_needs_scan(const struct monitor *m);
/* The file could not be written: what is pending is dropped, a scan is flagged. */
void hooked_failed(struct monitor *m);
void hooked_drop(struct monitor *m); /* only drops; the ring still has it */
/*
 * Pictures were taken since the last cut: paths of no image that no picture has are volatile.  Before
 * the next cut, which may name keys that are younger than the pictures.
 */
int hooked_learn_volatile(struct monitor *m, const struct image *seen, const bool *taken);

/* --- hooked_turn.c: what the engine does with it --- */

/* When to look into the ring next; INT64_MAX: there is none. */
int64_t hooked_due_us(const struct monitor *m);
/* Have calls been waiting for commits just now?  Then it is worth listening without detours. */
bool hooked_is_busy(const struct monitor *m);
/* Cuts, commits, looks into what the watch told. */
int hooked_turn(struct monitor *m, struct error *err);
/* Cuts, and keeps what was reported for one transaction at the end; a flush returns all the same. */
int hooked_keep(struct monitor *m, struct error *err);
/*
 * Storage failed for good: changes are refused from now on, and calls that wait fail.  Returns when
 * they have, so that the program can say so before it is ended, or after ANSWER_US.
 */
void hooked_refuse(struct monitor *m);
/* The watch of a key has fired. */
void hooked_heard(struct monitor *m, struct held_key *k);
/* The registry is gone: commits what the ring still holds, if no scan had to come first. */
void hooked_save_rest(struct monitor *m);

/* --- listener.c: a thread that waits for the doorbell --- */

/* Ends the program where the ring stays refusing because the engine is stuck in storage. */
struct listener *listener_start(struct ring *ring, struct patience *patience, struct error *err);
int listener_fd(const struct listener *l); /* readable once it rang */
void listener_clear(struct listener *l);
/*
 * The engine listens by itself, for that long at most; until listener_resume the thread does not.
 * true: it rang.  That saves who waits for a commit the way from one thread to the other.
 */
bool listener_listen(struct listener *l, int timeout_ms);
void listener_resume(struct listener *l);
void listener_stop(struct listener *l); /* NULL is fine */

#endif
