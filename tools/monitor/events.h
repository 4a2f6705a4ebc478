/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an administrator wants to hear of at once, and monitoring to count: each event is a line in
 * the monitor's log and a message with the tag "regckpt" to the journal (its native protocol, with
 * fields) or else to syslog.  regckpt-monitoring(7) lists them.  The setting "events" says where they
 * go.  Telling one never waits: what nobody takes is in the log alone.
 */
#ifndef REGCKPT_EVENTS_H
#define REGCKPT_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "../../dlls/libregckpt/settings.h"

enum event {
    EVENT_ONLINE,
    EVENT_OFFLINE,
    EVENT_ONLINE_FAILED,
    EVENT_RESTORE_FAILED,  /* the registry could not be made equal to the checkpoint */
    EVENT_TAKEOVER,        /* of a resource whose owner was gone, or was displaced by us */
    EVENT_DISPLACED,       /* by another node */
    EVENT_STORAGE_FAILED,
    EVENT_STORAGE_BACK,
    EVENT_UNPROTECTED,     /* less than was asked for: without the hook, in part or as a whole */
    EVENT_CORRECTION,      /* a scan found what the hook had not told of */
    EVENT_PROGRAM_ENDED,
    EVENT_REGISTRY_LOST,   /* wineserver or a host of ours is gone */
    EVENT_SAVE_FAILED,     /* the last changes could not be saved */
};

/* Whose events they are from now on, once for a process; the texts must stay. */
void events_begin(const struct settings *settings, const char *resource);
/* Any thread may. */
void event(enum event what, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* So many changes; told at once, and what follows within a minute in one more.  The engine's alone. */
void event_correction(uint64_t changes);
/* Do these messages go to the journal, line by line, as the standard error? */
bool events_stderr_is_journal(void);

#endif
