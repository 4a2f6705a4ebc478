/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Started by services.exe in place of a service's program: finds the resource's monitor, or starts
 * it, so that `net start` and a service that starts by itself are restored first too.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../dlls/libregckpt/message.h"
#include "host.h"

#define CONNECT_MS 8000 /* services.exe gives a service ServicesPipeTimeout, 10 s, to appear */

/* WINEPREFIX as this process has it: what it was told, or the default (Wine: $HOME/.wine). */
static void own_prefix(char *path, size_t room)
{
    const char *prefix = getenv("WINEPREFIX"), *home = getenv("HOME");

    if (prefix && *prefix)
        snprintf(path, room, "%s", prefix);
    else
        snprintf(path, room, "%s/.wine", home ? home : "");
}

/*
 * The monitor must not be a Wine process and must outlive this one: its own session, no signal of
 * Wine's blocked or ignored, none of our descriptors.
 */
static int start_monitor(const struct host_args *args, pid_t *pid)
{
    char prefix[4096];
    char *argv[16] = {args->monitor,   (char *)"--store",  args->store,       (char *)"--resource",
                      args->resource,  (char *)"--prefix", prefix,            (char *)"--for-service",
                      args->conf ? (char *)"--conf" : NULL, args->conf, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    int error;

    own_prefix(prefix, sizeof(prefix));
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&files, 3);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                                        POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    error = posix_spawn(pid, args->monitor, &files, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return error;
}

int launcher_connect(const struct host_args *args)
{
    const struct timespec pause = {0, 20000000};
    char path[4096];
    struct error err;
    int sock, waited, status;
    pid_t pid;

    snprintf(path, sizeof(path), "%s/socket", args->dir);
    if ((sock = message_connect(path, &err)) >= 0)
        return sock;
    if ((err.code = start_monitor(args, &pid))) {
        fprintf(stderr, "regckpt-host: cannot start %s: %s\n", args->monitor, strerror(err.code));
        return -1;
    }
    for (waited = 0; waited < CONNECT_MS; waited += 20) {
        nanosleep(&pause, NULL);
        if ((sock = message_connect(path, &err)) >= 0)
            return sock;
        if (waitpid(pid, &status, WNOHANG) == pid) {
            fprintf(stderr, "regckpt-host: the monitor of resource %s ended at once (status %x); "
                            "%s/log has the reason\n", args->resource, status, args->dir);
            return -1;
        }
    }
    fprintf(stderr, "regckpt-host: no monitor of resource %s after %d s: %s; its log is %s/log\n",
            args->resource, CONNECT_MS / 1000, err.text, args->dir);
    return -1;
}
