/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the monitor says: lines in its log, and the outcome to whoever started it.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
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
    for (char *c = text; *c; c++) /* names may come from the program: one line, whatever they hold */
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
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

    log_line("failed: %s", err->text);
    snprintf(text, sizeof(text), "fail %d %s\n", err->code, err->text);
    report_end(m, text);
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
