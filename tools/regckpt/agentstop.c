/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "prefix_processes.h"

#define DYING_MS 2000    /* what goes with a killed monitor is gone in less */
#define SERVER_MS 3000   /* wineserver writes the registry when it ends */
#define PAUSE_MS 50

/* A process that is about to be ended. */
static void tell_end(int pid, const char *process, void *arg)
{
    const struct agent *a = arg;

    cli_note(&a->cli, "ending process %d (%s), which is left of %s", pid, process, a->name);
}

/* Has the monitor take it offline, in half of the time that is left. */
static int in_order(const struct agent *a, int sock, struct error *err)
{
    struct message reply;
    struct pack payload;
    int result;

    pack_init(&payload);
    pack_u32(&payload, 0);
    if (!(result = ctl_ask(sock, CTL_OFFLINE, &payload, NULL, agent_left_ms(a) / 2, &reply, NULL, err)))
        message_free(&reply);
    pack_free(&payload);
    return result;
}

/* Ends the monitor behind its socket, whatever it does. */
static void end_monitor(const struct agent *a)
{
    struct error err = {0};
    int sock = ctl_connect(&a->cli, a->name, &err);
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (sock < 0)
        return;
    if (!getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) && peer.pid > 1) {
        tell_end(peer.pid, "regckpt-monitor", (void *)a);
        process_end(peer.pid);
    }
    close(sock);
}

/* Is another resource online in that prefix?  Every monitor of this node is asked. */
static bool prefix_is_shared(const struct agent *a, const char *prefix)
{
    const char *run_dir = a->cli.settings.run_dir;
    char *own = settings_resource_dir(&a->cli.settings, a->name), *path, *other;
    DIR *dir = opendir(run_dir);
    struct stat here, there;
    struct dirent *entry;
    bool shared = false;
    int sock;

    while (dir && !shared && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.' || asprintf(&path, "%s/%s/socket", run_dir, entry->d_name) < 0)
            continue;
        if (own && !strncmp(path, own, strlen(own)) && path[strlen(own)] == '/')
            sock = -1;
        else
            sock = message_connect(path, NULL);
        free(path);
        if (sock < 0)
            continue;
        other = ctl_online_prefix(sock);
        shared = !other || (!stat(other, &there) && !stat(prefix, &here) &&
                            here.st_dev == there.st_dev && here.st_ino == there.st_ino);
        free(other);
        close(sock);
    }
    if (dir)
        closedir(dir);
    free(own);
    return shared;
}

/* One octal escape of /proc/self/mountinfo, undone. */
static char *unescape(char *text)
{
    char *to = text;

    for (char *from = text; *from; to++)
        if (from[0] == '\\' && from[1] && from[2] && from[3]) {
            *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + from[3] - '0');
            from += 4;
        } else {
            *to = *from++;
        }
    *to = 0;
    return text;
}

/*
 * Where the store's file system is mounted, malloc'ed; the resource's own directory where that is the
 * root, or not known.  Text only: asking a file system that hangs would hang.
 */
static char *store_top(const struct agent *a)
{
    const char *store = a->cli.settings.store;
    char *line = NULL, *top = NULL, point[PATH_MAX];
    FILE *in = fopen("/proc/self/mountinfo", "re");
    size_t room = 0, longest = 1;

    while (in && getline(&line, &room, in) > 0) {
        size_t len;

        if (sscanf(line, "%*d %*d %*s %*s %4095s", point) != 1)
            continue;
        len = strlen(unescape(point));
        if (len <= longest || strncmp(store, point, len) || (store[len] && store[len] != '/'))
            continue;
        longest = len;
        free(top);
        top = strdup(point);
    }
    free(line);
    if (in)
        fclose(in);
    return top ? top : store_path(store, a->name, STORE_RESOURCE_DIR);
}

/* Does the prefix keep the store's file system from being unmounted? */
static bool is_in_the_way(const struct agent *a, const struct wine_place *place)
{
    char *top = store_top(a);
    bool uses = top && prefix_uses(place, top);

    free(top);
    return uses;
}

/* Ends the prefix's processes, where they are in the way; forced: in any case. */
static void clear_prefix(const struct agent *a, const char *prefix, bool forced)
{
    struct wine_place place = {.prefix = (char *)prefix};
    struct stat st;
    int server;

    if (!*prefix || stat(prefix, &st))
        return;
    place.uid = st.st_uid;
    if (!forced && !is_in_the_way(a, &place))
        return;
    if ((server = wineserver_pidfd(&place)) < 0)
        prefix_reap(&place, tell_end, (void *)a); /* who hangs without a server, whoever they are */
    else if (prefix_is_shared(a, prefix))
        cli_note(&a->cli, "the Wine prefix %s is left as it is: another resource runs in it", prefix);
    else
        prefix_end(&place, SERVER_MS, tell_end, (void *)a);
    if (server >= 0)
        close(server);
}

/* The prefix it ran in, malloc'ed: as the monitor said, as the agent, or as the resource says. */
static char *find_prefix(const struct agent *a, const struct monitor_status *m)
{
    struct error err = {0};
    struct snapshot s;
    char *prefix = NULL;

    if (m && m->prefix && *m->prefix)
        return strdup(m->prefix);
    if (a->prefix)
        return strdup(a->prefix);
    if (access_store(&a->cli, a->name, &err) ||
        access_read(&a->cli, a->name, SNAPSHOT_HEAD, &s, &err))
        return strdup("");
    prefix = strdup(s.resource.prefix);
    snapshot_free(&s);
    return prefix;
}

/* Ends what is left, and looks whether it is free then. */
static int by_force(const struct agent *a, const char *prefix, struct error *err)
{
    const char *store = a->cli.settings.store;

    end_monitor(a);
    for (int waited_ms = 0; lock_is_orphaned(store, a->name) && waited_ms < DYING_MS;
         waited_ms += PAUSE_MS)
        usleep(PAUSE_MS * 1000);
    lock_reap(store, a->name, tell_end, (void *)a);
    clear_prefix(a, prefix, true);
    if (lock_is_orphaned(store, a->name))
        return error_set(err, RESULT_PROGRAM, "%s: processes of this node hold it and cannot be ended; "
                         "they are most likely waiting for storage.", a->name);
    return RESULT_OK;
}

enum ocf_code agent_stop(const struct agent *a)
{
    struct error err = {0}, why = {0};
    struct monitor_status m = {0};
    int sock, there = agent_ask(a, &m, &why), result = RESULT_OK;
    char *prefix = find_prefix(a, there == 1 ? &m : NULL);

    if (there && (sock = ctl_connect(&a->cli, a->name, &why)) >= 0) {
        if ((result = in_order(a, sock, &why)))
            cli_note(&a->cli, "%s does not stop in order: %s", a->name, why.text);
        close(sock);
    }
    if (there < 0 || result || lock_is_orphaned(a->cli.settings.store, a->name))
        result = by_force(a, prefix ? prefix : "", &err);
    else if (prefix)
        clear_prefix(a, prefix, false);
    free(prefix);
    if (there == 1)
        monitor_status_free(&m);
    return result ? agent_fail(a, &err) : OCF_SUCCESS;
}
