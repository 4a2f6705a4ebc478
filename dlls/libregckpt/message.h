/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages over a local stream socket: u32 length of what follows, u32 type, u32 tag, payload
 * (packed, pack.h).  A file descriptor may ride along (SCM_RIGHTS) with the first byte.
 * Used between monitor and host (hostproto.h) and between command and monitor (ctlproto.h).
 */
#ifndef REGCKPT_MESSAGE_H
#define REGCKPT_MESSAGE_H

#include "error.h"
#include "pack.h"

#define MESSAGE_MAX_BYTES (64u << 20)

struct message {
    uint32_t type;
    uint32_t tag;     /* a reply carries its request's */
    uint8_t *payload; /* malloc'ed */
    size_t len_bytes;
    int fd;           /* -1: none; the receiver owns it */
};

void message_free(struct message *m); /* closes the descriptor too */

/*
 * Sends one message whole; fd -1: none rides along.  timeout_ms bounds the whole call, -1: no bound.
 * 0, RESULT_TIMEOUT, EPIPE (peer gone), or another errno.  Never raises SIGPIPE.
 */
int message_send(int sock, uint32_t type, uint32_t tag, const struct pack *payload, int fd,
                 int timeout_ms);

/* Receives one message whole. 0, RESULT_TIMEOUT, EPIPE (peer closed), RESULT_INVALID (too long), errno. */
int message_receive(int sock, struct message *m, int timeout_ms);

/* A listening socket at path, mode 0600, an old one unlinked; descriptor or -1 with err set. */
int message_listen(const char *path, struct error *err);
/* Connects; descriptor, or -1 with err set (NOT_FOUND: nobody listens). Paths over 107 bytes work. */
int message_connect(const char *path, struct error *err);

#endif
