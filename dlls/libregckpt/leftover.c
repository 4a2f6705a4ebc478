/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding and ending left-over processes, by their ids.
 *
 * /proc/PID/fdinfo tells the locks of an open file, also of one that was inherited: so a process
 * that merely looks at the lock file while another node owns the resource is not taken for its holder.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "leftover.h"
#include "store_private.h"

#define GONE_MS 5000

void process_name(int pid, char *name, size_t room)
{
    char path[64];
    FILE *in;

    snprintf(path, sizeof(path), "/proc/%d/comm", pid);
    *name = 0;
    if (!(in = fopen(path, "re"))) return;
    if (!fgets(name, (int)room, in)) *name = 0;
    fclose(in);
    name[strcspn(name, "\n")] = 0;
}

bool process_end(int pid)
{
    /* The pidfd guards against another process of the same id. */
    struct pollfd p = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };

    if (p.fd < 0) return false;
    syscall(SYS_pidfd_send_signal, p.fd, SIGKILL, NULL, 0);
    poll(&p, 1, GONE_MS);
    close(p.fd);
    return true;
}

/* Wine's own, which can inherit a descriptor when a program of ours is the first to need them. */
static bool is_wine_server(const char *name)
{
    static const char *const names[] = { "wineserver", "services.exe", "explorer.exe",
                                         "winedevice.exe", "plugplay.exe", "rpcss.exe",
                                         "svchost.exe", "conhost.exe", "start.exe" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strncmp(name, names[i], strlen(names[i]))) return true;
    return false;
}

/* A monitor, or a command that owns it for as long as it works on it. */
static bool is_ours(const char *name)
{
    return !strcmp(name, "regckpt-monitor") || !strcmp(name, "regckpt");
}

/* Has one of a process's descriptors a lock? */
static bool has_lock(int pid, const char *fd)
{
    char path[300], line[256];
    bool locked = false;
    FILE *in;

    snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, fd);
    if (!(in = fopen(path, "re"))) return false;
    while (!locked && fgets(line, sizeof(line), in)) locked = !strncmp(line, "lock:", 5);
    fclose(in);
    return locked;
}

/* Does a process hold a lock on a file? */
static bool holds_lock(int pid, const struct stat *file)
{
    struct dirent *entry;
    bool holds = false;
    struct stat st;
    char path[64];
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    if (!(dir = opendir(path))) return false;
    while (!holds && (entry = readdir(dir)))
        holds = entry->d_name[0] != '.' && !fstatat(dirfd(dir), entry->d_name, &st, 0) &&
                st.st_dev == file->st_dev && st.st_ino == file->st_ino &&
                has_lock(pid, entry->d_name);
    closedir(dir);
    return holds;
}

/* The processes of this node, but for this one, that hold the lock; their count. */
static size_t find_holders(const struct stat *file, int **pids)
{
    size_t count = 0, left = 0, i;

    if (processes_with_open(file, pids, &count)) return 0;
    for (i = 0; i < count; i++)
        if ((*pids)[i] != getpid() && holds_lock((*pids)[i], file)) (*pids)[left++] = (*pids)[i];
    return left;
}

/* The resource's lock file. */
static bool look_at_lock(const char *store, const char *name, struct stat *file)
{
    char *path = store_path(store, name, STORE_LOCK);
    bool found = path && !stat(path, file);

    free(path);
    return found;
}

bool lock_is_orphaned(const char *store, const char *name)
{
    char process[64];
    struct stat file;
    size_t count, i;
    bool orphaned;
    int *pids;

    if (!look_at_lock(store, name, &file)) return false;
    count = find_holders(&file, &pids);
    orphaned = count > 0;
    for (i = 0; i < count; i++) {
        process_name(pids[i], process, sizeof(process));
        if (is_ours(process)) orphaned = false;
    }
    free(pids);
    return orphaned;
}

/* The holders of a lock file that nothing else needs. */
static size_t find_left(const struct stat *file, int **pids)
{
    size_t count = find_holders(file, pids), left = 0, i;
    char process[64];

    for (i = 0; i < count; i++) {
        process_name((*pids)[i], process, sizeof(process));
        if (!is_wine_server(process) && !is_ours(process)) (*pids)[left++] = (*pids)[i];
    }
    return left;
}

size_t lock_left(const char *store, const char *name, int **pids)
{
    struct stat file;

    *pids = NULL;
    return look_at_lock(store, name, &file) ? find_left(&file, pids) : 0;
}

/* Ends them. */
static void reap(const struct stat *file, leftover_fn *fn, void *arg)
{
    char process[64];
    int *pids;
    size_t count = find_left(file, &pids), i;

    for (i = 0; i < count; i++) {
        process_name(pids[i], process, sizeof(process));
        if (fn) fn(pids[i], process, arg);
        process_end(pids[i]);
    }
    free(pids);
}

void lock_reap(const char *store, const char *name, leftover_fn *fn, void *arg)
{
    struct stat file;

    if (look_at_lock(store, name, &file)) reap(&file, fn, arg);
}

void lock_reap_descriptor(int lock_fd, leftover_fn *fn, void *arg)
{
    struct stat file;

    if (!fstat(lock_fd, &file)) reap(&file, fn, arg);
}
