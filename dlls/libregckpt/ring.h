/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ring: the shared memory through which the hooked processes of one online resource (64 and
 * 32-bit) report their changes to its monitor, or a patched wineserver reports everybody's.  A file
 * in the resource's run directory, mapped by all, made anew by every online.
 *
 * Lanes.  A change of a key goes through the lane that its name's last component hashes to
 * (ring_lane_of).  A hooked call takes the lane, makes the real call, appends what it did, gives the
 * lane back: what happens to one key is in the ring in the registry's own order.  That is enough for
 * creations and deletions too: between two calls that touch different keys the registry itself
 * forbids what would read differently in another order (a parent cannot be deleted while a child is
 * there, and no child be made in a deleted one).  What touches many keys (a rename) takes all.
 *
 * Numbers.  Every change takes the next number of one counter while it holds its lane.  Holding all
 * lanes for an instant (a cut) no hooked call is in flight: the changes up to the counter, in the
 * order of their numbers, are what happened.
 *
 * What cannot be told as a change (data too large, a lane that is full, a loaded tree, a rename, a
 * lane that could not be had) flags a scan: ring_flag_scan.  Nothing after it may be committed but
 * together with a scan that began later.
 *
 * By the server (RING_BY_SERVER; server_patch/README).  There is one lane, which wineserver alone
 * appends to, without its lock: it has one thread and must not wait.  It moves the head behind all
 * records of a request, and the counter behind the head: so the counter never names a change that is
 * not there, and what is there may be a request ahead of it.  A flag comes before its number, as
 * above.  The counter is the server's alone.  The hooked processes append nothing, take no lanes, and
 * only wait, for the counter as it is after their call.
 *
 * Nobody trusts what is in the ring: its sizes are copied when it is mapped, and the reader copies a
 * record before it looks at it.  All waits are bounded.  Futexes are shared ones; a lock word holds
 * the thread id of its owner (pthread's robust mutexes differ between 32 and 64 bit).
 *
 * Compiled for the monitor and, 64 and 32-bit, into the DLL: C library and Linux only.
 */
#ifndef REGCKPT_RING_H
#define REGCKPT_RING_H

#include "change.h"
#include "error.h"

#define RING_MAGIC 0x676e697274706b63ull /* "ckptring" */
#define RING_VERSION 2         /* server_patch knows it too, with the layout below */
#define RING_LANES 64          /* at most; a ring may be made with fewer */
#define RING_LANE_BYTES 262144 /* the default buffer of a lane; a power of two */
#define RING_SERVER_BYTES (8u << 20) /* the same where the server has the one lane */
#define RING_PROCESSES 256
#define RING_NAME_BYTES 36
#define RING_TABLE_BYTES 65536 /* of the registered keys */
#define RING_LANE_WAIT_MS 20   /* then a call goes on without its lane */
#define RING_DURABLE_WAIT_MS 10000 /* then a waiting call gives up: see ring_wait_durable */

#define RING_WORD_WAITERS 0x80000000u /* in a lock word: somebody sleeps on it */

enum ring_state {
    RING_OPEN = 1,
    RING_REFUSING = 2, /* storage failed and the policy is "stop": changes are refused before the real call */
    RING_CLOSED = 3,   /* the resource is going offline, or is: nobody reads any more */
};

enum ring_source { /* who reports what changes */
    RING_BY_HOOK = 0,
    RING_BY_SERVER = 1,
};

#define RING_CACHE_LINE 64
#define RING_ALIGNED(n) __attribute__((aligned(n)))

struct ring_lane {
    uint32_t lock;                    /* owner's tid | RING_WORD_WAITERS; 0: free */
    uint32_t stuck;                   /* the owner that was waited for in vain: not again */
    uint64_t head RING_ALIGNED(8);    /* bytes ever appended; moved last, by who holds the lane */
    uint64_t tail RING_ALIGNED(8);    /* bytes ever read; by the monitor */
} RING_ALIGNED(RING_CACHE_LINE);

/* A process that hooked itself, or whose changes the server reports. */
struct ring_process {
    uint32_t pid;      /* Unix; 0: a free place.  Taken by compare and swap, freed by the monitor */
    uint32_t win_pid;
    uint32_t bits;     /* 64, 32 */
    uint32_t ready;    /* 1: all hooks are in place */
    uint64_t changes RING_ALIGNED(8); /* of it that were read, by the reader; or that the server reported */
    uint32_t laneless; /* its calls that went on without their lane and are not over */
    char name[RING_NAME_BYTES];       /* of its program, UTF-8, cut */
} RING_ALIGNED(8);

struct ring_shared {
    uint64_t magic RING_ALIGNED(8);
    uint32_t version, lane_count, lane_bytes;
    uint32_t source;                  /* enum ring_source */
    uint64_t epoch RING_ALIGNED(8);   /* of the online that made it */
    uint32_t monitor_pid;
    uint32_t state;                   /* enum ring_state */
    uint32_t durable;                 /* 1: a call waits until its change is committed (lag 0) */
    uint32_t wait_ms;                 /* the bound of such a wait */
    uint32_t generation;              /* raised by what can make a cached path wrong */
    uint32_t table_sequence;          /* of the registered keys: odd while they are written */
    uint32_t table_used;              /* bytes of the table */
    uint32_t classes;                 /* 1: some registered key has a class (see hook_keys.c) */
    uint32_t unhooked;                /* processes that could not be hooked */
    char unhooked_name[RING_NAME_BYTES]; /* the last one, and why */
    char unhooked_why[128];
    uint64_t sequence RING_ALIGNED(8); /* of the checkpoint that holds all changes up to the tails */

    uint64_t counter RING_ALIGNED(RING_CACHE_LINE);   /* the last number that was given */
    uint32_t server_pid;              /* RING_BY_SERVER: the wineserver that reports; 0: none does */
    uint32_t scan_wanted RING_ALIGNED(RING_CACHE_LINE); /* raised by ring_flag_scan */
    uint32_t scan_settled;            /* its value up to which scans are committed; by the monitor */
    uint32_t scan_why;                /* enum ring_scan of the last time */
    uint32_t doorbell RING_ALIGNED(RING_CACHE_LINE);  /* futex: rung for the monitor */
    uint32_t listening;               /* 1: the monitor sleeps on the doorbell */
    uint32_t waiting;                 /* calls that wait for a commit just now */
    uint64_t durable_number RING_ALIGNED(RING_CACHE_LINE); /* all changes up to it are committed */
    uint32_t durable_bell;            /* futex: raised with durable_number */

    struct ring_process processes[RING_PROCESSES] RING_ALIGNED(RING_CACHE_LINE);
    uint8_t table[RING_TABLE_BYTES] RING_ALIGNED(RING_CACHE_LINE);
    struct ring_lane lanes[RING_LANES];
    /* behind it, page-aligned: lane_count buffers of lane_bytes each */
};

enum ring_kind { /* in a record */
    RING_FILLER = 0,  /* nothing up to the buffer's end */
    RING_CHANGE = 1,
};

#define RING_VOLATILE 1u /* CREATE_KEY: volatile, that is not checkpointed */
#define RING_OPENED 2u   /* CREATE_KEY: it was there, volatile or not; the call gave it its class */

/* A record, 8-byte aligned in its lane's buffer, never wrapping round: fixed part, path, name, data. */
struct ring_record {
    uint32_t bytes;        /* of the record with its padding */
    uint16_t kind;         /* enum ring_kind */
    uint16_t change;       /* enum change_kind */
    uint64_t number RING_ALIGNED(8);
    uint32_t key_id;
    uint32_t process;      /* index */
    uint32_t flags;        /* RING_VOLATILE, RING_OPENED; key_flags are in `type` for a key */
    uint32_t path_units, name_units; /* name: of the value; of a key its class */
    uint32_t type;         /* of the value; CREATE_KEY: KEY_FLAG_* */
    uint32_t data_bytes;
    uint32_t reserved;
};

enum ring_scan { /* why a scan was flagged, for the log */
    RING_SCAN_FULL = 1,  /* a lane was full, or the data too large for it */
    RING_SCAN_LOCK,      /* a lane could not be had in time, or its owner died in the middle */
    RING_SCAN_TREE,      /* a rename, a loaded or unloaded tree */
    RING_SCAN_NAME,      /* the key's path could not be asked for */
};

/* A mapping. */
struct ring {
    struct ring_shared *shared;
    uint8_t *buffers;
    uint32_t lane_count, lane_bytes; /* checked when it was mapped; those in shared are not used */
    bool by_server;                  /* the same of the source */
    size_t map_bytes;
    uint64_t cut_us;                 /* when this reader cut last; at first, when it was mapped */
    uint64_t read[RING_LANES];       /* how far this reader has cut; at first, the tails */
    uint32_t dead[RING_PROCESSES];   /* by place: who was found dead by ring_processes_reap */
};

/* --- ring_file.c --- */

struct ring_options {
    uint32_t lane_count, lane_bytes; /* 0: the defaults; small ones are for tests */
    uint64_t epoch, sequence;
    bool durable;
    bool by_server;  /* one lane then */
    unsigned uid, gid;               /* who else may use it: the file's owner, mode 0600 */
};
/*
 * Makes a ring (PATH.new, then renamed to PATH) and maps it; state RING_OPEN, monitor_pid ours.
 * RESULT_USAGE (sizes), errno.
 */
int ring_create(const char *path, const struct ring_options *options, struct ring *out,
                struct error *err);
/*
 * Maps one that is there.  RESULT_NOT_FOUND, RESULT_FOREIGN (not a ring), RESULT_NEWER (another
 * version), RESULT_DAMAGED (sizes that cannot be), errno.
 */
int ring_open(const char *path, struct ring *out, struct error *err);
void ring_close(struct ring *r); /* unmaps; NULL shared is fine */

/* --- ring_lane.c: locks; used by both sides --- */

/* The calling thread's id, kept in thread-local storage. */
uint32_t ring_tid(void);
/*
 * A lock word: an owner that is dead (or a zombie) is taken over, *inherited then says so.  false:
 * not to be had within wait_ms (the owner is suspended, stopped, waits itself).
 */
bool ring_word_take(uint32_t *word, int wait_ms, bool *inherited);
void ring_word_give(uint32_t *word);

uint32_t ring_lane_of(const struct ring *r, struct utf16 path); /* by its last component, folded */
/*
 * false: the lane was not to be had.  The caller makes its call all the same, between
 * ring_laneless_begin and ring_laneless_end, appends nothing, and flags a scan (RING_SCAN_LOCK)
 * behind it, before the end: a cut in between is torn.  A lane inherited from a dead owner flags one by itself.
 */
bool ring_lane_take(struct ring *r, uint32_t lane);
void ring_lane_give(struct ring *r, uint32_t lane); /* one that was had */
/* All, in rising order, waiting RING_LANE_WAIT_MS in all; *had: a bit for each that was had. */
bool ring_all_take(struct ring *r, uint64_t *had);
void ring_all_give(struct ring *r, uint64_t had);

/* --- ring_write.c: the hooked process --- */

/* Takes a place in the process table for this process; RING_PROCESSES - 1, shared, if all are taken. */
uint32_t ring_attach(struct ring *r, uint32_t win_pid, const char *name);
void ring_attach_ready(struct ring *r, uint32_t process);
/*
 * Appends a change to a lane that the caller holds and returns its number.  Where there is no room a
 * scan is flagged instead, and the number is one that is reached with that scan.  Rings the
 * doorbell when the lane gets half full.
 */
uint64_t ring_append(struct ring *r, uint32_t lane, uint32_t process, const struct change *change,
                     uint32_t flags);
/* After the real call.  Returns a number that is durable when a scan that saw the call is. */
uint64_t ring_flag_scan(struct ring *r, enum ring_scan why);
void ring_bump_generation(struct ring *r);
/* Around a call that could not have its lane. */
void ring_laneless_begin(struct ring *r, uint32_t process);
void ring_laneless_end(struct ring *r, uint32_t process);
/* Notes a process that could not be hooked, for status. Both texts UTF-8, cut. */
void ring_note_unhooked(struct ring *r, const char *name, const char *why);

enum ring_wait {
    RING_WAIT_DONE,     /* committed */
    RING_WAIT_TIMEOUT,  /* not within shared->wait_ms; in durable mode the ring is refusing now */
    RING_WAIT_REFUSED,  /* the ring is refusing: not known whether it is committed */
    RING_WAIT_GONE,     /* the monitor is dead, or the ring closed */
};
/* Waits until all changes up to number are committed; must not hold a lane. */
enum ring_wait ring_wait_durable(struct ring *r, uint64_t number);
/* The last number that was given: what a flush waits for. */
uint64_t ring_last_number(struct ring *r);

/* --- ring_keys.c: the table of registered keys --- */

struct ring_key {
    uint32_t id;
    struct utf16 path;  /* physical, from the registry's root: "\REGISTRY\Machine\..."'s rest behind it */
};
/*
 * Replaces the table, holding all lanes, and raises the generation.  RESULT_USAGE: they do not fit
 * (RING_TABLE_BYTES).  By the monitor only.
 */
int ring_keys_set(struct ring *r, const struct ring_key *keys, size_t count, struct error *err);
/*
 * A copy of the table, malloc'ed as one block (keys point into it), the caller frees *block.  Of a
 * table that is being written, or is not one: RESULT_INVALID after some tries.
 */
int ring_keys_get(struct ring *r, struct ring_key **keys, size_t *count, void **block);

/* --- ring_read.c: the monitor --- */

struct ring_change {
    uint64_t number;
    uint64_t time_us;      /* CLOCK_MONOTONIC: it was made then or later, before this cut */
    uint32_t process, flags;
    struct change change;  /* its views point into the batch */
};
struct ring_batch {
    struct ring_change *changes; /* by number */
    size_t count;
    uint64_t number;     /* the counter at the cut: durable when all this is */
    uint32_t scan_wanted; /* the counter of flags at the cut */
    bool torn;           /* a lane could not be had, also by a call in flight, or held nonsense: treat
                          * as a flagged scan */
    uint32_t damaged;    /* lanes that held nonsense, and were emptied */
    void **memory;       /* private */
    size_t memory_count;
};
/*
 * A cut: takes all lanes, notes how far they are filled, gives them back, and reads what is there.
 * 0 or ENOMEM.  An empty batch is fine.
 */
int ring_cut(struct ring *r, struct ring_batch *out);
/* The same for a caller that holds the lanes (had, as ring_all_take said) and goes on holding them. */
int ring_cut_held(struct ring *r, uint64_t had, struct ring_batch *out);
/*
 * What was cut so far is committed, or not wanted: its room is free for new changes.  Until then it is
 * still in the ring for the next reader, should this one be killed.
 */
void ring_release(struct ring *r);
/* The same of what had been cut when r->read was this. */
void ring_release_to(struct ring *r, const uint64_t *read);
/* Puts `more` behind `batch` (its changes, number, flags); `more` is empty then. 0 or ENOMEM. */
int ring_batch_join(struct ring_batch *batch, struct ring_batch *more);
void ring_batch_free(struct ring_batch *b);

/* --- ring_monitor.c: what the monitor says and hears --- */

/* All changes up to number are committed: wakes who waits. */
void ring_set_durable(struct ring *r, uint64_t number);
void ring_set_state(struct ring *r, enum ring_state state); /* and wakes who waits */
/* Sleeps until the doorbell is rung (true) or the time is over; for a thread of its own. */
bool ring_listen(struct ring *r, uint32_t *seen, int timeout_ms);
void ring_ring(struct ring *r); /* rings the doorbell: by a waiter, or to end a listener */
/* Copies of the process table's entry, checked; false: free, or not one. */
bool ring_process_get(struct ring *r, uint32_t process, struct ring_process *out);
/*
 * Frees the places of processes that were dead at the last call already: what such a one reported is in
 * the next cut, and its place names it until the call after that.
 */
void ring_processes_reap(struct ring *r);

#endif
