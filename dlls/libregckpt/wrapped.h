/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which Windows services on this node have regckpt-host in front of them: without it they do not start,
 * so it must not be taken from the node before they are unwrapped.
 *
 * A note a service, in <state_dir>/wrapped, which any user may write to, as /tmp: whoever wraps a
 * service leaves one, before.  It says enough to unwrap the service without the store, as lines
 * "name = value": prefix, service, resource, store, user, wine, bits.  A note counts for the user that owns
 * the file alone; only root's may name another.  A note may outlive what it stands for, never the other
 * way round.
 */
#ifndef REGCKPT_WRAPPED_H
#define REGCKPT_WRAPPED_H

#include "hostlink.h"

struct wrapped {
    char *name, *store;        /* of the resource it was wrapped for */
    struct resource resource;  /* service, prefix, user, wine */
    uint32_t bits;             /* of the host or the program, whichever has fewer; 0: not known */
    char *file;                /* the note */
};

/*
 * Notes that a service is about to be wrapped; one that is noted like this already is left alone.
 * RESULT_USAGE (a line break in a path), errno.
 */
int wrapped_note(const struct settings *settings, const struct wine_place *place,
                 const struct resource *resource, const char *name, uint32_t program_bits,
                 struct error *err);
/* It is wrapped no more; not noted is fine. */
int wrapped_forget(const struct settings *settings, const char *prefix, const char *service,
                   struct error *err);

/*
 * The notes that the caller may act on: root all, others their own.  A malloc'ed array, to be freed by
 * wrapped_free.  RESULT_DAMAGED names a note that cannot be read for what it says, errno.
 */
int wrapped_list(const struct settings *settings, struct wrapped **list, size_t *count,
                 struct error *err);
void wrapped_free(struct wrapped *list, size_t count);

#endif
