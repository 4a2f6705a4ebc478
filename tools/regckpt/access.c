/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "access.h"
#include "storeask.h"
#include "way_out.h"

#define TICK_MS 200
#define LOOK_MS 1000 /* between looks at the monitor's storage */

/* The message for a resource that is not there: which are, and which was probably meant. */
static int no_resource(const struct cli *cli, const char *name, struct error *err)
{
    char list[ERROR_TEXT_BYTES / 2] = "";
    const char *meant;
    char **names;
    size_t count;
    int result;

    if ((result = store_list(cli->settings.store, &names, &count, err)))
        return result;
    for (size_t i = 0; i < count; i++)
        if (strlen(list) + strlen(names[i]) + 3 < sizeof(list))
            snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i ? ", " : "",
                     names[i]);
    meant = nearest_word(name, (const char *const *)names, count);
    result =
        error_set(err, RESULT_NOT_FOUND,
                  "There is no resource \"%s\" in the store %s (from %s).%s%s%s %s%s%s", name,
                  cli->settings.store, cli->settings.store_source, meant ? " Did you mean \"" : "",
                  meant ? meant : "", meant ? "\"?" : "",
                  count ? "There are: " : "There is none at all: make one with regckpt create.",
                  list, count ? "." : "");
    store_list_free(names, count);
    return result;
}

int access_store(const struct cli *cli, const char *name, struct error *err)
{
    int result = store_answers(cli, name, err);

    return result ? result : store_check(cli->settings.store, err);
}

int access_read(const struct cli *cli, const char *name, unsigned flags, struct snapshot *out,
                struct error *err)
{
    struct error own;
    char *path;
    int result = resource_name_check(name, err);

    if (result || (result = access_store(cli, name, err)))
        return result;
    if (!(path = store_path(cli->settings.store, name, STORE_CHECKPOINT)))
        return error_system(err, ENOMEM, "Reading the checkpoint of %s", name);
    if (!err)
        err = &own;
    if ((result = snapshot_read(path, flags, out, err)))
        result = way_out_tell(cli->settings.store, name, true, err);
    free(path);
    return result == RESULT_NOT_FOUND ? no_resource(cli, name, err) : result;
}

int offline_open(const struct cli *cli, const char *name, struct offline *o, struct error *err)
{
    char *path;
    int result;

    *o = (struct offline){.owner = {.store = cli->settings.store, .resource = name,
                                    .node = cli->settings.node, .lock_fd = -1}};
    if ((result = resource_name_check(name, err)) || (result = access_store(cli, name, err)))
        return result;
    if (!(path = store_path(cli->settings.store, name, STORE_CHECKPOINT)))
        return error_system(err, ENOMEM, "Opening the checkpoint of %s", name);
    result = takeover_own(&o->owner, err);
    if (result == RESULT_NOT_FOUND)
        result = no_resource(cli, name, err);
    else if (!result && (takeover_settle(&o->owner, err) || checkpoint_open(path, &o->c, err))) {
        result = way_out_tell(cli->settings.store, name, true, err);
        takeover_release(&o->owner);
    }
    free(path);
    return result;
}

void offline_close(struct offline *o)
{
    if (o->c && checkpoint_is_in_doubt(o->c))
        takeover_doubt(&o->owner);
    checkpoint_close(o->c);
    if (o->owner.lock_fd >= 0)
        takeover_release(&o->owner);
    *o = (struct offline){.owner.lock_fd = -1};
}

int offline_set(const struct cli *cli, const char *name, const struct resource *resource,
                struct error *err)
{
    struct offline o;
    int result = offline_open(cli, name, &o, err);

    if (result)
        return result;
    if (!(result = checkpoint_begin(o.c, err)) &&
        !(result = checkpoint_set_resource(o.c, resource, err)))
        result = checkpoint_commit(o.c, err);
    offline_close(&o);
    return result;
}

static unsigned storage_timeout_s; /* of who connected last: a command is one node's */

int ctl_connect(const struct cli *cli, const char *name, struct error *err)
{
    char *dir = settings_resource_dir(&cli->settings, name), *path = NULL;
    struct error why = {0};
    int sock = -1;

    storage_timeout_s = cli->settings.storage_timeout_s;
    err->code = RESULT_OK;
    if (!dir || asprintf(&path, "%s/socket", dir) < 0)
        error_system(err, ENOMEM, "Asking the monitor of %s", name);
    else if ((sock = message_connect(path, &why)) < 0 && why.code != RESULT_NOT_FOUND)
        *err = why;
    free(path);
    free(dir);
    return sock;
}

/* For how many seconds the storage of the monitor at the other end has not answered. */
static int64_t storage_silent_s(int sock)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t len = sizeof(address);
    struct monitor_status status;
    struct message reply;
    struct unpack u;
    int64_t silent_s = 0;
    int other;

    if (getpeername(sock, (struct sockaddr *)&address, &len) || !*address.sun_path ||
        (other = message_connect(address.sun_path, NULL)) < 0)
        return 0;
    if (!ctl_ask(other, CTL_STATUS, NULL, NULL, CTL_QUICK_MS, &reply, &u, NULL)) {
        if (!unpack_monitor_status(&u, &status)) {
            if (status.busy_since)
                silent_s = (int64_t)time(NULL) - (int64_t)(status.busy_since / 1000000);
            monitor_status_free(&status);
        }
        message_free(&reply);
    }
    close(other);
    return silent_s;
}

/*
 * Waits until the socket has something to say or the time is over, telling progress meanwhile.
 * RESULT_STORAGE: not the time, but the monitor's storage does not let it go on.
 */
static int wait_readable(int sock, struct progress *p, int64_t deadline_ms)
{
    int64_t look_ms = progress_now_ms() + LOOK_MS;

    for (;;) {
        struct pollfd wait = {.fd = sock, .events = POLLIN};
        int64_t left = deadline_ms < 0 ? TICK_MS : deadline_ms - progress_now_ms();
        int ready;

        if (left <= 0)
            return RESULT_TIMEOUT;
        ready = poll(&wait, 1, left < TICK_MS ? (int)left : TICK_MS);
        if (ready > 0)
            return RESULT_OK;
        if (ready < 0 && errno != EINTR)
            return errno;
        if (deadline_ms == CTL_WHILE_STORAGE_ANSWERS && progress_now_ms() >= look_ms) {
            if (storage_silent_s(sock) > storage_timeout_s)
                return RESULT_STORAGE;
            look_ms = progress_now_ms() + LOOK_MS;
        }
        if (p)
            progress_tick(p);
    }
}

/* Receives one message; an error is told as one of the monitor. */
static int receive(int sock, struct message *m, struct progress *p, int64_t deadline_ms,
                   struct error *err)
{
    int result = wait_readable(sock, p, deadline_ms);

    if (!result)
        result = message_receive(sock, m, CTL_QUICK_MS);
    if (result == EPIPE)
        return error_set(err, RESULT_PROGRAM,
                         "The monitor ended before it answered. See its log, and \"regckpt "
                         "status\" for what became of the resource.");
    if (result == RESULT_STORAGE)
        return error_set(err, RESULT_STORAGE,
                         "The storage has not answered the monitor for %u s (storage_timeout). The monitor goes "
                         "on trying, and does what it was asked when the storage answers again; \"regckpt "
                         "status\" tells.", storage_timeout_s);
    if (result == RESULT_TIMEOUT)
        return error_set(err, RESULT_TIMEOUT,
                         "The monitor did not answer in time. \"regckpt status\" tells what it is "
                         "doing.");
    if (result)
        return error_set(err, result, "Waiting for the monitor's answer: %s.", result_name(result));
    return RESULT_OK;
}

/* Reads the reply's head: its result and its error's text. */
static int read_reply(struct message *m, struct unpack *u, struct error *err)
{
    int result;
    char *text;

    unpack_init(u, m->payload, m->len_bytes);
    result = (int)unpack_u32(u);
    text = unpack_text(u);
    if (unpack_failed(u))
        result = error_set(err, RESULT_INVALID,
                           "The monitor's answer is malformed: it is probably another version. "
                           "Take the resource offline and online again.");
    else if (result)
        error_set(err, result, "%s", text);
    free(text);
    return result;
}

int ctl_ask(int sock, enum ctl_message type, const struct pack *payload, struct progress *p,
            int timeout_ms, struct message *reply, struct unpack *u, struct error *err)
{
    int64_t deadline_ms = timeout_ms < 0 ? timeout_ms : progress_now_ms() + timeout_ms;
    struct pack empty;
    struct unpack at;
    int result;

    pack_init(&empty);
    *reply = (struct message){.fd = -1};
    result = message_send(sock, type, 1, payload ? payload : &empty, -1, CTL_QUICK_MS);
    pack_free(&empty);
    if (result && result != EPIPE) /* EPIPE: the reading below may still find out why */
        return error_set(err, result, "Asking the monitor: %s.", result_name(result));
    while (!(result = receive(sock, reply, p, deadline_ms, err))) {
        char *text;

        if (reply->type == CTL_REPLY && reply->tag == 1)
            break;
        if (reply->type == CTL_PROGRESS && p) {
            unpack_init(&at, reply->payload, reply->len_bytes);
            if ((text = unpack_text(&at)))
                progress_say(p, text);
            free(text);
        }
        message_free(reply);
        *reply = (struct message){.fd = -1};
    }
    if (!result && (result = read_reply(reply, &at, err)))
        message_free(reply);
    if (!result && u)
        *u = at;
    return result;
}

int ctl_call(const struct cli *cli, const char *name, enum ctl_message type,
             const struct pack *payload, struct progress *p, int timeout_ms, struct message *reply,
             struct unpack *u, struct error *err)
{
    struct error why = {0};
    int sock = ctl_connect(cli, name, &why), result;

    if (sock < 0 && why.code)
        return error_set(err, why.code, "%s", why.text);
    if (sock < 0)
        return error_set(err, RESULT_NOT_FOUND,
                         "%s has gone offline on this node meanwhile. Try again.", name);
    result = ctl_ask(sock, type, payload, p, timeout_ms, reply, u, err);
    close(sock);
    return result;
}

char *ctl_online_prefix(int sock)
{
    struct monitor_status s;
    struct message reply;
    struct unpack u;
    char *prefix = NULL;

    if (ctl_ask(sock, CTL_STATUS, NULL, NULL, CTL_QUICK_MS, &reply, &u, NULL))
        return NULL;
    if (!unpack_monitor_status(&u, &s)) {
        prefix = s.prefix && *s.prefix ? strdup(s.prefix) : NULL;
        monitor_status_free(&s);
    }
    message_free(&reply);
    return prefix;
}

/* What a monitor is about that does not have its resource online. */
static int busy(const char *name, uint32_t phase, struct error *err)
{
    if (phase == PHASE_EDITING)
        return error_set(err, RESULT_OWNED, "%s is being edited on this node just now. It is free when that "
                         "edit's command has ended; \"regckpt offline %s\" gives the edit up.", name, name);
    return error_set(err, RESULT_OWNED, "%s is %s on this node just now. See \"regckpt status %s\".", name,
                     phase < PHASE_ONLINE ? "being taken online" : "being taken offline", name);
}

int ctl_is_online(const struct cli *cli, const char *name, bool *online, char **prefix,
                  struct error *err)
{
    struct monitor_status status;
    struct message reply;
    struct unpack u;
    int sock = ctl_connect(cli, name, err), result;

    *online = false;
    if (sock < 0)
        return err->code;
    result = ctl_ask(sock, CTL_STATUS, NULL, NULL, CTL_QUICK_MS, &reply, &u, err);
    close(sock);
    if (result)
        return result;
    if (unpack_monitor_status(&u, &status)) {
        message_free(&reply);
        return error_set(err, RESULT_INVALID,
                         "The monitor of %s answers in words this version does not know. Take it offline "
                         "with the version that started it.", name);
    }
    *online = status.phase == PHASE_ONLINE;
    if (!*online)
        result = busy(name, status.phase, err);
    else if (prefix && status.prefix && *status.prefix)
        *prefix = strdup(status.prefix);
    monitor_status_free(&status);
    message_free(&reply);
    return result;
}
