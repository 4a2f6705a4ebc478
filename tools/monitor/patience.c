/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Storage that neither works nor fails: a call to it that does not return holds the engine up, for ever
 * perhaps (a file system of the network whose server is gone).  A thread of its own looks how long the
 * engine has been in such calls, and does what the engine cannot then.  Before the resource is online that is
 * to say that it cannot be, for whoever waits for it, and to end.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "monitor.h"

#define LOOK_MS 100
#define DYING_MS 3000 /* a program whose host is disconnected is gone in less */

struct patience {
    int64_t told_us, bound_us;    /* after how long it is said, and counts as a failure */
    struct monitor *m;            /* whose engine stands still where this is used */
    _Atomic(struct front *) front; /* NULL: not yet */
    _Atomic(const char *) doing;  /* what with the store */
    pthread_t thread;
    pthread_mutex_t mutex;        /* of stop */
    pthread_cond_t changed;
    bool stop;
    unsigned depth;               /* the engine's alone */
    atomic_llong since_us;        /* the engine is in storage since; 0: it is not */
    atomic_bool ending, stopping; /* the resource is; storage that fails ends the program */
    atomic_bool online;           /* before, storage that fails ends the monitor */
    atomic_int agent_sock, launcher_sock;
    /* the thread's: */
    int64_t stuck_us;             /* what was told: since when; 0: nothing */
    bool ended;                   /* the program was */
    unsigned long long calls;     /* the engine had made; while it is not online */
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

void storage_doing(struct monitor *m, const char *what)
{
    if (m->patience)
        atomic_store(&m->patience->doing, what);
    storage_moves(m);
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

    return atomic_load(&p->ending) || p->ended || front_has_offline(atomic_load(&p->front)) ||
           (!sigpending(&pending) && (sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT)));
}

/* Nobody is left who could do anything: what the engine holds goes with the process. */
static void give_up(struct patience *p)
{
    char why[256];

    patience_hang_up(p);
    event(EVENT_SAVE_FAILED,
          "GIVING UP: storage has not answered for %d s. The checkpoint is as of its last commit; what "
          "was reported since is saved by the next online, if that is on this node",
          (int)(p->bound_us / 1000000));
    snprintf(why, sizeof(why), "The storage has not answered for %d s (storage_timeout): what the command "
             "did is saved as a whole, or not at all. \"regckpt log %s\" tells, when it answers again",
             (int)(p->bound_us / 1000000), p->m->name);
    edit_say_given_up(p->m, why);
    front_hide(atomic_load(&p->front));
    usleep(DYING_MS * 1000);
    _exit(EXIT_STORAGE);
}

/*
 * The same of a resource that is not online yet.  What it has done with the store by then is what a
 * monitor that is killed has done: the next one goes on from there.
 */
static void give_start_up(struct patience *p)
{
    const struct settings *s = &p->m->settings;
    struct front *front = atomic_load(&p->front);
    struct error err;

    error_set(&err, RESULT_STORAGE,
              "the store %s (from %s) has not answered for %d s (storage_timeout) to an attempt to %s. Is "
              "the shared storage there: mounted, its server up, the network? '%s' is not online and can go online "
              "on a node that reaches the store; here once 'regckpt status' can read it again",
              s->store, s->store_source, (int)(p->bound_us / 1000000), atomic_load(&p->doing),
              p->m->name);
    if (front)
        front_hide(front);
    notify_failure(err.text);
    report_failure(p->m, &err);
    _exit(EXIT_STORAGE);
}

/*
 * Has the engine, which is the first thread, come back from a call since?  A checkpoint is large, and
 * slow storage is not storage that does not answer.
 */
static bool has_moved(struct patience *p)
{
    unsigned long long reads = 0, writes = 0, calls;
    char path[64], line[80];
    FILE *in;

    snprintf(path, sizeof(path), "/proc/self/task/%d/io", (int)getpid());
    if (!(in = fopen(path, "re")))
        return false; /* a kernel that does not count */
    while (fgets(line, sizeof(line), in)) {
        sscanf(line, "syscr: %llu", &reads);
        sscanf(line, "syscw: %llu", &writes);
    }
    fclose(in);
    calls = p->calls;
    p->calls = reads + writes;
    return calls != p->calls;
}

static void look(struct patience *p)
{
    bool online = atomic_load(&p->online);
    long long since = atomic_load(&p->since_us);
    int64_t now = clock_us(), stuck;

    if (since && !online && has_moved(p) &&
        atomic_compare_exchange_strong(&p->since_us, &since, now))
        since = now;
    stuck = since ? now - since : 0;
    if (p->stuck_us && since != p->stuck_us) {
        event(EVENT_STORAGE_BACK, "storage answers again");
        if (atomic_load(&p->front))
            front_stalled(atomic_load(&p->front), 0);
        p->stuck_us = 0;
    }
    if (stuck < p->told_us)
        return;
    if (!p->stuck_us) {
        p->stuck_us = since;
        if (atomic_load(&p->front))
            front_stalled(atomic_load(&p->front), unix_time_us() - (uint64_t)stuck);
        event(EVENT_STORAGE_FAILED, "storage has not answered for %d s: nothing is saved until it does",
              (int)(stuck / 1000000));
        if (!online)
            report_progress(p->m, "the store %s does not answer to an attempt to %s", p->m->settings.store,
                            atomic_load(&p->doing));
    }
    if (stuck < p->bound_us)
        return;
    if (!online)
        give_start_up(p);
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

void patience_front(struct patience *p, struct front *front)
{
    atomic_store(&p->front, front);
}

void patience_online(struct patience *p)
{
    atomic_store(&p->online, true);
}

struct patience *patience_start(struct monitor *m, struct error *err)
{
    struct patience *p = calloc(1, sizeof(*p));
    pthread_condattr_t monotonic;
    int error = ENOMEM;

    if (p) {
        p->m = m;
        atomic_init(&p->doing, "find it");
        p->bound_us = m->settings.storage_timeout_s * 1000000LL;
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
