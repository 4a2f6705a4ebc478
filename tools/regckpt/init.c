/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "../../dlls/libregckpt/store_fs.h"
#include "cli.h"
#include "json.h"
#include "peer.h"
#include "store.h"
#include "storeask.h"
#include "verbs.h"

static const struct verb_text text = {
    .name = "init",
    .usage = "",
    .details = "Makes a store, the directory with all checkpoints, and tests on it what is\n"
               "needed: locks that exclude each other, rename, fsync, space. A store that is\n"
               "there is tested again and left as it is.\n"
               "\n"
               "With --peer, called on two nodes at the same time, it also tests what only two\n"
               "can: whether the locks and writes of one reach the other. Exit code 1 if\n"
               "something is not as it should be for a cluster.",
    .least_args = 0,
    .most_args = 0,
    .has_json = true,
};

/* What was found, for people or as JSON. */
struct findings {
    struct json *j;
    bool bad;
};

static void finding(const char *what, bool fine, const char *detail, void *arg)
{
    struct findings *f = arg;

    f->bad |= !fine;
    if (!f->j) {
        printf("  %-4s%s: %s\n", fine ? "ok" : "no", what, detail);
        return;
    }
    json_open_object(f->j, NULL);
    json_text(f->j, "check", what);
    json_bool(f->j, "ok", fine);
    json_text(f->j, "detail", detail);
    json_close_object(f->j);
}

/* The file system it lies on. */
static void find_fs(const struct cli *cli, struct findings *f)
{
    struct error err;
    struct store_fs fs;
    char detail[800];

    if (store_fs_find(cli->settings.store, &fs, &err)) {
        finding("file system", true, err.text, f);
        return;
    }
    snprintf(detail, sizeof(detail), "%s (%s)%s%s", fs.type, fs.source, *fs.advice ? ": " : "", fs.advice);
    finding("file system", fs.grade != STORE_FS_BAD, detail, f);
}

static int report(const struct cli *cli, bool made, bool peer, int timeout_ms)
{
    struct findings f = {NULL, false};
    struct json j;

    if (cli->json) {
        f.j = &j;
        json_begin(&j, stdout);
        json_open_object(&j, NULL);
        json_text(&j, "store", cli->settings.store);
        json_bool(&j, "made", made);
        json_open_array(&j, "checks");
    } else {
        printf(made ? "Made the store %s (from %s); locks, rename, fsync and space are fine "
                      "there.\n"
                    : "The store %s (from %s) is there already; locks, rename, fsync and space are "
                      "fine.\n",
               cli->settings.store, cli->settings.store_source);
    }
    find_fs(cli, &f);
    if (peer)
        peer_test(cli, timeout_ms, finding, &f);
    if (f.j) {
        json_close_array(&j);
        json_bool(&j, "ok", !f.bad);
        json_close_object(&j);
        json_end(&j);
    }
    return f.bad;
}

int verb_init(int argc, char **argv)
{
    const char *timeout = NULL;
    bool made = false, peer = false;
    const struct cli_option options[] = {
        {"peer", OPTION_FLAG, &peer, NULL, "test with another node that runs the same"},
        {"timeout", OPTION_TEXT, &timeout, "S", "wait for it so long, 60 seconds by default"},
        {0},
    };
    struct error err = {0};
    struct cli cli;
    int timeout_ms, code = cli_begin(&cli, argc, argv, &text, options);

    if (code != CLI_GO_ON)
        return code;
    if (timeout && !peer)
        code = cli_usage(&cli, "--timeout is for --peer.");
    else if (peer_timeout(timeout, &timeout_ms, &err) || store_answers(&cli, NULL, &err) ||
             store_init(cli.settings.store, &made, &err))
        code = cli_fail(&cli, &err);
    else
        code = report(&cli, made, peer, timeout_ms);
    cli_end(&cli);
    return code;
}
