/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "access.h"
#include "keymatch.h"
#include "keyname.h"
#include "keytext.h"
#include "table.h"
#include "timepoint.h"
#include "verbs.h"

#define SHOWN_CHARS 32 /* of data in the table */

static const struct verb_text text = {
    .name = "log",
    .usage = "NAME",
    .details = "Prints the history of NAME, newest last: when which process on which node changed\n"
               "what, the old data and the new. The numbers are those that rollback --to takes.\n"
               "Works on any node, without Wine.\n\n"
               "Times: " "10m, 2h, 3d (so long ago), 2026-11-23, \"2026-11-23 12:30\",\n"
               "2026-11-23T12:30:05 (local time; with a Z behind it UTC).",
    .least_args = 1,
    .most_args = 1,
    .has_json = true,
};

/* What of the history is asked for. */
struct log_filter {
    const char *key; /* as given; NULL: all */
    char *path;      /* cleaned */
    uint64_t since, until;
};

/* The registered key of an id; NULL: it is registered no more. */
static const struct registered_key *key_of(const struct snapshot *s, uint32_t id)
{
    for (size_t i = 0; i < s->key_count; i++)
        if (s->keys[i].key.id == id)
            return &s->keys[i].key;
    return NULL;
}

/* Is an entry asked for? */
static bool wanted(const struct log_filter *f, const struct registered_key *k,
                   const struct history_entry *e)
{
    struct utf16 below;
    bool within;

    if (e->time < f->since || e->time > f->until)
        return false;
    if (!f->path)
        return true;
    if (!k || !key_path_meets(k, f->path, &below))
        return false;
    within = utf16_path_within(e->change.path, below);
    free((void *)below.units);
    return within;
}

/* What was done, in a word. */
static const char *what_text(const struct history_entry *e)
{
    switch (e->change.kind) {
    case CHANGE_CREATE_KEY:
        return e->had_old ? "set class" : "create key";
    case CHANGE_DELETE_KEY:
        return "delete key";
    case CHANGE_SET_VALUE:
        return e->had_old ? "set" : "create";
    case CHANGE_DELETE_VALUE:
        return "delete";
    }
    return "?";
}

/* Data for the table, cut to a width and without line breaks of their own. */
static void data_cell(struct table *t, uint32_t type, const void *data, uint32_t size_bytes,
                      bool left_out)
{
    char *shown = left_out ? NULL : value_data_text(type, data, size_bytes), *at = shown;
    size_t chars = 0;

    if (left_out) {
        table_cell(t, "(%u bytes, not kept)", size_bytes);
        return;
    }
    for (; at && *at; at++)
        if (((unsigned char)*at & 0xc0) != 0x80 && chars++ == SHOWN_CHARS)
            break;
    if (at && *at)
        table_cell(t, "%.*s...", (int)(at - shown), shown);
    else
        table_cell(t, "%s", shown ? shown : "?");
    free(shown);
}

/* Both sides of a change of a class. */
static void class_cell(struct table *t, struct utf16 class)
{
    char *shown = utf16_for_display(class);

    table_cell(t, "%s", shown ? shown : "?");
    free(shown);
}

/* The full name of what changed: the key, and the value if it is one. */
static void name_cells(struct table *t, const struct registered_key *k,
                       const struct history_entry *e, bool is_value)
{
    char *below = utf16_for_display(e->change.path), *name = utf16_for_display(e->change.name);

    if (k)
        table_cell(t, "HKLM\\%s%s%s", k->path, below && *below ? "\\" : "", below ? below : "?");
    else
        table_cell(t, "(removed key %u)%s%s", e->change.key_id, below && *below ? "\\" : "",
                   below ? below : "?");
    table_cell(t, "%s", !is_value ? "" : !e->change.name.len ? "(Default)" : name ? name : "?");
    free(below);
    free(name);
}

/* One entry as a row. */
static void print_entry(struct table *t, const struct registered_key *k,
                        const struct history_entry *e)
{
    bool is_value = e->change.kind == CHANGE_SET_VALUE || e->change.kind == CHANGE_DELETE_VALUE;
    char room[32];

    table_cell(t, "%llu", (unsigned long long)e->index + 1);
    table_cell(t, "%s", time_text(e->time, room));
    table_cell(t, "%s", e->node);
    if (e->pid)
        table_cell(t, "%s (%u)", e->who, e->pid);
    else
        table_cell(t, "%s", e->who);
    table_cell(t, "%s", what_text(e));
    name_cells(t, k, e, is_value);
    if (e->had_old && is_value)
        data_cell(t, e->old_type, e->old_data, e->old_size_bytes, e->old_data_left_out);
    else
        class_cell(t, e->old_class);
    if (e->change.kind == CHANGE_SET_VALUE)
        data_cell(t, e->change.type, e->change.data, e->change.size_bytes, e->data_left_out);
    else
        class_cell(t, e->change.class);
}

/* One side of a value: all of it, or what is known where it was too large. */
static void json_side(struct json *j, const char *side, struct utf16 name, uint32_t type,
                      const void *data, uint32_t size_bytes, bool left_out, uint64_t xxh64)
{
    char room[24];

    json_open_object(j, side);
    if (left_out) {
        json_utf16(j, "name", name);
        json_text(j, "type", value_type_name(type, room));
        json_number(j, "bytes", size_bytes);
        snprintf(room, sizeof(room), "%016llx", (unsigned long long)xxh64);
        json_text(j, "xxh64", room);
    } else {
        value_json(j, name, type, data, size_bytes);
    }
    json_close_object(j);
}

/* One entry as an object. */
static void json_entry(struct json *j, const struct registered_key *k,
                       const struct history_entry *e)
{
    json_open_object(j, NULL);
    json_number(j, "number", e->index + 1);
    json_number(j, "time", e->time);
    json_text(j, "node", e->node);
    json_text(j, "who", e->who);
    json_number(j, "pid", e->pid);
    json_text(j, "change", what_text(e));
    json_number(j, "key_id", e->change.key_id);
    if (k) {
        json_text(j, "key", k->path);
        json_number(j, "view", k->view);
    }
    json_utf16(j, "path", e->change.path);
    if (e->change.kind == CHANGE_SET_VALUE || e->change.kind == CHANGE_DELETE_VALUE) {
        json_utf16(j, "value", e->change.name);
        if (e->had_old)
            json_side(j, "old", e->old_name, e->old_type, e->old_data, e->old_size_bytes,
                      e->old_data_left_out, e->old_data_xxh64);
        if (e->change.kind == CHANGE_SET_VALUE)
            json_side(j, "new", e->change.name, e->change.type, e->change.data,
                      e->change.size_bytes, e->data_left_out, e->data_xxh64);
    } else {
        if (e->had_old)
            json_utf16(j, "old_class", e->old_class);
        if (e->change.kind == CHANGE_CREATE_KEY)
            json_utf16(j, "new_class", e->change.class);
    }
    json_close_object(j);
}

/* The history as JSON. */
static void log_json(const struct cli *cli, const struct snapshot *s, const struct log_filter *f)
{
    struct json j;

    json_begin(&j, stdout);
    json_open_object(&j, NULL);
    json_text(&j, "resource", cli->args[0]);
    json_number(&j, "reaches_back_to", s->history_first);
    json_open_array(&j, "changes");
    for (size_t i = 0; i < s->history_count; i++) {
        const struct history_entry *e = &s->history[i];
        const struct registered_key *k = key_of(s, e->change.key_id);

        if (wanted(f, k, e))
            json_entry(&j, k, e);
    }
    json_close_array(&j);
    json_close_object(&j);
    json_end(&j);
}

/* The history as a table. */
static void log_table(const struct cli *cli, const struct snapshot *s, const struct log_filter *f)
{
    static const char *const headings[] = {"change", "when", "node", "by",  "what",
                                           "key",    "value", "old", "new"};
    size_t shown = 0;
    struct table t;

    table_begin(&t, 9, headings);
    for (size_t i = 0; i < s->history_count; i++) {
        const struct history_entry *e = &s->history[i];
        const struct registered_key *k = key_of(s, e->change.key_id);

        if (!wanted(f, k, e))
            continue;
        print_entry(&t, k, e);
        shown++;
    }
    if (shown)
        table_print(&t, stdout, "");
    else
        printf("%s: the history holds no %schange.\n", cli->args[0],
               s->history_count ? "such " : "");
    table_free(&t);
    if (s->history_first)
        printf("(Changes up to %llu are no longer in the history, whose size the property "
               "\"history\" limits.)\n", (unsigned long long)s->history_first);
}

/* Reads the options' words and the checkpoint, and prints. */
static int print_log(const struct cli *cli, struct log_filter *f, const char *since,
                     const char *until, struct error *err)
{
    struct snapshot s;
    struct timeval now;
    int result = RESULT_OK;
    uint64_t now_us;

    gettimeofday(&now, NULL);
    now_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_usec;
    f->until = UINT64_MAX;
    if (since && !(result = timepoint_parse(since, now_us, &f->since, err)) &&
        f->since % 1000000 == 999999)
        f->since -= 999999; /* from the beginning of that second on */
    if (!result && until)
        result = timepoint_parse(until, now_us, &f->until, err);
    if (!result && f->key && !(f->path = keyname_clean(f->key, err)))
        result = err->code;
    if (result)
        return result;
    if ((result = access_read(cli, cli->args[0], SNAPSHOT_HEAD | SNAPSHOT_HISTORY, &s, err)))
        return result;
    if (cli->json)
        log_json(cli, &s, f);
    else
        log_table(cli, &s, f);
    snapshot_free(&s);
    return RESULT_OK;
}

int verb_log(int argc, char **argv)
{
    const char *since = NULL, *until = NULL;
    struct log_filter f = {0};
    const struct cli_option options[] = {
        {"key", OPTION_TEXT, &f.key, "KEY", "only what is at or below this key"},
        {"since", OPTION_TEXT, &since, "TIME", "only changes from then on"},
        {"until", OPTION_TEXT, &until, "TIME", "only changes up to then"},
        {0},
    };
    struct error err = {0};
    struct cli cli;
    int code = cli_begin(&cli, argc, argv, &text, options);

    if (code != CLI_GO_ON)
        return code;
    code = print_log(&cli, &f, since, until, &err) ? cli_fail(&cli, &err) : 0;
    free(f.path);
    cli_end(&cli);
    return code;
}
