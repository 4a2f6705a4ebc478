/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * status --watch.  Reading may take seconds where storage hangs, so on a terminal a thread does it,
 * and keys are heard at any time.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "keytext.h"
#include "statusread.h"

#define EVERY_MS 1000

struct watch {
    const struct cli *cli;
    const char *name;
    int read_fd;      /* rung when there is a new text */
    pthread_mutex_t lock; /* around what follows */
    char *text;       /* what was read last; NULL: nothing so far */
    uint64_t read_at; /* Unix microseconds */
    int code;
};

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

static void put_list(const struct cli *cli, const struct status_list *list, FILE *out)
{
    status_print(cli, list, out);
    if (list->store_error.code)
        fprintf(out, "%s\n", list->store_error.text);
}

/* One look, as text, malloc'ed; NULL: no memory. */
static char *read_text(const struct cli *cli, const char *name, int *code)
{
    struct status_list list;
    struct error err;
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        return NULL;
    if (status_read(cli, name, &list, &err)) {
        *code = result_exit_code(err.code);
        fprintf(out, "%s\n", err.text);
    } else {
        *code = status_list_code(&list);
        put_list(cli, &list, out);
        status_free(&list);
    }
    return fclose(out) ? NULL : text;
}

/* --- a terminal --- */

static void *read_always(void *arg)
{
    struct watch *w = arg;

    for (;;) {
        int code = 0;
        char *text = read_text(w->cli, w->name, &code);

        if (text) {
            pthread_mutex_lock(&w->lock);
            free(w->text);
            w->text = text;
            w->read_at = now_us();
            w->code = code;
            pthread_mutex_unlock(&w->lock);
            eventfd_write(w->read_fd, 1);
        }
        poll(NULL, 0, EVERY_MS);
    }
    return NULL;
}

/* A row, as much of a line as fits; what comes behind it. */
static const char *put_row(const char *text, unsigned columns)
{
    fputs("\033[K", stdout); /* what was there before */
    for (unsigned column = 0; *text && *text != '\n'; text++) {
        column += ((unsigned char)*text & 0xc0) != 0x80;
        if (column > columns)
            return text;
        fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, stdout);
    }
    return *text ? text + 1 : text;
}

static void draw(struct watch *w)
{
    struct winsize size = {0};
    unsigned rows, columns;
    char line[160], room[32];
    const char *at;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row || !size.ws_col)
        size = (struct winsize){.ws_row = 24, .ws_col = 80};
    rows = size.ws_row;
    columns = size.ws_col;
    pthread_mutex_lock(&w->lock);
    at = w->text ? w->text : "Reading ...";
    snprintf(line, sizeof(line), "regckpt on node %.60s, %s%s    q ends it", w->cli->settings.node,
             w->read_at ? "as of " : "not read yet", w->read_at ? time_text(w->read_at, room) : "");
    fputs("\033[H", stdout);
    put_row(line, columns);
    for (unsigned row = 2; row < rows && *at; row++) {
        fputs("\r\n", stdout);
        at = put_row(at, columns);
    }
    pthread_mutex_unlock(&w->lock);
    fputs(*at ? "\r\n\033[K..." : "\r\n", stdout);
    fputs("\033[J", stdout);
    fflush(stdout);
}

/* A key or a signal that ends it? */
static bool ends(int signals)
{
    char keys[64];
    struct signalfd_siginfo info;
    ssize_t got = read(STDIN_FILENO, keys, sizeof(keys));

    for (ssize_t i = 0; i < got; i++)
        if (keys[i] == 'q' || keys[i] == 'Q' || keys[i] == 3 || keys[i] == 4)
            return true;
    if (!got || (got < 0 && errno != EAGAIN && errno != EINTR))
        return true; /* the terminal is gone */
    return read(signals, &info, sizeof(info)) == sizeof(info) && info.ssi_signo != SIGWINCH;
}

static int begin_reading(struct watch *w)
{
    pthread_attr_t attr;
    pthread_t thread;
    int error;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    error = pthread_create(&thread, &attr, read_always, w);
    pthread_attr_destroy(&attr);
    return error;
}

static void stay(struct watch *w, int signals)
{
    struct pollfd p[3] = {{.fd = STDIN_FILENO, .events = POLLIN},
                          {.fd = signals, .events = POLLIN},
                          {.fd = w->read_fd, .events = POLLIN}};
    eventfd_t count;

    do {
        draw(w);
        if (poll(p, 3, EVERY_MS) > 0 && p[2].revents)
            eventfd_read(w->read_fd, &count);
    } while (!((p[0].revents || p[1].revents) && ends(signals)));
}

static int watch_terminal(const struct cli *cli, const char *name)
{
    /* The thread goes on until the process ends, maybe inside a read that hangs. */
    static struct watch w = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct termios before, raw;
    struct error err;
    sigset_t set;
    int signals, code, error;

    w.cli = cli;
    w.name = name;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGWINCH);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    w.read_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (signals < 0 || w.read_fd < 0 || tcgetattr(STDIN_FILENO, &before)) {
        error_system(&err, errno, "Watching by the terminal");
        return cli_fail(cli, &err);
    }
    if ((error = begin_reading(&w))) {
        error_system(&err, error, "Starting a thread that reads the status");
        return cli_fail(cli, &err);
    }
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    fputs("\033[?1049h", stdout); /* another screen, so that this one stays as it was */
    stay(&w, signals);
    fputs("\033[?1049l", stdout);
    fflush(stdout);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    pthread_mutex_lock(&w.lock);
    if (w.text)
        fputs(w.text, stdout);
    code = w.code;
    fflush(stdout);
    _exit(ferror(stdout) ? 111 : code); /* no clean-up under the thread */
}

/* --- anything else --- */

static const struct resource_status *find(const struct status_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->items[i].name, name))
            return &list->items[i];
    return NULL;
}

/* A line for each resource whose state is another, the store among them. */
static void print_changes(const struct status_list *before, const struct status_list *now)
{
    char room[32], *when = time_text(now_us(), room);

    if (now->store_error.code != before->store_error.code)
        printf("%s %s\n", when,
               now->store_error.code ? now->store_error.text : "The store answers again.");
    for (size_t i = 0; i < now->count; i++) {
        const struct resource_status *s = &now->items[i], *old = find(before, s->name);
        int code;
        char *verdict;

        if (old && status_word(old) == status_word(s))
            continue;
        verdict = status_verdict(s, &code);
        printf("%s %s: %s\n", when, s->name, verdict ? verdict : "?");
        free(verdict);
    }
    for (size_t i = 0; i < before->count && !now->store_error.code; i++)
        if (!find(now, before->items[i].name))
            printf("%s %s: there is no such resource any more\n", when, before->items[i].name);
}

static int watch_lines(const struct cli *cli, const char *name)
{
    struct status_list before, now;
    struct error err;

    if (status_read(cli, name, &before, &err))
        return cli_fail(cli, &err);
    put_list(cli, &before, stdout);
    while (!fflush(stdout) && !ferror(stdout)) {
        poll(NULL, 0, EVERY_MS);
        if (status_read(cli, name, &now, &err))
            return cli_fail(cli, &err);
        print_changes(&before, &now);
        status_free(&before);
        before = now;
    }
    status_free(&before);
    return 111; /* the reader is gone, or its disk is full */
}

int status_watch(const struct cli *cli, const char *name)
{
    return isatty(STDOUT_FILENO) && isatty(STDIN_FILENO) ? watch_terminal(cli, name)
                                                         : watch_lines(cli, name);
}
