/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A status for people, and as JSON.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "json.h"
#include "keytext.h"
#include "statusread.h"
#include "table.h"

/* A row of two cells, the second a time or, for 0, a word. */
static void time_row(struct table *t, const char *what, uint64_t time, const char *never)
{
    char room[32];

    table_cell(t, "%s", what);
    table_cell(t, "%s", time ? time_text(time, room) : never);
}

static void count_row(struct table *t, uint64_t keys, uint64_t values, uint64_t bytes)
{
    table_cell(t, "checkpoint");
    table_cell(t, "%" PRIu64 " keys, %" PRIu64 " values, %" PRIu64 " bytes of data", keys, values,
               bytes);
}

static void registered_row(struct table *t, uint32_t registered, uint32_t uncaptured)
{
    table_cell(t, "registered");
    table_cell(t, "%u keys, %u not captured yet", registered, uncaptured);
}

/* How the storage does. */
static void storage_row(struct table *t, const struct monitor_status *m)
{
    uint64_t since = status_storage_since(m);
    char room[32];

    table_cell(t, "storage");
    if (since)
        table_cell(t, "%s since %s", m->storage_failing_since ? "failing" : "not answering",
                   time_text(since, room));
    else
        table_cell(t, "fine");
}

static void error_row(struct table *t, const struct monitor_status *m)
{
    bool now = m->last_error && *m->last_error;
    uint64_t since = now ? m->error_since : m->past_error_at;
    char room[32];

    if (!now && (!m->past_error || !*m->past_error))
        return;
    table_cell(t, "last error");
    table_cell(t, "%s%s: %s", now ? "since " : "over; of ", time_text(since, room),
               now ? m->last_error : m->past_error);
}

/* What the monitor counts. */
static void print_work(struct table *t, const struct monitor_status *m)
{
    char *capture = status_capture(m);

    table_cell(t, "capture");
    table_cell(t, "%s", capture ? capture : "");
    table_cell(t, "waiting");
    if (m->waiting == UINT64_MAX)
        table_cell(t, "not known until the next scan");
    else
        table_cell(t, "%" PRIu64 " changes", m->waiting);
    table_cell(t, "lag");
    table_cell(t, "%.1f ms, worst %.1f ms", (double)m->lag_us / 1000,
               (double)m->lag_worst_us / 1000);
    table_cell(t, "scans");
    table_cell(t, "%" PRIu64 ", last %.1f ms, worst %.1f ms", m->scans, (double)m->scan_us / 1000,
               (double)m->scan_worst_us / 1000);
    table_cell(t, "commits");
    table_cell(t, "%" PRIu64 " with %" PRIu64 " changes, last %.1f ms", m->commits, m->changes,
               (double)m->commit_us / 1000);
    if (status_is_told(m)) {
        table_cell(t, "%s", m->source);
        table_cell(t, "%" PRIu64 " changes reported, %" PRIu64 " more found by scans",
                   m->hook_changes, m->corrections);
    }
    if (m->not_hooked && *m->not_hooked) {
        table_cell(t, "not hooked");
        table_cell(t, "%s", m->not_hooked);
    }
    free(capture);
}

static void print_monitor(const struct monitor_status *m, FILE *out)
{
    struct error trouble;
    struct table t;

    table_begin(&t, 2, NULL);
    table_cell(&t, "prefix");
    table_cell(&t, "%s", m->prefix ? m->prefix : "");
    if (status_wine_trouble(m, &trouble)) {
        table_cell(&t, "Wine");
        table_cell(&t, "%s", trouble.text);
    }
    table_cell(&t, "store");
    table_cell(&t, "%s", m->store ? m->store : "");
    time_row(&t, "online since", m->online_since, "not yet");
    table_cell(&t, "processes");
    table_cell(&t, "monitor %u, host %u, program %u", m->pid, m->host_pid, m->program_pid);
    count_row(&t, m->keys, m->values, m->bytes);
    registered_row(&t, m->registered, m->uncaptured);
    time_row(&t, "last saved", m->last_saved, "not yet");
    storage_row(&t, m);
    print_work(&t, m);
    table_cell(&t, "epoch");
    table_cell(&t, "%" PRIu64, m->epoch);
    error_row(&t, m);
    table_print(&t, out, "    ");
    table_free(&t);
}

/* The store's facts. */
static void print_stored(const struct resource_status *s, FILE *out)
{
    struct table t;
    char room[32];

    table_begin(&t, 2, NULL);
    table_cell(&t, s->state.status == CHECKPOINT_ONLINE ? "owner" : "last owner");
    if (*s->state.node)
        table_cell(&t, "node %s, process %u, %s %s", s->state.node, s->state.pid,
                   s->state.status == CHECKPOINT_ONLINE ? "since" : "until",
                   time_text(s->state.since, room));
    else
        table_cell(&t, "nobody so far");
    if (s->counted)
        count_row(&t, s->keys, s->values, s->bytes);
    registered_row(&t, s->registered, s->uncaptured);
    time_row(&t, "last saved", s->state.saved, "never");
    table_cell(&t, "epoch");
    table_cell(&t, "%" PRIu64, s->state.epoch);
    table_print(&t, out, "    ");
    table_free(&t);
}

void status_print(const struct cli *cli, const struct status_list *list, FILE *out)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct resource_status *s = &list->items[i];
        char *verdict;
        int code;

        verdict = status_verdict(s, &code);
        fprintf(out, "%s: %s\n", s->name, verdict ? verdict : "?");
        free(verdict);
        if (cli->arg_count && s->have_monitor)
            print_monitor(&s->monitor, out);
        else if (cli->arg_count && s->have_store && !s->store_error.code)
            print_stored(s, out);
    }
    if (!list->count && !list->store_error.code)
        fprintf(out, "The store %s (from %s) has no resources.\n", cli->settings.store,
                cli->settings.store_source);
}

/* The monitor's numbers as an object. */
static void json_monitor(struct json *j, const struct monitor_status *m)
{
    struct error trouble;

    json_open_object(j, "monitor");
    json_number(j, "phase", m->phase);
    json_number(j, "pid", m->pid);
    json_number(j, "host_pid", m->host_pid);
    json_number(j, "program_pid", m->program_pid);
    json_text(j, "prefix", m->prefix ? m->prefix : "");
    json_text(j, "wine_trouble", status_wine_trouble(m, &trouble) ? trouble.text : "");
    json_number(j, "online_since", m->online_since);
    json_number(j, "keys", m->keys);
    json_number(j, "values", m->values);
    json_number(j, "bytes", m->bytes);
    if (m->waiting == UINT64_MAX)
        json_null(j, "waiting");
    else
        json_number(j, "waiting", m->waiting);
    json_number(j, "lag_us", m->lag_us);
    json_number(j, "lag_worst_us", m->lag_worst_us);
    json_number(j, "scans", m->scans);
    json_number(j, "scan_us", m->scan_us);
    json_number(j, "scan_worst_us", m->scan_worst_us);
    json_number(j, "commits", m->commits);
    json_number(j, "commit_us", m->commit_us);
    json_number(j, "changes", m->changes);
    json_number(j, "storage_failing_since", m->storage_failing_since);
    json_number(j, "busy_since", m->busy_since);
    json_text(j, "source", m->source ? m->source : "");
    json_number(j, "hooked", m->hooked);
    json_number(j, "unhooked", m->unhooked);
    json_number(j, "hook_changes", m->hook_changes);
    json_number(j, "corrections", m->corrections);
    json_text(j, "not_hooked", m->not_hooked ? m->not_hooked : "");
    json_text(j, "last_error", m->last_error ? m->last_error : "");
    json_number(j, "error_since", m->error_since);
    json_text(j, "past_error", m->past_error ? m->past_error : "");
    json_number(j, "past_error_at", m->past_error_at);
    json_close_object(j);
}

/* One resource as an object. */
static void json_status(struct json *j, const struct resource_status *s)
{
    const struct monitor_status *m = s->have_monitor ? &s->monitor : NULL;
    int code;
    char *verdict = status_verdict(s, &code);

    json_open_object(j, NULL);
    json_text(j, "resource", s->name);
    json_text(j, "state", status_word(s));
    json_text(j, "verdict", verdict ? verdict : "");
    json_bool(j, "needs_look", code != 0);
    json_text(j, "node", m ? m->node : s->state.node);
    json_number(j, "owner_pid", m ? m->pid : s->state.pid);
    json_number(j, "since", m ? m->online_since : s->state.since);
    json_number(j, "epoch", m ? m->epoch : s->state.epoch);
    json_number(j, "sequence", m ? m->sequence : s->state.sequence);
    json_number(j, "saved", m ? m->last_saved : s->state.saved);
    json_number(j, "registered", m ? m->registered : s->registered);
    json_number(j, "uncaptured", m ? m->uncaptured : s->uncaptured);
    if (m || s->counted) {
        json_number(j, "keys", m ? m->keys : s->keys);
        json_number(j, "values", m ? m->values : s->values);
        json_number(j, "bytes", m ? m->bytes : s->bytes);
    }
    if (m)
        json_monitor(j, m);
    json_close_object(j);
    free(verdict);
}

void status_print_json(const struct cli *cli, const struct status_list *list, FILE *out)
{
    struct json j;

    json_begin(&j, out);
    json_open_object(&j, NULL);
    json_text(&j, "store", cli->settings.store);
    json_text(&j, "node", cli->settings.node);
    if (list->store_error.code)
        json_text(&j, "store_error", list->store_error.text);
    json_open_array(&j, "resources");
    for (size_t i = 0; i < list->count; i++)
        json_status(&j, &list->items[i]);
    json_close_array(&j);
    json_close_object(&j);
    json_end(&j);
}
