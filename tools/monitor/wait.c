/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine's one place to wait: signals, requests, hosts, wineserver, or the time.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "monitor.h"

#define REQUESTS_MAX 1024
#define LISTEN_SESSION_MS 1000
#define LISTEN_MS 5 /* while calls wait for commits: all else is heard that much later */

static void end_for(struct monitor *m, enum ending why)
{
    if (m->ending == ENDING_NONE)
        m->ending = why;
}

/* SIGTERM or SIGINT: the same as `offline`. */
static void take_signal(struct monitor *m)
{
    struct signalfd_siginfo info;

    if (read(m->signal_fd, &info, sizeof(info)) == sizeof(info)) {
        log_line("signal %u: going offline", info.ssi_signo);
        end_for(m, ENDING_REQUEST);
    }
}

/* A launcher is welcome once, for our service; anybody else is told why not. */
static void take_hello(struct monitor *m, struct front_request *r)
{
    struct hostlink link;
    struct error err;
    const char *wrong = NULL;

    if (hostlink_adopt(&link, r->sock, &r->message, &err)) {
        log_line("refused a connection: %s", err.text);
        message_free(&r->message);
        return;
    }
    message_free(&r->message);
    if (link.role != HOST_LAUNCHER || m->resource.kind != RESOURCE_SERVICE)
        wrong = "it is not a service's launcher";
    else if (is_edit(m))
        wrong = "the resource is being edited";
    else if (!link.service || strcasecmp(link.service, m->resource.service))
        wrong = "it belongs to another service";
    else if (m->launcher)
        wrong = "the service's program is started already";
    if (wrong) {
        log_line("refused regckpt-host %d: %s", (int)link.pid, wrong);
        hostlink_close(&link);
        return;
    }
    m->launcher_link = link;
    m->launcher = &m->launcher_link;
    if (m->agent) /* else it is the agent, and the server is looked for next */
        m->launcher->server_fd = &m->server_fd;
    log_line("services.exe started regckpt-host %d for service %s", (int)link.pid,
             m->resource.service);
}

static void take_requests(struct monitor *m)
{
    struct front_request r, *list;

    while (front_take(m->front, &r)) {
        struct error err;

        if (r.message.type == HOST_HELLO) {
            take_hello(m, &r);
            continue;
        }
        if (r.message.type == CTL_OFFLINE) {
            struct unpack u;

            unpack_init(&u, r.message.payload, r.message.len_bytes);
            m->restore_local |= (unpack_u32(&u) & CTL_OFFLINE_RESTORE_LOCAL) != 0;
            end_for(m, ENDING_REQUEST);
        }
        list = m->request_count < REQUESTS_MAX
                   ? realloc(m->requests, (m->request_count + 1) * sizeof(*list)) : NULL;
        if (!list) {
            error_set(&err, RESULT_TIMEOUT, "the monitor has too many requests waiting");
            front_reply(&r, &err, NULL);
            continue;
        }
        m->requests = list;
        list[m->request_count++] = r;
    }
}

/* Changed keys become dirty, the program's end is noted, a dead link ends the resource. */
static void take_events(struct monitor *m, struct hostlink *link)
{
    struct error err;
    bool heard = false;
    int dead = hostlink_poll(link, &err);

    for (size_t i = 0; i < link->changed_count; i++) {
        struct held_key *k = keys_find(m, link->changed[i]);
        if (k) {
            heard = true;
            hooked_heard(m, k);
        }
    }
    link->changed_count = 0;
    if (link->exited && m->started && !m->exited) {
        m->exited = true;
        m->exit_code = link->exit_code;
        if (m->ending == ENDING_NONE)
            event(EVENT_PROGRAM_ENDED, "the program ended with exit code %u", m->exit_code);
        else
            log_line("the program ended with exit code %u", m->exit_code);
        end_for(m, ENDING_PROGRAM);
    }
    /* last: a program's end that was told before its host's is the reason */
    if (dead && m->ending == ENDING_NONE) {
        log_line("%s: %s", link == m->launcher ? "the service's host" : "the agent", err.text);
        end_for(m, ENDING_HOST);
    }
    if (heard)
        monitor_publish(m);
}

/* The edit's command has ended, or nobody waits for it any more. */
static void take_session(struct monitor *m)
{
    struct message request;
    bool save = false;

    if (!message_receive(m->session_fd, &request, LISTEN_SESSION_MS)) {
        save = request.type == CTL_EDIT_SAVE;
        m->session_tag = request.tag;
        message_free(&request);
    }
    end_for(m, save ? ENDING_EDITED : ENDING_GIVEN_UP);
}

/* Events that came in during a request wait in the link, not in its socket. */
static bool has_events(const struct monitor *m, const struct hostlink *link)
{
    return link && (link->changed_count || (link->exited && m->started && !m->exited));
}

/* Waits for descriptors, or for the doorbell while that is rung all the time. */
static int wait_for(struct monitor *m, struct pollfd *p, nfds_t n, int timeout_ms)
{
    struct hooked *h = &m->hooked;
    int ready;

    if (!hooked_is_busy(m)) {
        if (h->listener)
            listener_resume(h->listener);
        return poll(p, n, timeout_ms);
    }
    ready = poll(p, n, 0);
    if (!ready && timeout_ms)
        h->rung |= listener_listen(h->listener, timeout_ms < LISTEN_MS ? timeout_ms : LISTEN_MS);
    return ready;
}

void engine_wait(struct monitor *m, int64_t until_us)
{
    int64_t left_us = until_us - clock_us();
    int timeout_ms = left_us <= 0 ? 0 : left_us > 3600000000LL ? 3600000 : (int)(left_us / 1000) + 1;
    struct pollfd p[7];
    nfds_t n = 0;

    memset(p, 0, sizeof(p));
    p[n++].fd = m->signal_fd;
    p[n++].fd = m->front ? front_fd(m->front) : -1;
    p[n++].fd = m->server_fd;
    p[n++].fd = m->agent ? m->agent->sock : -1;
    p[n++].fd = m->launcher && m->launcher != m->agent ? m->launcher->sock : -1;
    p[n++].fd = m->hooked.listener ? listener_fd(m->hooked.listener) : -1;
    p[n++].fd = m->ending == ENDING_NONE ? m->session_fd : -1;
    for (nfds_t i = 0; i < n; i++)
        p[i].events = POLLIN;
    if (has_events(m, m->agent) || has_events(m, m->launcher))
        timeout_ms = 0;
    if (wait_for(m, p, n, timeout_ms) < 0)
        return;
    if (p[0].revents)
        take_signal(m);
    if (p[1].revents)
        take_requests(m);
    if (p[2].revents && m->server_fd >= 0) {
        log_line("wineserver of %s is gone", m->place.prefix);
        close(m->server_fd);
        m->server_fd = -1;
        m->ending = ENDING_SERVER; /* graver than whatever it brought down with it */
    }
    if (p[5].revents) {
        listener_clear(m->hooked.listener);
        m->hooked.rung = true;
    }
    if (p[6].revents)
        take_session(m);
    if (m->agent)
        take_events(m, m->agent);
    if (m->launcher && m->launcher != m->agent)
        take_events(m, m->launcher);
}
