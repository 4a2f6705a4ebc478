/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edit.h"
#include "runcommand.h"
#include "startmonitor.h"
#include "verbs.h"

#define ABOVE_255 125
#define READY_MS 10000

static const struct verb_text text = {
    .name = "edit",
    .usage = "NAME -- COMMAND [ARGUMENT...]",
    .details = "Runs COMMAND on the registry of NAME: regedit, reg, a vendor's setup.exe, a shell.\n"
               "Where NAME is offline it is owned meanwhile, its registered keys are first made\n"
               "equal to the checkpoint, and what they hold when the command and all that it\n"
               "started have ended is saved, as a whole: an edit that is broken off before saves\n"
               "nothing. Where NAME is online on this node its changes are captured as any.\n"
               "COMMAND is a Windows program if it is written as one (C:\\..., a file that is one,\n"
               "a name with .exe) or is a name that Wine finds (regedit, reg, msiexec); else it is\n"
               "a Unix command (bash), with WINEPREFIX set for the wine programs it starts.\n"
               "Exits with the command's exit code (above 255: 125), or with 3 (owned elsewhere),\n"
               "100 (usage), or 121 to 124 as run.",
    .least_args = 2,
    .most_args = -1,
};

int edit_exit_code(const struct error *err)
{
    return err->code == RESULT_OWNED ? 3 : own_exit_code(err);
}

/* What an edit works on. */
struct editing {
    const struct cli *cli;
    const char *name;
    const struct edit *e;
    struct snapshot s;
    struct wine_place place;
    uint32_t exit_code;
};

/* Starts the command and waits for it; lock_fd and session as of struct command. */
static int run(struct editing *g, int lock_fd, int session, struct error *err)
{
    const struct command command = {
        .cli = g->cli, .name = g->name, .words = g->e->words, .place = &g->place,
        .own_wine = *g->s.resource.wine || (g->cli->settings.wine && *g->cli->settings.wine),
        .lock_fd = lock_fd, .session = session,
        .regedit_key = g->e->regedit_key, .window_title = g->e->window_title,
    };

    return command_run(&command, &g->exit_code, err);
}

/* --- online on this node --- */

/* The monitor scans and commits what nobody has told of yet. */
static int save(const struct editing *g, struct error *err)
{
    struct error why = {0};
    struct message reply;
    int result = ctl_call(g->cli, g->name, CTL_SAVE, NULL, NULL, CTL_WHILE_STORAGE_ANSWERS, &reply, NULL, &why);

    if (result)
        return error_set(err, why.code, "The command has ended (exit code %u), and what it changed last "
                         "could not be saved: %s", g->exit_code, why.text);
    message_free(&reply);
    return RESULT_OK;
}

static int edit_online(struct editing *g, const char *prefix, struct error *err)
{
    int result;

    if (g->e->prefix && strcmp(g->e->prefix, prefix))
        return error_set(err, RESULT_USAGE, "%s is online on this node, in the prefix %s, not in %s.",
                         g->name, prefix, g->e->prefix);
    if ((result = wine_place_find(&g->s.resource, prefix, &g->cli->settings, &g->place, err)))
        return result;
    cli_note(g->cli, "%s is online here, in the prefix %s: what the command changes is captured.", g->name,
             prefix);
    if ((result = run(g, -1, -1, err)) || (result = save(g, err)))
        return result;
    cli_note(g->cli, "what it changed of %s is saved.", g->name);
    return RESULT_OK;
}

/* --- offline --- */

/* Waits for the lock's descriptor: the registry is restored, the command may begin. */
static int wait_ready(int session, int *lock_fd, struct error *err)
{
    struct message ready = {.fd = -1};
    int result = message_receive(session, &ready, READY_MS);

    if (!result && (ready.type != CTL_EDIT_READY || ready.fd < 0))
        result = RESULT_INVALID;
    if (result) {
        message_free(&ready);
        return error_set(err, RESULT_PROGRAM, "The monitor did not get ready: %s.", result_name(result));
    }
    *lock_fd = ready.fd;
    ready.fd = -1;
    message_free(&ready);
    return RESULT_OK;
}

/* Has what the command did saved. */
static int save_edit(struct editing *g, int session, struct error *err)
{
    struct message reply = {.fd = -1};
    struct progress p;
    struct error why = {0};
    struct unpack u;
    uint64_t changes;
    char *note;
    int result;

    progress_begin(&p, 0);
    result = ctl_ask(session, CTL_EDIT_SAVE, NULL, &p, -1, &reply, &u, &why);
    if (result == RESULT_PROGRAM)
        return error_set(err, RESULT_WINE, "The monitor of %s ended while it saved: what the command did "
                         "is saved as a whole, or not at all. \"regckpt log %s\" tells.", g->name, g->name);
    if (result)
        return error_set(err, why.code, "The command has ended (exit code %u). %s", g->exit_code, why.text);
    changes = unpack_u64(&u);
    note = unpack_text(&u);
    if (changes)
        cli_note(g->cli, "saved %llu change%s; %s is offline again.", (unsigned long long)changes,
                 changes == 1 ? "" : "s", g->name);
    else
        cli_note(g->cli, "nothing of %s has changed.", g->name);
    if (note && *note)
        cli_note(g->cli, "%s", note);
    free(note);
    message_free(&reply);
    return RESULT_OK;
}

/* Gives the edit up, or lets go after it; returns when the monitor has released the resource. */
static void leave(int session)
{
    char byte;

    shutdown(session, SHUT_WR);
    while (read(session, &byte, 1) > 0 || errno == EINTR)
        ;
    close(session);
}

static int edit_offline(struct editing *g, struct error *err)
{
    struct start start = {.prefix = g->e->prefix, .timeout_ms = -1};
    struct progress p;
    int ends[2], lock_fd = -1, result;

    if ((result = wine_place_find(&g->s.resource, g->e->prefix, &g->cli->settings, &g->place, err)))
        return result;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return error_system(err, errno, "Starting the edit: a socket for its monitor");
    progress_begin(&p, 0);
    start.session_fd = &ends[1];
    result = monitor_start(g->cli, g->name, &start, &p, err);
    close(ends[1]);
    if (!result && !(result = wait_ready(ends[0], &lock_fd, err))) {
        cli_note(g->cli, "%s is restored in the prefix %s (store %s, from %s). It is saved when the command "
                         "has ended.", g->name, g->place.prefix, g->cli->settings.store,
                 g->cli->settings.store_source);
        if (!(result = run(g, lock_fd, ends[0], err)))
            result = save_edit(g, ends[0], err);
    }
    leave(ends[0]);
    return result;
}

/* --- both --- */

static int edit_snapshot(struct editing *g, struct error *err)
{
    char *prefix = NULL;
    bool online;
    int result;

    if (!g->s.key_count)
        return error_set(err, RESULT_USAGE, "No keys are registered for %s: nothing of an edit would be "
                         "saved. Register some first (\"regckpt add %s KEY\").", g->name, g->name);
    if ((result = ctl_is_online(g->cli, g->name, &online, &prefix, err)))
        return result;
    result = online ? edit_online(g, prefix ? prefix : "", err) : edit_offline(g, err);
    free(prefix);
    wine_place_free(&g->place);
    return result;
}

int edit_run(const struct cli *cli, const char *name, const struct edit *e, int *code,
             struct error *err)
{
    struct editing g = {.cli = cli, .name = name, .e = e};
    enum command_kind kind;
    int result = command_kind(e->words[0], &kind, err);

    if (result || (result = access_read(cli, name, SNAPSHOT_HEAD, &g.s, err)))
        return result;
    result = edit_snapshot(&g, err);
    snapshot_free(&g.s);
    *code = g.exit_code > 255 ? ABOVE_255 : (int)g.exit_code;
    return result;
}

int verb_edit(int argc, char **argv)
{
    struct edit e = {0};
    const struct cli_option options[] = {
        {"prefix", OPTION_TEXT, &e.prefix, "DIR", "in this Wine prefix"},
        {0},
    };
    struct error err = {0};
    struct cli cli;
    int code = cli_begin(&cli, argc, argv, &text, options);

    if (code != CLI_GO_ON)
        return code;
    cli.exit_code = edit_exit_code;
    e.words = cli.args + 1;
    if (edit_run(&cli, cli.args[0], &e, &code, &err))
        code = cli_fail(&cli, &err);
    cli_end(&cli);
    return code;
}
