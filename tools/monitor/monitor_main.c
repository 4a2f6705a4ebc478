/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * regckpt-monitor's start: options, the run directory, the log, signals.  It is started by
 * `regckpt online` and `regckpt run`, or by regckpt-host when Wine starts the service by itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor.h"

enum { EXIT_USAGE = 100, EXIT_SYSTEM = 111 };

static int usage(const char *why)
{
    fprintf(stderr, "regckpt-monitor: %s\n"
            "usage: regckpt-monitor --resource NAME [--store DIR] [--prefix DIR] [--conf FILE] "
            "[--ready-fd N] [--takeover OWNER] [--foreground | --for-service | --edit-fd N]\n"
            "It is started by 'regckpt online', 'run' and 'edit'; see regckpt(1).\n", why);
    return EXIT_USAGE;
}

/* 0, or an exit code. */
static int parse(int argc, char **argv, struct monitor *m, const char **store)
{
    static const struct option options[] = {
        {"conf", required_argument, NULL, 'c'},     {"edit-fd", required_argument, NULL, 'e'},
        {"for-service", no_argument, NULL, 's'},
        {"foreground", no_argument, NULL, 'f'},     {"prefix", required_argument, NULL, 'p'},
        {"ready-fd", required_argument, NULL, 'r'}, {"resource", required_argument, NULL, 'n'},
        {"store", required_argument, NULL, 'd'},    {"takeover", required_argument, NULL, 't'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            if (!access(optarg, F_OK))
                setenv("REGCKPT_CONF", optarg, 1);
            break;
        case 'e':
            m->session_fd = atoi(optarg);
            break;
        case 's':
            m->for_service = true;
            break;
        case 'f':
            m->foreground = true;
            break;
        case 'p':
            m->prefix_option = optarg;
            break;
        case 'r':
            m->ready_fd = atoi(optarg);
            break;
        case 'n':
            m->name = optarg;
            break;
        case 'd':
            *store = optarg;
            break;
        case 't':
            m->takeover = optarg;
            break;
        default:
            return usage("unknown option");
        }
    }
    if (optind != argc || !m->name)
        return usage("which resource?");
    return 0;
}

/* Standard error becomes the log; a terminal keeps it in the foreground. */
static int open_log(struct monitor *m, struct error *err)
{
    static char path[4096];
    int fd, null;

    if (m->foreground)
        return 0;
    snprintf(path, sizeof(path), "%s/log", m->dir);
    if ((fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)) < 0)
        return error_system(err, errno, "cannot write the log %s", path);
    if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) < 0)
        return error_system(err, errno, "cannot open /dev/null");
    dup2(null, 0);
    dup2(fd, 1);
    dup2(fd, 2);
    close(null);
    close(fd);
    log_keep_short(path);
    return 0;
}

/* Signals are read from a descriptor; a reader that went away is no reason to die. */
static int take_signals(struct monitor *m, struct error *err)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    m->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
    return m->signal_fd < 0 ? error_system(err, errno, "cannot watch for signals") : 0;
}

/* Leaves the caller's session; the caller has the ready descriptor. */
static int daemonize(const struct monitor *m, struct error *err)
{
    pid_t pid;

    if (m->foreground || m->for_service)
        return 0;
    if ((pid = fork()) < 0)
        return error_system(err, errno, "cannot start the monitor in the background");
    if (pid)
        _exit(0);
    setsid();
    return 0;
}

int main(int argc, char **argv)
{
    struct monitor m = {.ready_fd = -1, .signal_fd = -1, .server_fd = -1,
                        .session_fd = -1, .owner.lock_fd = -1};
    const char *store = NULL;
    struct error err = {.code = 0};
    int code = parse(argc, argv, &m, &store);

    if (code)
        return code;
    umask(077);
    if (m.ready_fd >= 0)
        fcntl(m.ready_fd, F_SETFD, FD_CLOEXEC);
    if (m.session_fd >= 0)
        fcntl(m.session_fd, F_SETFD, FD_CLOEXEC);
    signal(SIGPIPE, SIG_IGN);
    if (daemonize(&m, &err) || resource_name_check(m.name, &err) ||
        settings_read(&m.settings, store, &err) ||
        settings_make_resource_dir(&m.settings, m.name, &m.dir, &err) ||
        open_log(&m, &err) || take_signals(&m, &err)) {
        report_failure(&m, &err);
        return result_exit_code(err.code);
    }
    events_begin(&m.settings, m.name);
    if (chdir("/"))
        log_line("cannot change to /");
    resource_init(&m.resource);
    m.status.pid = getpid();
    m.status.resource = strdup(m.name);
    m.status.node = strdup(m.settings.node);
    m.status.store = strdup(m.settings.store);
    m.status.source = strdup("watch");
    m.status.waiting = 0;
    code = is_edit(&m) ? edit_run(&m) : engine_run(&m);
    keys_free(&m);
    resource_free(&m.resource);
    wine_place_free(&m.place);
    monitor_status_free(&m.status);
    free(m.dir);
    settings_free(&m.settings);
    return code;
}
