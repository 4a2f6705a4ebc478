/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "json.h"
#include "keytext.h"
#include "statusread.h"
#include "table.h"
#include "verbs.h"

static const struct verb_text text = {
    .name = "status",
    .usage = "[NAME]",
    .details = "Says in one line how each resource is, or NAME with its numbers. Exit code 1\n"
               "if something needs a look, 2 if a checkpoint is damaged. Never waits longer\n"
               "than a few seconds, whatever the storage does.",
    .least_args = 0,
    .most_args = 1,
    .has_json = true,
};

/* A row of two cells with a number. */
static void number_row(struct table *t, const char *what, uint64_t number, const char *unit)
{
    table_cell(t, "%s", what);
    table_cell(t, "%" PRIu64 "%s%s", number, *unit ? " " : "", unit);
}

/* The monitor's numbers for people. */
static void print_monitor(const struct monitor_status *m)
{
    char room[32], *capture = status_capture(m);
    struct table t;

    table_begin(&t, 2, NULL);
    table_cell(&t, "prefix");
    table_cell(&t, "%s", m->prefix ? m->prefix : "");
    table_cell(&t, "store");
    table_cell(&t, "%s", m->store ? m->store : "");
    table_cell(&t, "online since");
    table_cell(&t, "%s", m->online_since ? time_text(m->online_since, room) : "not yet");
    table_cell(&t, "processes");
    table_cell(&t, "monitor %u, host %u, program %u", m->pid, m->host_pid, m->program_pid);
    table_cell(&t, "checkpoint");
    table_cell(&t, "%" PRIu64 " keys, %" PRIu64 " values, %" PRIu64 " bytes of data", m->keys,
               m->values, m->bytes);
    table_cell(&t, "registered");
    table_cell(&t, "%u keys, %u not captured yet", m->registered, m->uncaptured);
    table_cell(&t, "last saved");
    table_cell(&t, "%s", m->last_saved ? time_text(m->last_saved, room) : "not yet");
    table_cell(&t, "capture");
    table_cell(&t, "%s", capture ? capture : "");
    table_cell(&t, "waiting");
    if (m->waiting == UINT64_MAX)
        table_cell(&t, "not known until the next scan");
    else
        table_cell(&t, "%" PRIu64 " changes", m->waiting);
    table_cell(&t, "lag");
    table_cell(&t, "%.1f ms, worst %.1f ms", (double)m->lag_us / 1000,
               (double)m->lag_worst_us / 1000);
    table_cell(&t, "scans");
    table_cell(&t, "%" PRIu64 ", last %.1f ms, worst %.1f ms", m->scans, (double)m->scan_us / 1000,
               (double)m->scan_worst_us / 1000);
    table_cell(&t, "commits");
    table_cell(&t, "%" PRIu64 " with %" PRIu64 " changes, last %.1f ms", m->commits, m->changes,
               (double)m->commit_us / 1000);
    if (status_is_told(m)) {
        table_cell(&t, "%s", m->source);
        table_cell(&t, "%" PRIu64 " changes reported, %" PRIu64 " more found by scans",
                   m->hook_changes, m->corrections);
    }
    if (m->not_hooked && *m->not_hooked) {
        table_cell(&t, "not hooked");
        table_cell(&t, "%s", m->not_hooked);
    }
    number_row(&t, "epoch", m->epoch, "");
    if (m->last_error && *m->last_error) {
        table_cell(&t, "last error");
        table_cell(&t, "%s", m->last_error);
    }
    table_print(&t, stdout, "    ");
    table_free(&t);
    free(capture);
}

/* The store's facts for people. */
static void print_stored(const struct resource_status *s)
{
    char room[32];
    struct table t;

    table_begin(&t, 2, NULL);
    table_cell(&t, "registered");
    table_cell(&t, "%u keys, %u not captured yet", s->registered, s->uncaptured);
    table_cell(&t, "last saved");
    table_cell(&t, "%s", s->state.saved ? time_text(s->state.saved, room) : "never");
    number_row(&t, "epoch", s->state.epoch, "");
    table_print(&t, stdout, "    ");
    table_free(&t);
}

/* The monitor's numbers as an object. */
static void json_monitor(struct json *j, const struct monitor_status *m)
{
    json_open_object(j, "monitor");
    json_number(j, "phase", m->phase);
    json_number(j, "pid", m->pid);
    json_number(j, "host_pid", m->host_pid);
    json_number(j, "program_pid", m->program_pid);
    json_text(j, "prefix", m->prefix ? m->prefix : "");
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
    json_text(j, "not_hooked", m->not_hooked ? m->not_hooked : "");
    json_number(j, "hook_changes", m->hook_changes);
    json_number(j, "corrections", m->corrections);
    json_text(j, "last_error", m->last_error ? m->last_error : "");
    json_close_object(j);
}

/* One resource as an object. */
static void json_status(struct json *j, const struct resource_status *s, const char *verdict,
                        int code)
{
    const struct monitor_status *m = s->have_monitor ? &s->monitor : NULL;

    json_open_object(j, NULL);
    json_text(j, "resource", s->name);
    json_text(j, "state", status_word(s));
    json_text(j, "verdict", verdict);
    json_bool(j, "needs_look", code != 0);
    json_text(j, "node", m ? m->node : s->state.node);
    json_number(j, "epoch", m ? m->epoch : s->state.epoch);
    json_number(j, "sequence", m ? m->sequence : s->state.sequence);
    json_number(j, "saved", m ? m->last_saved : s->state.saved);
    json_number(j, "registered", m ? m->registered : s->registered);
    json_number(j, "uncaptured", m ? m->uncaptured : s->uncaptured);
    if (m)
        json_monitor(j, m);
    json_close_object(j);
}

/* Prints all; returns the exit code. */
static int report(const struct cli *cli, const struct status_list *list)
{
    struct json writer, *j = cli->json ? &writer : NULL;
    int code = list->store_error.code ? 1 : 0;

    if (j) {
        json_begin(j, stdout);
        json_open_object(j, NULL);
        json_text(j, "store", cli->settings.store);
        json_text(j, "node", cli->settings.node);
        if (list->store_error.code)
            json_text(j, "store_error", list->store_error.text);
        json_open_array(j, "resources");
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct resource_status *s = &list->items[i];
        int one = 0;
        char *verdict = status_verdict(s, &one);

        if (one > code)
            code = one;
        if (j) {
            json_status(j, s, verdict ? verdict : "", one);
        } else {
            printf("%s: %s\n", s->name, verdict ? verdict : "?");
            if (cli->arg_count && s->have_monitor)
                print_monitor(&s->monitor);
            else if (cli->arg_count && s->have_store && !s->store_error.code)
                print_stored(s);
        }
        free(verdict);
    }
    if (j) {
        json_close_array(j);
        json_close_object(j);
        json_end(j);
    } else if (!list->count && !list->store_error.code) {
        printf("The store %s (from %s) has no resources.\n", cli->settings.store,
               cli->settings.store_source);
    }
    if (list->store_error.code)
        cli_note(cli, "%s", list->store_error.text);
    return code;
}

/* A question about something that is not there is an error, not a status. */
static const struct error *senseless(const struct cli *cli, const struct status_list *list)
{
    if (list->count && list->items[0].have_monitor)
        return NULL;
    if (list->store_error.code && list->store_error.code != RESULT_TIMEOUT &&
        (cli->arg_count || !list->count))
        return &list->store_error;
    if (cli->arg_count && list->count && list->items[0].store_error.code == RESULT_NOT_FOUND)
        return &list->items[0].store_error;
    return NULL;
}

int verb_status(int argc, char **argv)
{
    const struct error *wrong;
    struct status_list list;
    struct error err = {0};
    struct cli cli;
    int code = cli_begin(&cli, argc, argv, &text, (const struct cli_option[]){{0}});

    if (code != CLI_GO_ON)
        return code;
    if (status_read(&cli, cli.arg_count ? cli.args[0] : NULL, &list, &err)) {
        code = cli_fail(&cli, &err);
    } else {
        wrong = senseless(&cli, &list);
        code = wrong ? cli_fail(&cli, wrong) : report(&cli, &list);
        status_free(&list);
    }
    cli_end(&cli);
    return code;
}
