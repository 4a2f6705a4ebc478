/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the monitor says: lines in its log, and the outcome to whoever started it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "monitor.h"

int64_t clock_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

uint64_t unix_time_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1000000ULL + t.tv_nsec / 1000;
}

#define LOG_MAX_BYTES (4 << 20)

static const char *log_path; /* of the standard error; NULL: it is not ours to keep short */

void one_line(char *text)
{
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

/* The last part of the log into a file beside it; what cannot be written is lost. */
static void keep_old(off_t size)
{
    char old[4200], made[4200], part[65536];
    int from = open(log_path, O_RDONLY | O_CLOEXEC), to;
    ssize_t got;

    snprintf(old, sizeof(old), "%s.old", log_path);
    snprintf(made, sizeof(made), "%s.new", log_path);
    to = open(made, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (from >= 0 && to >= 0) {
        lseek(from, size > 2 * LOG_MAX_BYTES ? size - LOG_MAX_BYTES : 0, SEEK_SET);
        while ((got = read(from, part, sizeof(part))) > 0 && write(to, part, got) == got)
            ;
        rename(made, old);
    }
    unlink(made);
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
}

void log_keep_short(const char *path)
{
    log_path = path;
    log_shorten();
}

void log_shorten(void)
{
    struct stat st;

    if (!log_path || fstat(STDERR_FILENO, &st) || !S_ISREG(st.st_mode) || st.st_size <= LOG_MAX_BYTES)
        return;
    keep_old(st.st_size);
    if (ftruncate(STDERR_FILENO, 0))
        log_line("cannot empty the log %s: %s", log_path, strerror(errno));
}

void log_line(const char *format, ...)
{
    char text[4096], when[32];
    struct timespec t;
    struct tm tm;
    va_list args;

    clock_gettime(CLOCK_REALTIME, &t);
    localtime_r(&t.tv_sec, &tm);
    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    one_line(text); /* names may come from the program */
    if (events_stderr_is_journal()) { /* it says the rest itself */
        fprintf(stderr, "%s\n", text);
        return;
    }
    fprintf(stderr, "%s.%03d regckpt-monitor[%d]: %s\n", when, (int)(t.tv_nsec / 1000000),
            (int)getpid(), text);
}

/* The reader may be gone (SIGPIPE is ignored): the log has it all the same. */
static void tell(struct monitor *m, const char *text)
{
    size_t len = strlen(text);

    while (m->ready_fd >= 0 && len) {
        ssize_t n = write(m->ready_fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        text += n;
        len -= n;
    }
}

void report_progress(struct monitor *m, const char *format, ...)
{
    char text[1024], line[1100];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    log_line("%s", text);
    snprintf(line, sizeof(line), "progress %s\n", text);
    tell(m, line);
}

void report_displacing(struct monitor *m, const char *owner)
{
    char line[OWNER_TEXT_BYTES + 32];

    log_line("taking %s over by force; it is %s", m->name, owner);
    snprintf(line, sizeof(line), "displacing %s\n", owner);
    tell(m, line);
}

static void report_end(struct monitor *m, const char *text)
{
    tell(m, text);
    if (m->ready_fd >= 0)
        close(m->ready_fd);
    m->ready_fd = -1;
}

void report_online(struct monitor *m)
{
    report_end(m, "ok\n");
}

void report_failure(struct monitor *m, const struct error *err)
{
    char text[ERROR_TEXT_BYTES + 64];

    event(err->code == RESULT_INEXACT ? EVENT_RESTORE_FAILED : EVENT_ONLINE_FAILED,
          "going online failed: %s", err->text);
    snprintf(text, sizeof(text), "fail %d %s\n", err->code, err->text);
    report_end(m, text);
}

void note_error(struct monitor *m, const struct error *err)
{
    struct monitor_status *s = &m->status;

    if (!s->last_error || strcmp(s->last_error, err->text))
        s->error_since = unix_time_us();
    free(s->last_error);
    s->last_error = strdup(err->text);
}

void error_is_over(struct monitor *m)
{
    struct monitor_status *s = &m->status;

    if (!s->last_error)
        return;
    free(s->past_error);
    s->past_error = s->last_error;
    s->past_error_at = s->error_since;
    s->last_error = NULL;
    s->error_since = 0;
}

void monitor_publish(struct monitor *m)
{
    m->status.waiting = 0;
    for (size_t i = 0; i < m->key_count; i++)
        if (m->keys[i].dirty)
            m->status.waiting = UINT64_MAX; /* a scan will tell how many */
    m->status.epoch = m->state.epoch;
    m->status.sequence = m->state.sequence;
    m->status.host_pid = m->agent ? (uint32_t)m->agent->pid : 0;
    if (m->front)
        front_publish(m->front, &m->status);
}
