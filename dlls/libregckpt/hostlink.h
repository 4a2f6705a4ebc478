/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The native end of the protocol with regckpt-host: starts a host in a prefix and asks it.
 * One thread at a time.  Every request is bounded by its timeout; after a timeout or a broken
 * connection the link is dead and every further request fails with the same error.
 */
#ifndef REGCKPT_HOSTLINK_H
#define REGCKPT_HOSTLINK_H

#include <sys/types.h>

#include "hostproto.h"
#include "message.h"
#include "resource.h"
#include "settings.h"

struct hostlink {
    int sock;             /* -1: dead */
    uint32_t role, bits;
    pid_t pid;            /* the host's Unix pid, as the kernel tells it; 0: not known */
    char *service;        /* role HOST_LAUNCHER */
    uint32_t next_tag;
    /* events that came in between, to be taken by the owner */
    uint32_t *changed;    /* ids, each at most once */
    size_t changed_count;
    bool exited;
    bool left;            /* the program has ended, what it started goes on (HOST_START_WAITS) */
    bool window;          /* regedit has opened its window */
    uint32_t exit_code;
    bool service_done;    /* HOST_SERVICE_DONE came, with: */
    uint32_t service_error;
    struct error dead;    /* why the link is dead */
    const int *server_fd; /* the owner's pidfd of wineserver, < 0 once that is gone; NULL: not known */
};

/*
 * Where a prefix is and how programs are started in it.  All strings are the caller's.
 */
struct wine_place {
    char *prefix;         /* absolute */
    char *wine;           /* the loader */
    char *user;           /* "" : as we are */
    unsigned uid, gid;
    uint32_t bits;        /* of the prefix: 64, 32 */
};

/*
 * Finds prefix (option, else resource's, else WINEPREFIX, else the user's ~/.wine), loader and user.
 * Errors: no prefix there, or no such user (RESULT_NOT_FOUND; how to make one), another user's (RESULT_FORBIDDEN;
 * says whose), Wine missing (names the package), a 32-bit prefix without a 32-bit host.
 */
int wine_place_find(const struct resource *resource, const char *prefix_option,
                    const struct settings *settings, struct wine_place *out, struct error *err);
void wine_place_free(struct wine_place *p);
/*
 * Has this Wine a 32-bit Unix part: its 32-bit loader beside the one that is used, or that one itself?
 * Without it 32-bit programs cannot be hooked.  They may run all the same (new WoW64):
 * hostlink_runs_32bit.
 */
bool wine_place_has_32bit(const struct wine_place *p);

/*
 * In a child that goes on to exec: the place's user and WINEPREFIX; no descriptors but keep_fd (-1:
 * none) and the standard ones, which are /dev/null, and log_fd if that is not -1.  With
 * WINE_OUR_STREAMS for log_fd it stays in our session, directory and streams.
 */
#define WINE_OUR_STREAMS (-2)
void wine_become(const struct wine_place *place, int log_fd, int keep_fd);

/*
 * Starts a Wine program (by Unix path) in the prefix, by wine_become; returns its pid, or -1 with err.
 */
pid_t wine_start(const struct wine_place *place, char *const argv[], int log_fd, struct error *err);

/*
 * Begins to boot the prefix; the pid is the caller's to wait for, and its status to be read by
 * wine_boot_result.  A booted prefix has a server already, so what is started later leaves it
 * nothing of ours to inherit.
 */
pid_t wine_boot_begin(const struct wine_place *place, int log_fd, struct error *err);
int wine_boot_result(const struct wine_place *place, int status, struct error *err);
/*
 * Did a Wine process end as those do that connect to a wineserver which is just ending, because
 * nobody used its prefix for a while?  Then another try finds or starts the next one.  Wine's own
 * programs may end with this exit code for another reason: no more than WINE_TRIES.
 */
#define WINE_TRIES 3
bool wine_server_was_ending(int status);
/* The same in one, bounded by timeout_ms. */
int wine_boot(const struct wine_place *place, int log_fd, int timeout_ms, struct error *err);

/* Starts a host (role HOST_AGENT), log_fd as of wine_become, and waits for its hello.  dir: where the
 * socket goes. */
int hostlink_start(struct hostlink *link, const struct wine_place *place, const char *dir, int log_fd,
                   int timeout_ms, struct error *err);
/* Takes over a connection whose hello was received; closes it if it is no host's. */
int hostlink_adopt(struct hostlink *link, int sock, const struct message *hello, struct error *err);
/* Asks the host to exit, closes. */
void hostlink_close(struct hostlink *link);

/*
 * Sends a request and waits for its reply; the reply's payload behind the status is left in *reply
 * (message_free), *u stands at it.  reply may be NULL.  RESULT_WINE with the status explained.
 * Where wineserver is gone no reply is awaited: the host may hang then, with its socket open.
 */
int hostlink_ask(struct hostlink *link, enum host_message type, const struct pack *payload, int fd,
                 int timeout_ms, struct message *reply, struct unpack *u, struct error *err);

/* Reads events that are there (POLLIN), without waiting. 0, or why the link is dead. */
int hostlink_poll(struct hostlink *link, struct error *err);

/* --- requests, one function each --- */

/*
 * Starts the program suspended, in its job, with the hook of hook_dir ("": none) loaded; lock_fd is
 * what it holds; flags: HOST_START_*.  *why_not, malloc'ed: why it is not hooked, "" if it is.  Then
 * hostlink_resume.
 */
int hostlink_start_program(struct hostlink *link, const char *command, const char *directory,
                           const char *hook_dir, int lock_fd, uint32_t flags, char **why_not,
                           struct error *err);
int hostlink_prepare_regedit(struct hostlink *link, const char *key, const char *title,
                             struct error *err);
int hostlink_resume(struct hostlink *link, struct error *err);

/* exists[i], physical[i] (malloc'ed) for each key; either may be NULL. */
int hostlink_keys(struct hostlink *link, const struct registered_key *keys, size_t count,
                  bool *exists, char **physical, struct error *err);

struct scan_facts {
    bool exists;
    uint64_t server_ns;     /* how long NtSaveKey took */
    uint64_t marker_epoch;  /* 0: no marker in this registry */
    uint64_t text_bytes;
};
/* Asks for one notification below a key of the list, without a scan. exists may be NULL. */
int hostlink_arm(struct hostlink *link, uint32_t key_id, bool *exists, struct error *err);
/*
 * Scans one key of the list into an (empty) image. facts may be NULL.  Keys of which the text shows that
 * another is written the same are scanned by themselves.
 */
int hostlink_scan(struct hostlink *link, uint32_t key_id, bool watch, struct image *image,
                  struct scan_facts *facts, struct error *err);
/* Loads an image where the key does not exist yet, as far as NtLoadKey can (winereg.h). */
int hostlink_load(struct hostlink *link, uint32_t key_id, const struct image *image,
                  struct error *err);
/* Carries out image_diff(from, to) in the live registry. *applied counts; may be NULL. */
int hostlink_apply_diff(struct hostlink *link, uint32_t key_id, const struct image *from,
                        const struct image *to, uint64_t *applied, struct error *err);
/* *can: does this wineserver report changes? For REPORT_BEGIN and REPORT_AGAIN that is an error if not. */
int hostlink_report(struct hostlink *link, enum host_report what, const char *ring, bool *can,
                    struct error *err);
int hostlink_marker(struct hostlink *link, const char *resource, uint64_t epoch, struct error *err);

struct program_facts {
    bool exists;
    uint32_t bits;          /* 64, 32, 0: not known */
    char *image_path;       /* of a service; malloc'ed */
    uint32_t start_type;    /* SERVICE_*_START */
    uint32_t state;         /* SERVICE_STOPPED 1 ... SERVICE_RUNNING 4 */
    bool wrapped;           /* its image path is regckpt-host */
};
int hostlink_query_program(struct hostlink *link, const struct resource *resource,
                           struct program_facts *out, struct error *err);
void program_facts_free(struct program_facts *f);

/* Do 32-bit programs run there?  Where the place does not say that they do, the host tries one. */
int hostlink_runs_32bit(struct hostlink *link, const struct wine_place *place, bool *runs,
                        struct error *err);

/*
 * Puts regckpt-host in front of the service's program (the old command line goes behind " -- ", the
 * old start type with it) or takes it away.  Both are idempotent. autostart: SERVICE_AUTO_START.
 */
int hostlink_wrap(struct hostlink *link, const struct resource *resource, const char *name,
                  const struct settings *settings, bool autostart, bool *changed, struct error *err);
int hostlink_unwrap(struct hostlink *link, const struct resource *resource, bool *changed,
                    struct error *err);

/*
 * Sets right what a scan's text cannot say (hostlink_names.c): names that end in NUL, and keys that hold
 * nothing but volatile subkeys, as far as `known` has them (NULL: nothing is known, and all names are
 * asked for).  Costs a question for each name that `known` does not have, and no request at all where the
 * two are equal.  `exclude` has been left out of the picture, and is of what is read anew.
 * What hostlink_ask and hostlink_scan give, or ENOMEM.
 */
int hostlink_settle_names(struct hostlink *link, uint32_t key_id, const struct image *known,
                          const struct exclude *exclude, struct image *picture, struct error *err);

/* --- making a key equal to an image (hostlink_restore.c) --- */

struct hostlink_restore {
    struct hostlink *link;
    uint32_t key_id;
    const struct image *want;
    /* A picture of the key as it is, into an empty image, without what is excluded. */
    int (*scan)(void *arg, struct image *live, struct error *err);
    void *arg;
    /* what became of it: */
    unsigned rounds;           /* 0: it was equal */
    uint64_t applied;          /* changes */
    struct error refused;      /* code 0, or the last change that Wine refused */
    uint64_t differences;      /* RESULT_INEXACT: that are left, */
    char difference[512];      /* and the first of them */
};

/*
 * live: a picture taken just now; it is used up.  RESULT_INEXACT: not equal after all that can be done
 * (err names the first difference); else what scan and the host give.
 */
int hostlink_restore(struct hostlink_restore *r, struct image *live, struct error *err);

#endif
