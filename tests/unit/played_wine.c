/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The played loader: wineboot with its wineserver, and the start of the played hosts.
 */
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hostproto.h"
#include "message.h"
#include "played_wine.h"

#define PAUSE_US 20000

bool played_wine_asked(char **argv)
{
    const char *slash = strrchr(argv[0], '/');

    return !strcmp(slash ? slash + 1 : argv[0], "wine64");
}

static int server_pidfd(const char *prefix)
{
    long long pid = played_number(prefix, "wineserver.pid", 0);
    struct pollfd p = {.events = POLLIN};

    if (pid <= 0 || (p.fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0)) < 0)
        return -1;
    if (poll(&p, 1, 0) <= 0)
        return p.fd;
    close(p.fd); /* dead, and waited for by nobody */
    return -1;
}

/* Runs until the prefix is gone; its working directory is what it is known by (reap.c). */
static void be_wineserver(const char *prefix)
{
    char dir[PATH_MAX], text[32];
    struct stat st;

    setsid();
    prctl(PR_SET_NAME, "wineserver");
    for (int fd = 0; fd < 1024; fd++)
        close(fd);
    if (stat(prefix, &st))
        _exit(70);
    snprintf(dir, sizeof(dir), "%s/server-%lx-%lx", prefix, (unsigned long)st.st_dev,
             (unsigned long)st.st_ino);
    mkdir(dir, 0700);
    if (chdir(dir))
        _exit(70);
    played_path(prefix, "marker", dir);
    unlink(dir); /* volatile */
    played_write(prefix, "wineserver.pid", text,
                 (size_t)snprintf(text, sizeof(text), "%d", (int)getpid()));
    while (!stat(prefix, &st))
        usleep(PAUSE_US);
    _exit(0);
}

/* wineboot: there is a wineserver when it has ended. */
static int boot(const char *prefix)
{
    int fd = server_pidfd(prefix);
    char path[PATH_MAX];

    if (fd >= 0)
        return 0;
    played_path(prefix, "wineserver.pid", path);
    unlink(path);
    if (!fork())
        be_wineserver(prefix);
    while (server_pidfd(prefix) < 0)
        usleep(1000);
    return 0;
}

/* The text between the quotation marks behind an option. */
static bool option_of(const char *line, const char *option, char *value, size_t room)
{
    const char *at = strstr(line, option), *end;

    if (!at || !(at = strchr(at, '"')) || !(end = strchr(at + 1, '"')) ||
        (size_t)(end - at) > room)
        return false;
    memcpy(value, at + 1, end - at - 1);
    value[end - at - 1] = 0;
    return true;
}

void played_launcher_start(const char *prefix, int server_fd)
{
    struct played_host_args args = {.prefix = prefix, .service = "Played", .server_fd = server_fd};
    char line[3 * PATH_MAX], dir[PATH_MAX], path[PATH_MAX + 16];
    size_t len = played_read(prefix, "service", line, sizeof(line) - 1);

    if (fork())
        return;
    line[len] = 0;
    if (!option_of(line, "--dir", dir, sizeof(dir)))
        _exit(71);
    snprintf(path, sizeof(path), "%s/socket", dir);
    for (int fd = 3; fd < 1024; fd++)
        if (fd != server_fd)
            close(fd);
    if ((args.sock = message_connect(path, NULL)) < 0)
        _exit(72);
    played_host_run(&args);
}

/* Is this start to end as one whose wineserver was ending?  Takes its line out of ends.early. */
static bool ends_early(const char *prefix, const char *word)
{
    char text[256], *at;
    size_t len = played_read(prefix, "ends.early", text, sizeof(text) - 1);

    text[len] = 0;
    if (!(at = strstr(text, word)))
        return false;
    memmove(at, at + strlen(word) + 1, strlen(at + strlen(word) + 1) + 1);
    played_write(prefix, "ends.early", text, strlen(text));
    return true;
}

int played_wine_main(int argc, char **argv)
{
    const char *prefix = getenv("WINEPREFIX");
    struct played_host_args args = {.prefix = prefix};
    char text[32];

    if (argc < 2 || !prefix)
        _exit(73);
    signal(SIGCHLD, SIG_IGN); /* no zombies, whatever is started */
    if (ends_early(prefix, !strcmp(argv[1], "wineboot.exe") ? "boot" : "host"))
        _exit(1);
    if (!strcmp(argv[1], "wineboot.exe"))
        _exit(boot(prefix));
    if (argc != 4 || !strstr(argv[1], "regckpt-host") || strcmp(argv[2], "--agent"))
        _exit(73);
    args.server_fd = server_pidfd(prefix);
    if (args.server_fd < 0 || (args.sock = message_connect(argv[3], NULL)) < 0)
        _exit(74);
    played_write(prefix, "agent.pid", text,
                 (size_t)snprintf(text, sizeof(text), "%d", (int)getpid()));
    played_host_run(&args);
}
