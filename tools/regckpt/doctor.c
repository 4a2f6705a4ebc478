/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../dlls/libregckpt/store_fs.h"
#include "../../dlls/regckpt/hook.h"
#include "hookcheck.h"
#include "json.h"
#include "peer.h"
#include "table.h"
#include "verbs.h"
#include "wineside.h"
#include "winetree.h"

static const struct verb_text text = {
    .name = "doctor",
    .usage = "[NAME]",
    .details = "Checks whether this node can run the resource NAME, or resources at all, and\n"
               "says for each \"no\" what to do. Exit code 1 if there is one.\n"
               "\n"
               "With --peer, called on two nodes at the same time, the two test the store alone:\n"
               "whether the locks and writes of one reach the other, and their clocks.",
    .least_args = 0,
    .most_args = 1,
    .has_json = true,
};

struct doctor {
    struct cli cli;
    const char *prefix;
    struct json *j;
    struct table table;
    unsigned bad;
};

/* One finding: what was checked, is it fine, and what was found or what to do. */
__attribute__((format(printf, 4, 5)))
static void finding(struct doctor *d, const char *what, bool fine, const char *format, ...)
{
    char detail[ERROR_TEXT_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(detail, sizeof(detail), format, args);
    va_end(args);
    d->bad += !fine;
    if (d->j) {
        json_open_object(d->j, NULL);
        json_text(d->j, "check", what);
        json_bool(d->j, "ok", fine);
        json_text(d->j, "detail", detail);
        json_close_object(d->j);
        return;
    }
    table_cell(&d->table, "%s", what);
    table_cell(&d->table, "%s", fine ? "ok" : "no");
    table_cell(&d->table, "%s", detail);
}

/* What it lies on. */
static void check_fs(struct doctor *d)
{
    struct error err = {0};
    struct store_fs fs;

    if (store_fs_find(d->cli.settings.store, &fs, &err))
        finding(d, "store: file system", true, "%s", err.text);
    else
        finding(d, "store: file system", fs.grade != STORE_FS_BAD, "%s (%s)%s%s", fs.type, fs.source,
                *fs.advice ? ": " : "", fs.advice);
}

/* With another node. */
static void peer_finding(const char *what, bool fine, const char *detail, void *d)
{
    finding(d, what, fine, "%s", detail);
}

/* The store: is it one, and can this node do on it what is needed? */
static bool check_store(struct doctor *d)
{
    const struct settings *s = &d->cli.settings;
    struct error err = {0};
    bool made, fine = !access_store(&d->cli, NULL, &err);

    if (!fine)
        finding(d, "store", false, "%s", err.text);
    else
        finding(d, "store", true, "%s (from %s)", s->store, s->store_source);
    if (fine && store_init(s->store, &made, &err))
        finding(d, "store: locks, rename, fsync, space", false, "%s", err.text);
    else if (fine)
        finding(d, "store: locks, rename, fsync, space", true, "tested there just now");
    if (fine)
        check_fs(d);
    return fine;
}

/* A program of this project. */
static void check_program_file(struct doctor *d, const char *name, const char *what,
                               const char *without)
{
    struct error err = {0};
    char *path = settings_find_program(name, &err);

    if (path)
        finding(d, what, true, "%s", path);
    else
        finding(d, what, *without != 0, "%s", *without ? without : err.text);
    free(path);
}

/* The service as the prefix has it. */
static void check_service(struct doctor *d, const struct program_facts *facts)
{
    const char *name = d->cli.args[0];

    if (facts->wrapped)
        finding(d, "service wrapped", true, "every start of the service restores first");
    else if (facts->start_type == 2) /* SERVICE_AUTO_START */
        finding(d, "service wrapped", false,
                "it starts by itself, unprotected, with the prefix. Put "
                "regckpt-host in front of it: regckpt wrap %s --autostart",
                name);
    else
        finding(d, "service wrapped", true, "not yet; online does it");
    if (facts->state == 4 && !facts->wrapped) /* SERVICE_RUNNING */
        finding(d, "service stopped", false,
                "it runs unprotected now. Stop it before online: wine net "
                "stop \"...\"");
}

/* The program or service as the prefix has it; returns its width, 0: not known. */
static unsigned check_program(struct doctor *d, struct wineside *w, const struct resource *r)
{
    bool service = r->kind == RESOURCE_SERVICE;
    const char *what = service ? "service" : "program";
    struct program_facts facts = {0};
    struct error err = {0};
    bool runs = true;
    unsigned bits;

    if (hostlink_query_program(&w->link, r, &facts, &err)) {
        finding(d, what, false, "%s", err.text);
        return 0;
    }
    if (!facts.exists)
        finding(d, what, false, "\"%s\" is not there in the prefix. Install it on this node.",
                service ? r->service : r->command);
    else if (facts.bits)
        finding(d, what, true, "%u-bit: %s", facts.bits, facts.image_path ? facts.image_path : "");
    else
        finding(d, what, true, "whether 64 or 32-bit is not known: %s",
                facts.image_path ? facts.image_path : "");
    if (facts.bits == 32 && hostlink_runs_32bit(&w->link, &w->place, &runs, &err))
        finding(d, "32-bit Wine", false, "%s", err.text);
    else if (!runs)
        finding(d, "32-bit Wine", false,
                "the program is a 32-bit one, and none runs here (tried just now): Wine's 32-bit part is "
                "not installed: dpkg --add-architecture i386; apt-get install wine32:i386; then "
                "WINEPREFIX=%s wineboot -u",
                w->place.prefix);
    else if (facts.bits == 32)
        finding(d, "32-bit Wine", true, "%s",
                w->place.bits == 32 || wine_place_has_32bit(&w->place)
                    ? "there" : "tried just now: 32-bit programs run without a 32-bit Unix part (new WoW64)");
    if (facts.exists && service)
        check_service(d, &facts);
    bits = facts.bits;
    program_facts_free(&facts);
    return bits;
}

/* Can a program of this width be hooked here? */
static void try_hook(struct doctor *d, const struct wineside *w, const struct resource *r,
                     unsigned bits)
{
    const char *name = d->cli.arg_count ? d->cli.args[0] : "doctor";
    struct error err = {0};
    char what[64];
    int result = hookcheck_try(&d->cli, name, w, bits, &err);

    snprintf(what, sizeof(what), "hook loads into a %u-bit program", bits);
    if (!result)
        finding(d, what, true, "tried just now");
    else if (result != RESULT_UNPROTECTED)
        finding(d, what, false, "%s", err.text);
    else if (d->cli.arg_count && !r->lag_ms)
        finding(d, what, false,
                "%s. lag 0 needs it for the program: if that is a %u-bit one, online refuses. "
                "Install regckpt whole, for a Wine it knows, or regckpt set %s --lag %d",
                err.text, bits, name, DEFAULT_LAG_MS);
    else
        finding(d, what, false, "%s. Such programs are captured by the watch, within a second, and "
                "cannot have lag 0. Install regckpt whole, for a Wine it knows", err.text);
}

/*
 * The hook: in the widths that programs of this prefix may have.  bits: the resource's own
 * program's, 0: not known.
 */
static void check_hook(struct doctor *d, const struct wineside *w, const struct resource *r,
                       unsigned bits)
{
    bool without_is_fine = bits != 32 || r->lag_ms;
    char *dll32 = NULL, *injector = NULL;
    struct error err;

    if (w->place.bits == 64)
        try_hook(d, w, r, 64);
    if (w->place.bits == 32)
        try_hook(d, w, r, 32);
    else if (!wine_place_has_32bit(&w->place))
        finding(d, "hook loads into a 32-bit program", without_is_fine,
                "this Wine has no 32-bit Unix part. If it runs 32-bit programs without one (new "
                "WoW64), they cannot be hooked: the watch captures them, and they cannot have lag 0");
    else if (!(dll32 = settings_find_program(HOOK_DLL32, &err)) ||
             !(injector = settings_find_program(HOOK_INJECTOR32, &err)))
        finding(d, "hook loads into a 32-bit program", without_is_fine,
                "not built: 32-bit programs are captured by the watch, and cannot have lag 0. For "
                "more: gcc-multilib and libwine-dev:i386, then build again");
    else
        try_hook(d, w, r, 32);
    free(dll32);
    free(injector);
}

/* Who can tell what changes?  Without such a wineserver the hook does. */
static void check_server(struct doctor *d, struct wineside *w)
{
    struct error err = {0};
    bool can = false;

    if (hostlink_report(&w->link, REPORT_ASK, "", &can, &err))
        finding(d, "source of changes", false, "%s", err.text);
    else if (can)
        finding(d, "source of changes", true, "server: this wineserver reports what everybody changes");
    else
        finding(d, "source of changes", true, "hook: this wineserver does not report changes (one that "
                "server_patch/build makes does)");
}

/* A Wine with our wineserver fits one version of the system's. */
static void check_tree(struct doctor *d, const char *loader)
{
    struct error text = {0};
    enum winetree found = winetree_look(loader, &text);

    if (found != WINETREE_NONE)
        finding(d, "Wine that reports", found != WINETREE_STALE, "%s", text.text);
}

/* The prefix has been booted: by that Wine, or by another before. */
static void check_running(struct doctor *d, const struct wine_place *place)
{
    struct error text = {0};

    if (!winetree_serves(place, &text))
        finding(d, "wineserver", false, "%s", text.text);
}

/* Wine, the prefix, the host in it. */
static void check_wine(struct doctor *d, const struct resource *r)
{
    const char *name = d->cli.arg_count ? d->cli.args[0] : "doctor";
    struct wine_place place = {0};
    struct wineside wine;
    struct error err = {0};
    struct progress p;
    unsigned bits = 0;

    progress_begin(&p, d->cli.json);
    if (wine_place_find(r, d->prefix, &d->cli.settings, &place, &err)) {
        finding(d, "Wine and prefix", false, "%s", err.text);
        return;
    }
    finding(d, "Wine", true, "%s", place.wine);
    check_tree(d, place.wine);
    finding(d, "prefix", true, "%s, %u-bit%s%s", place.prefix, place.bits,
            *place.user ? ", as user " : "", place.user);
    wine_place_free(&place);
    if (wineside_open(&d->cli, name, r, d->prefix, &p, &wine, &err)) {
        finding(d, "host answers", false, "%s", err.text);
        return;
    }
    finding(d, "host answers", true, "%u-bit, in the booted prefix", wine.link.bits);
    check_running(d, &wine.place);
    if (d->cli.arg_count)
        bits = check_program(d, &wine, r);
    check_server(d, &wine);
    check_hook(d, &wine, r, bits);
    wineside_close(&wine);
}

/* What the resource itself asks of a node. */
static void check_resource(struct doctor *d, const struct snapshot *s)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (s->state.saved > (uint64_t)(now.tv_sec + 60) * 1000000)
        finding(d, "clock", false, "the last save, by node %s, lies in this node's future. Set the "
                "clocks by one source (chrony)", s->state.node);
    else
        finding(d, "clock", true, "not behind the last save");
}

/* All checks in their order. */
static void examine(struct doctor *d)
{
    struct resource none;
    struct snapshot s;
    struct error err = {0};
    bool store = check_store(d), have = false;

    finding(d, "run directory", access(d->cli.settings.run_dir, W_OK) == 0 ||
            access(d->cli.settings.run_dir, F_OK) != 0, "%s", d->cli.settings.run_dir);
    check_program_file(d, "regckpt-monitor", "monitor", "");
    check_program_file(d, "regckpt-host.exe.so", "64-bit host", "");
    check_program_file(d, "regckpt-host32.exe.so", "32-bit host",
                       "not built; only a 32-bit prefix needs it");
    check_program_file(d, HOOK_DLL64, "64-bit hook", "");
    check_program_file(d, HOOK_INJECTOR64, "64-bit injector", "");
    check_program_file(d, HOOK_DLL32, "32-bit hook", "not built; only 32-bit programs need it");
    if (store && d->cli.arg_count) {
        have = !access_read(&d->cli, d->cli.args[0], 0, &s, &err); /* all, as its restore will */
        if (!have)
            finding(d, "resource", false, "%s", err.text);
        else
            finding(d, "resource", true, "registered keys: %zu", s.key_count);
    }
    if (have)
        check_resource(d, &s);
    resource_init(&none);
    if (have || !d->cli.arg_count)
        check_wine(d, have ? &s.resource : &none);
    resource_free(&none);
    if (have)
        snapshot_free(&s);
}

/* Prints what `look` finds. */
static int report(struct doctor *d, bool peer, int timeout_ms)
{
    static const char *const headings[] = {"CHECK", "", "FOUND, OR WHAT TO DO"};
    struct json j;

    table_begin(&d->table, 3, headings);
    if (d->cli.json) {
        d->j = &j;
        json_begin(&j, stdout);
        json_open_object(&j, NULL);
        json_text(&j, "node", d->cli.settings.node);
        json_open_array(&j, "checks");
    }
    if (!peer)
        examine(d);
    else if (check_store(d))
        peer_test(&d->cli, timeout_ms, peer_finding, d);
    if (d->j) {
        json_close_array(&j);
        json_bool(&j, "ok", !d->bad);
        json_close_object(&j);
        json_end(&j);
    } else {
        table_print(&d->table, stdout, "");
    }
    table_free(&d->table);
    return d->bad ? 1 : 0;
}

int verb_doctor(int argc, char **argv)
{
    const char *timeout = NULL;
    struct error err = {0};
    struct doctor d = {0};
    bool peer = false;
    const struct cli_option options[] = {
        {"prefix", OPTION_TEXT, &d.prefix, "DIR", "with this Wine prefix"},
        {"peer", OPTION_FLAG, &peer, NULL, "test the store with another node that runs the same"},
        {"timeout", OPTION_TEXT, &timeout, "S", "wait for it so long, 60 seconds by default"},
        {0},
    };
    int timeout_ms, code = cli_begin(&d.cli, argc, argv, &text, options);

    if (code != CLI_GO_ON)
        return code;
    if (peer && (d.cli.arg_count || d.prefix))
        code = cli_usage(&d.cli, "--peer is of the store alone: leave out the name and --prefix.");
    else if (timeout && !peer)
        code = cli_usage(&d.cli, "--timeout is for --peer.");
    else if (peer_timeout(timeout, &timeout_ms, &err))
        code = cli_fail(&d.cli, &err);
    else
        code = report(&d, peer, timeout_ms);
    cli_end(&d.cli);
    return code;
}
