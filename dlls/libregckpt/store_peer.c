/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tests by two nodes.  Each is a conversation of one that acts and one that looks; then they swap.
 * Who looks says what he found, in words that begin with "ok" or "no", and both report it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "peer_meet.h"
#include "store_peer.h"

#define FREE_MS 10000    /* how long a lock that was given up may seem to be held */
#define DEATH_MS 30000   /* the same of a process that died */
#define LATE_MS 10000    /* how long we wait for what should be there at once */
#define CLOCK_MS 1000    /* how far clocks may be apart */

struct test {
    struct peer *p;
    store_peer_fn *fn;
    void *arg;
    struct error *err;
};

/* What was found out, by the one who looked. */
static void report(const struct test *t, const char *what, bool mine, const char *found)
{
    const struct peer *p = t->p;
    char title[640];

    snprintf(title, sizeof(title), "%s (by %s, seen from %s)", what, mine ? p->other_node : p->node,
             mine ? p->node : p->other_node);
    t->fn(title, !strncmp(found, "ok", 2), strlen(found) > 3 ? found + 3 : "", t->arg);
}

/* Who looked tells it; who acted hears it. */
static int tell(const struct test *t, const char *what, const char *found)
{
    int error = peer_say(t->p, t->err, "%s", found);

    if (!error)
        report(t, what, true, found);
    return error;
}

static int hear(const struct test *t, const char *what)
{
    char found[PEER_TEXT_BYTES];
    int error = peer_hear(t->p, found, t->err);

    if (!error)
        report(t, what, false, found);
    return error;
}

static int wait_for_step(const struct test *t)
{
    char text[PEER_TEXT_BYTES];

    return peer_hear(t->p, text, t->err);
}

/* --- content --- */

static int put(const struct test *t, const char *path, const char *text, bool in_place)
{
    char made[PATH_MAX + 8];
    int fd, error = 0;

    snprintf(made, sizeof(made), "%s%s", path, in_place ? "" : ".new");
    fd = open(made, O_WRONLY | O_CLOEXEC | (in_place ? 0 : O_CREAT | O_TRUNC), 0600);
    if (fd < 0 || pwrite(fd, text, 8, 0) != 8 || fsync(fd))
        error = errno ? errno : EIO;
    if (fd >= 0)
        close(fd);
    if (!error && !in_place && rename(made, path))
        error = errno;
    return error ? error_system(t->err, error, "cannot write %s", made) : 0;
}

static bool holds(const char *path, const char *text)
{
    char got[9] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool same = fd >= 0 && pread(fd, got, 8, 0) == 8 && !strcmp(got, text);

    if (fd >= 0)
        close(fd);
    return same;
}

/* Is what should be there there, at once?  Late is not good enough, and told. */
static void look_for(const char *path, const char *text, char *found)
{
    int64_t began = peer_now_ms();

    if (holds(path, text)) {
        snprintf(found, PEER_TEXT_BYTES, "ok at once");
        return;
    }
    while (peer_now_ms() - began < LATE_MS) {
        peer_pause();
        if (holds(path, text)) {
            snprintf(found, PEER_TEXT_BYTES, "no only after %lld ms: what one node has saved the other "
                     "reads too late", (long long)(peer_now_ms() - began));
            return;
        }
    }
    snprintf(found, PEER_TEXT_BYTES, "no not within %d s: one node goes on with what the other has "
             "replaced", LATE_MS / 1000);
}

static const char *const renamed = "a file renamed into place", *const rewritten = "a write in place, after fsync";

static int act_content(const struct test *t)
{
    char path[PATH_MAX];
    int error;

    peer_path(t->p, true, "data", path);
    if ((error = put(t, path, "first...", false)) || (error = peer_say(t->p, t->err, "made")) ||
        (error = wait_for_step(t)) || (error = put(t, path, "second..", false)) ||
        (error = peer_say(t->p, t->err, "renamed")) || (error = hear(t, renamed)) ||
        (error = put(t, path, "third...", true)) ||
        (error = peer_say(t->p, t->err, "written")))
        return error;
    return hear(t, rewritten);
}

/* Reads before, so that whatever is cached is. */
static int look_content(const struct test *t)
{
    char path[PATH_MAX], found[PEER_TEXT_BYTES];
    int error;

    peer_path(t->p, false, "data", path);
    if ((error = wait_for_step(t)))
        return error;
    look_for(path, "first...", found);
    if ((error = peer_say(t->p, t->err, "read")) || (error = wait_for_step(t)))
        return error;
    look_for(path, "second..", found);
    if ((error = tell(t, renamed, found)) || (error = wait_for_step(t)))
        return error;
    look_for(path, "third...", found);
    return tell(t, rewritten, found);
}

/* --- locks --- */

static int lock_file(int fd, int command, short type, short *is)
{
    struct flock all = {.l_type = type, .l_whence = SEEK_SET};
    int result = fcntl(fd, command, &all);

    if (is)
        *is = all.l_type;
    return result;
}

/* Takes a lock that may be free in a while; how long that took in ms, -1: it did not come. */
static int64_t take_lock(int fd, int ms)
{
    int64_t began = peer_now_ms();

    while (lock_file(fd, F_OFD_SETLK, F_WRLCK, NULL)) {
        if (peer_now_ms() - began > ms)
            return -1;
        peer_pause();
    }
    return peer_now_ms() - began;
}

static int open_lock(const struct test *t, bool own)
{
    char path[PATH_MAX];
    int fd;

    peer_path(t->p, own, "lock", path);
    if ((fd = open(path, O_RDWR | (own ? O_CREAT : 0) | O_CLOEXEC, 0600)) < 0)
        error_system(t->err, errno, "cannot open %s", path);
    return fd;
}

/* A lock that the other node has: is it one here? */
static void look_locked(int fd, char *found)
{
    short is = F_UNLCK;

    if (!lock_file(fd, F_OFD_SETLK, F_WRLCK, NULL)) {
        lock_file(fd, F_OFD_SETLK, F_UNLCK, NULL);
        snprintf(found, PEER_TEXT_BYTES, "no it could be taken here too: locks stay on their node, so that "
                 "two nodes would run the same program. Use storage whose locks reach the other nodes");
    } else if (errno != EAGAIN && errno != EACCES) {
        snprintf(found, PEER_TEXT_BYTES, "no it cannot be taken at all (%s)", strerror(errno));
    } else if (lock_file(fd, F_OFD_GETLK, F_WRLCK, &is) || is == F_UNLCK) {
        snprintf(found, PEER_TEXT_BYTES, "no it keeps others out, but cannot be asked for: status would "
                 "take an owner for lost");
    } else {
        snprintf(found, PEER_TEXT_BYTES, "ok refused");
    }
}

static void look_free(int fd, int ms, const char *when, char *found)
{
    int64_t took = take_lock(fd, ms);

    lock_file(fd, F_OFD_SETLK, F_UNLCK, NULL);
    if (took < 0)
        snprintf(found, PEER_TEXT_BYTES, "no still held %d s after %s: no node could take over without "
                 "--takeover", ms / 1000, when);
    else
        snprintf(found, PEER_TEXT_BYTES, "ok after %lld ms", (long long)took);
}

static const char *const locked = "a lock", *const unlocked = "its release",
                  *const died = "release of a killed process's lock";

/* A process that has the lock; it says so by a byte. */
static pid_t lock_by_child(const struct test *t)
{
    int ends[2];
    char byte = 0;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) || (pid = fork()) < 0) {
        error_system(t->err, errno, "cannot start a process");
        return -1;
    }
    if (!pid) {
        int fd = open_lock(t, true);
        if (fd >= 0 && take_lock(fd, FREE_MS) >= 0 && write(ends[1], "1", 1) == 1)
            pause();
        _exit(1);
    }
    close(ends[1]);
    if (read(ends[0], &byte, 1) != 1) {
        error_set(t->err, RESULT_STORAGE, "a lock in %s that was released cannot be taken again",
                  t->p->store);
        waitpid(pid, NULL, 0);
        pid = -1;
    }
    close(ends[0]);
    return pid;
}

static int act_death(const struct test *t)
{
    pid_t pid = lock_by_child(t);
    int error;

    if (pid < 0)
        return t->err->code;
    error = peer_say(t->p, t->err, "a child has it");
    if (!error)
        error = wait_for_step(t);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    if (!error)
        error = peer_say(t->p, t->err, "it is dead");
    return error ? error : hear(t, died);
}

static int act_locks(const struct test *t)
{
    int fd = open_lock(t, true), error;

    if (fd < 0)
        return t->err->code;
    if (take_lock(fd, FREE_MS) < 0)
        error = error_set(t->err, RESULT_STORAGE, "a new file in %s cannot be locked", t->p->store);
    else
        error = peer_say(t->p, t->err, "locked");
    if (!error && !(error = hear(t, locked))) {
        lock_file(fd, F_OFD_SETLK, F_UNLCK, NULL);
        if (!(error = peer_say(t->p, t->err, "released")))
            error = hear(t, unlocked);
    }
    close(fd);
    return error ? error : act_death(t);
}

static int look_locks(const struct test *t)
{
    char found[PEER_TEXT_BYTES];
    int fd, error;

    if ((error = wait_for_step(t)))
        return error;
    if ((fd = open_lock(t, false)) < 0)
        return t->err->code;
    look_locked(fd, found);
    if (!(error = tell(t, locked, found)) && !(error = wait_for_step(t))) {
        look_free(fd, FREE_MS, "its release", found);
        error = tell(t, unlocked, found);
    }
    if (!error && !(error = wait_for_step(t)) && !(error = peer_say(t->p, t->err, "seen")) &&
        !(error = wait_for_step(t))) {
        look_free(fd, DEATH_MS, "the death of its process", found);
        error = tell(t, died, found);
    }
    close(fd);
    return error;
}

/* --- clocks --- */

static int64_t wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The first asks for the other's time; it lies between asking and hearing. */
static int compare_clocks(const struct test *t)
{
    char text[PEER_TEXT_BYTES], found[PEER_TEXT_BYTES];
    struct peer *p = t->p;
    int64_t asked = wall_ms(), answered, apart, unsure;
    int error;

    if (!p->first) {
        if ((error = wait_for_step(t)) || (error = peer_say(p, t->err, "%lld", (long long)wall_ms())) ||
            (error = peer_hear(p, found, t->err)))
            return error;
    } else {
        if ((error = peer_say(p, t->err, "what time is it")) || (error = peer_hear(p, text, t->err)))
            return error;
        answered = wall_ms();
        unsure = (answered - asked) / 2;
        apart = llabs(strtoll(text, NULL, 10) - (asked + answered) / 2);
        snprintf(found, sizeof(found), "%s %lld ms apart, give or take %lld ms%s",
                 apart > CLOCK_MS + unsure ? "no" : "ok", (long long)apart, (long long)unsure,
                 apart > CLOCK_MS + unsure ? ": history and status tell wrong times. Set the clocks by "
                                             "one source (chrony)" : "");
        if ((error = peer_say(p, t->err, "%s", found)))
            return error;
    }
    t->fn("clocks", !strncmp(found, "ok", 2), found + 3, t->arg);
    return 0;
}

static int run_all(const struct test *t)
{
    bool first = t->p->first;
    int error;

    if ((error = compare_clocks(t)) || (error = (first ? act_content : look_content)(t)) ||
        (error = (first ? look_content : act_content)(t)) ||
        (error = (first ? act_locks : look_locks)(t)))
        return error;
    return (first ? look_locks : act_locks)(t);
}

int store_peer_test(const char *store, const char *node, int timeout_ms, store_peer_fn *fn, void *arg,
                    struct error *err)
{
    struct peer *p = calloc(1, sizeof(*p));
    struct test t = {p, fn, arg, err};
    char detail[400];
    int error;

    if (!p)
        return error_system(err, ENOMEM, "cannot test %s with another node", store);
    if (!(error = peer_meet(p, store, node, timeout_ms, err))) {
        snprintf(detail, sizeof(detail), "met node %s in %s", p->other_node, store);
        fn("other node", true, detail, arg);
        error = run_all(&t);
        peer_part(p);
    }
    free(p);
    return error;
}
