/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All records of a checkpoint's copy, sorted into kinds and checked: what snapshots and the
 * verification are made of.
 */
#ifndef REGCKPT_CONTENT_H
#define REGCKPT_CONTENT_H

#include "checkpoint_record.h"

/* One record: views into the copy. */
struct item {
    struct tdbfile_record record;
    uint32_t id;            /* of a root, key or value */
    uint32_t rest_len;      /* the TDB key behind "ID:" */
    const uint8_t *rest;
    uint64_t index;         /* of a history entry */
    const uint8_t *content; /* NULL: the checksum is wrong */
    size_t content_len;
};

struct items {
    struct item *at;
    size_t count, room;
};

/*
 * Told of each problem: the id of the registered key it is in (0: none), the record (NULL: none),
 * and what is wrong.  Returns 0 to go on, anything else stops and is returned.
 */
typedef int content_report(uint32_t id, const struct item *item, const char *what, void *arg);

struct content {
    const struct tdbfile *file;
    struct items heads, roots, keys, values, history, bad; /* by id and in image order; by index */
    uint64_t records, sum;  /* of all but the state, as in struct state_record */
    content_report *report;
    void *arg;
};

/* Gathers and sorts what is in a loaded copy.  RESULT_DAMAGED (a chain), ENOMEM. */
int content_read(struct content *c, const struct tdbfile *f, content_report *report, void *arg,
                 struct error *err);
/*
 * Of a damaged copy: reports the records whose own place in the file is what is damaged.  Ends with what
 * the report returned.
 */
int content_name_suspects(const struct tdbfile *f, content_report *report, void *arg);
/*
 * content_read of a damaged copy: all that is still to be found (tdbsalvage.h); what has a wrong
 * checksum is in `bad`.  Reports nothing.  ENOMEM.
 */
int content_salvage(struct content *c, const struct tdbfile *f, struct error *err);
void content_free(struct content *c);

/* Sorts keys or values by id and in image order. 0 or ENOMEM. */
int content_sort(struct items *list);
/* Image order: by path, component by component, then by name. */
int content_compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);

/* Heads, and with history the history, into a snapshot; then what is damaged is reported. */
int content_take_heads(const struct content *c, unsigned flags, struct snapshot *out);
/* Number and sum against the state. */
int content_check_sums(const struct content *c, const struct state_record *head);
/* The images of all registered keys of a snapshot that has its heads. */
int content_build_images(const struct content *c, struct snapshot *out);

#endif
