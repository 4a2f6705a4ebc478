/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which processes are a prefix's: its server by the directory it works in, the others by Wine's loader
 * as their program and WINEPREFIX in their environment.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "prefix_processes.h"

/*
 * wineserver works in a directory named after the prefix's device and inode (Wine, server/request.c).
 * Where that lies differs: /tmp/.wine-UID upstream; on Debian /run/user/UID/wine, or a directory of a
 * random name below the TMPDIR of whoever started it.  So it is the process that is looked for.
 */
static bool is_server_of(int pid, const char *dir_name)
{
    char path[64], name[64], cwd[PATH_MAX], *base;
    ssize_t len;

    process_name(pid, name, sizeof(name));
    if (strncmp(name, "wineserver", 10))
        return false;
    snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
    if ((len = readlink(path, cwd, sizeof(cwd) - 1)) <= 0)
        return false;
    cwd[len] = 0;
    base = strrchr(cwd, '/');
    return base && !strcmp(base + 1, dir_name);
}

int wineserver_pid(const struct wine_place *place)
{
    struct dirent *entry;
    char dir_name[64];
    struct stat st;
    int found = 0;
    DIR *proc;

    if (stat(place->prefix, &st) || !(proc = opendir("/proc")))
        return 0;
    snprintf(dir_name, sizeof(dir_name), "server-%lx-%lx", (unsigned long)st.st_dev,
             (unsigned long)st.st_ino);
    while (!found && (entry = readdir(proc))) {
        int pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;
        if (pid > 1 && is_server_of(pid, dir_name))
            found = pid;
    }
    closedir(proc);
    return found;
}

int wineserver_pidfd(const struct wine_place *place)
{
    int pid = wineserver_pid(place);

    return pid ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
}

/* Is it one of Wine's loader?  dir: a process or thread in /proc; -1: it does not say. */
static int is_loader(const char *dir)
{
    char path[80], exe[PATH_MAX], *at;
    ssize_t len;

    snprintf(path, sizeof(path), "%s/exe", dir);
    if ((len = readlink(path, exe, sizeof(exe) - 1)) <= 0)
        return -1;
    exe[len] = 0;
    at = strrchr(exe, '/');
    return at && !strncmp(at + 1, "wine", 4);
}

/*
 * The directory in /proc that tells of the process: its own, or where its first thread has ended alone,
 * which leaves that one empty, another thread's.  So ends a thread that finds its wineserver dead.
 */
static bool find_loader(int pid, char *dir, size_t room)
{
    struct dirent *entry;
    char tasks[40];
    int is = -1;
    DIR *d;

    snprintf(dir, room, "/proc/%d", pid);
    if ((is = is_loader(dir)) >= 0)
        return is > 0;
    snprintf(tasks, sizeof(tasks), "/proc/%d/task", pid);
    if (!(d = opendir(tasks)))
        return false;
    while (is < 0 && (entry = readdir(d)))
        if (isdigit((unsigned char)entry->d_name[0])) {
            snprintf(dir, room, "%s/%d", tasks, atoi(entry->d_name));
            is = is_loader(dir);
        }
    closedir(d);
    return is > 0;
}

/* Is the process one of Wine's loader in this prefix? */
static bool in_prefix(int pid, const struct wine_place *place, const struct stat *prefix)
{
    char dir[64], path[80], *env = NULL;
    bool found = false;
    size_t room = 0;
    struct stat st;
    FILE *f;

    if (!find_loader(pid, dir, sizeof(dir)) || stat(dir, &st) || st.st_uid != place->uid)
        return false;
    snprintf(path, sizeof(path), "%s/environ", dir);
    if (!(f = fopen(path, "re")))
        return false;
    while (!found && getdelim(&env, &room, 0, f) > 0)
        found = !strncmp(env, "WINEPREFIX=", 11) && !stat(env + 11, &st) &&
                st.st_dev == prefix->st_dev && st.st_ino == prefix->st_ino;
    free(env);
    fclose(f);
    return found;
}

/* Calls fn with each process of the prefix, but for the server and us, until it returns true. */
static bool each_process(const struct wine_place *place, bool (*fn)(int pid, void *arg), void *arg)
{
    struct dirent *entry;
    struct stat prefix;
    bool done = false;
    DIR *proc;

    if (stat(place->prefix, &prefix) || !(proc = opendir("/proc")))
        return false;
    while (!done && (entry = readdir(proc))) {
        int pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;
        if (pid > 1 && pid != getpid() && in_prefix(pid, place, &prefix))
            done = fn(pid, arg);
    }
    closedir(proc);
    return done;
}

struct reaper {
    leftover_fn *fn;
    void *arg;
};

/* Tells and ends one. */
static bool end_one(int pid, void *arg)
{
    const struct reaper *r = arg;
    char name[64];

    process_name(pid, name, sizeof(name));
    if (r->fn)
        r->fn(pid, name, r->arg);
    process_end(pid);
    return false;
}

void prefix_reap(const struct wine_place *place, leftover_fn *fn, void *arg)
{
    struct reaper r = {fn, arg};

    each_process(place, end_one, &r);
}

void prefix_end(const struct wine_place *place, int patience_ms, leftover_fn *fn, void *arg)
{
    struct pollfd server = {.fd = wineserver_pidfd(place), .events = POLLIN};

    if (server.fd >= 0) {
        syscall(SYS_pidfd_send_signal, server.fd, SIGINT, NULL, 0); /* as wineserver -k does */
        if (poll(&server, 1, patience_ms) <= 0) {
            syscall(SYS_pidfd_send_signal, server.fd, SIGKILL, NULL, 0);
            poll(&server, 1, patience_ms);
        }
        close(server.fd);
    }
    prefix_reap(place, fn, arg);
}

/* Does a link in /proc lead to the directory, or below it? */
static bool leads_below(const char *link, const char *dir)
{
    size_t len = strlen(dir);
    char target[PATH_MAX];
    ssize_t got = readlink(link, target, sizeof(target) - 1);

    if (got <= 0)
        return false;
    target[got] = 0;
    return !strncmp(target, dir, len) && (!target[len] || target[len] == '/');
}

/* Has the process something open below the directory? */
static bool has_below(int pid, void *arg)
{
    char path[NAME_MAX + 64];
    const char *dir = arg;
    struct dirent *entry;
    bool found = false;
    DIR *fds;

    snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
    if (leads_below(path, dir))
        return true;
    snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    if (!(fds = opendir(path)))
        return false;
    while (!found && (entry = readdir(fds))) {
        snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid, entry->d_name);
        found = leads_below(path, dir);
    }
    closedir(fds);
    return found;
}

bool prefix_uses(const struct wine_place *place, const char *dir)
{
    int server = wineserver_pid(place);

    return (server && has_below(server, (char *)dir)) ||
           each_process(place, has_below, (char *)dir);
}
