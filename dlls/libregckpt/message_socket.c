/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Local sockets by path.  A socket's address holds 107 bytes of path only, and run directories can
 * be longer (a user's runtime directory, a test's temporary one): such a path is reached through
 * an open descriptor of its directory, /proc/self/fd/N/NAME, without changing the working
 * directory, which would be the whole process's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "message.h"

#define BACKLOG 16
#define CONNECT_TRIES 500       /* a full backlog: as many times */
#define CONNECT_PAUSE_NS 10000000 /* 10 ms: 5 s in all */

/*
 * Fills in the address of a path.  *dir is a descriptor that must stay open while the address is
 * used, or -1.  0 or errno.
 */
static int address_of(const char *path, struct sockaddr_un *addr, int *dir)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char *parent;
    int len;

    *dir = -1;
    memset(addr, 0, sizeof(*addr));
    addr->sun_family = AF_UNIX;
    if (!*name) return EINVAL;
    if (strlen(path) < sizeof(addr->sun_path)) {
        memcpy(addr->sun_path, path, strlen(path) + 1);
        return 0;
    }
    if (!slash) return ENAMETOOLONG;
    if (!(parent = strndup(path, slash == path ? 1 : (size_t)(slash - path)))) return ENOMEM;
    *dir = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(parent);
    if (*dir < 0) return errno;
    len = snprintf(addr->sun_path, sizeof(addr->sun_path), "/proc/self/fd/%d/%s", *dir, name);
    if (len < 0 || (size_t)len >= sizeof(addr->sun_path)) {
        close(*dir);
        *dir = -1;
        return ENAMETOOLONG;
    }
    return 0;
}

/* Closes what is open without losing errno. */
static void close_quietly(int fd)
{
    int saved = errno;

    if (fd >= 0) close(fd);
    errno = saved;
}

/* Removes an old socket. Anything else that stands there is left alone: EEXIST. */
static int remove_old(const char *path)
{
    struct stat st;

    if (lstat(path, &st)) return errno == ENOENT ? 0 : errno;
    if (!S_ISSOCK(st.st_mode)) return EEXIST;
    return unlink(path) && errno != ENOENT ? errno : 0;
}

int message_listen(const char *path, struct error *err)
{
    struct sockaddr_un addr;
    int sock = -1, dir, ret;

    if ((ret = address_of(path, &addr, &dir)) || (ret = remove_old(path))) goto done;
    if ((sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0) {
        ret = errno;
        goto done;
    }
    /* Nobody can connect before listen(): the mode is right from the first moment that counts. */
    if (bind(sock, (struct sockaddr *)&addr, sizeof(addr)) || chmod(path, 0600) ||
        listen(sock, BACKLOG))
        ret = errno;
done:
    close_quietly(dir);
    if (!ret) return sock;
    close_quietly(sock);
    error_system(err, ret, "cannot make the socket %s (check that its directory exists, that you "
                 "may write there, and that nothing but an old socket has this name)", path);
    return -1;
}

int message_connect(const char *path, struct error *err)
{
    static const struct timespec pause = { 0, CONNECT_PAUSE_NS };
    struct sockaddr_un addr;
    int sock = -1, dir, ret, i;

    if ((ret = address_of(path, &addr, &dir))) goto done;
    /* Non-blocking: connecting to somebody who does not accept would wait for ever. */
    if ((sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0) {
        ret = errno;
        goto done;
    }
    for (i = 0; connect(sock, (struct sockaddr *)&addr, sizeof(addr)); i++) {
        ret = errno;
        if (ret == EINTR) continue;
        if (ret != EAGAIN || i == CONNECT_TRIES) goto done;
        nanosleep(&pause, NULL);
    }
    ret = fcntl(sock, F_SETFL, 0) ? errno : 0;
done:
    close_quietly(dir);
    if (!ret) return sock;
    close_quietly(sock);
    if (ret == ENOENT || ret == ENOTDIR || ret == ECONNREFUSED)
        error_set(err, RESULT_NOT_FOUND, "nobody listens at %s: %s", path, strerror(ret));
    else if (ret == EAGAIN)
        error_set(err, RESULT_TIMEOUT, "%s does not take connections: it did not answer within %d "
                  "s; it may be stopped or overloaded", path, CONNECT_TRIES / 100);
    else
        error_system(err, ret, "cannot connect to %s", path);
    return -1;
}
