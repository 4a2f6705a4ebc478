/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the harnesses share.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define MOST_RIDING 8

int nanosleep(const struct timespec *pause, struct timespec *left)
{
    (void)pause;
    (void)left;
    return 0;
}

int fsync(int fd)
{
    return fcntl(fd, F_GETFD) < 0 ? -1 : 0;
}

int fdatasync(int fd)
{
    return fsync(fd);
}

void fuzz_fail(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

const char *fuzz_file(const uint8_t *bytes, size_t len)
{
    static char path[64];
    static int fd = -1;

    if (fd < 0) {
        FUZZ_HOLDS((fd = memfd_create("fuzz", MFD_CLOEXEC)) >= 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    }
    FUZZ_HOLDS(!ftruncate(fd, (off_t)len));
    FUZZ_HOLDS(pwrite(fd, bytes, len, 0) == (ssize_t)len);
    return path;
}

/* The other end of the one socket there is. */
static int other_end = -1;

/* Sends the first bytes with descriptors, the rest without. */
int fuzz_socket(const uint8_t *bytes, size_t len, unsigned riding)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(MOST_RIDING * sizeof(int))];
    } control = { .bytes = { 0 } };
    struct iovec piece = { (void *)bytes, len };
    struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
    struct cmsghdr *c;
    int pair[2], *fds, room = 1 << 20;

    FUZZ_HOLDS(riding <= MOST_RIDING);
    FUZZ_HOLDS(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    if (riding && len) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(riding * sizeof(int));
        c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(riding * sizeof(int));
        fds = (int *)(void *)CMSG_DATA(c);
        for (unsigned i = 0; i < riding; i++) fds[i] = pair[0];
    }
    if (len) FUZZ_HOLDS(sendmsg(pair[1], &message, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len);
    FUZZ_HOLDS(!shutdown(pair[1], SHUT_WR));
    other_end = pair[1];
    return pair[0];
}

void fuzz_socket_end(int sock)
{
    if (sock >= 0) close(sock);
    close(other_end);
    other_end = -1;
}

void fuzz_use(const void *bytes, size_t len)
{
    static volatile uint8_t sink;
    const uint8_t *at = bytes;

    for (size_t i = 0; i < len; i++) sink = at[i];
    (void)sink;
}

int fuzz_open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 64; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}
