/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What status knows of a resource, read so that nothing hangs: the monitor of this node is asked
 * with a bound, the store is read by a child process that is left behind when it does not come
 * back.  However often that is asked, no more than a few are ever left on a node.
 */
#ifndef REGCKPT_STATUSREAD_H
#define REGCKPT_STATUSREAD_H

#include <stdio.h>

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
    bool counted;                  /* what follows is known: of one resource, and no large one */
    uint64_t keys, values, bytes;
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

/* Of all that was asked for: 0, 1 if something needs a look, 2 if a checkpoint is damaged. */
int status_list_code(const struct status_list *list);
/*
 * Prints it for people: the verdicts, and with one named the numbers.  Or as JSON, an object of a
 * stable form: regckpt-monitoring(7).
 */
void status_print(const struct cli *cli, const struct status_list *list, FILE *out);
void status_print_json(const struct cli *cli, const struct status_list *list, FILE *out);
/* Prometheus' text format; regckpt-monitoring(7) lists the metrics. */
void status_print_metrics(const struct cli *cli, const struct status_list *list, FILE *out);
/*
 * status --watch: shows name (NULL: all) again and again, until the user ends it; on a terminal in
 * place, else a line for each verdict that changes.  The exit code.
 */
int status_watch(const struct cli *cli, const char *name);

/* The verdict in one line, without the name, malloc'ed; *code: 0 fine, 1 needs a look, 2 damaged.
 */
char *status_verdict(const struct resource_status *s, int *code);
/* How changes are captured, for people, malloc'ed; what the hook reaches if it is in place. */
char *status_capture(const struct monitor_status *m);
bool status_is_told(const struct monitor_status *m);
/* winetree_trouble() of the Wine that it was to run with. */
bool status_wine_trouble(const struct monitor_status *m, struct error *text);
/* One word for programs: "online", "offline", "lost", ...; all there are, NULL behind the last. */
const char *status_word(const struct resource_status *s);
extern const char *const status_words[];
/* Since when storage fails or does not answer, Unix microseconds; 0: it is fine. */
uint64_t status_storage_since(const struct monitor_status *m);

#endif
