/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * failio.so, for LD_PRELOAD on a node of the lab: while /run/storage-fails is there, writing to and syncing
 * files below /srv fails as on a broken disk.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define SWITCH "/run/storage-fails"
#define BELOW "/srv/"

/* Is this file's storage broken? */
static int is_broken(int fd)
{
    int saved = errno;
    char link[40], path[sizeof(BELOW)];
    ssize_t len;

    if (access(SWITCH, F_OK)) {
        errno = saved;
        return 0;
    }
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof(path));
    errno = saved;
    return len == sizeof(path) && !memcmp(path, BELOW, sizeof(BELOW) - 1);
}

/* The real function of this name, behind a check. */
#define FAILING(type, name, parameters, arguments)                        \
    type name parameters;                                                  \
    type name parameters                                                   \
    {                                                                      \
        static type(*real) parameters;                                     \
                                                                           \
        if (is_broken(fd)) {                                               \
            errno = EIO;                                                   \
            return -1;                                                     \
        }                                                                  \
        if (!real)                                                         \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                     \
        return real arguments;                                             \
    }

FAILING(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size))
FAILING(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at))
FAILING(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at))
FAILING(int, fsync, (int fd), (fd))
FAILING(int, fdatasync, (int fd), (fd))
