/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <unistd.h>

#include "access.h"
#include "json.h"
#include "leftover.h"
#include "pacemaker.h"
#include "restorelocal.h"
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
               "left to it, but with --force.\n"
               "--restore-local then puts back what this node's registry held below the\n"
               "registered keys before NAME went online here; also later, up to the next\n"
               "online, and while another node has it.",
    .least_args = 1,
    .most_args = 1,
    .has_json = true,
};

/* Has the monitor take it offline. */
static int ask_monitor(int sock, bool local, int timeout_ms, struct progress *p, struct error *err)
{
    struct message reply;
    struct pack payload;
    int result;

    pack_init(&payload);
    pack_u32(&payload, local ? CTL_OFFLINE_RESTORE_LOCAL : 0);
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

struct offline_options {
    bool restore_local;
    bool force;     /* although Pacemaker manages it */
    const char *prefix;
    int timeout_ms;
};

struct outcome {
    bool already;   /* it was offline */
    bool elsewhere; /* another node has it (only with restore_local) */
    bool orphaned;  /* its monitor had gone before */
};

/* Takes it offline. */
static int offline(const struct cli *cli, const struct offline_options *o, struct outcome *out,
                   struct error *err)
{
    const char *name = cli->args[0];
    struct progress p;
    struct snapshot s;
    int sock, result = resource_name_check(name, err);

    if (result || (!o->force && (result = pacemaker_guard(cli, name, "offline", err))))
        return result;
    progress_begin(&p, cli->json);
    /* The monitor first: it answers also when the store does not. */
    if ((sock = ctl_connect(cli, name, err)) >= 0) {
        result = ask_monitor(sock, o->restore_local, o->timeout_ms, &p, err);
        close(sock);
        return result;
    }
    if (err->code || (result = access_read(cli, name, SNAPSHOT_HEAD, &s, err)))
        return err->code;
    snapshot_free(&s);
    result = check_released(cli, name, &out->orphaned, err);
    out->already = !result && !out->orphaned;
    out->elsewhere = o->restore_local && result == RESULT_OWNED &&
                     !lock_is_orphaned(cli->settings.store, name);
    if (out->elsewhere) { /* this node's registry is its own again */
        *err = (struct error){0};
        result = RESULT_OK;
    }
    return !result && o->restore_local ? restore_local(cli, name, o->prefix, &p, err) : result;
}

int verb_offline(int argc, char **argv)
{
    struct offline_options o = {.timeout_ms = -1};
    const char *timeout = NULL;
    const struct cli_option options[] = {
        {"force", OPTION_FLAG, &o.force, NULL, "although Pacemaker manages it"},
        {"restore-local", OPTION_FLAG, &o.restore_local, NULL,
         "put back what this node's registry held before"},
        {"prefix", OPTION_TEXT, &o.prefix, "DIR", "... of this Wine prefix, if it is offline already"},
        {"timeout", OPTION_TEXT, &timeout, "S", "wait for at most S seconds (until it is done)"},
        {0},
    };
    struct error err = {0};
    struct cli cli;
    struct outcome out = {0};
    int result = 0, code = cli_begin(&cli, argc, argv, &text, options);

    if (code != CLI_GO_ON)
        return code;
    if (timeout)
        result = cli_seconds("timeout", timeout, &o.timeout_ms, &err);
    if (!result)
        result = offline(&cli, &o, &out, &err);
    code = result ? cli_fail(&cli, &err) : 0;
    if (!result && cli.json) {
        struct json j;

        json_begin(&j, stdout);
        json_open_object(&j, NULL);
        json_text(&j, "resource", cli.args[0]);
        json_bool(&j, "online", false);
        json_bool(&j, "already", out.already);
        json_bool(&j, "restored_local", o.restore_local);
        json_close_object(&j);
        json_end(&j);
    } else if (!result) {
        printf("%s is %s%s.\n", cli.args[0],
               out.elsewhere  ? "not online on this node, another one has it"
               : out.already  ? "offline already"
               : out.orphaned ? "offline: its monitor had gone; what it left is ended, and the "
                                "checkpoint is as of its last commit"
                              : "offline: stopped, saved, released",
               o.restore_local ? "; this node's registry is as it was before" : "");
    }
    cli_end(&cli);
    return code;
}
