/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <unistd.h>

#include "access.h"
#include "json.h"
#include "leftover.h"
#include "pacemaker.h"
#include "verbs.h"

#define DYING_MS 2000 /* what goes with a killed monitor is gone in less */
#define PAUSE_MS 50

static const struct verb_text text = {
    .name = "offline",
    .usage = "NAME",
    .details = "Stops the service or program of NAME on this node, saves its registered keys and\n"
               "releases it. Returns when another node can take it. A resource that is offline\n"
               "already is no error. Where its monitor was killed, and processes of this node\n"
               "that nobody looks after still hold it, these are ended. What Pacemaker manages is\n"
               "left to it, but with --force.",
    .least_args = 1,
    .most_args = 1,
    .has_json = true,
};

/* Has the monitor take it offline. */
static int ask_monitor(int sock, int timeout_ms, struct progress *p, struct error *err)
{
    struct message reply;
    struct pack payload;
    int result;

    pack_init(&payload);
    pack_u32(&payload, 0);
    if (!(result = ctl_ask(sock, CTL_OFFLINE, &payload, p, timeout_ms, &reply, NULL, err)))
        message_free(&reply);
    pack_free(&payload);
    return result;
}

/* A process that is about to be ended. */
static void tell_end(int pid, const char *process, void *arg)
{
    const struct cli *cli = arg;

    cli_note(cli, "Ending process %d (%s): it holds %s, and the monitor that looked after it is "
                  "gone.", pid, process, cli->args[0]);
}

/*
 * No monitor is here: offline already, somebody else's, or held by what a killed monitor left.
 * Such processes mostly end by themselves at once, with the job of their host; those that stay are
 * ended.  Where nobody is found, who held it may have ended since it was tried: so there is one try
 * more.
 */
static int check_released(const struct cli *cli, const char *name, bool *orphaned,
                          struct error *err)
{
    const char *store = cli->settings.store;
    int lock_fd, result = store_own(store, name, &lock_fd, err);

    bool held = true;

    for (int waited_ms = 0; result == RESULT_OWNED && held && waited_ms < DYING_MS;
         waited_ms += PAUSE_MS) {
        if ((held = lock_is_orphaned(store, name))) {
            *orphaned = true;
            usleep(PAUSE_MS * 1000);
        }
        result = store_own(store, name, &lock_fd, err);
    }
    if (result == RESULT_OWNED && lock_is_orphaned(store, name)) {
        lock_reap(store, name, tell_end, (void *)cli);
        result = store_own(store, name, &lock_fd, err);
    }
    if (!result)
        store_disown(lock_fd);
    return result;
}

/* Takes it offline; *already: it was; *orphaned: its monitor had gone before. */
static int offline(const struct cli *cli, int timeout_ms, bool force, bool *already, bool *orphaned,
                   struct error *err)
{
    const char *name = cli->args[0];
    struct progress p;
    struct snapshot s;
    int sock, result = resource_name_check(name, err);

    if (result || (!force && (result = pacemaker_guard(cli, name, "offline", err))))
        return result;
    progress_begin(&p, cli->json);
    /* The monitor first: it answers also when the store does not. */
    if ((sock = ctl_connect(cli, name, err)) >= 0) {
        result = ask_monitor(sock, timeout_ms, &p, err);
        close(sock);
        return result;
    }
    if (err->code || (result = access_read(cli, name, SNAPSHOT_HEAD, &s, err)))
        return err->code;
    snapshot_free(&s);
    result = check_released(cli, name, orphaned, err);
    *already = !*orphaned;
    return result;
}

int verb_offline(int argc, char **argv)
{
    const char *timeout = NULL;
    bool force = false;
    const struct cli_option options[] = {
        {"force", OPTION_FLAG, &force, NULL, "although Pacemaker manages it"},
        {"timeout", OPTION_TEXT, &timeout, "S", "wait for at most S seconds (until it is done)"},
        {0},
    };
    struct error err = {0};
    struct cli cli;
    bool already = false, orphaned = false;
    int timeout_ms = -1, result = 0, code = cli_begin(&cli, argc, argv, &text, options);

    if (code != CLI_GO_ON)
        return code;
    if (timeout)
        result = cli_seconds("timeout", timeout, &timeout_ms, &err);
    if (!result)
        result = offline(&cli, timeout_ms, force, &already, &orphaned, &err);
    code = result ? cli_fail(&cli, &err) : 0;
    if (!result && cli.json) {
        struct json j;

        json_begin(&j, stdout);
        json_open_object(&j, NULL);
        json_text(&j, "resource", cli.args[0]);
        json_bool(&j, "online", false);
        json_bool(&j, "already", already);
        json_close_object(&j);
        json_end(&j);
    } else if (!result) {
        printf("%s is offline%s.\n", cli.args[0],
               already    ? " already"
               : orphaned ? ": its monitor had gone; what it left is ended, and the checkpoint is "
                            "as of its last commit"
                          : ": stopped, saved, released");
    }
    cli_end(&cli);
    return code;
}
