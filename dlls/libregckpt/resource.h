/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a resource is: one protected service or program, its properties and its registered keys.
 */
#ifndef REGCKPT_RESOURCE_H
#define REGCKPT_RESOURCE_H

#include "image.h"

enum resource_kind { RESOURCE_SERVICE = 1, RESOURCE_APPLICATION = 2 };
enum storage_policy { STORAGE_CONTINUE = 1, STORAGE_STOP = 2 };

/* Bounds of names: also a directory's name on the shared storage. */
#define RESOURCE_NAME_MAX 63

#define DEFAULT_LAG_MS 100
#define DEFAULT_STOP_TIMEOUT_S 30
#define DEFAULT_START_TIMEOUT_S 60
#define DEFAULT_HISTORY_BYTES (4u << 20)

struct resource {
    enum resource_kind kind;
    char *service;     /* RESOURCE_SERVICE: the service's name */
    char *command;     /* RESOURCE_APPLICATION: a Windows command line */
    char *directory;   /* current directory, Unix or Windows path; "" : the program's own default */
    char *prefix;      /* WINEPREFIX; "": the environment's or the user's ~/.wine */
    char *user;        /* Unix user; "": who runs the command */
    char *wine;        /* the loader, or a tree that holds lib/wine; "": the system's */
    uint32_t lag_ms;   /* 0: durable */
    enum storage_policy on_storage_error;
    uint32_t start_timeout_s, stop_timeout_s;
    uint32_t history_bytes; /* about how much history is kept */
};

void resource_init(struct resource *r); /* the defaults, "" for every string */
void resource_free(struct resource *r);
int resource_copy(struct resource *to, const struct resource *from);
/*
 * Sets a property by its name (kind is set by "service" and "command"): the names are the field
 * names above with '-' for '_', and "lag", "start-timeout", "stop-timeout", "history".  The one
 * table of properties: create, set, show, the record and --json go by it.
 * RESULT_USAGE names the property, the value and what is accepted.
 */
int resource_set(struct resource *r, const char *name, const char *value, struct error *err);
/* The value as text, malloc'ed; NULL: no such property. */
char *resource_get(const struct resource *r, const char *name);
/* The i-th property's name, NULL after the last. */
const char *resource_property(unsigned i);
/* Letters, digits, '.', '_', '-', not first '.' or '-', 1..63. RESULT_USAGE says so. */
int resource_name_check(const char *name, struct error *err);

enum view { VIEW_64 = 64, VIEW_32 = 32 };

#define KEY_CAPTURED 1u /* the checkpoint holds its content; else it is never restored */
#define KEY_FUTURE 2u   /* registered with --future: need not exist yet */
#define KEY_BROAD 4u    /* registered with --broad */

struct registered_key {
    uint32_t id;      /* from 1, never used again in this checkpoint */
    enum view view;
    char *path;       /* relative to HKLM as the view's programs name it, UTF-8, case as given */
    uint32_t flags;   /* KEY_* */
    struct exclude exclude;
};

void registered_key_free(struct registered_key *k);
int registered_key_copy(struct registered_key *to, const struct registered_key *from);
int exclude_add_key(struct exclude *e, const char *pattern);
int exclude_add_value(struct exclude *e, const char *pattern);
/* Takes one pattern away, as it was written. false: it is not there. */
bool exclude_drop_key(struct exclude *e, const char *pattern);
bool exclude_drop_value(struct exclude *e, const char *pattern);
/*
 * Can a pattern match anything?  RESULT_USAGE: no key or value has such a path (for a key: empty, a
 * backslash at either end; invalid UTF-8).  An empty pattern for values is the default value of the
 * registered key.
 */
int exclude_check(const char *pattern, bool of_values, struct error *err);
/* The user's excludes and those a rule adds: ImagePath and Start of a key under Services. */
int registered_key_effective_exclude(const struct registered_key *k, struct exclude *out);
void exclude_free(struct exclude *e);

#endif
