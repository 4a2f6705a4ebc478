/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The trees that server_patch/build makes: a Wine with our wineserver, of links to the system's Wine and
 * copies of its loaders.  Each says in a file of what Wine it was made, and fits that one alone.
 */
#ifndef REGCKPT_WINETREE_H
#define REGCKPT_WINETREE_H

#include <stdbool.h>

#include "hostlink.h"

enum winetree {
    WINETREE_NONE,    /* the loader is in no such tree */
    WINETREE_UNKNOWN, /* it is; what Wine is installed here cannot be told (no dpkg) */
    WINETREE_FITS,
    WINETREE_STALE,   /* made for another version than the installed one */
};

/* Looks at the tree of a loader, as wine_place_find() gives it; text->text says what was found. */
enum winetree winetree_look(const char *loader, struct error *text);

/*
 * Is the server that runs in the prefix the one that lies in the loader's tree now?  Whoever starts a
 * prefix decides which one it is, and it stays while its tree is replaced or removed.  If it is another,
 * text->text says which, and what to do.  True as well: the loader is in no such tree, nothing runs, or
 * it cannot be told (another user's).
 */
bool winetree_serves(const struct wine_place *place, struct error *text);

/*
 * What of the two somebody should know about, online or not: a tree for another Wine, or else another
 * server.  False: nothing.
 */
bool winetree_trouble(const struct wine_place *place, struct error *text);

#endif
