/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where things are on this node: the store, the run directory, the node's name.
 *
 * Each comes from, in this order: the command line (store only; relative to the current directory
 * if it does not begin with '/'), the environment (REGCKPT_STORE, absolute;
 * REGCKPT_CONF names another configuration file), the configuration file (/etc/regckpt.conf:
 * "name = value" lines, '#' comments; names store, run_dir, state_dir, node, wine, events,
 * storage_timeout), the default.
 * Defaults: store /var/lib/regckpt; run_dir /run/regckpt for root, $XDG_RUNTIME_DIR/regckpt or
 * /tmp/regckpt-UID for others; state_dir /var/lib/regckpt-node; node the host's name (gethostname);
 * events auto; storage_timeout 30.
 */
#ifndef REGCKPT_SETTINGS_H
#define REGCKPT_SETTINGS_H

#include "error.h"

#define SETTINGS_FILE "/etc/regckpt.conf"

struct settings {
    char *store;        /* absolute */
    const char *store_source; /* "--store", "REGCKPT_STORE", the file's path, "default" */
    char *run_dir;
    char *state_dir;    /* of this node, over a reboot: wrapped.h */
    char *node;
    unsigned storage_timeout_s; /* how long storage may not answer before that counts as failing */
    char *wine;         /* "" if not set */
    char *events;       /* where the monitor's events go: "auto", "none", "journal" or "syslog", the
                           last two with ":SOCKET" behind them if it is not the usual one */
    char *conf;         /* the configuration file used, whether or not it exists */
};

/*
 * store_option: what --store said, or NULL.  RESULT_USAGE with file and line for an unknown name or
 * a line without '=', or a relative path; a configuration file named by REGCKPT_CONF that does not
 * exist is RESULT_NOT_FOUND, the default one may be missing.
 */
int settings_read(struct settings *s, const char *store_option, struct error *err);
void settings_free(struct settings *s);

/*
 * The directory of one resource on this node: <run_dir>/<name>.<hash of the store's path>; holds
 * socket, log and scan files.  malloc'ed.
 */
char *settings_resource_dir(const struct settings *s, const char *resource);

/*
 * Makes the run directory (mode 0700; 0711 for root, whose resources may run as other users) and the
 * resource's directory in it (0700) where they are missing; *dir: the latter, malloc'ed.  Refuses a
 * directory of another user or a link in its place.
 */
int settings_make_resource_dir(const struct settings *s, const char *resource, char **dir,
                               struct error *err);

/*
 * Where a program of this project lies, found relative to the running executable, so that an
 * installed tree can be moved: installed programs look in PKGLIBDIR_FROM_BINDIR (set at build time)
 * and their own directory.  malloc'ed path, NULL if it is nowhere (err says where it looked).
 */
char *settings_find_program(const char *name, struct error *err);

#endif
