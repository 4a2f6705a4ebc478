/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * regckpt-monitor: one plain Linux process for each online resource.  It owns the resource, is the
 * only writer of its checkpoint, and drives the Wine side through regckpt-host.
 *
 * The engine (the main thread) lives the resource's life in straight lines: own, restore, launch,
 * watch, stop, save, release; it may block on storage or on Wine.  The front (front.c) owns the
 * socket, answers status at once from a copy the engine publishes, and queues everything else.  Two
 * more threads listen to the hook (listener.c) and watch over storage that does not answer
 * (patience.c).  Only the engine touches the struct monitor.
 */
#ifndef REGCKPT_MONITOR_H
#define REGCKPT_MONITOR_H

#include "../../dlls/libregckpt/ctlproto.h"
#include "../../dlls/libregckpt/hostlink.h"
#include "../../dlls/libregckpt/settings.h"
#include "../../dlls/libregckpt/takeover.h"
#include "events.h"
#include "hooked.h"
#include "notify.h"
#include "path_set.h"

/* A registered key as the monitor holds it. */
struct held_key {
    struct registered_key key;
    struct exclude exclude;  /* the user's and the rules' */
    struct image image;      /* what the checkpoint holds; root NULL: absent, or not captured */
    bool dirty;              /* something changed since the last scan began */
    bool overdue;            /* its scan or commit failed: the next one does not wait for the lag */
    int64_t dirty_since_us;  /* when we heard of it */
    /* with the hook: */
    uint64_t armed_number;   /* the ring's counter before its notification was armed last */
    uint64_t touched_number; /* of the last hooked change below it */
    bool notified;           /* it fired, and has not been looked into */
    int64_t notified_us;
    int64_t unsure_since_us; /* it fired among hooked changes; 0: no */
    struct path_set volatile_keys, unknown_keys; /* paths below it */
};

/* Why the resource goes offline. */
enum ending {
    ENDING_NONE,
    ENDING_REQUEST,      /* offline, SIGTERM */
    ENDING_PROGRAM,      /* the program ended */
    ENDING_STORAGE,      /* --on-storage-error stop */
    ENDING_DISPLACED,    /* another node has taken the resource over */
    ENDING_HOST,         /* a host is gone */
    ENDING_SERVER,       /* wineserver is gone, or is another one than was restored into */
    ENDING_EDITED,       /* the edit's command has ended: what it did is saved */
    ENDING_GIVEN_UP,     /* nobody waits for the edit any more: nothing of it is saved */
};

struct monitor {
    struct settings settings;
    char *name, *dir;        /* the resource; its run directory */
    const char *prefix_option;
    bool foreground, for_service;
    int ready_fd;            /* -1: none, or told already */
    int signal_fd, server_fd; /* SIGTERM and SIGINT; a pidfd of wineserver */
    int session_fd;          /* the edit that it is for (ctlproto.h); -1: none */
    uint32_t session_tag;    /* of its request to save */

    struct resource resource;
    struct wine_place place;
    struct owner owner;      /* lock_fd -1: of nothing */
    const char *takeover;    /* the token of the owner that may be displaced; NULL: none may */
    bool took_by_force;      /* we displaced another */
    bool displaced;          /* we were */
    bool restore_local;      /* offline is to put back what the registry held before */
    bool saved;              /* the final save is done */
    struct error local;      /* why that was not put back */
    int64_t owner_look_us;   /* when to look next whether we were */
    struct checkpoint *checkpoint; /* NULL while storage fails */
    bool in_doubt;           /* a sync of its file failed, or any call that it cannot be told from */
    struct checkpoint_state state;
    struct held_key *keys;
    size_t key_count;
    bool declared;           /* the checkpoint says that we own it */
    bool marked;             /* the marker was made: scans must show it */

    struct hostlink agent_link, launcher_link;
    struct hostlink *agent;    /* who scans; NULL: nobody */
    struct hostlink *launcher; /* who started, or will start, the program; may be the agent */
    bool started, exited;      /* the program */
    uint32_t exit_code;

    struct hooked hooked;
    struct front *front;
    struct patience *patience; /* NULL: not yet, or not any more */
    struct front_request *requests; /* taken from the front, not yet answered */
    size_t request_count;
    struct monitor_status status;   /* the engine's own; published by monitor_publish */
    enum ending ending;
    int64_t next_full_scan_us, next_storage_try_us;
    bool apart;                 /* pictures of several keys that do not show one moment were saved */
    int64_t round_us;           /* how long the last round of scans took */
    int64_t scan_server_us;     /* what the scans of a round took of wineserver's time */
    int64_t turn_not_before_us; /* after a failure */
    int64_t scan_not_before_us; /* when the budget allows the next round */
};

int64_t clock_us(void);      /* monotonic */
uint64_t unix_time_us(void);

/* monitor_log.c: one line with the time, to standard error (the log file, or the terminal). */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Control characters become question marks. */
void one_line(char *text);
/*
 * The standard error is this file (the path must stay), opened to append: log_shorten empties it once
 * it is longer than 4 MiB, and keeps what it held as PATH.old.  Emptied, not renamed: Wine's processes
 * write to it too.
 */
void log_keep_short(const char *path);
void log_shorten(void);
/* What whoever started us waits for: one way out each, later calls do nothing. */
void report_progress(struct monitor *m, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void report_displacing(struct monitor *m, const char *owner); /* what the lock says of him */
void report_online(struct monitor *m);
void report_failure(struct monitor *m, const struct error *err);
/* What went wrong, for the status; it stays there, with its time, when it is over (error_is_over). */
void note_error(struct monitor *m, const struct error *err);
void error_is_over(struct monitor *m);
/* Hands the engine's status to the front. */
void monitor_publish(struct monitor *m);

/* front.c */
struct front_request {
    int sock;               /* owned by whoever took it */
    struct message message; /* a HOST_HELLO or a CTL_ request */
};
/* Listens on DIR/socket; host_uid may connect as a host, root and ourselves as anything. */
struct front *front_start(const char *dir, unsigned host_uid, unsigned host_gid, struct error *err);
int front_fd(const struct front *f); /* readable when front_take gives something */
bool front_take(struct front *f, struct front_request *out);
void front_publish(struct front *f, const struct monitor_status *status);
/* Since when storage has not answered, for the status; 0: it does.  From any thread. */
void front_stalled(struct front *f, uint64_t since);
bool front_has_offline(struct front *f); /* is a request to go offline not taken yet? */
void front_hide(struct front *f); /* unlinks the socket, once; NULL is fine */
void front_stop(struct front *f); /* hides it, ends the thread; NULL is fine */
/* Answers a request and closes its socket. */
void front_reply(struct front_request *r, const struct error *err, const struct pack *more);
void front_progress(struct front_request *r, const char *text);

/* wait.c: waits for anything at all, at most until_us, and takes note of it. */
void engine_wait(struct monitor *m, int64_t until_us);

/* restore.c: makes the live registry equal to the checkpoint, captures what is uncaptured. */
int restore_all(struct monitor *m, struct error *err);
/*
 * The resource is saved and its program has ended: puts back what this node's registry held before it
 * went online here.  RESULT_INEXACT, RESULT_NOT_FOUND; what is kept of it stays then.
 */
int restore_before(struct monitor *m, struct error *err);
void restore_not_asked(struct monitor *m); /* the same without putting back */

/* capture.c */
/* A picture of one key as it is now, excludes taken out; refused without our marker. */
int capture_scan(struct monitor *m, struct held_key *k, bool watch, struct image *image,
                 struct error *err);
/* Scans the keys that are due (all: every key) and commits what differs, as one transaction. */
int capture_run(struct monitor *m, bool all, bool watch, const char *who, uint64_t *changes,
                struct error *err);
/* Commits what the hook reported and is pending, if no scan has to come first. */
int capture_pending(struct monitor *m, struct error *err);
/* When the next scan is due; INT64_MAX: none. */
int64_t capture_due_us(const struct monitor *m);
/* Puts the changes from k->image to `to` into an open transaction; a first capture has no history. */
int capture_record(struct monitor *m, struct held_key *k, struct image *to, const char *who,
                   uint64_t *count, struct error *err);
/* It was committed: the key's image becomes `to`, which is empty then. */
void capture_move_on(struct held_key *k, struct image *to);
/* A commit of changes from k->image to `to`; both ways of failure leave k as it was. */
int capture_store(struct monitor *m, struct held_key *k, struct image *to, const char *who,
                  uint64_t *changes, struct error *err);

/* displaced.c */
/* Opens the checkpoint as its owner that can be displaced. */
int displaced_open(struct monitor *m, struct error *err);
/* Are we still the owner?  Reads the store. RESULT_OWNED: that is noted, and ends the program. */
int displaced_check(struct monitor *m, struct error *err);
/* The same, about once a second. */
void displaced_look(struct monitor *m);
/* Does an error say so, or one before? */
bool displaced_by(struct monitor *m, const struct error *err);

/* storage.c */
/* Storage refused: takes note, closes the checkpoint, applies the policy. */
void storage_failed(struct monitor *m, const struct error *err);
/* Opens it again and rereads what it holds. */
int storage_retry(struct monitor *m, struct error *err);
/* The same where it failed before; *all is set then, everything is due. */
int storage_ready(struct monitor *m, bool *all, struct error *err);
/* The held keys and their images as the file has them. */
int keys_from_file(struct monitor *m, struct error *err);

/* patience.c: what is done when the engine cannot, since a call to storage does not return */
#define STALL_TOLD_US 5000000LL /* so long it may take before it is said */
/*
 * After storage_timeout the policy "stop", and lag 0, end the program; a resource that is to end anyway
 * ends without storage: its program is ended, and the process; one that is not online yet is not going to
 * be: that is said, and the process ends.
 */
struct patience *patience_start(struct monitor *m, struct error *err);
void patience_front(struct patience *p, struct front *front); /* from when there is one */
void patience_online(struct patience *p);                     /* from here on it is */
/* Whom to disconnect to end the program; -1: nobody. */
void patience_guard(struct patience *p, int agent_sock, int launcher_sock);
void patience_hang_up(struct patience *p); /* disconnects them, once; from any thread */
void patience_stop(struct patience *p);    /* NULL is fine */
/* Around all that the engine does with the store; they nest. */
void storage_enter(struct monitor *m);
void storage_moves(struct monitor *m); /* it takes long, but because it is much */
void storage_doing(struct monitor *m, const char *what); /* the next step: "read the checkpoint" */
void storage_leave(struct monitor *m);

/* launch.c */
int launch_program(struct monitor *m, struct error *err);
/* Begins HOST_START_SERVICE or HOST_STOP_SERVICE for the resource's service. */
int service_ask(struct monitor *m, enum host_message what, struct error *err);
void stop_program(struct monitor *m);

/* keys.c: the list of held keys. */
int keys_take(struct monitor *m, struct snapshot *s, struct error *err);
int keys_tell_host(struct monitor *m, struct error *err);
void keys_free(struct monitor *m);
void keys_free_one(struct held_key *k); /* what it holds */
void keys_count(struct monitor *m); /* into the status */
struct held_key *keys_find(struct monitor *m, uint32_t id);

/* requests.c: answers what the front queued, except offline, which is answered at the end. */
void requests_answer(struct monitor *m);
void requests_finish(struct monitor *m, const struct error *err);

/* reap.c */
/* Ends what still holds the lock open on this node, except Wine's own servers. */
void reap_lock_holders(struct monitor *m);
/* Ends the Wine processes of a prefix whose wineserver is dead. */
void reap_prefix(const struct wine_place *place);

/* exit_code.c: of `run`, for its own failures; the program's own go up to 255. */
enum run_exit { EXIT_OWNED = 120, EXIT_RESTORE, EXIT_PROGRAM, EXIT_STORAGE, EXIT_WINE, EXIT_ABOVE_255 };
int exit_code_of_failure(int error);
int exit_code_of_ending(const struct monitor *m); /* the resource was online */

/* going_online.c */
/* Everything up to the running program. On failure what was begun is for engine_run to end. */
int go_online(struct monitor *m, struct error *err);
/* Says in the checkpoint who owns the resource, or owned it, and since when. */
int write_state(struct monitor *m, enum checkpoint_status status, struct error *err);
void set_phase(struct monitor *m, enum monitor_phase phase);

/* engine.c: the whole life; the exit code of `run`. */
int engine_run(struct monitor *m);
/* Can the registry that was restored into still be scanned? */
bool engine_has_registry(const struct monitor *m);
/* The last scan, tried a few times where storage refuses.  One transaction. */
int engine_save(struct monitor *m, uint64_t *changes, struct error *err);
/* Gives the resource up; with keep_good what is there becomes the last good checkpoint. */
void engine_release(struct monitor *m, bool keep_good);
/* Scans, commits, or waits for something to happen, until_us at most: once the program runs. */
void engine_turn(struct monitor *m, int64_t until_us);

/* editing.c: the same life for `regckpt edit`, whose command takes the program's place. */
int edit_run(struct monitor *m);
bool is_edit(const struct monitor *m);
/* The service must not run while its keys are edited. */
int edit_check_service(struct monitor *m, struct error *err);
/* Makes the ring for what the command starts; without it the final scan alone finds the changes. */
void edit_prepare_hook(struct monitor *m);
/* To an edit that waits for its save, by whoever is left to say so. */
void edit_say_given_up(struct monitor *m, const char *why);

#endif
