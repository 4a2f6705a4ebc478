/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection to a host: started, adopted, asked, closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hostlink.h"

/* What the numbers mean that an administrator is likely to meet. */
static const struct {
    uint32_t kind, status;
    const char *text;
} meanings[] = {
    {HOST_ERROR_NTSTATUS, 0xc0000022, "access denied"},
    {HOST_ERROR_NTSTATUS, 0xc0000034, "no such key"},
    {HOST_ERROR_NTSTATUS, 0xc0000035, "the key is already there"},
    {HOST_ERROR_NTSTATUS, 0xc000007f, "the disk is full"},
    {HOST_ERROR_NTSTATUS, 0xc000017c, "the key was deleted meanwhile"},
    {HOST_ERROR_NTSTATUS, 0xc0000121, "the key cannot be deleted"},
    {HOST_ERROR_NTSTATUS, 0xc000000d, "invalid parameter"},
    {HOST_ERROR_NTSTATUS, 0xc0000017, "out of memory"},
    {HOST_ERROR_WIN32, 2, "file not found"},
    {HOST_ERROR_WIN32, 3, "path not found"},
    {HOST_ERROR_WIN32, 5, "access denied"},
    {HOST_ERROR_WIN32, 8, "out of memory"},
    {HOST_ERROR_WIN32, 87, "invalid parameter"},
    {HOST_ERROR_WIN32, 193, "not a Windows program"},
    {HOST_ERROR_WIN32, 216, "a program of another machine type"},
    {HOST_ERROR_WIN32, 267, "no such directory"},
    {HOST_ERROR_WIN32, 1053, "the service did not answer in time"},
    {HOST_ERROR_WIN32, 1055, "the service database is locked"},
    {HOST_ERROR_WIN32, 1056, "the service is already running"},
    {HOST_ERROR_WIN32, 1058, "the service is disabled"},
    {HOST_ERROR_WIN32, 1060, "no such service"},
    {HOST_ERROR_WIN32, 1062, "the service is not running"},
};

static const char *meaning(uint32_t kind, uint32_t status)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
        if (meanings[i].kind == kind && meanings[i].status == status)
            return meanings[i].text;
    return "no text for this error";
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* The link is over; every later request gives the same error. */
static int die(struct hostlink *link, struct error *err, int code, const char *why)
{
    if (link->sock >= 0) {
        close(link->sock);
        link->sock = -1;
        error_set(&link->dead, code, "%s", why);
    } else if (!link->dead.code) {
        error_set(&link->dead, RESULT_WINE, "regckpt-host is not connected any more");
    }
    if (err)
        *err = link->dead;
    return link->dead.code;
}

static int die_of(struct hostlink *link, struct error *err, int error)
{
    if (error == RESULT_TIMEOUT)
        return die(link, err, RESULT_TIMEOUT,
                   "regckpt-host does not answer; is wineserver stopped or overloaded?");
    return die(link, err, RESULT_WINE, "regckpt-host is gone: it ended, or its wineserver did");
}

static int note_changed(struct hostlink *link, uint32_t id)
{
    uint32_t *list;

    for (size_t i = 0; i < link->changed_count; i++)
        if (link->changed[i] == id)
            return 0;
    if (!(list = realloc(link->changed, (link->changed_count + 1) * sizeof(*list))))
        return ENOMEM;
    link->changed = list;
    list[link->changed_count++] = id;
    return 0;
}

/* An event; 0, or RESULT_INVALID for anything else. */
static int take_event(struct hostlink *link, const struct message *m)
{
    struct unpack u;
    uint32_t value;

    unpack_init(&u, m->payload, m->len_bytes);
    value = unpack_u32(&u);
    if (unpack_failed(&u))
        return RESULT_INVALID;
    switch (m->type) {
    case HOST_CHANGED:
        return note_changed(link, value);
    case HOST_EXITED:
        link->exited = true;
        link->exit_code = value;
        return 0;
    case HOST_LEFT:
        link->left = true;
        link->exit_code = value;
        return 0;
    case HOST_WINDOW:
        link->window = true;
        return 0;
    case HOST_SERVICE_DONE:
        link->service_done = true;
        link->service_error = value;
        return 0;
    }
    return RESULT_INVALID;
}

int hostlink_poll(struct hostlink *link, struct error *err)
{
    struct message m;
    int error;

    if (link->sock < 0)
        return die(link, err, RESULT_WINE, "");
    for (;;) {
        struct pollfd p = {.fd = link->sock, .events = POLLIN};
        if (poll(&p, 1, 0) <= 0)
            return 0;
        if ((error = message_receive(link->sock, &m, 1000)))
            return die_of(link, err, error);
        error = take_event(link, &m);
        message_free(&m);
        if (error)
            return die(link, err, error, "regckpt-host sent something unexpected");
    }
}

/* The status in front of every reply. */
static int read_status(struct unpack *u, struct error *err)
{
    uint32_t status = unpack_u32(u), kind = unpack_u32(u);
    char *what = unpack_text(u);
    int code = 0;

    if (!what) {
        code = error_set(err, RESULT_INVALID, "regckpt-host sent a reply that cannot be read");
    } else if (status) {
        code = error_set(err, RESULT_WINE, "%s failed: %s (%s %s%x)", what, meaning(kind, status),
                         kind == HOST_ERROR_WIN32 ? "Win32 error" : "NTSTATUS",
                         kind == HOST_ERROR_WIN32 ? "0x" : "", status);
    }
    free(what);
    return code;
}

/* Waits until there is something to receive, the server is gone, or the time is over; receiving tells. */
static int await(const struct hostlink *link, int timeout_ms)
{
    struct pollfd p[2] = {{.fd = link->sock, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
    bool gone = false;

    if (link->server_fd) {
        p[1].fd = *link->server_fd;
        gone = p[1].fd < 0;
    }
    if (poll(p, 2, gone ? 0 : timeout_ms) > 0 && p[0].revents)
        return 0; /* what had been answered counts */
    return gone || p[1].revents ? ECONNRESET : 0;
}

int hostlink_ask(struct hostlink *link, enum host_message type, const struct pack *payload, int fd,
                 int timeout_ms, struct message *reply, struct unpack *u, struct error *err)
{
    static const struct pack nothing;
    int64_t end = now_ms() + timeout_ms;
    uint32_t tag = ++link->next_tag;
    struct message m;
    struct unpack own;
    int error;

    if (link->sock < 0)
        return die(link, err, RESULT_WINE, "");
    if (payload && payload->failed)
        return error_set(err, ENOMEM, "no memory for a request to regckpt-host");
    error = message_send(link->sock, type, tag, payload ? payload : &nothing, fd, timeout_ms);
    if (error)
        return die_of(link, err, error);
    for (;;) {
        int64_t left = end - now_ms();
        if (left > 0 && (error = await(link, left)))
            return die_of(link, err, error);
        left = end - now_ms();
        error = message_receive(link->sock, &m, left > 0 ? left : 0);
        if (error)
            return die_of(link, err, error);
        if (m.type == HOST_REPLY && m.tag == tag)
            break;
        error = take_event(link, &m);
        message_free(&m);
        if (error)
            return die(link, err, error, "regckpt-host sent something unexpected");
    }
    unpack_init(&own, m.payload, m.len_bytes);
    error = read_status(&own, err);
    if (u)
        *u = own;
    if (reply)
        *reply = m;
    else
        message_free(&m);
    return error;
}

/* Who is at the other end, by the kernel's word; 0: not known.  It may be ended by this number. */
static pid_t peer_pid(int sock)
{
    struct ucred peer = {.pid = 0};
    socklen_t len = sizeof(peer);

    return getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &len) ? 0 : peer.pid;
}

/* Not a host: the connection is closed, nothing is left to free. */
static int reject(struct hostlink *link, struct error *err, int code, const char *why)
{
    free(link->service);
    link->service = NULL;
    return die(link, err, code, why);
}

int hostlink_adopt(struct hostlink *link, int sock, const struct message *hello, struct error *err)
{
    struct unpack u;
    uint32_t version;

    memset(link, 0, sizeof(*link));
    link->sock = sock;
    unpack_init(&u, hello->payload, hello->len_bytes);
    version = unpack_u32(&u);
    link->role = unpack_u32(&u);
    link->bits = unpack_u32(&u);
    unpack_u32(&u); /* what it says is its pid */
    link->pid = peer_pid(sock);
    link->service = unpack_text(&u);
    if (hello->type == HOST_HELLO && version != HOSTPROTO_VERSION)
        return reject(link, err, RESULT_WINE,
                      "regckpt-host is of another version than this regckpt: install both from one "
                      "version, and end programs that were started by the old one");
    if (hello->type != HOST_HELLO || unpack_failed(&u))
        return reject(link, err, RESULT_INVALID, "something that is not regckpt-host connected");
    return 0;
}

/* The directory of the socket: the host's user may enter it, nobody else. */
static int make_directory(const char *dir, const struct wine_place *place, struct error *err)
{
    char path[PATH_MAX], *slash;

    snprintf(path, sizeof(path), "%s", dir);
    if ((slash = strrchr(path, '/')) && slash != path) {
        *slash = 0;
        if (mkdir(path, geteuid() ? 0700 : 0711) && errno != EEXIST)
            return error_system(err, errno, "cannot make the run directory %s", path);
    }
    if (mkdir(dir, 0700) && errno != EEXIST)
        return error_system(err, errno, "cannot make the run directory %s", dir);
    if (chown(dir, place->uid, place->gid))
        return error_system(err, errno, "cannot give the run directory %s to user %u", dir,
                            place->uid);
    return 0;
}

/*
 * Waits for the host that was started to connect and say hello.  *again: it is worth another try.
 */
static int wait_for_hello(struct hostlink *link, int listening, pid_t pid, int timeout_ms,
                          bool *again, struct error *err)
{
    int64_t end = now_ms() + timeout_ms;
    struct message hello;
    int sock, status, error;

    *again = false;
    for (;;) {
        struct pollfd p = {.fd = listening, .events = POLLIN};
        if (poll(&p, 1, 50) > 0 && (sock = accept4(listening, NULL, NULL, SOCK_CLOEXEC)) >= 0)
            break;
        if (waitpid(pid, &status, WNOHANG) == pid) {
            *again = wine_server_was_ending(status);
            return error_set(err, RESULT_WINE,
                             "regckpt-host ended before it connected (%s %d); its log has the reason",
                             WIFEXITED(status) ? "exit code" : "signal",
                             WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
        }
        if (now_ms() >= end) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            return error_set(err, RESULT_TIMEOUT,
                             "regckpt-host did not come up within %d s in this Wine prefix",
                             timeout_ms / 1000);
        }
    }
    if ((error = message_receive(sock, &hello, timeout_ms))) {
        close(sock);
        return error_set(err, RESULT_WINE, "regckpt-host connected and said nothing");
    }
    error = hostlink_adopt(link, sock, &hello, err);
    message_free(&hello);
    return error;
}

int hostlink_start(struct hostlink *link, const struct wine_place *place, const char *dir, int log_fd,
                   int timeout_ms, struct error *err)
{
    char path[PATH_MAX], *program;
    char *argv[] = {NULL, (char *)"--agent", path, NULL};
    int listening, error, tries = WINE_TRIES;
    bool again;
    pid_t pid;

    memset(link, 0, sizeof(*link));
    link->sock = -1;
    error_set(&link->dead, RESULT_WINE, "regckpt-host was not started");
    program = settings_find_program(place->bits == 32 ? "regckpt-host32.exe.so" : "regckpt-host.exe.so",
                                    err);
    if (!program)
        return RESULT_UNPROTECTED;
    argv[0] = program;
    if ((error = make_directory(dir, place, err)))
        goto done;
    snprintf(path, sizeof(path), "%s/agent.%d", dir, (int)getpid());
    if ((listening = message_listen(path, err)) < 0) {
        error = err ? err->code : EIO;
        goto done;
    }
    do {
        again = false;
        if (chown(path, place->uid, place->gid))
            error = error_system(err, errno, "cannot give %s to user %u", path, place->uid);
        else if ((pid = wine_start(place, argv, log_fd, err)) < 0)
            error = err ? err->code : EIO;
        else
            error = wait_for_hello(link, listening, pid, timeout_ms, &again, err);
    } while (again && --tries);
    close(listening);
    unlink(path);
done:
    free(program);
    return error;
}

void hostlink_close(struct hostlink *link)
{
    struct pack p;

    if (link->sock >= 0) {
        pack_init(&p);
        pack_u32(&p, 0);
        hostlink_ask(link, HOST_EXIT, &p, -1, 5000, NULL, NULL, NULL);
        pack_free(&p);
        if (link->sock >= 0)
            close(link->sock);
    }
    if (link->role == HOST_AGENT && link->pid > 0) /* our child, if it is; no harm if not */
        for (int i = 0; i < 200 && waitpid(link->pid, NULL, WNOHANG) == 0; i++)
            poll(NULL, 0, 10);
    free(link->service);
    free(link->changed);
    memset(link, 0, sizeof(*link));
    link->sock = -1;
}
