/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a resource is, in one line: what is known of it, weighed.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keytext.h"
#include "statusread.h"
#include "winetree.h"

enum verdict {
    VERDICT_ONLINE, VERDICT_STARTING, VERDICT_STOPPING, VERDICT_UNPROTECTED, VERDICT_ELSEWHERE,
    VERDICT_UNANSWERED, VERDICT_TAKEN, VERDICT_LOST, VERDICT_OFFLINE, VERDICT_DAMAGED,
    VERDICT_UNREADABLE, VERDICT_UNKNOWN,
};

const char *const status_words[] = {
    "online", "starting", "stopping", "unprotected", "online-elsewhere", "unanswered", "taken",
    "lost", "offline", "damaged", "unreadable", "unknown", NULL};

uint64_t status_storage_since(const struct monitor_status *m)
{
    return m->storage_failing_since ? m->storage_failing_since : m->busy_since;
}

/* Weighs what is known. */
static enum verdict weigh(const struct resource_status *s)
{
    if (s->have_monitor) {
        if (s->monitor.phase >= PHASE_ONLINE && status_storage_since(&s->monitor))
            return VERDICT_UNPROTECTED;
        if (s->monitor.phase == PHASE_ONLINE && s->monitor.last_error && *s->monitor.last_error)
            return VERDICT_UNPROTECTED;
        return s->monitor.phase < PHASE_ONLINE ? VERDICT_STARTING
               : s->monitor.phase == PHASE_ONLINE ? VERDICT_ONLINE : VERDICT_STOPPING;
    }
    if (s->monitor_error.code)
        return VERDICT_UNANSWERED;
    if (!s->have_store)
        return VERDICT_UNKNOWN;
    if (s->store_error.code == RESULT_DAMAGED || s->store_error.code == RESULT_FOREIGN ||
        s->store_error.code == RESULT_NEWER)
        return VERDICT_DAMAGED;
    if (s->store_error.code)
        return VERDICT_UNREADABLE;
    if (s->owned == 1 && s->state.status == CHECKPOINT_OFFLINE)
        return VERDICT_TAKEN;
    if (s->owned == 1)
        return s->holder_count ? VERDICT_UNANSWERED : VERDICT_ELSEWHERE;
    if (s->owned)
        return VERDICT_UNKNOWN;
    return s->state.status == CHECKPOINT_ONLINE ? VERDICT_LOST : VERDICT_OFFLINE;
}

const char *status_word(const struct resource_status *s)
{
    return status_words[weigh(s)];
}

/* Formats, malloc'ed. */
__attribute__((format(printf, 1, 2)))
static char *line(const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    return text;
}

static bool is_from(const struct monitor_status *m, const char *source)
{
    return m->source && !strcmp(m->source, source);
}

bool status_is_told(const struct monitor_status *m)
{
    return is_from(m, "hook") || is_from(m, "server");
}

char *status_capture(const struct monitor_status *m)
{
    char unhooked[64] = "";

    if (!status_is_told(m))
        return line("watch alone, without the hook: changes are seen within a second");
    if (m->unhooked)
        snprintf(unhooked, sizeof(unhooked), "; %u could not be hooked%s", m->unhooked,
                 is_from(m, "server") ? "" : " (watch)");
    if (is_from(m, "server"))
        return line("wineserver, every process's changes; %u of them wait%s for lag 0 and flushes (hook)%s",
                    m->hooked, m->hooked == 1 ? "s" : "", unhooked);
    return line("hook, %u process%s%s", m->hooked, m->hooked == 1 ? "" : "es", unhooked);
}

bool status_wine_trouble(const struct monitor_status *m, struct error *text)
{
    const struct wine_place place = {.prefix = m->prefix, .wine = m->wine};

    return m->prefix && m->wine && winetree_trouble(&place, text);
}

/* A resource that is online here. */
static char *online_line(const struct monitor_status *m)
{
    const char *how = status_is_told(m) ? "" : " within a second (the watch alone, no hook)";
    char lag[48] = "", uncaptured[48] = "";

    if (m->lag_us)
        snprintf(lag, sizeof(lag), ", lag %llu ms", (unsigned long long)(m->lag_us + 999) / 1000);
    if (m->uncaptured)
        snprintf(uncaptured, sizeof(uncaptured), ", %u of %u keys not captured yet", m->uncaptured,
                 m->registered);
    return line("ONLINE on node %s, protected%s%s%s", m->node, how, lag, uncaptured);
}

/* A resource that somebody on this node holds, but no monitor answers for. */
static char *unanswered_line(const struct resource_status *s)
{
    char pids[200] = "";

    if (s->monitor_error.code)
        return line("NO ANSWER from its monitor on this node: %s", s->monitor_error.text);
    for (size_t i = 0; i < s->holder_count && i < 12; i++)
        snprintf(pids + strlen(pids), sizeof(pids) - strlen(pids), "%s%u", i ? ", " : "",
                 s->holders[i]);
    return line("HELD on this node by process %s, but no monitor answers: it is gone, or runs for "
                "another user or run_dir; the resource is free when these processes are gone",
                pids);
}

int status_list_code(const struct status_list *list)
{
    int code = list->store_error.code ? 1 : 0, one;

    for (size_t i = 0; i < list->count; i++) {
        free(status_verdict(&list->items[i], &one));
        if (one > code)
            code = one;
    }
    return code;
}

char *status_verdict(const struct resource_status *s, int *code)
{
    enum verdict verdict = weigh(s);
    char room[32];

    *code = verdict == VERDICT_DAMAGED
                ? 2
                : verdict == VERDICT_UNPROTECTED || verdict == VERDICT_UNANSWERED ||
                      verdict == VERDICT_LOST || verdict == VERDICT_UNREADABLE ||
                      verdict == VERDICT_UNKNOWN;
    switch (verdict) {
    case VERDICT_ONLINE:
        return online_line(&s->monitor);
    case VERDICT_STARTING:
        return line("STARTING on node %s: %s", s->monitor.node,
                    s->monitor.phase == PHASE_RESTORING   ? "restoring"
                    : s->monitor.phase == PHASE_LAUNCHING ? "starting the program"
                                                          : "booting Wine");
    case VERDICT_STOPPING:
        if (s->monitor.phase == PHASE_EDITING)
            return line("EDITED on node %s: its command has not ended yet", s->monitor.node);
        return line("STOPPING on node %s: %s", s->monitor.node,
                    s->monitor.phase == PHASE_SAVING ? "saving" : "stopping the program");
    case VERDICT_UNPROTECTED:
        if (!status_storage_since(&s->monitor))
            return line("RUNNING UNPROTECTED on node %s: what changes is not all saved since %s: %s",
                        s->monitor.node, time_text(s->monitor.error_since, room),
                        s->monitor.last_error);
        return line("RUNNING UNPROTECTED on node %s: storage %s since %s", s->monitor.node,
                    s->monitor.storage_failing_since ? "failing" : "not answering",
                    time_text(status_storage_since(&s->monitor), room));
    case VERDICT_ELSEWHERE:
        return line("ONLINE on node %s since %s", s->state.node, time_text(s->state.since, room));
    case VERDICT_UNANSWERED:
        return unanswered_line(s);
    case VERDICT_TAKEN:
        return line("TAKEN just now, by a command or to be started");
    case VERDICT_LOST:
        return line("LOST: owner node %s is gone; the next online takes over", s->state.node);
    case VERDICT_OFFLINE:
        if (!s->state.node[0])
            return line("OFFLINE, never online so far");
        return line("OFFLINE, last online on node %s, released %s", s->state.node,
                    time_text(s->state.since, room));
    case VERDICT_DAMAGED:
        return line("DAMAGED: %s", s->store_error.text);
    case VERDICT_UNREADABLE:
        return line("UNREADABLE: %s", s->store_error.text);
    case VERDICT_UNKNOWN:
        break;
    }
    return line("UNKNOWN: no monitor of this node has it, and the store cannot tell");
}
