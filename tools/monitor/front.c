/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The monitor's socket.  A thread of its own, so that status answers whatever the engine waits for.
 * A connection says one thing: a host its hello, a command its request; then it is the engine's.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "monitor.h"

#define SPEAK_MS 2000  /* how long a connection may take to say what it wants */
#define FINISH_MS 250  /* and to finish what it has begun: the others wait meanwhile */
#define SILENT_MAX 64
#define TICK_MS 100
#define LOG_MS 10000   /* how often the log's length is looked at, at least */
#define QUEUE_MAX 256

struct front {
    char path[PATH_MAX];
    unsigned host_uid;
    bool hidden;          /* the path is not ours any more; the engine's alone */
    int listening, wake_fd, stop_fd;
    pthread_t thread;
    pthread_mutex_t lock; /* around all below */
    struct front_request queue[QUEUE_MAX];
    size_t queued;
    struct pack status;   /* the published status, packed */
    uint64_t stalled_since; /* what the engine could not publish */
};

void front_reply(struct front_request *r, const struct error *err, const struct pack *more)
{
    struct pack p;

    pack_init(&p);
    pack_u32(&p, err ? (uint32_t)err->code : 0);
    pack_text(&p, err && err->code ? err->text : "");
    if (more)
        pack_raw(&p, more->bytes, more->len);
    message_send(r->sock, CTL_REPLY, r->message.tag, &p, -1, SPEAK_MS);
    pack_free(&p);
    close(r->sock);
    message_free(&r->message);
    r->sock = -1;
}

void front_progress(struct front_request *r, const char *text)
{
    struct pack p;

    pack_init(&p);
    pack_text(&p, text);
    message_send(r->sock, CTL_PROGRESS, r->message.tag, &p, -1, SPEAK_MS);
    pack_free(&p);
}

/* Root and we ourselves may ask anything; the program's user may only bring a host. */
static bool allowed(const struct front *f, int sock, uint32_t type)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &len))
        return false;
    return peer.uid == 0 || peer.uid == geteuid() ||
           (peer.uid == f->host_uid && type == HOST_HELLO);
}

static void reply_status(struct front *f, struct front_request *r)
{
    struct monitor_status status;
    struct unpack u;
    struct pack copy;

    pack_init(&copy);
    pthread_mutex_lock(&f->lock);
    unpack_init(&u, f->status.bytes, f->status.len);
    if (!f->stalled_since || unpack_monitor_status(&u, &status)) {
        pack_raw(&copy, f->status.bytes, f->status.len);
    } else {
        status.busy_since = f->stalled_since;
        pack_monitor_status(&copy, &status);
        monitor_status_free(&status);
    }
    pthread_mutex_unlock(&f->lock);
    front_reply(r, NULL, &copy);
    pack_free(&copy);
}

static void enqueue(struct front *f, struct front_request *r)
{
    struct error err;
    bool full;

    pthread_mutex_lock(&f->lock);
    full = f->queued == QUEUE_MAX;
    if (!full)
        f->queue[f->queued++] = *r;
    pthread_mutex_unlock(&f->lock);
    if (full) {
        error_set(&err, RESULT_TIMEOUT, "the monitor has %d requests waiting: try again later",
                  QUEUE_MAX);
        front_reply(r, &err, NULL);
    } else {
        eventfd_write(f->wake_fd, 1);
    }
}

/* A connection that has begun to speak. */
static void greet(struct front *f, int sock)
{
    struct front_request r = {.sock = sock};
    struct error err;

    if (message_receive(sock, &r.message, FINISH_MS)) {
        close(sock);
        return;
    }
    if (!allowed(f, sock, r.message.type)) {
        error_set(&err, EPERM, "only root and the user of the monitor may control this resource");
        front_reply(&r, &err, NULL);
    } else if (r.message.type == CTL_STATUS) {
        reply_status(f, &r);
    } else {
        enqueue(f, &r);
    }
}

/* Connections that have not said anything yet; who waits longest makes room. */
struct silent {
    struct pollfd polled[2 + SILENT_MAX]; /* the listening socket, the stop, then these */
    int64_t until_us[2 + SILENT_MAX];
    nfds_t count;
};

static void forget_silent(struct silent *s, nfds_t i)
{
    s->count--;
    memmove(&s->polled[i], &s->polled[i + 1], (s->count - i) * sizeof(s->polled[0]));
    memmove(&s->until_us[i], &s->until_us[i + 1], (s->count - i) * sizeof(s->until_us[0]));
}

static void add_silent(struct silent *s, int sock)
{
    if (s->count == 2 + SILENT_MAX) {
        close(s->polled[2].fd);
        forget_silent(s, 2);
    }
    s->polled[s->count].fd = sock;
    s->polled[s->count].events = POLLIN;
    s->polled[s->count].revents = 0;
    s->until_us[s->count++] = clock_us() + SPEAK_MS * 1000LL;
}

static void *run(void *arg)
{
    struct front *f = arg;
    struct silent s = {.count = 2};
    int sock;

    s.polled[0] = (struct pollfd){.fd = f->listening, .events = POLLIN};
    s.polled[1] = (struct pollfd){.fd = f->stop_fd, .events = POLLIN};
    for (;;) {
        if (poll(s.polled, s.count, s.count > 2 ? TICK_MS : LOG_MS) < 0)
            continue;
        log_shorten(); /* here, since the engine may stand still while Wine talks on */
        if (s.polled[1].revents)
            break;
        for (nfds_t i = s.count; i-- > 2;) {
            sock = s.polled[i].fd;
            if (s.polled[i].revents) {
                forget_silent(&s, i);
                greet(f, sock);
            } else if (clock_us() >= s.until_us[i]) {
                forget_silent(&s, i);
                close(sock);
            }
        }
        if (s.polled[0].revents && (sock = accept4(f->listening, NULL, NULL, SOCK_CLOEXEC)) >= 0)
            add_silent(&s, sock);
    }
    while (s.count > 2)
        close(s.polled[--s.count].fd);
    return NULL;
}

struct front *front_start(const char *dir, unsigned host_uid, unsigned host_gid, struct error *err)
{
    struct front *f = calloc(1, sizeof(*f));
    int error;

    if (!f) {
        error_set(err, ENOMEM, "no memory for the monitor's socket");
        return NULL;
    }
    snprintf(f->path, sizeof(f->path), "%s/socket", dir);
    f->host_uid = host_uid;
    f->stop_fd = f->wake_fd = -1;
    pthread_mutex_init(&f->lock, NULL);
    pack_init(&f->status);
    if ((f->listening = message_listen(f->path, err)) < 0)
        goto failed;
    if (chown(f->path, host_uid, host_gid)) {
        error_system(err, errno, "cannot give %s to user %u", f->path, host_uid);
        goto failed;
    }
    f->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    f->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (f->wake_fd < 0 || f->stop_fd < 0) {
        error_system(err, errno, "cannot make the monitor's event descriptors");
        goto failed;
    }
    if ((error = pthread_create(&f->thread, NULL, run, f))) {
        error_system(err, error, "cannot start the monitor's socket thread");
        goto failed;
    }
    return f;
failed:
    if (f->listening >= 0) {
        close(f->listening);
        unlink(f->path);
    }
    if (f->wake_fd >= 0)
        close(f->wake_fd);
    if (f->stop_fd >= 0)
        close(f->stop_fd);
    free(f);
    return NULL;
}

int front_fd(const struct front *f)
{
    return f->wake_fd;
}

bool front_take(struct front *f, struct front_request *out)
{
    eventfd_t count;
    bool some;

    eventfd_read(f->wake_fd, &count);
    pthread_mutex_lock(&f->lock);
    if ((some = f->queued > 0)) {
        *out = f->queue[0];
        f->queued--;
        memmove(f->queue, f->queue + 1, f->queued * sizeof(f->queue[0]));
    }
    pthread_mutex_unlock(&f->lock);
    return some;
}

void front_publish(struct front *f, const struct monitor_status *status)
{
    pthread_mutex_lock(&f->lock);
    pack_reset(&f->status);
    pack_monitor_status(&f->status, status);
    pthread_mutex_unlock(&f->lock);
}

void front_stalled(struct front *f, uint64_t since)
{
    pthread_mutex_lock(&f->lock);
    f->stalled_since = since;
    pthread_mutex_unlock(&f->lock);
}

bool front_has_offline(struct front *f)
{
    bool has = false;

    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->queued; i++)
        has |= f->queue[i].message.type == CTL_OFFLINE;
    pthread_mutex_unlock(&f->lock);
    return has;
}

void front_hide(struct front *f)
{
    if (f && !f->hidden)
        unlink(f->path);
    if (f)
        f->hidden = true;
}

void front_stop(struct front *f)
{
    struct front_request r;
    struct error err;

    if (!f)
        return;
    front_hide(f);
    eventfd_write(f->stop_fd, 1);
    pthread_join(f->thread, NULL);
    error_set(&err, RESULT_NOT_FOUND, "the resource went offline meanwhile");
    while (front_take(f, &r))
        front_reply(&r, &err, NULL);
    close(f->listening);
    close(f->wake_fd);
    close(f->stop_fd);
    pack_free(&f->status);
    pthread_mutex_destroy(&f->lock);
    free(f);
}
