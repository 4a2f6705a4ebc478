/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What status knows of a resource, read so that nothing hangs: the monitor of this node is asked
 * with a bound, the store is read by a child process that is left behind when it does not come
 * back.
 */
#ifndef REGCKPT_STATUSREAD_H
#define REGCKPT_STATUSREAD_H

#include "access.h"

struct resource_status {
    char *name;
    bool have_monitor;
    struct monitor_status monitor; /* of this node */
    struct error monitor_error;    /* a monitor is there, but it did not answer */
    bool have_store;               /* the store was read: what follows counts */
    struct error store_error;      /* of reading the checkpoint */
    struct checkpoint_state state;
    uint32_t registered, uncaptured;
    int owned;                     /* 1, 0, -1: not known */
    uint32_t *holders;             /* processes of this node that have the lock open */
    size_t holder_count;
};

struct status_list {
    struct resource_status *items;
    size_t count;
    struct error store_error;      /* of the store as a whole; RESULT_TIMEOUT: it does not answer */
};

/* Reads one resource (name) or all (NULL).  ENOMEM, or what makes the question senseless. */
int status_read(const struct cli *cli, const char *name, struct status_list *out,
                struct error *err);
void status_free(struct status_list *list);

/* The verdict in one line, without the name, malloc'ed; *code: 0 fine, 1 needs a look, 2 damaged.
 */
char *status_verdict(const struct resource_status *s, int *code);
/* How changes are captured, for people, malloc'ed; what the hook reaches if it is in place. */
char *status_capture(const struct monitor_status *m);
bool status_is_told(const struct monitor_status *m);
/* One word for programs: "online", "offline", "lost", ... */
const char *status_word(const struct resource_status *s);

#endif
