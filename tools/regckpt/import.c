/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "compare.h"
#include "hive.h"
#include "hostlink.h"
#include "import.h"
#include "verbs.h"

#define HISTORY_KEPT_BYTES (64u << 10) /* larger data are not in the history */

static const struct verb_text text = {
    .name = "import",
    .usage = "NAME FILE",
    .details =
        "Carries a .reg file (as regedit, reg.exe or regckpt export write it) or a hive file (as\n"
        "reg save or export --hive write it) into the checkpoint of NAME, which must be offline;\n"
        "the next online puts it into the registry. - is the standard input. All of the file is\n"
        "checked first and it is taken as a whole or not at all: a key that is not registered,\n"
        "or a line that is not understood, is an error with its line's number. What a registered\n"
        "key excludes is left alone (exit code 1). A hive file has one key, whose name it does\n"
        "not say: that of --key, or the only registered one, is made equal to it.\n"
        "While NAME is online, use regedit in its prefix: that reaches the checkpoint too.",
    .least_args = 2,
    .most_args = 2,
    .has_json = true,
};

/*
 * All changes on their way into the transaction.  Those that would be dropped from the history
 * again before its end are not put there: with hundreds of thousands that takes the most time.
 */
struct writing {
    struct checkpoint *c;
    struct checkpoint_origin origin;
    uint64_t history_bytes; /* at least this much history is still to come */
    uint64_t history_limit;
    struct error *err;
};

/* What a change takes in the history at least. */
static uint64_t history_bytes(const struct change *change)
{
    uint64_t names = (change->path.len + change->name.len) * sizeof(uint16_t);

    return 60 + names + (change->size_bytes <= HISTORY_KEPT_BYTES ? change->size_bytes : 0);
}

/* image_diff's call for each change, before any is written. */
static int count_history(const struct change *change, void *arg)
{
    struct writing *w = arg;

    w->history_bytes += history_bytes(change);
    return 0;
}

/*
 * image_diff's call for each change.  What is left out has more than the limit behind it, so that
 * the history from before the import goes as well, and what is left has no gap.
 */
static int write_change(const struct change *change, void *arg)
{
    struct writing *w = arg;
    bool keep;

    w->history_bytes -= history_bytes(change);
    keep = w->history_bytes <= w->history_limit;
    return checkpoint_change(w->c, change, keep ? &w->origin : NULL, w->err);
}

/* One transaction with all that the file changed. */
static int write_all(const struct cli *cli, const struct import *im, struct checkpoint *c,
                     struct error *err)
{
    struct writing w = {c, {.who = "import", .node = cli->settings.node}, 0,
                        im->now->resource.history_bytes, err};
    struct checkpoint_state state;
    struct timeval now;
    int result = checkpoint_begin(c, err);

    for (size_t i = 0; !result && i < im->now->key_count; i++)
        if (im->targets[i].touched &&
            (result = image_diff(&im->targets[i].now->image, &im->targets[i].after, 0,
                                 count_history, &w)))
            error_system(err, result, "Importing %s", im->file);
    gettimeofday(&now, NULL);
    w.origin.time = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_usec;
    w.origin.pid = (uint32_t)getpid();
    for (size_t i = 0; !result && i < im->now->key_count; i++) {
        const struct import_target *t = &im->targets[i];
        struct registered_key k = t->now->key;

        if (!t->touched)
            continue;
        if (!(k.flags & KEY_CAPTURED)) {
            k.flags |= KEY_CAPTURED;
            result = checkpoint_put_key(c, &k, err);
        }
        if (!result &&
            (result = image_diff(&t->now->image, &t->after, k.id, write_change, &w)) && !err->code)
            error_system(err, result, "Importing the key \"%s\"", k.path);
    }
    if (!result && !(result = checkpoint_get_state(c, &state, err))) {
        state.saved = w.origin.time;
        result = checkpoint_set_state(c, &state, err);
    }
    return result ? result : checkpoint_commit(c, err);
}

/* One target on its way through the counting. */
struct counting {
    const struct image *now;
    struct compare_totals *totals;
};

/* image_diff's call that counts only. */
static int count_change(const struct change *change, void *arg)
{
    struct counting *c = arg;
    bool of_key = change->kind == CHANGE_CREATE_KEY || change->kind == CHANGE_DELETE_KEY;
    const struct image_key *key = image_find_key(c->now, change->path);

    if (change->kind == CHANGE_DELETE_KEY || change->kind == CHANGE_DELETE_VALUE)
        c->totals->removed++;
    else if (of_key ? key != NULL : key && image_find_value(key, change->name))
        c->totals->changed++;
    else
        c->totals->added++;
    return 0;
}

/* Prints (or writes), or only counts, what the import changes; j may be NULL. */
static int tell_differences(const struct import *im, bool print, struct json *j,
                            struct compare_totals *totals, struct error *err)
{
    int result = RESULT_OK;

    for (size_t i = 0; !result && i < im->now->key_count; i++) {
        const struct import_target *t = &im->targets[i];
        struct snapshot_key after = {t->now->key, t->after};
        struct counting counting = {&t->now->image, totals};

        if (!t->touched)
            continue;
        if (print || j)
            result = compare_key(&after, &t->now->image, j, totals, err);
        else if ((result = image_diff(&t->now->image, &t->after, 0, count_change, &counting)))
            error_system(err, result, "Comparing the key \"%s\"", t->now->key.path);
    }
    return result;
}

/* What the command says in the end. */
static int report(const struct import *im, bool dry_run, struct json *j,
                  struct compare_totals *totals, struct error *err)
{
    int result;

    if (j) {
        json_begin(j, stdout);
        json_open_object(j, NULL);
        json_text(j, "resource", im->name);
        json_bool(j, "dry_run", dry_run);
        json_open_array(j, "differences");
    }
    if ((result = tell_differences(im, dry_run, j, totals, err))) {
        if (j)
            json_drop(j);
        return result;
    }
    if (j) {
        json_close_array(j);
        json_number(j, "added", totals->added);
        json_number(j, "changed", totals->changed);
        json_number(j, "removed", totals->removed);
        json_number(j, "excluded", im->excluded);
        json_close_object(j);
        json_end(j);
        return RESULT_OK;
    }
    if (!(totals->added + totals->changed + totals->removed))
        printf("%s: the checkpoint holds all of %s already.\n", im->name, im->file);
    else
        printf("%s: %s%llu added, %llu changed, %llu removed.%s\n", im->name,
               dry_run ? "- in the checkpoint now, + after the import: " : "imported: ",
               (unsigned long long)totals->added, (unsigned long long)totals->changed,
               (unsigned long long)totals->removed,
               dry_run ? "" : " The next online puts it into the registry.");
    return RESULT_OK;
}

/* The checkpoint of a resource that is online is its monitor's: say how it is done then. */
static int refuse_online(const struct cli *cli, bool hive, struct error *err)
{
    const char *name = cli->args[0], *file = cli->args[1];
    int sock = ctl_connect(cli, name, err), result;
    struct wine_place place = {0};
    struct snapshot s;
    char *prefix;
    bool found;

    if (sock < 0)
        return err->code;
    if (hive) {
        close(sock);
        return error_set(err, RESULT_OWNED, "%s is online on this node. Take it offline first "
                         "(regckpt offline %s).", name, name);
    }
    prefix = ctl_online_prefix(sock);
    close(sock);
    /* the 64-bit loader by its path: a 32-bit one takes the file's names for its own */
    found = !access_read(cli, name, SNAPSHOT_HEAD, &s, NULL);
    if (found) {
        found = !wine_place_find(&s.resource, prefix, &cli->settings, &place, NULL);
        snapshot_free(&s);
    }
    result = error_set(err, RESULT_OWNED,
                       "%s is online on this node. Import the file into its registry, from where "
                       "it reaches the checkpoint: WINEPREFIX=%s %s regedit /S %s. Or take it "
                       "offline first (regckpt offline %s).",
                       name, prefix ? prefix : "(its prefix)", found ? place.wine : "wine64", file,
                       name);
    if (found)
        wine_place_free(&place);
    free(prefix);
    return result;
}

/* Reads, tries, tells, and unless it is a dry run, writes: o is what to write with, or NULL. */
static int import_with(const struct cli *cli, struct import *im, const uint8_t *bytes, size_t len,
                       struct offline *o, struct compare_totals *totals, struct error *err)
{
    struct json writer, *j = cli->json ? &writer : NULL;
    struct snapshot s;
    int result = access_read(cli, im->name, 0, &s, err);

    if (result)
        return result;
    im->now = &s;
    if (!(result = import_begin(im, err)))
        result = (hive_is(bytes, len) ? import_apply_hive : import_apply)(im, bytes, len, err);
    if (!result && o)
        result = write_all(cli, im, o->c, err);
    if (!result)
        result = report(im, !o, j, totals, err);
    if (!result && im->excluded)
        cli_note(cli, "%llu statements of %s concern what is excluded from the registered keys of "
                      "%s, and were left alone.",
                 (unsigned long long)im->excluded, im->file, im->name);
    import_free(im);
    snapshot_free(&s);
    return result;
}

/* The whole verb. */
static int import(const struct cli *cli, struct import *im, bool dry_run,
                  struct compare_totals *totals, struct error *err)
{
    struct offline o;
    uint8_t *bytes;
    size_t len;
    int result = regfile_load(im->file, &bytes, &len, err);

    if (result)
        return result;
    if (im->place && !hive_is(bytes, len)) {
        result = error_set(err, RESULT_USAGE, "%s: --key is for a hive file: a .reg file says where "
                           "its keys go.", im->file);
    } else if (dry_run) {
        result = import_with(cli, im, bytes, len, NULL, totals, err);
    } else if (!(result = refuse_online(cli, hive_is(bytes, len), err)) &&
               !(result = offline_open(cli, im->name, &o, err))) {
        result = import_with(cli, im, bytes, len, &o, totals, err);
        offline_close(&o);
    }
    free(bytes);
    return result;
}

int verb_import(int argc, char **argv)
{
    struct import im = {0};
    const char *view = "";
    bool dry_run = false;
    const struct cli_option options[] = {
        {"dry-run", OPTION_FLAG, &dry_run, NULL, "show what would change, change nothing"},
        {"view", OPTION_TEXT, &view, "64|32",
         "the programs whose names for keys the file uses; else 64-bit names go first"},
        {"key", OPTION_TEXT, &im.place, "KEY",
         "the registered key, or one below it, that a hive file is of"},
        {0},
    };
    struct compare_totals totals = {0};
    struct error err = {0};
    struct cli cli;
    int code = cli_begin(&cli, argc, argv, &text, options);

    if (code != CLI_GO_ON)
        return code;
    im.name = cli.args[0];
    im.file = cli.args[1];
    im.view = *view ? atoi(view) : 0;
    if (*view && strcmp(view, "64") && strcmp(view, "32"))
        code = cli_usage(&cli, "--view: \"%s\" is neither 64 nor 32.", view);
    else if (import(&cli, &im, dry_run, &totals, &err))
        code = cli_fail(&cli, &err);
    else if (dry_run)
        code = totals.added + totals.changed + totals.removed || im.excluded ? 1 : 0;
    else
        code = im.excluded ? 1 : 0;
    cli_end(&cli);
    return code;
}
