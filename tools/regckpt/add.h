/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keys of one call of "add" on their way from words to a checkpoint (add.c, addkeys.c).
 */
#ifndef REGCKPT_ADD_H
#define REGCKPT_ADD_H

#include "keyname.h"
#include "wineside.h"

struct new_key {
    struct registered_key key;
    struct image image;      /* what was captured */
    bool exists, captured;
    uint64_t keys, values;   /* counted by whoever captured it */
};

struct add {
    const struct cli *cli;
    const char *name;        /* the resource */
    char *const *words;      /* the keys as given */
    size_t word_count;
    const char *view;        /* as given */
    const char *prefix;      /* --prefix, or NULL */
    struct text_list exclude, exclude_value;
    bool future, broad;
    struct new_key *keys;
    size_t count;
    struct snapshot now;     /* the resource's head */
    struct wineside wine;
    bool have_wine;
    struct error no_wine;    /* why not */
    uint32_t probe;          /* the last id of a question to the host */
};

/*
 * The whole of it: reads the words, checks, captures what can be, registers all or none.  What is
 * set by the caller: cli, name, words, view and the options.
 */
int add_run(struct add *a, struct error *err);

/* Reads the words into keys; views as far as they are named. */
int add_read_keys(struct add *a, struct error *err);
/* Chooses the views that are "auto", by the program's bitness. */
int add_choose_views(struct add *a, struct error *err);
/* Checks the keys against each other, the resource's own and those of all other resources. */
int add_check_keys(struct add *a, struct error *err);
/* Sees which exist in the prefix; one that should and does not is RESULT_NOT_FOUND with a guess. */
int add_find_keys(struct add *a, struct error *err);
/* Reads those that exist into their images. */
int add_scan_keys(struct add *a, struct error *err);
void add_free(struct add *a);

#endif
