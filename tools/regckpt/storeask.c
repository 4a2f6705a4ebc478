/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "progress.h"
#include "store.h"
#include "storeask.h"
#include "storewatch.h"

#define ANSWER_BYTES_MAX (16u << 20)
#define READERS 8      /* of one node at a time */
#define SLOT_WAIT_MS 20
#define TRIED_BYTES 4096

static bool asked;           /* or this process may hang */
static bool watched;         /* by whoever started it, as far as we know */
static struct error answer;  /* then */

/* The child's whole life. */
static void ask_and_say(int fd, const struct cli *cli, const char *name, store_asking *asking)
{
    struct pack p;
    size_t done = 0;

    asked = true;
    pack_init(&p);
    asking(&p, cli, name);
    while (!p.failed && done < p.len) {
        ssize_t wrote = write(fd, p.bytes + done, p.len - done);

        if (wrote < 0 && errno != EINTR)
            break;
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    _exit(0);
}

/*
 * A place among the readers of this node, which the child keeps as long as it lives: children that
 * hang in the storage stay until that comes back, and who asks again and again must not add to them.
 * A descriptor, or -1: none is free until the deadline.  -2: places cannot be had here.
 */
static int take_place(const struct cli *cli, int64_t deadline_ms)
{
    char path[PATH_MAX];

    if (mkdir(cli->settings.run_dir, geteuid() ? 0700 : 0711) && errno != EEXIST)
        return -2;
    do {
        for (int i = 0; i < READERS; i++) {
            int fd;

            snprintf(path, sizeof(path), "%s/reader-%d", cli->settings.run_dir, i);
            if ((fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
                return -2;
            if (!flock(fd, LOCK_EX | LOCK_NB))
                return fd;
            close(fd);
        }
        poll(NULL, 0, SLOT_WAIT_MS);
    } while (progress_now_ms() < deadline_ms);
    return -1;
}

/* Reads until the end or the deadline; false: not to the end. */
static bool read_bounded(int fd, struct pack *p, int64_t deadline_ms)
{
    char part[65536];

    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int64_t left = deadline_ms - progress_now_ms();
        ssize_t got;

        if (left <= 0 || p->len > ANSWER_BYTES_MAX)
            return false;
        if (poll(&wait, 1, (int)left) <= 0)
            continue;
        got = read(fd, part, sizeof(part));
        if (got == 0)
            return !p->failed;
        if (got > 0)
            pack_raw(p, part, (size_t)got);
        else if (errno != EINTR)
            return false;
    }
}

static int no_answer(const struct cli *cli, int bound_ms, struct error *err)
{
    return error_set(err, RESULT_STORAGE,
                     "The store %s (from %s) does not answer within %d s: a process that was to open it "
                     "hangs. Is the shared storage there: mounted, its server up, the network? Nothing "
                     "was changed.", cli->settings.store, cli->settings.store_source, bound_ms / 1000);
}

/* The answer of a child that was started at begun_ms. */
static bool await_answer(const struct cli *cli, bool says, int fd, struct pack *p, int64_t begun_ms,
                         int bound_ms)
{
    int64_t deadline_ms = begun_ms + bound_ms;

    if (!says || bound_ms <= STORE_WAITING_MS)
        return read_bounded(fd, p, deadline_ms);
    if (read_bounded(fd, p, begun_ms + STORE_WAITING_MS))
        return true;
    if (p->failed || p->len > ANSWER_BYTES_MAX)
        return false;
    store_say_waiting(cli);
    return read_bounded(fd, p, deadline_ms);
}

int store_ask(const struct cli *cli, const char *name, store_asking *asking, bool says, int bound_ms,
              struct pack *p, struct error *err)
{
    int64_t begun_ms = progress_now_ms();
    int ends[2], place = take_place(cli, begun_ms + bound_ms);
    bool whole;
    pid_t pid;

    if (place == -1)
        return no_answer(cli, bound_ms, err);
    if (pipe2(ends, O_CLOEXEC)) {
        int error = errno;
        if (place >= 0)
            close(place);
        return error_system(err, error, "Reading the store: a pipe");
    }
    fflush(NULL);
    if (!(pid = fork())) {
        close(ends[0]);
        ask_and_say(ends[1], cli, name, asking);
    }
    close(ends[1]);
    if (place >= 0)
        close(place); /* the child has it */
    if (pid < 0) {
        close(ends[0]);
        return error_system(err, errno, "Reading the store: a process for it");
    }
    whole = await_answer(cli, says, ends[0], p, begun_ms, bound_ms);
    close(ends[0]);
    if (!whole)
        kill(pid, SIGKILL); /* one that hangs in the storage dies when that comes back */
    waitpid(pid, NULL, whole ? 0 : WNOHANG);
    return whole ? RESULT_OK : no_answer(cli, bound_ms, err);
}

/* Touches what a verb would; how it went does not matter, but that it came back does. */
static void try_store(struct pack *p, const struct cli *cli, const char *name)
{
    char bytes[TRIED_BYTES], *path = NULL, *real = realpath(cli->settings.store, NULL);
    int fd = -1;

    if (!store_check(cli->settings.store, NULL) && name) {
        store_is_owned(cli->settings.store, name, NULL);
        path = store_path(cli->settings.store, name, STORE_CHECKPOINT);
        fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    }
    pack_text(p, real ? real : "");
    pack_u32(p, fd >= 0 ? (uint32_t)read(fd, bytes, sizeof(bytes)) : 0);
    if (fd >= 0)
        close(fd);
    free(path);
    free(real);
}

void store_is_watched(void)
{
    watched = true;
}

int store_answers(const struct cli *cli, const char *name, struct error *err)
{
    struct unpack u;
    struct pack p;
    char *real;

    if (!asked) {
        asked = true;
        pack_init(&p);
        if (!store_ask(cli, name, try_store, true, (int)cli->settings.storage_timeout_s * 1000, &p,
                       &answer)) {
            unpack_init(&u, p.bytes, p.len);
            real = unpack_text(&u);
            if (!watched)
                store_watch(cli, real ? real : "", &answer);
            free(real);
        }
        pack_free(&p);
    }
    if (answer.code && err)
        *err = answer;
    return answer.code;
}
