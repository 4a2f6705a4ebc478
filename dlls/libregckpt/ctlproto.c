/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packing of what command and monitor tell each other.
 */
#include <stdlib.h>
#include <string.h>

#include "ctlproto.h"

void monitor_status_free(struct monitor_status *s)
{
    free(s->resource);
    free(s->node);
    free(s->store);
    free(s->prefix);
    free(s->wine);
    free(s->source);
    free(s->not_hooked);
    free(s->last_error);
    free(s->past_error);
    memset(s, 0, sizeof(*s));
}

/*
 * Every number and text of the status goes with its name: an old command understands what it knows of
 * a newer monitor's, and a newer one of an old monitor's, as there are while a node is upgraded.
 */
#define STATUS_NUMBERS32(X) \
    X(phase) X(pid) X(host_pid) X(program_pid) X(registered) X(uncaptured) X(hooked) \
    X(unhooked)
#define STATUS_NUMBERS64(X) \
    X(epoch) X(sequence) X(online_since) X(keys) X(values) X(bytes) X(waiting) X(lag_us) \
    X(lag_worst_us) X(scans) X(scan_us) X(scan_worst_us) X(commits) X(commit_us) X(changes) \
    X(storage_failing_since) X(busy_since) X(last_saved) X(hook_changes) \
    X(corrections) X(error_since) X(past_error_at)
#define STATUS_TEXTS(X) \
    X(resource) X(node) X(store) X(prefix) X(wine) X(source) X(not_hooked) \
    X(last_error) X(past_error)
#define ONE(field) +1

void pack_monitor_status(struct pack *p, const struct monitor_status *s)
{
#define PACK_NUMBER(field) pack_text(p, #field), pack_u64(p, s->field);
#define PACK_TEXT(field) pack_text(p, #field), pack_text(p, s->field);
    pack_u32(p, 0 STATUS_NUMBERS32(ONE) STATUS_NUMBERS64(ONE));
    STATUS_NUMBERS32(PACK_NUMBER)
    STATUS_NUMBERS64(PACK_NUMBER)
    pack_u32(p, 0 STATUS_TEXTS(ONE));
    STATUS_TEXTS(PACK_TEXT)
}

static void set_number(struct monitor_status *s, const char *name, uint64_t number)
{
#define SET32(field) if (!strcmp(name, #field)) s->field = (uint32_t)number;
#define SET64(field) if (!strcmp(name, #field)) s->field = number;
    STATUS_NUMBERS32(SET32)
    STATUS_NUMBERS64(SET64)
}

/* Takes the text over. */
static void set_text(struct monitor_status *s, const char *name, char *text)
{
    char **to = NULL;

#define FIND(field) if (!strcmp(name, #field)) to = &s->field;
    STATUS_TEXTS(FIND)
    if (!to) {
        free(text);
        return;
    }
    free(*to);
    *to = text;
}

int unpack_monitor_status(struct unpack *u, struct monitor_status *s)
{
    memset(s, 0, sizeof(*s));
    for (int texts = 0; texts < 2; texts++) {
        for (uint32_t count = unpack_u32(u); count && !unpack_failed(u); count--) {
            char *name = unpack_text(u);

            if (name && texts)
                set_text(s, name, unpack_text(u));
            else if (name)
                set_number(s, name, unpack_u64(u));
            free(name);
        }
    }
    if (!unpack_failed(u))
        return 0;
    monitor_status_free(s);
    return RESULT_INVALID;
}
