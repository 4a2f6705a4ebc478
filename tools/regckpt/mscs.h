/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The resources of a Microsoft cluster, as its exported HKLM\Cluster tells of them, and what becomes
 * of them here (mscsread.c, mscsplan.c; importmscs.c is the verb).
 *
 * Known from public documentation: Resources\<guid> with Name, Type, Parameters and the list of
 * registry checkpoints, RegSync.  It does not say how the list tells 32-bit keys from 64-bit ones.
 */
#ifndef REGCKPT_MSCS_H
#define REGCKPT_MSCS_H

#include "resource.h"

enum mscs_action {
    MSCS_CREATE = 1,
    MSCS_SKIP,   /* none of ours: another type */
    MSCS_EXISTS, /* there is one of that name: left as it is */
    MSCS_REFUSE, /* it cannot be, and `why` tells */
};

struct mscs_texts {
    char **items; /* malloc'ed */
    size_t count;
};

struct mscs_resource {
    char *guid;
    char *there;   /* its name in the cluster */
    char *type;
    char *here;    /* its name as a resource of ours */
    char *service; /* Generic Service; NULL: none is named */
    char *command, *directory; /* Generic Application; NULL: none */
    struct mscs_texts keys;    /* registry checkpoints, as they stand in the list */
    struct mscs_texts remarks; /* what does not come over: sentences */
    enum mscs_action action;
    char *why;                 /* of all but MSCS_CREATE */
};

struct mscs {
    struct mscs_resource *resources;
    size_t count, room;
    uint64_t elsewhere; /* statements of a .reg file that are not below HKLM\Cluster */
};

/*
 * Reads a .reg file or a hive, whose root is the key Cluster.  What regfile_read and hive_read give;
 * RESULT_NOT_FOUND: there is no Cluster\Resources in it.  Free it in any case.
 */
int mscs_read(const char *file, struct mscs *m, struct error *err);
void mscs_free(struct mscs *m);

/* Adds a sentence to a resource's remarks. 0 or ENOMEM. */
int mscs_remark(struct mscs_resource *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A name that a resource can have: what it cannot hold becomes '-'. */
void mscs_map_name(const char *there, char here[RESOURCE_NAME_MAX + 1]);

/*
 * Keeps the named resources only (by either name, ignoring case; none named: all), and decides what
 * becomes of each: names that differ, keys that can be registered, beside each other and beside
 * what is in the store.  view: 64 or 32, or 0 if it is found out later.  RESULT_NOT_FOUND: one that
 * is named is not there.
 */
int mscs_plan(struct mscs *m, const char *const *names, size_t name_count, const char *store,
              int view, bool broad, struct error *err);

#endif
