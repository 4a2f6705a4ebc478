/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sending and receiving messages.  Every call that could block is made non-blocking and preceded by
 * a poll, so that the time bound holds whatever mode the socket is in.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "message.h"

#define HEADER_BYTES 12   /* length, type, tag */
#define COUNTED_BYTES 8   /* of which the length counts type and tag */
#define MAX_RIDING_FDS 4  /* room to see (and refuse) more than the one that is allowed */

/* The monotonic clock in milliseconds. */
static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits for an event until the deadline (-1: for ever). 0, RESULT_TIMEOUT or errno. */
static int wait_for(int sock, short event, int64_t deadline_ms)
{
    struct pollfd p = { .fd = sock, .events = event };
    int64_t left;
    int count;

    for (;;) {
        left = -1;
        if (deadline_ms >= 0 && (left = deadline_ms - now_ms()) < 0) left = 0;
        count = poll(&p, 1, (int)left);
        if (count > 0) return p.revents & POLLNVAL ? EBADF : 0;
        if (!count) return RESULT_TIMEOUT;
        if (errno != EINTR) return errno;
    }
}

/* When a call that may take timeout_ms has to be over; -1: never. */
static int64_t deadline(int timeout_ms)
{
    return timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
}

/* One error for "the other end is gone", however the system puts it. */
static int peer_error(int errnum)
{
    return errnum == ECONNRESET || errnum == ENOTCONN ? EPIPE : errnum;
}

/* Sends all of the two pieces; the descriptor goes with the first byte. */
static int send_pieces(int sock, struct iovec pieces[2], int fd, int64_t until)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr msg;
    struct cmsghdr *c;
    ssize_t sent;
    int ret, i;

    while (pieces[0].iov_len + pieces[1].iov_len) {
        memset(&msg, 0, sizeof(msg));
        msg.msg_iov = pieces;
        msg.msg_iovlen = 2;
        if (fd >= 0) {
            memset(&control, 0, sizeof(control));
            msg.msg_control = control.bytes;
            msg.msg_controllen = sizeof(control.bytes);
            c = CMSG_FIRSTHDR(&msg);
            c->cmsg_level = SOL_SOCKET;
            c->cmsg_type = SCM_RIGHTS;
            c->cmsg_len = CMSG_LEN(sizeof(int));
            memcpy(CMSG_DATA(c), &fd, sizeof(int));
        }
        sent = sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            if (errno == EINTR) continue;
            if (errno != EAGAIN && errno != EWOULDBLOCK) return peer_error(errno);
            if ((ret = wait_for(sock, POLLOUT, until))) return ret;
            continue;
        }
        fd = -1;
        for (i = 0; i < 2; i++) {
            size_t part = (size_t)sent < pieces[i].iov_len ? (size_t)sent : pieces[i].iov_len;

            pieces[i].iov_base = (uint8_t *)pieces[i].iov_base + part;
            pieces[i].iov_len -= part;
            sent -= (ssize_t)part;
        }
    }
    return 0;
}

int message_send(int sock, uint32_t type, uint32_t tag, const struct pack *payload, int fd,
                 int timeout_ms)
{
    size_t len_bytes = payload ? payload->len : 0;
    uint8_t none = 0;
    struct iovec pieces[2];
    struct pack header;
    int ret;

    if (payload && payload->failed) return ENOMEM;
    if (len_bytes > MESSAGE_MAX_BYTES - COUNTED_BYTES) return RESULT_INVALID;
    pack_init(&header);
    pack_u32(&header, (uint32_t)(COUNTED_BYTES + len_bytes));
    pack_u32(&header, type);
    pack_u32(&header, tag);
    if (header.failed) return ENOMEM;
    pieces[0].iov_base = header.bytes;
    pieces[0].iov_len = header.len;
    pieces[1].iov_base = len_bytes ? payload->bytes : &none;
    pieces[1].iov_len = len_bytes;
    ret = send_pieces(sock, pieces, fd, deadline(timeout_ms));
    pack_free(&header);
    return ret;
}

/* Takes the descriptor out of what came along; more than one is no message of ours. */
static int take_fd(struct msghdr *msg, int *fd)
{
    struct cmsghdr *c;
    size_t count, i;
    int ret = msg->msg_flags & MSG_CTRUNC ? RESULT_INVALID : 0, one;

    for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (i = 0; i < count; i++) {
            memcpy(&one, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (*fd < 0) {
                *fd = one;
            } else {
                close(one);
                ret = RESULT_INVALID;
            }
        }
    }
    return ret;
}

/*
 * Receives exactly len bytes.  Exactly, because a byte more could be the next message's first, and
 * the descriptor that rides with it would then be taken for this one's.  With fd NULL the system
 * drops descriptors that come along.
 */
static int receive_exactly(int sock, uint8_t *bytes, size_t len, int *fd, int64_t until)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(MAX_RIDING_FDS * sizeof(int))];
    } control;
    struct iovec piece;
    struct msghdr msg;
    ssize_t got;
    int ret;

    while (len) {
        piece.iov_base = bytes;
        piece.iov_len = len;
        memset(&msg, 0, sizeof(msg));
        msg.msg_iov = &piece;
        msg.msg_iovlen = 1;
        if (fd) {
            msg.msg_control = control.bytes;
            msg.msg_controllen = sizeof(control.bytes);
        }
        got = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (got < 0) {
            if (errno == EINTR) continue;
            if (errno != EAGAIN && errno != EWOULDBLOCK) return peer_error(errno);
            if ((ret = wait_for(sock, POLLIN, until))) return ret;
            continue;
        }
        if (fd && (ret = take_fd(&msg, fd))) return ret;
        if (!got) return EPIPE;
        bytes += got;
        len -= (size_t)got;
    }
    return 0;
}

int message_receive(int sock, struct message *m, int timeout_ms)
{
    uint8_t header[HEADER_BYTES];
    int64_t until = deadline(timeout_ms);
    struct unpack u;
    uint32_t counted;
    int ret;

    memset(m, 0, sizeof(*m));
    m->fd = -1;
    if ((ret = receive_exactly(sock, header, sizeof(header), &m->fd, until))) goto done;
    unpack_init(&u, header, sizeof(header));
    counted = unpack_u32(&u);
    m->type = unpack_u32(&u);
    m->tag = unpack_u32(&u);
    if (counted < COUNTED_BYTES || counted > MESSAGE_MAX_BYTES) {
        ret = RESULT_INVALID;
        goto done;
    }
    m->len_bytes = counted - COUNTED_BYTES;
    if (!(m->payload = malloc(m->len_bytes ? m->len_bytes : 1))) {
        ret = ENOMEM;
        goto done;
    }
    ret = receive_exactly(sock, m->payload, m->len_bytes, NULL, until);
done:
    if (ret) message_free(m);
    return ret;
}

void message_free(struct message *m)
{
    free(m->payload);
    if (m->fd >= 0) close(m->fd);
    memset(m, 0, sizeof(*m));
    m->fd = -1;
}
