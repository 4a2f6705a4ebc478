/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events to the journal or syslog.  By own datagrams, not by syslog(3): that one waits where the
 * other side is slow, and has no fields.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "monitor.h"

#define TAG "regckpt"
#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define SYSLOG_SOCKET "/dev/log"
#define CORRECTION_PAUSE_US 60000000LL

static const struct {
    const char *name;
    int priority;
} table[] = {
    [EVENT_ONLINE] = {"online", LOG_NOTICE},
    [EVENT_OFFLINE] = {"offline", LOG_NOTICE},
    [EVENT_ONLINE_FAILED] = {"online-failed", LOG_ERR},
    [EVENT_RESTORE_FAILED] = {"restore-failed", LOG_CRIT},
    [EVENT_TAKEOVER] = {"takeover", LOG_WARNING},
    [EVENT_DISPLACED] = {"displaced", LOG_CRIT},
    [EVENT_STORAGE_FAILED] = {"storage-failed", LOG_CRIT},
    [EVENT_STORAGE_BACK] = {"storage-back", LOG_NOTICE},
    [EVENT_UNPROTECTED] = {"unprotected", LOG_WARNING},
    [EVENT_CORRECTION] = {"correction", LOG_WARNING},
    [EVENT_PROGRAM_ENDED] = {"program-ended", LOG_WARNING},
    [EVENT_REGISTRY_LOST] = {"registry-lost", LOG_ERR},
    [EVENT_SAVE_FAILED] = {"save-failed", LOG_CRIT},
};

static struct {
    const struct settings *settings;
    const char *resource;
    bool stderr_is_journal;
} here;

bool events_stderr_is_journal(void)
{
    return here.stderr_is_journal;
}

/* systemd says which stream it gave to a service ("DEVICE:INODE", systemd.exec(5)). */
static bool is_journal_stream(int fd)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;

    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && !fstat(fd, &st) &&
           st.st_dev == device && st.st_ino == inode;
}

void events_begin(const struct settings *settings, const char *resource)
{
    here.resource = resource;
    here.stderr_is_journal = is_journal_stream(STDERR_FILENO);
    here.settings = settings;
}

static bool send_to(const char *path, int type, const char *message, size_t len)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int sock = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool sent = false;

    if (sock < 0)
        return false;
    snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
    if (!connect(sock, (struct sockaddr *)&to, sizeof(to)))
        sent = send(sock, message, len, MSG_NOSIGNAL) == (ssize_t)len;
    else if (errno == EPROTOTYPE && type == SOCK_DGRAM) /* some daemons listen for streams: with a NUL */
        sent = send_to(path, SOCK_STREAM, message, len + 1);
    close(sock);
    return sent;
}

/* A text that may hold anything, as a line. */
static void put_field(FILE *out, const char *name, const char *value)
{
    fprintf(out, "%s=", name);
    for (; *value; value++)
        fputc(*value == '\n' ? '?' : *value, out);
    fputc('\n', out);
}

/* One of the journal's native messages: "NAME=VALUE" lines, no value holds a line break. */
static bool to_journal(const char *path, enum event what, const char *text)
{
    char *message;
    size_t len;
    FILE *out = open_memstream(&message, &len);
    bool sent;

    if (!out)
        return false;
    fprintf(out, "MESSAGE=%s: %s\nPRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=" TAG "\n"
            "SYSLOG_PID=%d\nREGCKPT_EVENT=%s\nREGCKPT_RESOURCE=%s\n", here.resource, text,
            table[what].priority, LOG_DAEMON >> 3, (int)getpid(), table[what].name, here.resource);
    put_field(out, "REGCKPT_NODE", here.settings->node);
    put_field(out, "REGCKPT_STORE", here.settings->store);
    if (fclose(out))
        return false;
    sent = send_to(path, SOCK_DGRAM, message, len);
    free(message);
    return sent;
}

/* As syslog(3) writes it. */
static bool to_syslog(const char *path, enum event what, const char *text)
{
    char message[4400], when[32];
    time_t now = time(NULL);
    struct tm tm;
    size_t len;

    localtime_r(&now, &tm);
    strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm);
    len = (size_t)snprintf(message, sizeof(message), "<%d>%s " TAG "[%d]: %s: %s: %s",
                           LOG_DAEMON | table[what].priority, when, (int)getpid(), here.resource,
                           table[what].name, text);
    return send_to(path, SOCK_DGRAM, message, len < sizeof(message) ? len : sizeof(message) - 1);
}

/* Where the settings say; *native: the journal has it, with the fields. */
static void tell(enum event what, const char *text, bool *native)
{
    const char *to = here.settings->events, *socket = strchr(to, ':');
    bool any = !strcmp(to, "auto");

    *native = false;
    if (any || !strncmp(to, "journal", 7))
        *native = to_journal(socket ? socket + 1 : JOURNAL_SOCKET, what, text);
    if ((any && !*native) || !strncmp(to, "syslog", 6))
        to_syslog(socket ? socket + 1 : SYSLOG_SOCKET, what, text);
}

void event(enum event what, const char *format, ...)
{
    bool native = false;
    char text[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    one_line(text);
    if (here.settings)
        tell(what, text, &native);
    if (!native || !here.stderr_is_journal) /* else the journal had it twice */
        log_line("%s", text);
}

void event_correction(uint64_t changes)
{
    static uint64_t untold;
    static int64_t not_before_us;
    int64_t now = clock_us();

    untold += changes;
    if (now < not_before_us) {
        log_line("a scan found %" PRIu64 " changes that nothing had told of", changes);
        return;
    }
    event(EVENT_CORRECTION, "scans found %" PRIu64 " changes that nothing had told of", untold);
    untold = 0;
    not_before_us = now + CORRECTION_PAUSE_US;
}
