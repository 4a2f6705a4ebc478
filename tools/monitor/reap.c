/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Processes that are left over: what still holds a resource's lock, and what hangs in a prefix whose
 * wineserver died.  Processes are found in /proc and ended by their id.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../dlls/libregckpt/leftover.h"
#include "monitor.h"

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

int wineserver_pidfd(const struct wine_place *place)
{
    struct dirent *entry;
    char dir_name[64];
    int pidfd = -1;
    struct stat st;
    DIR *proc;

    if (stat(place->prefix, &st) || !(proc = opendir("/proc")))
        return -1;
    snprintf(dir_name, sizeof(dir_name), "server-%lx-%lx", (unsigned long)st.st_dev,
             (unsigned long)st.st_ino);
    while (pidfd < 0 && (entry = readdir(proc))) {
        int pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;
        if (pid > 1 && is_server_of(pid, dir_name))
            pidfd = syscall(SYS_pidfd_open, pid, 0);
    }
    closedir(proc);
    return pidfd;
}

/* Says that a process is about to be ended. */
static void tell_end(int pid, const char *process, void *why)
{
    log_line("ending process %d (%s): %s", pid, process, (const char *)why);
}

void reap_lock_holders(struct monitor *m)
{
    lock_reap_descriptor(m->owner.lock_fd, tell_end,
                         (char *)"it outlived the program and holds its resource");
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

void reap_prefix(const struct wine_place *place)
{
    struct dirent *entry;
    char name[64];
    struct stat prefix;
    DIR *proc;

    if (stat(place->prefix, &prefix) || !(proc = opendir("/proc")))
        return;
    while ((entry = readdir(proc))) {
        int pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;
        if (pid <= 1 || pid == getpid() || !in_prefix(pid, place, &prefix))
            continue;
        process_name(pid, name, sizeof(name));
        tell_end(pid, name, (char *)"its wineserver is dead");
        process_end(pid);
    }
    closedir(proc);
}
