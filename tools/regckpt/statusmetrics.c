/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A status in Prometheus' text format: base units, _total for what only rises, timestamps in seconds.
 * A metric is one block, with its help in front; what is not known of a resource has no line.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "statusread.h"

enum kind { COUNT, SECONDS, TIMESTAMP }; /* a number; from microseconds; Unix time from those */

struct metric {
    const char *name, *help, *type;
    enum kind kind;
    /* false: it is not known */
    bool (*get)(const struct resource_status *s, uint64_t *number);
};

/* From the monitor of this node. */
#define OF_MONITOR(name, expression) \
    static bool name(const struct resource_status *s, uint64_t *number) \
    { \
        const struct monitor_status *m = &s->monitor; \
        *number = s->have_monitor ? (expression) : 0; \
        return s->have_monitor; \
    }
/* From the monitor, or from the store where that could be read. */
#define OF_BOTH(name, of_monitor, of_store, store_knows) \
    static bool name(const struct resource_status *s, uint64_t *number) \
    { \
        const struct monitor_status *m = &s->monitor; \
        *number = s->have_monitor ? (of_monitor) : (of_store); \
        return s->have_monitor || (s->have_store && !s->store_error.code && (store_knows)); \
    }

static bool get_needs_look(const struct resource_status *s, uint64_t *number)
{
    int code;

    free(status_verdict(s, &code));
    *number = code != 0;
    return true;
}

static bool get_here(const struct resource_status *s, uint64_t *number)
{
    *number = s->have_monitor;
    return true;
}

OF_BOTH(get_epoch, m->epoch, s->state.epoch, true)
OF_BOTH(get_saved, m->last_saved, s->state.saved, s->state.saved)
OF_BOTH(get_registered, m->registered, s->registered, true)
OF_BOTH(get_uncaptured, m->uncaptured, s->uncaptured, true)
OF_MONITOR(get_online_since, m->online_since)
OF_MONITOR(get_keys, m->keys)
OF_MONITOR(get_values, m->values)
OF_MONITOR(get_bytes, m->bytes)
OF_MONITOR(get_lag, m->lag_us)
OF_MONITOR(get_lag_worst, m->lag_worst_us)
OF_MONITOR(get_scans, m->scans)
OF_MONITOR(get_scan, m->scan_us)
OF_MONITOR(get_scan_worst, m->scan_worst_us)
OF_MONITOR(get_commits, m->commits)
OF_MONITOR(get_commit, m->commit_us)
OF_MONITOR(get_changes, m->changes)
OF_MONITOR(get_hook_changes, m->hook_changes)
OF_MONITOR(get_corrections, m->corrections)
OF_MONITOR(get_hooked, m->hooked)
OF_MONITOR(get_unhooked, m->unhooked)
OF_MONITOR(get_watch_alone, !status_is_told(m))
OF_MONITOR(get_storage_failing, status_storage_since(m) != 0)
OF_MONITOR(get_storage_since, status_storage_since(m))
OF_MONITOR(get_error, m->last_error && *m->last_error)

static bool get_waiting(const struct resource_status *s, uint64_t *number)
{
    *number = s->monitor.waiting;
    return s->have_monitor && s->monitor.waiting != UINT64_MAX;
}

static const struct metric metrics[] = {
    {"needs_look", "Whether something needs a look: the exit code of regckpt status is not 0.",
     "gauge", COUNT, get_needs_look},
    {"online_here", "Whether a monitor of this node has the resource.", "gauge", COUNT, get_here},
    {"epoch", "How often the resource has gone online.", "gauge", COUNT, get_epoch},
    {"registered_keys", "Registered keys.", "gauge", COUNT, get_registered},
    {"uncaptured_keys", "Registered keys that are not captured yet.", "gauge", COUNT,
     get_uncaptured},
    {"last_saved_timestamp_seconds", "When content was last saved.", "gauge", TIMESTAMP, get_saved},
    {"online_since_timestamp_seconds", "Since when the resource is online; 0: not yet.", "gauge",
     TIMESTAMP, get_online_since},
    {"checkpoint_keys", "Keys in the checkpoint.", "gauge", COUNT, get_keys},
    {"checkpoint_values", "Values in the checkpoint.", "gauge", COUNT, get_values},
    {"checkpoint_data_bytes", "Bytes of data of all values in the checkpoint.", "gauge", COUNT,
     get_bytes},
    {"waiting_changes", "Changes that are reported and not saved yet.", "gauge", COUNT, get_waiting},
    {"lag_seconds", "Time that the last change took into the checkpoint.", "gauge", SECONDS, get_lag},
    {"lag_worst_seconds", "The longest such time since the resource went online.", "gauge", SECONDS,
     get_lag_worst},
    {"commits_total", "Commits to the checkpoint since the resource went online.", "counter", COUNT,
     get_commits},
    {"commit_seconds", "Time that the last commit took.", "gauge", SECONDS, get_commit},
    {"changes_total", "Changes saved since the resource went online.", "counter", COUNT, get_changes},
    {"hook_changes_total", "Changes that the hook, or wineserver, has reported.", "counter", COUNT,
     get_hook_changes},
    {"corrections_total", "Changes that scans found though they were to be reported.", "counter",
     COUNT, get_corrections},
    {"scans_total", "Scans since the resource went online.", "counter", COUNT, get_scans},
    {"scan_seconds", "Time that the last scan took.", "gauge", SECONDS, get_scan},
    {"scan_worst_seconds", "The longest such time since the resource went online.", "gauge", SECONDS,
     get_scan_worst},
    {"hooked_processes", "Processes that run with the hook.", "gauge", COUNT, get_hooked},
    {"unhooked_processes", "Processes that could not be hooked, since the resource went online.",
     "gauge", COUNT, get_unhooked},
    {"watch_alone", "Whether changes are captured by the watch alone.", "gauge", COUNT,
     get_watch_alone},
    {"storage_failing", "Whether storage fails or does not answer.", "gauge", COUNT,
     get_storage_failing},
    {"storage_failing_since_timestamp_seconds", "Since when it does; 0: it is fine.", "gauge",
     TIMESTAMP, get_storage_since},
    {"error", "Whether status shows an error that is not over.", "gauge", COUNT, get_error},
};

static void head(FILE *out, const char *name, const char *help, const char *type)
{
    fprintf(out, "# HELP regckpt_%s %s\n# TYPE regckpt_%s %s\n", name, help, name, type);
}

/* A label's value. */
static void put_label(FILE *out, const char *name, const char *value)
{
    fprintf(out, "%s=\"", name);
    for (; *value; value++) {
        if (*value == '\n')
            fputs("\\n", out);
        else
            fprintf(out, *value == '"' || *value == '\\' ? "\\%c" : "%c", *value);
    }
    fputc('"', out);
}

static void put_metric(FILE *out, const struct metric *m, const struct status_list *list)
{
    uint64_t number;
    bool headed = false;

    for (size_t i = 0; i < list->count; i++) {
        if (!m->get(&list->items[i], &number))
            continue;
        if (!headed)
            head(out, m->name, m->help, m->type);
        headed = true;
        fprintf(out, "regckpt_%s{", m->name);
        put_label(out, "resource", list->items[i].name);
        if (m->kind == COUNT)
            fprintf(out, "} %" PRIu64 "\n", number);
        else
            fprintf(out, "} %" PRIu64 ".%06" PRIu64 "\n", number / 1000000, number % 1000000);
    }
}

/* One line for each state that there is, 1 for the one the resource is in. */
static void put_states(FILE *out, const struct status_list *list)
{
    if (list->count)
        head(out, "state", "The state of the resource, as seen from this node: 1 for the one it is in.",
             "gauge");
    for (size_t i = 0; i < list->count; i++)
        for (const char *const *word = status_words; *word; word++) {
            fputs("regckpt_state{", out);
            put_label(out, "resource", list->items[i].name);
            fprintf(out, ",state=\"%s\"} %d\n", *word, *word == status_word(&list->items[i]));
        }
}

void status_print_metrics(const struct cli *cli, const struct status_list *list, FILE *out)
{
    head(out, "info", "What wrote this.", "gauge");
    fputs("regckpt_info{", out);
    put_label(out, "version", REGCKPT_VERSION);
    fputc(',', out);
    put_label(out, "store", cli->settings.store);
    fputs("} 1\n", out);
    head(out, "store_readable", "Whether the store answers and is one.", "gauge");
    fprintf(out, "regckpt_store_readable %d\n", !list->store_error.code);
    put_states(out, list);
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
        put_metric(out, &metrics[i], list);
}
