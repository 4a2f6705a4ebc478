/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "diffside.h"
#include "hookcheck.h"
#include "pacemaker.h"
#include "startmonitor.h"
#include "verbs.h"
#include "winetree.h"

#define UNNAMED_OWNER "owned by a process that has not said its name"

static const struct verb_text text = {
    .name = "online",
    .usage = "NAME",
    .details = "Takes the resource NAME on this node: owns it, makes its registered keys in\n"
               "the registry equal to the checkpoint, starts the service or program, and\n"
               "mirrors every change from then on. Returns when the program runs. What was\n"
               "edited while it was offline is overwritten; --dry-run shows that before.\n"
               "Another node that owns it is never disturbed, but with --takeover, which is for\n"
               "who knows that node to be off: fenced, or with its power cut. A node that only\n"
               "seems to be off and comes back ends its program; what that program did outside\n"
               "of the registry meanwhile is beyond regckpt.\n"
               "What Pacemaker manages is left to it, but with --force.",
    .least_args = 1,
    .most_args = 1,
    .has_json = true,
};

struct online_options {
    const char *prefix;
    bool dry_run, takeover, force;
};

/* Would this node get it?  Tells what a dry run finds out about the ownership. */
static int check_owner(const struct cli *cli, const struct online_options *o,
                       const struct snapshot *s, struct error *err)
{
    const char *name = cli->args[0];
    int lock_fd, result = store_own(cli->settings.store, name, &lock_fd, err);

    if (result == RESULT_OWNED && o->takeover) {
        char owner[OWNER_TEXT_BYTES];

        takeover_owner_text(cli->settings.store, name, owner);
        if (!cli->json)
            printf("%s: is %s; it would be taken over by force.\n", name,
                   *owner ? owner : UNNAMED_OWNER);
        return RESULT_OK;
    }
    if (result)
        return result;
    store_disown(lock_fd);
    if (cli->json)
        return RESULT_OK;
    if (s->state.status == CHECKPOINT_ONLINE)
        printf("%s: its last owner, node %s, is gone without releasing it; it would be taken "
               "over.\n",
               name, s->state.node);
    else
        printf("%s: is free.\n", name);
    return RESULT_OK;
}

/* What would be started, and what there is in the way. */
static int check_program(const struct cli *cli, const struct snapshot *s, struct wineside *w,
                         struct json *j, struct error *err)
{
    bool service = s->resource.kind == RESOURCE_SERVICE;
    const char *what = service ? s->resource.service : s->resource.command;
    struct program_facts facts = {0};
    int result = hostlink_query_program(&w->link, &s->resource, &facts, err);

    if (!result && !facts.exists)
        result = error_set(err, RESULT_PROGRAM,
                           "The %s \"%s\" is not there in the prefix %s. Install it on this node "
                           "first.",
                           service ? "service" : "program of", what, w->place.prefix);
    if (!result && j) {
        json_text(j, "program", what);
        json_number(j, "bits", facts.bits);
        json_bool(j, "would_wrap", service && !facts.wrapped);
    } else if (!result) {
        printf("%s: would start the %s \"%s\" (%u-bit) in the prefix %s%s.\n", cli->args[0],
               service ? "service" : "program", what, facts.bits, w->place.prefix,
               service && !facts.wrapped ? ", putting regckpt-host in front of it" : "");
    }
    program_facts_free(&facts);
    return result;
}

/* What would change in the registry, as diff tells it. */
static int tell_changes(const struct diff_request *r, struct json *j, struct compare_totals *totals,
                        struct error *err)
{
    struct diff_side from = {0}, to = {0};
    int result;

    if (!(result = diff_side_read(r, "live", &from, err)) &&
        !(result = diff_side_read(r, "checkpoint", &to, err)) &&
        !(result = diff_sides(r, &from, &to, j, totals, err)) && !j)
        diff_print_totals(r, &from, &to, totals);
    diff_side_free(r, &from);
    diff_side_free(r, &to);
    return result;
}

/* Everything online would do up to its first change, told. */
static int dry_run_with(const struct cli *cli, const struct snapshot *s, struct wineside *w,
                        struct json *j, struct error *err)
{
    const struct diff_request r = {.cli = cli, .name = cli->args[0], .s = s, .wine = w};
    struct compare_totals totals = {0};
    int result;

    if (!s->resource.lag_ms &&
        (result = hookcheck_installed(cli->args[0], w->place.bits, err)))
        return result;
    if (j)
        json_open_array(j, "differences");
    result = tell_changes(&r, j, &totals, err);
    if (j) {
        json_close_array(j);
        json_number(j, "added", totals.added);
        json_number(j, "changed", totals.changed);
        json_number(j, "removed", totals.removed);
        json_number(j, "uncaptured", totals.uncaptured);
    }
    return result ? result : check_program(cli, s, w, j, err);
}

/* online --dry-run. */
static int dry_run(const struct cli *cli, const struct online_options *o, struct progress *p,
                   struct error *err)
{
    struct json writer, *j = cli->json ? &writer : NULL;
    struct wineside wine;
    struct snapshot s;
    int result = access_read(cli, cli->args[0], 0, &s, err);

    if (result)
        return result;
    if (!(result = check_owner(cli, o, &s, err)) && !(result = diff_request_begin(&s, err)) &&
        !(result = wineside_open(cli, cli->args[0], &s.resource, o->prefix, p, &wine, err))) {
        if (j) {
            json_begin(j, stdout);
            json_open_object(j, NULL);
            json_text(j, "resource", cli->args[0]);
            json_text(j, "prefix", wine.place.prefix);
        }
        result = dry_run_with(cli, &s, &wine, j, err);
        if (j && result) {
            json_drop(j);
        } else if (j) {
            json_close_object(j);
            json_end(j);
        }
        wineside_close(&wine);
    }
    snapshot_free(&s);
    return result;
}

/* Tells that it is online. */
static void report(const struct cli *cli, bool already, const char *displaced,
                   const struct progress *p)
{
    if (cli->json) {
        struct json j;

        json_begin(&j, stdout);
        json_open_object(&j, NULL);
        json_text(&j, "resource", cli->args[0]);
        json_bool(&j, "online", true);
        json_bool(&j, "already", already);
        json_text(&j, "node", cli->settings.node);
        if (*displaced)
            json_text(&j, "displaced", displaced);
        json_number(&j, "took_ms", (uint64_t)(progress_now_ms() - p->begun_ms));
        json_close_object(&j);
        json_end(&j);
    } else if (already) {
        printf("%s is online on this node (%s) already.\n", cli->args[0], cli->settings.node);
    } else {
        printf("%s is online on node %s (store %s, from %s).\n", cli->args[0], cli->settings.node,
               cli->settings.store, cli->settings.store_source);
        if (*displaced)
            printf("It was taken over by force; before, it was %s.\n", displaced);
    }
}

/* Before it is done: whose resource would be taken.  The token is for this owner alone. */
static int announce(const struct cli *cli, char token[OWNER_TOKEN_BYTES], struct error *err)
{
    const char *store = cli->settings.store, *name = cli->args[0];
    char owner[OWNER_TEXT_BYTES];
    int owned, result = takeover_token(store, name, token, err);

    if (result)
        return result;
    if ((owned = store_is_owned(store, name, err)) < 0)
        return err->code;
    takeover_owner_text(store, name, owner);
    if (owned)
        fprintf(stderr, "Taking %s over by force. It is %s.\n", name, *owner ? owner : UNNAMED_OWNER);
    return RESULT_OK;
}

/* A Wine that may not fit is said where it may be the reason, and where it works all the same. */
static void tell_wine(const struct cli *cli, const struct wine_place *place)
{
    struct error text;

    if (winetree_trouble(place, &text))
        cli_note(cli, "%s: %s", cli->args[0], text.text);
}

/* Has it taken online, in a place that was found already. */
static int bring_online(const struct cli *cli, const struct online_options *o, struct start *start,
                        struct progress *p, struct error *err)
{
    char token[OWNER_TOKEN_BYTES];
    int result;

    if (!o->force && (result = pacemaker_guard(cli, cli->args[0], "online", err)))
        return result;
    if (o->takeover) {
        if ((result = announce(cli, token, err)))
            return result;
        start->takeover = token;
    }
    return monitor_start(cli, cli->args[0], start, p, err);
}

/* Takes it online; *already: it was. */
static int online(const struct cli *cli, const struct online_options *o, struct start *start,
                  struct progress *p, bool *already, struct error *err)
{
    struct wine_place place;
    struct snapshot s;
    bool found;
    int result = access_read(cli, cli->args[0], SNAPSHOT_HEAD, &s, err);

    if (result)
        return result;
    /* what stands in the way there is the monitor's to say */
    found = !wine_place_find(&s.resource, o->prefix, &cli->settings, &place, NULL);
    snapshot_free(&s);
    if (!(result = ctl_is_online(cli, cli->args[0], already, NULL, err)) && !*already) {
        result = bring_online(cli, o, start, p, err);
        if (found)
            tell_wine(cli, &place);
    }
    if (found)
        wine_place_free(&place);
    return result;
}

int verb_online(int argc, char **argv)
{
    struct online_options o = {0};
    struct start start = {.timeout_ms = -1};
    const char *timeout = NULL;
    const struct cli_option options[] = {
        {"dry-run", OPTION_FLAG, &o.dry_run, NULL, "show what would be done, change nothing"},
        {"force", OPTION_FLAG, &o.force, NULL, "although Pacemaker manages it"},
        {"prefix", OPTION_TEXT, &o.prefix, "DIR", "in this Wine prefix"},
        {"takeover", OPTION_FLAG, &o.takeover, NULL, "even from an owner that is known to be off"},
        {"timeout", OPTION_TEXT, &timeout, "S", "wait for at most S seconds (until it is decided)"},
        {0},
    };
    struct error err = {0};
    struct progress p;
    struct cli cli;
    bool already = false;
    int result = 0, code = cli_begin(&cli, argc, argv, &text, options);

    if (code != CLI_GO_ON)
        return code;
    progress_begin(&p, cli.json);
    if (timeout)
        result = cli_seconds("timeout", timeout, &start.timeout_ms, &err);
    start.prefix = o.prefix;
    if (!result)
        result = o.dry_run ? dry_run(&cli, &o, &p, &err)
                           : online(&cli, &o, &start, &p, &already, &err);
    if (!result && !o.dry_run)
        report(&cli, already, start.displaced, &p);
    code = result ? cli_fail(&cli, &err) : 0;
    cli_end(&cli);
    return code;
}
