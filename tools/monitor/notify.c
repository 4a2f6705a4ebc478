/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "notify.h"

#define SEND_S 5 /* systemd reads slowly while it starts many units; READY=1 must not get lost */
#define TEXT_BYTES 1024

/* What phases may take beside the resource's own timeouts. */
#define STARTING_S 180  /* a prefix's first boot, the agent, a lock that is about to be free */
#define RESTORING_S 600 /* the largest registry on the slowest storage */
#define MARGIN_S 60     /* the program's end by force, the processes that are left */
#define SAVING_S 180    /* storage that refuses is tried again */

static struct {
    int fd;  /* 0: nobody listens (a descriptor of ours is never 0) */
    struct sockaddr_un address;
    socklen_t address_len;
    uint32_t phase;
    uint64_t storage_failing_since;
    bool watch_alone;
} systemd;

void notify_begin(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct timeval limit = {.tv_sec = SEND_S};
    size_t len = path ? strlen(path) : 0;

    if (systemd.fd)
        close(systemd.fd);
    memset(&systemd, 0, sizeof(systemd));
    if (len > 1 && (*path == '/' || *path == '@') && len < sizeof(systemd.address.sun_path)) {
        systemd.address.sun_family = AF_UNIX;
        memcpy(systemd.address.sun_path, path, len);
        systemd.address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
        if (*path == '@')
            systemd.address.sun_path[0] = 0; /* an abstract name */
        else
            systemd.address_len++;
        systemd.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (systemd.fd > 0)
            setsockopt(systemd.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
        else
            systemd.fd = 0;
    }
    unsetenv("NOTIFY_SOCKET");
}

/* One datagram.  If it is lost, systemd's own timeout will tell. */
static void send_text(const char *text)
{
    ssize_t sent;

    do {
        sent = sendto(systemd.fd, text, strlen(text), MSG_NOSIGNAL,
                      (struct sockaddr *)&systemd.address, systemd.address_len);
    } while (sent < 0 && errno == EINTR);
}

static void send_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void send_format(const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    send_text(text);
}

static uint64_t microseconds(uint64_t seconds)
{
    return seconds * 1000000;
}

/* A phase has begun. */
static void tell_phase(const struct monitor_status *s, const struct resource *r)
{
    switch (s->phase) {
    case PHASE_STARTING:
        send_format("STATUS=Taking the resource and starting Wine\nEXTEND_TIMEOUT_USEC=%" PRIu64,
                    microseconds(STARTING_S));
        break;
    case PHASE_RESTORING:
        send_format("STATUS=Restoring the registered keys\nEXTEND_TIMEOUT_USEC=%" PRIu64,
                    microseconds(RESTORING_S));
        break;
    case PHASE_LAUNCHING:
        send_format("STATUS=Starting the program\nEXTEND_TIMEOUT_USEC=%" PRIu64,
                    microseconds(r->start_timeout_s + MARGIN_S));
        break;
    case PHASE_STOPPING:
        send_format("STOPPING=1\nSTATUS=Stopping the program\nEXTEND_TIMEOUT_USEC=%" PRIu64,
                    microseconds(r->stop_timeout_s + MARGIN_S));
        break;
    case PHASE_SAVING:
        send_format("STATUS=Saving the last changes\nEXTEND_TIMEOUT_USEC=%" PRIu64,
                    microseconds(SAVING_S));
        break;
    }
}

/* While it is online: "systemctl status" shows this line. */
static void tell_online(const struct monitor_status *s, bool first)
{
    send_format("%sSTATUS=%s", first ? "READY=1\n" : "",
                s->storage_failing_since
                    ? "RUNNING UNPROTECTED: the storage fails, changes are not saved"
                : systemd.watch_alone ? "Online; captured by the watch alone, within a second"
                                      : "Online");
}

void notify_publish(const struct monitor_status *s, const struct resource *r)
{
    bool watch_alone = s->source && !strcmp(s->source, "watch");
    bool new_phase = s->phase != systemd.phase;

    if (!systemd.fd)
        return;
    if (!new_phase && (s->phase != PHASE_ONLINE ||
                       (s->storage_failing_since == systemd.storage_failing_since &&
                        watch_alone == systemd.watch_alone)))
        return;
    systemd.phase = s->phase;
    systemd.storage_failing_since = s->storage_failing_since;
    systemd.watch_alone = watch_alone;
    if (s->phase == PHASE_ONLINE)
        tell_online(s, new_phase);
    else
        tell_phase(s, r);
}

void notify_failure(const char *why)
{
    char text[TEXT_BYTES];

    if (!systemd.fd)
        return;
    snprintf(text, sizeof(text), "STATUS=Not online: %s", why);
    for (char *c = text; *c; c++) /* a line break would begin another field */
        if ((unsigned char)*c < 0x20)
            *c = ' ';
    send_text(text);
}
