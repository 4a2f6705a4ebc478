/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diffside.h"
#include "verbs.h"

static const struct verb_text text = {
    .name = "diff",
    .usage = "NAME",
    .details = "Compares two contents of the registered keys of NAME, without what they exclude.\n"
               "Without options, this node's registry with the checkpoint: '-' is here now, '+'\n"
               "is there after the next online. In general '-' is of --from, '+' of --to. Each is\n"
               "one of:\n"
               "  live        this node's registry          (--from, if not given)\n"
               "  checkpoint  what the checkpoint holds now (--to, if not given)\n"
               "  last-good   at the last clean offline\n"
               "  POINT       the number of a change (regckpt log NAME; the content just after\n"
               "              it), or a time (10m, 2h, 3d: so long ago; 2026-11-23)\n"
               "  FILE        a .reg or hive file (./10m if its name could be a point): compared\n"
               "              is what is at and below the keys that it names\n"
               "Exit code 1 if there is a difference.",
    .least_args = 1,
    .most_args = 1,
    .has_json = true,
};

/* The two sides are read; what differs is told, all bracketed for JSON. */
static int tell(const struct diff_request *r, const struct diff_side *from,
                const struct diff_side *to, struct compare_totals *totals, struct error *err)
{
    struct json writer, *j = r->cli->json ? &writer : NULL;
    int result;

    if (j) {
        json_begin(j, stdout);
        json_open_object(j, NULL);
        json_text(j, "resource", r->name);
        json_text(j, "from", from->word);
        json_text(j, "to", to->word);
        json_open_array(j, "differences");
    }
    result = diff_sides(r, from, to, j, totals, err);
    if (j && result) {
        json_drop(j);
    } else if (j) {
        json_close_array(j);
        json_number(j, "uncaptured", totals->uncaptured);
        json_close_object(j);
        json_end(j);
    } else if (!result) {
        diff_print_totals(r, from, to, totals);
    }
    return result;
}

static int diff(struct diff_request *r, const char *from_word, const char *to_word,
                struct compare_totals *totals, struct error *err)
{
    bool to_first = !strcmp(from_word, "live"); /* Wine takes the longest */
    struct diff_side from = {0}, to = {0};
    struct progress p;
    struct snapshot s;
    int result;

    if (!strcmp(from_word, to_word))
        return error_set(err, RESULT_USAGE, "--from and --to are both \"%s\".", to_word);
    progress_begin(&p, r->cli->json);
    r->p = &p;
    if ((result = access_read(r->cli, r->name, 0, &s, err)))
        return result;
    r->s = &s;
    if (!(result = diff_request_begin(&s, err)) &&
        !(result = to_first ? diff_side_read(r, to_word, &to, err)
                            : diff_side_read(r, from_word, &from, err)) &&
        !(result = to_first ? diff_side_read(r, from_word, &from, err)
                            : diff_side_read(r, to_word, &to, err)))
        result = tell(r, &from, &to, totals, err);
    diff_side_free(r, &from);
    diff_side_free(r, &to);
    snapshot_free(&s);
    return result;
}

int verb_diff(int argc, char **argv)
{
    const char *from = "live", *to = "checkpoint", *view = "";
    struct diff_request r = {0};
    const struct cli_option options[] = {
        {"from", OPTION_TEXT, &from, "WHAT", "what '-' is of (live)"},
        {"to", OPTION_TEXT, &to, "WHAT", "what '+' is of (checkpoint)"},
        {"prefix", OPTION_TEXT, &r.prefix, "DIR", "live: the registry of this Wine prefix"},
        {"view", OPTION_TEXT, &view, "64|32",
         "the programs whose names for keys a .reg file uses; else 64-bit names go first"},
        {"key", OPTION_TEXT, &r.key, "KEY",
         "the registered key, or one below it, that a hive file is of"},
        {0},
    };
    struct compare_totals totals = {0};
    struct error err = {0};
    struct cli cli;
    int code = cli_begin(&cli, argc, argv, &text, options);

    if (code != CLI_GO_ON)
        return code;
    r.cli = &cli;
    r.name = cli.args[0];
    r.view = *view ? atoi(view) : 0;
    if (*view && strcmp(view, "64") && strcmp(view, "32"))
        code = cli_usage(&cli, "--view: \"%s\" is neither 64 nor 32.", view);
    else if (diff(&r, from, to, &totals, &err))
        code = cli_fail(&cli, &err);
    else
        code = compare_found(&totals) ? 1 : 0;
    cli_end(&cli);
    return code;
}
