/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The doorbell is a futex, and the engine waits for descriptors: a thread stands in between.  While
 * calls wait for one commit after the other the engine listens by itself, and the thread rests: the
 * ring has room for one who listens.  It also has the program ended when a call waited in vain while the
 * engine is stuck in storage.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "monitor.h"

#define SLICE_MS 500
#define STUCK_US 5000000LL /* the engine ends a refusing resource itself, if it can */

struct listener {
    struct ring *ring;
    struct patience *patience;
    int fd;
    pthread_t thread;
    pthread_mutex_t mutex; /* of the next two */
    pthread_cond_t changed;
    bool taken;            /* the engine listens */
    bool resting;          /* the thread has seen that */
    uint32_t seen;         /* by the engine */
    atomic_bool stop;
};

/* Rests for a slice at most if the engine listens. */
static bool rest(struct listener *l)
{
    struct timespec until;
    bool resting;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += SLICE_MS * 1000000LL;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&l->mutex);
    resting = l->resting = l->taken;
    if (resting) {
        pthread_cond_broadcast(&l->changed);
        while (l->taken && !atomic_load(&l->stop) &&
               !pthread_cond_timedwait(&l->changed, &l->mutex, &until))
            ;
    }
    pthread_mutex_unlock(&l->mutex);
    return resting;
}

static void *run(void *arg)
{
    struct listener *l = arg;
    int64_t refusing_since_us = 0;
    uint32_t seen = 0;

    while (!atomic_load(&l->stop)) {
        if (!rest(l) && ring_listen(l->ring, &seen, SLICE_MS))
            eventfd_write(l->fd, 1);
        if (__atomic_load_n(&l->ring->shared->state, __ATOMIC_ACQUIRE) != RING_REFUSING)
            continue;
        if (!refusing_since_us)
            refusing_since_us = clock_us();
        else if (clock_us() - refusing_since_us > STUCK_US)
            patience_hang_up(l->patience);
        eventfd_write(l->fd, 1);
    }
    return NULL;
}

struct listener *listener_start(struct ring *ring, struct patience *patience, struct error *err)
{
    struct listener *l = calloc(1, sizeof(*l));
    pthread_condattr_t monotonic;
    int error;

    if (!l) {
        error_set(err, ENOMEM, "no memory to listen to the hook");
        return NULL;
    }
    l->ring = ring;
    l->patience = patience;
    pthread_mutex_init(&l->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&l->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if ((l->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0) {
        error_system(err, errno, "cannot make the hook's event descriptor");
    } else if ((error = pthread_create(&l->thread, NULL, run, l))) {
        error_system(err, error, "cannot start the thread that listens to the hook");
        close(l->fd);
    } else {
        return l;
    }
    free(l);
    return NULL;
}

int listener_fd(const struct listener *l)
{
    return l->fd;
}

void listener_clear(struct listener *l)
{
    eventfd_t count;

    eventfd_read(l->fd, &count);
}

bool listener_listen(struct listener *l, int timeout_ms)
{
    pthread_mutex_lock(&l->mutex);
    if (!l->taken) {
        l->taken = true;
        ring_ring(l->ring);
        while (!l->resting)
            pthread_cond_wait(&l->changed, &l->mutex);
    }
    pthread_mutex_unlock(&l->mutex);
    return ring_listen(l->ring, &l->seen, timeout_ms);
}

void listener_resume(struct listener *l)
{
    pthread_mutex_lock(&l->mutex);
    if (l->taken) {
        l->taken = false;
        pthread_cond_broadcast(&l->changed);
    }
    pthread_mutex_unlock(&l->mutex);
}

void listener_stop(struct listener *l)
{
    if (!l)
        return;
    atomic_store(&l->stop, true);
    listener_resume(l);
    ring_ring(l->ring);
    pthread_join(l->thread, NULL);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->mutex);
    close(l->fd);
    free(l);
}
