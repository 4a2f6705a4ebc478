/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Storage that neither works nor fails: a call to it that does not return holds the engine up, for ever
 * perhaps (a file system of the network whose server is gone).  A thread of its own looks how long the
 * engine has been in such calls, and does what the engine cannot then.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "monitor.h"

#define LOOK_MS 100
#define DYING_MS 3000 /* a program whose host is disconnected is gone in less */

struct patience {
    int64_t told_us, bound_us;    /* after how long it is said, and counts as a failure */
    struct front *front;
    pthread_t thread;
    pthread_mutex_t mutex;        /* of stop */
    pthread_cond_t changed;
    bool stop;
    unsigned depth;               /* the engine's alone */
    atomic_llong since_us;        /* the engine is in storage since; 0: it is not */
    atomic_bool ending, stopping; /* the resource is; storage that fails ends the program */
    atomic_int agent_sock, launcher_sock;
    /* the thread's: */
    int64_t stuck_us;             /* what was told: since when; 0: nothing */
    bool ended;                   /* the program was */
};

void storage_enter(struct monitor *m)
{
    struct patience *p = m->patience;

    if (!p || p->depth++)
        return;
    atomic_store(&p->ending, m->ending != ENDING_NONE);
    atomic_store(&p->stopping, m->resource.on_storage_error == STORAGE_STOP || !m->resource.lag_ms);
    atomic_store(&p->since_us, clock_us());
}

void storage_moves(struct monitor *m)
{
    if (m->patience && m->patience->depth)
        atomic_store(&m->patience->since_us, clock_us());
}

void storage_leave(struct monitor *m)
{
    if (m->patience && !--m->patience->depth)
        atomic_store(&m->patience->since_us, 0);
}

/* The host whose connection ends ends its program. */
void patience_hang_up(struct patience *p)
{
    int agent = atomic_exchange(&p->agent_sock, -1), launcher = atomic_exchange(&p->launcher_sock, -1);

    if (agent >= 0)
        shutdown(agent, SHUT_RDWR);
    if (launcher >= 0 && launcher != agent)
        shutdown(launcher, SHUT_RDWR);
    if (agent >= 0 || launcher >= 0)
        event(EVENT_STORAGE_FAILED,
              "storage has not answered: the program is ended so that another node can take over");
}

void patience_guard(struct patience *p, int agent_sock, int launcher_sock)
{
    if (!p)
        return;
    atomic_store(&p->agent_sock, agent_sock);
    atomic_store(&p->launcher_sock, launcher_sock);
}

/* Was the resource told to go offline, and the engine cannot hear it? */
static bool is_to_end(const struct patience *p)
{
    sigset_t pending;

    return atomic_load(&p->ending) || p->ended || front_has_offline(p->front) ||
           (!sigpending(&pending) && (sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT)));
}

/* Nobody is left who could do anything: what the engine holds goes with the process. */
static void give_up(struct patience *p)
{
    patience_hang_up(p);
    event(EVENT_SAVE_FAILED,
          "GIVING UP: storage has not answered for %d s. The checkpoint is as of its last commit; what "
          "was reported since is saved by the next online, if that is on this node",
          (int)(p->bound_us / 1000000));
    front_hide(p->front);
    usleep(DYING_MS * 1000);
    _exit(EXIT_STORAGE);
}

static void look(struct patience *p)
{
    int64_t since = atomic_load(&p->since_us), now = clock_us(), stuck = since ? now - since : 0;

    if (p->stuck_us && since != p->stuck_us) {
        event(EVENT_STORAGE_BACK, "storage answers again");
        front_stalled(p->front, 0);
        p->stuck_us = 0;
    }
    if (stuck < p->told_us)
        return;
    if (!p->stuck_us) {
        p->stuck_us = since;
        front_stalled(p->front, unix_time_us() - (uint64_t)stuck);
        event(EVENT_STORAGE_FAILED, "storage has not answered for %d s: nothing is saved until it does",
              (int)(stuck / 1000000));
    }
    if (stuck < p->bound_us)
        return;
    if (is_to_end(p) && stuck >= p->bound_us + (p->ended ? DYING_MS * 1000LL : 0))
        give_up(p);
    if (atomic_load(&p->stopping) && !p->ended) {
        patience_hang_up(p);
        p->ended = true;
    }
}

static void *run(void *arg)
{
    struct patience *p = arg;
    struct timespec until;

    pthread_mutex_lock(&p->mutex);
    while (!p->stop) {
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += LOOK_MS * 1000000LL;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&p->changed, &p->mutex, &until);
        if (!p->stop)
            look(p);
    }
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

struct patience *patience_start(struct front *front, unsigned bound_s, struct error *err)
{
    struct patience *p = calloc(1, sizeof(*p));
    pthread_condattr_t monotonic;
    int error = ENOMEM;

    if (p) {
        p->front = front;
        p->bound_us = bound_s * 1000000LL;
        p->told_us = p->bound_us < STALL_TOLD_US ? p->bound_us : STALL_TOLD_US;
        atomic_init(&p->agent_sock, -1);
        atomic_init(&p->launcher_sock, -1);
        pthread_mutex_init(&p->mutex, NULL);
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&p->changed, &monotonic);
        pthread_condattr_destroy(&monotonic);
        error = pthread_create(&p->thread, NULL, run, p);
    }
    if (!error)
        return p;
    error_system(err, error, "cannot start the thread that watches over the storage");
    free(p);
    return NULL;
}

void patience_stop(struct patience *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->mutex);
    p->stop = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->mutex);
    pthread_join(p->thread, NULL);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}
